//! What the core counts.

/// Why a datagram, or a packet in it, went nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum DropReason {
    /// Longer than [`MAX_DATAGRAM_BYTES`](crate::limits::MAX_DATAGRAM_BYTES), or with a payload longer than
    /// [`MAX_PAYLOAD_BYTES`](crate::limits::MAX_PAYLOAD_BYTES).
    Oversized,
    /// Not STUN, and from an address that has not shown a valid ICE credential.
    UnknownAddress,
    /// STUN that names no participant of this node.
    UnknownUfrag,
    /// STUN whose message integrity is wrong (RFC 8489, section 14.5), or that is not a request.
    StunRefused,
    /// A valid check from an address at which another participant is.
    AddressTaken,
    /// A valid check from a new address of a participant who has had
    /// [`MAX_ADDRESSES_PER_SESSION`](crate::limits::MAX_ADDRESSES_PER_SESSION) of them.
    AddressLimit,
    /// Not a packet of any protocol that is expected.
    Malformed,
    /// Arrived over an IP version for which no candidate is advertised.
    NoCandidate,
    /// The participant's session refused it: DTLS out of order, or RTCP that is not authentic or comes again.
    SessionRefused,
    /// RTP that the session did not take: of an unknown SSRC or payload type, with a wrong tag,
    /// or replayed.
    RtpRefused,
    /// RED that is not as RFC 2198 has it, or not of Opus.
    RedMalformed,
    /// RTP on a line that is not the participant's microphone.
    NotMicrophone,
    /// RTP of somebody who may not speak.
    NotAllowed,
    /// RTP that came too late to have a place in its slot's sequence.
    Late,
    /// RTP that could not be encrypted: the cryptographic library refused.
    SealFailed,
    /// RTCP that a session has encrypted under the SSRC of a slot. Both draw theirs by chance; once
    /// in a thousand million sessions it is the same.
    SsrcCollision,
    /// A fault of ours was met while it was read, and contained.
    InternalFault,
    /// RTP beyond the quota of the room's tenant ([`PacketQuota`](crate::PacketQuota)): one for each listener
    /// who would have heard it.
    OverQuota,
    /// Of a participant who sends more than any client has to: packets of their microphone
    /// ([`MAX_VOICE_PACKETS_PER_SECOND`](crate::limits::MAX_VOICE_PACKETS_PER_SECOND)), ICE checks, RTCP, or anything
    /// at all while their session is in a lobby.
    OverRate,
    /// RTP under one more SSRC of a participant who has had
    /// [`MAX_LEARNED_SSRCS`](crate::limits::MAX_LEARNED_SSRCS) of them.
    SsrcLimit,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 20] = [
        Self::Oversized,
        Self::UnknownAddress,
        Self::UnknownUfrag,
        Self::StunRefused,
        Self::AddressTaken,
        Self::AddressLimit,
        Self::Malformed,
        Self::NoCandidate,
        Self::SessionRefused,
        Self::RtpRefused,
        Self::RedMalformed,
        Self::NotMicrophone,
        Self::NotAllowed,
        Self::Late,
        Self::SealFailed,
        Self::SsrcCollision,
        Self::InternalFault,
        Self::OverQuota,
        Self::OverRate,
        Self::SsrcLimit,
    ];

    /// The name for people and metrics, in snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oversized => "oversized",
            Self::UnknownAddress => "unknown_address",
            Self::UnknownUfrag => "unknown_ufrag",
            Self::StunRefused => "stun_refused",
            Self::AddressTaken => "address_taken",
            Self::AddressLimit => "address_limit",
            Self::Malformed => "malformed",
            Self::NoCandidate => "no_candidate",
            Self::SessionRefused => "session_refused",
            Self::RtpRefused => "rtp_refused",
            Self::RedMalformed => "red_malformed",
            Self::NotMicrophone => "not_microphone",
            Self::NotAllowed => "not_allowed",
            Self::Late => "late",
            Self::SealFailed => "seal_failed",
            Self::SsrcCollision => "ssrc_collision",
            Self::InternalFault => "internal_fault",
            Self::OverQuota => "packets_over_quota",
            Self::OverRate => "over_rate",
            Self::SsrcLimit => "ssrc_limit",
        }
    }
}

/// What one node has counted since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Rooms that exist now.
    pub rooms: usize,
    /// Participants in all rooms now.
    pub participants: usize,
    /// Seats now: sessions whose datagrams come to this node, of its own rooms and of others'.
    pub seats: usize,
    /// Rooms that are heard from those seats now.
    pub audiences: usize,
    /// Moments that something of a room or a seat is due at now: a few for each, and none without one.
    pub timers: usize,
    /// Datagrams handed in.
    pub datagrams_in: u64,
    /// Bytes of them, without the headers of UDP and IP.
    pub bytes_in: u64,
    /// Datagrams handed out.
    pub datagrams_out: u64,
    /// Panics that were contained: each ended one participant, or was met in reading what nobody known had sent.
    pub panics: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl Stats {
    pub(crate) fn count_drop(&mut self, reason: DropReason) {
        self.count_drops(reason, 1);
    }

    pub(crate) fn count_drops(&mut self, reason: DropReason, count: u64) {
        self.dropped[reason as usize] += count;
    }

    /// How many datagrams or packets went nowhere for this reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }
}

/// What all nodes of a process have counted. A participant counts once, where their room is at home.
impl std::iter::Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, stats| {
            sum.rooms += stats.rooms;
            sum.participants += stats.participants;
            sum.seats += stats.seats;
            sum.audiences += stats.audiences;
            sum.datagrams_in += stats.datagrams_in;
            sum.bytes_in += stats.bytes_in;
            sum.datagrams_out += stats.datagrams_out;
            sum.panics += stats.panics;
            for (sum, dropped) in sum.dropped.iter_mut().zip(stats.dropped) {
                *sum += dropped;
            }
            sum
        })
    }
}
