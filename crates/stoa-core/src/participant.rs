//! One participant: one str0m session, driven by mutating it and then draining it to its timeout.

mod answer;
pub(crate) mod keys;
mod monitor;
pub(crate) mod negotiate;

use std::{net::SocketAddr, time::Instant};

use str0m::{
    Candidate, Event, Input, Output, Rtc,
    net::{Receive, Transmit},
    rtp::RtpPacket,
};

use crate::{
    audio_level::{AudioLevel, LevelExtension},
    compose::{Composed, Written},
    demux::{is_stun, ssrc_of_sender},
    egress::{
        EgressPath, NegotiatedLine,
        reference::{self, Line},
    },
    error::Error,
    event::{LeaveReason, ParticipantInfo},
    keys::{BankKey, RoomKey},
    limits::{MAX_ADDRESSES_PER_PARTICIPANT, MAX_ADDRESSES_PER_SESSION, MAX_REMOTE_CANDIDATES},
    quality::Measured,
    red::{MalformedRed, Payload},
    rights::{self, SpeakPolicy},
    rtp::{RtpTime, SeqExt},
    seal::SrtpKeys,
    splice::Place,
    stage::SpeakerPacket,
    stats::DropReason,
};

use self::{
    keys::PendingKeys,
    monitor::Monitor,
    negotiate::{Microphone, Negotiated},
};

/// Somebody in a room, with their media session.
pub(crate) struct Participant {
    pub(crate) info: ParticipantInfo,
    pub(crate) room: RoomKey,
    /// The slots that they hear, if they listen.
    pub(crate) bank: Option<BankKey>,
    /// Our side's ICE user name fragment.
    pub(crate) ufrag: String,
    /// From where they have proven themselves, oldest first.
    pub(crate) addresses: Vec<SocketAddr>,
    /// How many there ever were.
    addresses_seen: usize,
    /// Which of them the client nominated last. The session itself keeps to the first one until that
    /// has been silent for 15 s (str0m 0.25), which a client behind a new NAT address cannot wait for.
    pub(crate) reachable_at: Option<SocketAddr>,
    pub(crate) joined_at: Instant,
    /// When something authentic last came from them.
    pub(crate) last_heard: Instant,
    /// Whether something was written that the session has yet to send.
    pub(crate) is_dirty: bool,
    rtc: Rtc,
    keys: PendingKeys,
    microphone: Option<Microphone>,
    /// The SSRC that was last found to belong to the microphone.
    microphone_ssrc: Option<u32>,
    /// The lines on which they listen.
    pub(crate) lines: Vec<NegotiatedLine>,
    /// What the reference path needs of them; empty on the direct path.
    reference_lines: Vec<Line>,
    remote_candidates: usize,
    monitor: Monitor,
}

/// What draining a session brought.
#[derive(Default)]
pub(crate) struct Drained {
    pub(crate) transmits: Vec<Transmit>,
    /// Packets of the participant's microphone.
    pub(crate) packets: Vec<SpeakerPacket>,
    /// ICE and DTLS are done.
    pub(crate) connected: bool,
    /// The session is over.
    pub(crate) ended: Option<LeaveReason>,
    /// Packets that go nowhere.
    pub(crate) drops: Vec<DropReason>,
    /// When the session wants its next turn.
    pub(crate) timeout: Option<Instant>,
    /// What was measured of the way to and from the participant, when it was time for that.
    pub(crate) measured: Option<Measured>,
}

impl Participant {
    pub(crate) fn new(
        now: Instant,
        info: ParticipantInfo,
        room: RoomKey,
        bank: Option<BankKey>,
        negotiated: Negotiated,
        egress: EgressPath,
    ) -> Self {
        let reference_lines = match egress {
            EgressPath::Direct => Vec::new(),
            EgressPath::Reference => negotiated.lines.iter().map(Line::new).collect(),
        };
        Self {
            info,
            room,
            bank,
            ufrag: negotiated.credentials.ufrag,
            addresses: Vec::new(),
            addresses_seen: 0,
            reachable_at: None,
            joined_at: now,
            last_heard: now,
            is_dirty: false,
            rtc: negotiated.rtc,
            keys: negotiated.keys,
            microphone: negotiated.microphone,
            microphone_ssrc: None,
            lines: negotiated.lines,
            reference_lines,
            remote_candidates: 0,
            monitor: Monitor::default(),
        }
    }

