//! Every limit of the core, with the reason for its value.

use std::time::Duration;

/// The longest identifier that a caller may choose, in bytes. Long enough for a UUID with a prefix.
pub const MAX_ID_LENGTH: usize = 128;

/// How many speakers a room can be set to carry at the same time, and so how many audio lines an offer
/// can have. Each costs every listener a stream, and beyond eight nobody tells voices apart.
pub const MAX_AUDIO_SLOTS: usize = 8;

/// How many speakers a room carries unless it is told otherwise. More than three voices at once are
/// noise to a listener.
pub const DEFAULT_AUDIO_SLOTS: u8 = 3;

/// How many entries the metadata of a room or a participant has at most.
pub const MAX_METADATA_ENTRIES: usize = 32;

/// The longest key of metadata, in bytes.
pub const MAX_METADATA_KEY_BYTES: usize = 64;

/// The most that keys and values of one metadata have together, in bytes. It is in every snapshot that
/// a watcher gets.
pub const MAX_METADATA_BYTES: usize = 4 * 1024;

/// How many moderator's mutes a room remembers, of those who are in and of those who were: as many
/// people as a large room could mute in a long evening.
pub const MAX_MODERATOR_MUTES: usize = 4_096;

/// How many participants a listener's choice of whom to hear names at most.
pub const MAX_SUBSCRIPTION_NAMES: usize = 64;

/// How many different choices of whom to hear the listeners of a room make at the same time. Those who
/// make the same one share it. Each is ranked for itself ten times a second, in about a microsecond.
pub const MAX_SUBSCRIPTIONS_PER_ROOM: usize = 1_024;

/// How many of those who talk at the same time a ranking looks at: the loudest. More is a crowd, of
/// whom the others are heard by nobody in any case.
pub const MAX_TALKERS_RANKED: usize = 256;

/// The most of somebody's speech that is kept for the moment when they take a slot.
pub const MAX_SPEECH_PREROLL: Duration = Duration::from_millis(200);

/// The same unless a room says otherwise: a soft beginning where a slot is free. Where all
/// are taken, more costs listeners more delay than it gives back (docs/adr/0005-a-pre-roll-of-60-ms.md).
pub const DEFAULT_SPEECH_PREROLL: Duration = Duration::from_millis(60);

/// How long after they began to talk somebody is still heard from before. The ranking needs less to notice
/// a new voice. Who takes a slot later was heard until a moment ago, or has talked unheard for long; to
/// send what they said before would only put their listeners behind.
pub const BEGINNING: Duration = Duration::from_millis(400);

/// After which pause somebody begins to talk anew. Longer than a breath.
pub const PAUSE: Duration = Duration::from_millis(300);

/// How many packets of one speaker are kept for that, however short they are: 200 ms of frames of
/// 10 ms.
pub const MAX_PREROLL_PACKETS: usize = 20;

/// The shortest time that a room can be set to wait for before it is closed because it is empty or idle.
pub const MIN_ROOM_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest: a week. What is to stay for longer is to stay until it is closed.
pub const MAX_ROOM_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many ICE candidates are taken from one participant. Browsers send fewer than twenty.
pub const MAX_REMOTE_CANDIDATES: usize = 32;

/// How many remote addresses lead to one participant. A laptop with two networks, a VPN and virtual
/// machines checks from one for each of its interfaces all the time; the oldest is forgotten when
/// another one proves itself.
pub const MAX_ADDRESSES_PER_PARTICIPANT: usize = 16;

/// From how many addresses a participant may come in one session. The session remembers each of them
/// for good (str0m 0.25) and searches them one by one for each check, so they must not grow with what
/// a hostile client sends. A day on a train needs fewer.
pub const MAX_ADDRESSES_PER_SESSION: usize = 256;

/// For how long a participant may send nothing and then make up for it, where they may send so many a second of
/// something that costs nobody but the node.
pub const PACE_BURST: Duration = Duration::from_secs(2);

/// How many packets a second of a participant's microphone are forwarded. Each costs as many as there are listeners.
/// Browsers send 50, or 100 where they are asked to; Opus in frames of 5 ms is 200.
pub const MAX_VOICE_PACKETS_PER_SECOND: u32 = 200;

/// How many of those at once: a second of speech as browsers send it, which a network has held back. Where it held back
/// more, the end of it is not heard. What comes at once keeps a worker from all other rooms for as long as it takes to send
/// it to all listeners.
pub const MAX_VOICE_PACKETS_AT_ONCE: u32 = 50;

/// How many ICE checks a second are answered to a participant, from all their addresses. RFC 8445 (section 14) has
/// one every 50 ms, retransmissions among them where a network is good, and then one every few seconds.
pub const MAX_CHECKS_PER_SECOND: u32 = 100;

/// How many RTCP packets a second of a participant are looked at. Browsers send one or two for each line in a second,
/// where they are in a hurry.
pub const MAX_REPORTS_PER_SECOND: u32 = 50;

/// How many datagrams a second of a participant are handed to the lobby where their session is set up. A handshake
/// needs some ten, and what is lost of it comes again.
pub const MAX_HANDSHAKE_DATAGRAMS_PER_SECOND: u32 = 100;