    /// On how many lines they listen.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Moves them to the slots of another choice. Returns those of before.
    pub(crate) fn move_to(&mut self, bank: BankKey) -> Option<BankKey> {
        self.reference_lines.iter_mut().for_each(Line::interrupt);
        self.bank.replace(bank)
    }

    /// Whether they are to be heard in a room of this policy, now.
    pub(crate) fn may_speak(&self, policy: SpeakPolicy) -> bool {
        self.info.connected
            && self.microphone.is_some()
            && rights::may_speak(policy, self.info.role, self.info.mutes)
    }

    /// Takes a datagram that is known to be theirs.
    pub(crate) fn handle_receive(
        &mut self,
        now: Instant,
        receive: Receive<'_>,
        is_rtp: bool,
        out: &mut Drained,
    ) {
        let so_far = (out.packets.len(), out.drops.len());
        self.handle(Input::Receive(now, receive), out);
        if is_rtp && so_far == (out.packets.len(), out.drops.len()) {
            out.drops.push(DropReason::RtpRefused);
        }
    }

    /// Gives the session its turn.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Drained) {
        self.is_dirty = false;
        self.handle(Input::Timeout(now), out);
    }

    fn handle(&mut self, input: Input<'_>, out: &mut Drained) {
        if self.rtc.handle_input(input).is_err() {
            // One bad datagram is not the end of a session: anybody can send one from a forged
            // address. What is fatal shows in the session's state.
            out.drops.push(DropReason::SessionRefused);
        }
        self.drain(out);
    }

    /// Takes a candidate as browsers write it (RFC 8839, section 5.1).
    ///
    /// # Errors
    /// [`Error::CandidateMalformed`] or [`Error::CandidateLimit`].
    pub(crate) fn add_candidate(&mut self, text: &str, out: &mut Drained) -> Result<(), Error> {
        let attribute = text.strip_prefix("a=").unwrap_or(text).trim();
        if attribute.is_empty() {
            return Ok(());
        }
        // A name in the place of the address (mDNS) says nothing to a server: the client's checks
        // will show where it is.
        let name = attribute
            .split_ascii_whitespace()
            .nth(4)
            .filter(|address| address.ends_with(".local"));
        let with_address = name.map(|name| attribute.replacen(name, "0.0.0.0", 1));
        let candidate = Candidate::from_sdp_string(with_address.as_deref().unwrap_or(attribute))
            .map_err(|error| Error::CandidateMalformed(error.to_string()))?;
        if self.remote_candidates >= MAX_REMOTE_CANDIDATES {
            return Err(Error::CandidateLimit);
        }
        self.remote_candidates += 1;
        if name.is_none() {
            self.rtc.add_remote_candidate(candidate);
            self.drain(out);
        }
        Ok(())
    }

    /// The SRTP keys of the session, once, when DTLS is done.
    pub(crate) fn take_keys(&mut self) -> Option<SrtpKeys> {
        self.keys.take()
    }

    /// Where they are reached: where they want to be, or else where they came from last.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.reachable_at.or(self.addresses.last().copied())
    }

    /// Writes one packet of the room for this listener, on the reference path. The session has to be
    /// given its turn for what is sent.
    pub(crate) fn write(&mut self, composed: &Composed) -> Written {
        match self.reference_lines.get_mut(composed.stream.slot.index()) {
            Some(line) => reference::write(&mut self.rtc, line, composed),
            None => Written::Late,
        }
    }

    /// Remembers a new address from which they have proven themselves, and which one has to be
    /// forgotten for it, if any. Nothing if they have come from too many.
    pub(crate) fn remember(&mut self, address: SocketAddr) -> Option<Option<SocketAddr>> {
        if self.addresses_seen >= MAX_ADDRESSES_PER_SESSION {
            return None;
        }
        self.addresses_seen += 1;
        self.addresses.push(address);
        let is_full = self.addresses.len() > MAX_ADDRESSES_PER_PARTICIPANT;
        Some(is_full.then(|| self.addresses.remove(0)))
    }

    /// Says goodbye to the client (RTCP BYE, DTLS close_notify).
    pub(crate) fn close(&mut self, out: &mut Drained) {
        if self.rtc.close().is_ok() {
            self.drain(out);
        }
    }

    /// Polls the session until it wants nothing but its next turn.
    fn drain(&mut self, out: &mut Drained) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) if self.is_of_a_line(&transmit.contents) => {
                    out.drops.push(DropReason::SsrcCollision);
                }
                Ok(Output::Transmit(mut transmit)) => {
                    // An answer to a check goes back to where the check came from.
                    if !is_stun(&transmit.contents)
                        && let Some(address) = self.reachable_at
                    {
                        transmit.destination = address;
                    }
                    out.transmits.push(transmit);
                }
                Ok(Output::Event(event)) => self.handle_event(event, out),
                Ok(Output::Timeout(at)) => {
                    out.timeout = Some(at);
                    break;
                }
                Err(error) => {
                    tracing::debug!(session = %self.info.session, %error, "media session failed");
                    out.ended = out.ended.or(Some(LeaveReason::MediaError));
                    break;
                }
            }
        }
        if !self.rtc.is_alive() {
            out.ended = out.ended.or(Some(LeaveReason::MediaError));
        }
    }

    /// Whether the session has sealed something under an SSRC of the direct path, which must not be
    /// seen by anybody. It draws the SSRC of its reports by chance out of 2^32 and knows of no other.
    fn is_of_a_line(&self, datagram: &[u8]) -> bool {
        let is_ours = |ssrc| self.lines.iter().any(|line| line.ssrc == ssrc);
        self.reference_lines.is_empty() && ssrc_of_sender(datagram).is_some_and(is_ours)
    }

    fn handle_event(&mut self, event: Event, out: &mut Drained) {
        match event {
            Event::Connected => out.connected = true,
            Event::Closed => out.ended = out.ended.or(Some(LeaveReason::ClientClosed)),
            Event::RtpPacket(packet) => match self.speaker_packet(packet) {
                Ok(packet) => out.packets.push(packet),
                Err(reason) => out.drops.push(reason),
            },
            Event::PeerStats(_) => out.measured = Some(self.monitor.take()),
            // Also of lines on which nothing should have come, in no order.
            Event::MediaIngressStats(stats) => {
                let microphone = self.microphone.map(|microphone| microphone.mid);
                if microphone == Some(stats.mid) {
                    self.monitor.ingress(&stats);
                }
            }
            Event::MediaEgressStats(stats) => {
                let mut lines = self.reference_lines.iter();
                if let Some(line) = lines.find(|line| line.mid() == stats.mid) {
                    self.monitor.egress(&stats, line);
                }
            }
            // ICE state: our own liveness decides. The rest does not concern an audio room.
            _ => {}
        }
    }

    fn speaker_packet(&mut self, packet: RtpPacket) -> Result<SpeakerPacket, DropReason> {
        let microphone = self.microphone.ok_or(DropReason::NotMicrophone)?;
        let ssrc = *packet.header.ssrc;
        if self.microphone_ssrc != Some(ssrc) {
            let mut api = self.rtc.direct_api();
            let stream = api.stream_rx(&packet.header.ssrc);
            if stream.map(|stream| stream.mid()) != Some(microphone.mid) {
                return Err(DropReason::NotMicrophone);
            }
            self.microphone_ssrc = Some(ssrc);
        }
        let extensions = &packet.header.ext_vals;
        let level = extensions.audio_level.map(|level| LevelExtension {
            level: AudioLevel::from_minus_dbov(level.unsigned_abs()),
            voice: extensions.voice_activity.unwrap_or(false),
        });
        let formats = microphone.formats;
        let payload = match Some(packet.header.payload_type) == formats.red {
            true => Payload::redundant(packet.payload, *formats.opus)
                .map_err(|MalformedRed| DropReason::RedMalformed)?,
            false => Payload::plain(packet.payload),
        };
        Ok(SpeakerPacket {
            ssrc,
            place: Place {
                seq: SeqExt(*packet.seq_no),
                time: RtpTime(packet.header.timestamp),
                marker: packet.header.marker,
                ahead: 0,
            },
            level,
            payload,
        })
    }
}