/// Under how many SSRCs that they have not announced a participant may send in one session. The session remembers
/// each of them for good (str0m 0.25), where it has to be safe against replay. Clients need one; some choose another
/// when a microphone is changed.
pub const MAX_LEARNED_SSRCS: usize = 32;

/// How many ICE credentials from before ICE restarts a session keeps until the client has used the newest: the
/// one in use, and those whose answers may have reached the client. Who asks again and again has had none.
pub const MAX_FORMER_CREDENTIALS: usize = 4;

/// How long an address stays with a participant after their last check from there, if another one
/// claims it: anybody in a room could silence another for the price of a forged source address.
/// Longer than clients take from one check to the next (RFC 7675: 5 s, plus a fifth), shorter than
/// the ICE timeout.
pub const ADDRESS_KEPT: Duration = Duration::from_secs(10);

/// The largest offer that is parsed, in bytes. Chromium's for three audio lines has about 6 KiB.
pub const MAX_OFFER_BYTES: usize = 64 * 1024;

/// The most lines of an offer that is parsed. Chromium's for eight audio lines has less than 400. Each line costs as
/// many attempts as there are attributes, and twice that if the offer is wrong in the end.
pub const MAX_OFFER_LINES: usize = 1_024;

/// The largest datagram that is looked at, in bytes. What is longer cannot be a packet of ours on an
/// Internet path.
pub const MAX_DATAGRAM_BYTES: usize = 2000;

/// The largest RTP payload that is forwarded, in bytes: with the longest header and tag of ours it is a datagram of
/// [`MAX_DATAGRAM_BYTES`] at most, however short those were that it came with.
pub const MAX_PAYLOAD_BYTES: usize = MAX_DATAGRAM_BYTES - 100;

/// How many packets of a speaker may be missing in a row and still be shown to listeners as loss: a
/// minute of speech (RFC 3550, appendix A.1 takes the same number). A larger jump is closed: two
/// jumps of half the numbers' range, and a listener who misses the packet between them has lost count
/// of the roll-overs for good.
pub const MAX_SEQUENCE_GAP: u64 = 3_000;

/// How often a room's ranking looks at its speakers, apart from those moments when a packet alone
/// decides (a free slot). The length of a syllable.
pub const RANKING_INTERVAL: Duration = Duration::from_millis(100);

/// The shortest time between two reports of who is heard.
pub const ACTIVE_SPEAKERS_INTERVAL: Duration = Duration::from_millis(500);

/// How often it is looked at how well packets get through to and from a participant. As often as
/// receivers report (RFC 3550, section 6.2), and no more often does what others see of it change.
pub const QUALITY_INTERVAL: Duration = Duration::from_secs(5);

/// For how long a tenant may forward nothing and then make up for it, at most, where it has a quota of packets a
/// second. Speech comes in packets of 20 ms from all rooms at once; more would be felt by other tenants.
pub const QUOTA_BURST: Duration = Duration::from_millis(200);

/// How often workers share the quota of a tenant anew. A room that begins to talk where there was silence has
/// what it needs after two of these at the latest, if the quota has it.
pub const QUOTA_PERIOD: Duration = Duration::from_millis(250);

/// The average time between two sender reports on a line (RFC 3550, section 6.2: the recommended
/// minimum).
pub const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// For how many listeners a packet is sealed at a time. As many as a batch of sends takes, and few
/// enough for a processor's nearest cache.
pub const SEAL_BATCH: usize = 32;

/// For how many listeners of a node there is space from the start, if it may have as many: a table that
/// grew would leave copies of their keys behind. It is address space, about 700 bytes for each; memory
/// is what is written to.
pub const MAX_RESERVED_LISTENERS: usize = 65_536;

/// How many buffers of sent datagrams are kept for the next ones. More than a few batches are never about,
/// unless packets have to be sealed before they are asked for.
pub const MAX_POOLED_BUFFERS: usize = 256;

/// How many participants of a room are shown to whoever looks after the node: as many as a worker describes
/// within the time of a few packets to a large room.
pub const MAX_INSPECTED: usize = 200;

/// What a node may hold and how long it waits. The defaults are for a public voice service on a
/// server with a few cores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Rooms for each media worker.
    pub rooms: usize,
    /// Participants in one room.
    pub participants_per_room: usize,
    /// Participants in all rooms of a media worker.
    pub participants: usize,
    /// How long nothing authentic may come from a participant before nothing is sent to them any more.
    /// Browsers check their consent (RFC 7675) every 5 s; three checks may be lost.
    pub ice_timeout: Duration,
    /// How long after that they may come back as who they are: with their role, mutes, CSRC and choice. A
    /// phone that leaves a building and finds another network needs less than half of it. Zero: they are
    /// gone at once.
    pub resume_window: Duration,
    /// How long ICE and DTLS may take after the answer. Slow phones need a few seconds.
    pub connect_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rooms: 10_000,
            participants_per_room: 20_000,
            participants: 50_000,
            ice_timeout: Duration::from_secs(15),
            resume_window: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(15),
        }
    }
}
