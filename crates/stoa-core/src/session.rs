//! One media session: one str0m `Rtc`, driven by mutating it and then draining it to its timeout.
//!
//! It knows nothing of rooms, addresses or rights, so it can be set up in a lobby and move to its worker
//! when it is keyed.

mod answer;
mod ciphers;
mod dtls;
pub(crate) mod keys;
mod library;
mod monitor;
pub(crate) mod negotiate;
mod restart;

use std::{net::SocketAddr, time::Instant};

use str0m::{
    Event, Input, Output, Rtc,
    media::Mid,
    net::{Receive, Transmit},
    rtp::RtpPacket,
};

use crate::{
    audio_level::{AudioLevel, LevelExtension},
    compose::{Composed, Written},
    contain::{contain, meet_planted_fault},
    demux::{is_rtcp, is_sender_report, ssrc_of_sender},
    egress::{
        EgressPath, NegotiatedLine,
        reference::{self, Line},
    },
    endpoint::Endpoint,
    event::LeaveReason,
    limits::MAX_LEARNED_SSRCS,
    quality::Measured,
    red::{MalformedRed, Payload},
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

/// A participant's media session.
pub(crate) struct Session {
    rtc: Rtc,
    keys: PendingKeys,
    microphone: Option<Microphone>,
    /// The SSRC that was last found to belong to the microphone.
    microphone_ssrc: Option<u32>,
    /// What the client has announced to speak under. The offer that it was in is what bounds it.
    announced: Box<[u32]>,
    /// Under what else packets have come in their name.
    learned: Vec<u32>,
    /// The media lines of the client's offer that are in use, in order.
    mids: Box<[Option<Mid>]>,
    /// The lines on which they listen.
    pub(crate) lines: Vec<NegotiatedLine>,
    /// What the reference path needs of them; empty on the direct path.
    reference_lines: Vec<Line>,
    monitor: Monitor,
    /// Whether something in it has panicked: it is not to be touched any more, but to be thrown away.
    is_broken: bool,
}

/// What draining a session brought.
#[derive(Default)]
pub(crate) struct Drained {
    pub(crate) transmits: Vec<Transmit>,
    /// Packets of the participant's microphone.
    pub(crate) packets: Vec<SpeakerPacket>,
    /// ICE and DTLS are done.
    pub(crate) connected: bool,
    /// Something in the session panicked.
    pub(crate) panicked: bool,
    /// The session is over.
    pub(crate) ended: Option<LeaveReason>,
    /// Packets that go nowhere.
    pub(crate) drops: Vec<DropReason>,
    /// When the session wants its next turn.
    pub(crate) timeout: Option<Instant>,
    /// What was measured of the way to and from the participant, when it was time for that.
    pub(crate) measured: Option<Measured>,
}

impl Session {
    pub(crate) fn new(negotiated: Negotiated, egress: EgressPath) -> Self {
        let reference_lines = match egress {
            EgressPath::Direct => Vec::new(),
            EgressPath::Reference => negotiated.lines.iter().map(Line::new).collect(),
        };
        Self {
            rtc: negotiated.rtc,
            keys: negotiated.keys,
            microphone: negotiated.microphone,
            microphone_ssrc: None,
            announced: negotiated.announced,
            learned: Vec::new(),
            mids: negotiated.mids,
            lines: negotiated.lines,
            reference_lines,
            monitor: Monitor::default(),
            is_broken: false,
        }
    }

    /// Mutates the session, and contains a panic in there: it is over then, and what it had to say before is lost.
    pub(crate) fn guard(
        &mut self,
        out: &mut Drained,
        mutate: impl FnOnce(&mut Self, &mut Drained),
    ) {
        if !self.is_broken && contain(|| mutate(self, out)).is_err() {
            self.is_broken = true;
            *out = Drained {
                panicked: true,
                ended: Some(LeaveReason::InternalFault),
                ..Drained::default()
            };
        }
    }

    /// Notes that they hear by another choice from now on, on the reference path.
    pub(crate) fn interrupt(&mut self) {
        self.reference_lines.iter_mut().for_each(Line::interrupt);
    }

    /// Whether the session has any use for a datagram of theirs. It sends nothing itself on the direct
    /// path, so of RTCP it needs only what they say of their microphone, once they are heard there: to
    /// decrypt the reports of mere listeners would be for nothing, and it keeps 8 KiB to read the next
    /// one into.
    pub(crate) fn heeds(&self, datagram: &[u8]) -> bool {
        let is_of_microphone = self.microphone_ssrc.is_some() && is_sender_report(datagram);
        !is_rtcp(datagram) || !self.reference_lines.is_empty() || is_of_microphone
    }

    /// Tells the session of an SSRC that was announced for the microphone, when a packet comes under it.
    /// It learns others by their MID. For one that it knows of it keeps 2 KiB, and as much again to report
    /// on it every 5 s: all for nothing while they only listen. Returns whether the session may see the packet.
    ///
    /// A MID moves the line's stream to its packet's SSRC before anything is known to be authentic (str0m 0.25,
    /// docs/upstream/str0m-mid-before-tag.md), so the
    /// one that is theirs has to be told again where somebody has forged one. And each is remembered for good.
    pub(crate) fn expect(&mut self, packet: &[u8]) -> bool {
        let Some(ssrc) = ssrc_of_sender(packet) else {
            return true;
        };
        let is_theirs = self.microphone_ssrc == Some(ssrc) || self.announced.contains(&ssrc);
        if !is_theirs && !self.learned.contains(&ssrc) {
            if self.learned.len() >= MAX_LEARNED_SSRCS {
                return false;
            }
            self.learned.push(ssrc);
        }
        let mut api = self.rtc.direct_api();
        if let Some(microphone) = self.microphone.filter(|_| is_theirs)
            && api.stream_rx(&ssrc.into()).is_none()
        {
            let stream = api.expect_stream_rx(ssrc.into(), None, microphone.mid, None);
            // As without retransmission in the offer.
            stream.suppress_nack(true);
        }
        true
    }

    /// Takes a datagram that is known to be theirs, from where it came to which candidate of ours.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        (remote, candidate): (Endpoint, SocketAddr),
        datagram: &[u8],
        is_rtp: bool,
        out: &mut Drained,
    ) {
        meet_planted_fault(datagram);
        let transport = remote.transport.into();
        let Ok(receive) = Receive::new(transport, remote.address, candidate, datagram) else {
            return out.drops.push(DropReason::Malformed);
        };
        let so_far = (out.packets.len(), out.drops.len());
        self.handle(Input::Receive(now, receive), out);
        if is_rtp && so_far == (out.packets.len(), out.drops.len()) {
            out.drops.push(DropReason::RtpRefused);
        }
    }

    /// Gives the session its turn.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Drained) {
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

    /// The SRTP keys of the session, once, when DTLS is done.
    pub(crate) fn take_keys(&mut self) -> Option<SrtpKeys> {
        self.keys.take()
    }

    /// Writes one packet of the room for this listener, on the reference path. The session has to be
    /// given its turn for what is sent.
    pub(crate) fn write(&mut self, composed: &Composed) -> Written {
        match self.reference_lines.get_mut(composed.stream.slot.index()) {
            Some(line) => reference::write(&mut self.rtc, line, composed),
            None => Written::Late,
        }
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
                Ok(Output::Transmit(transmit)) => out.transmits.push(transmit),
                Ok(Output::Event(event)) => self.handle_event(event, out),
                Ok(Output::Timeout(at)) => {
                    out.timeout = Some(at);
                    break;
                }
                Err(error) => {
                    tracing::debug!(%error, "media session failed");
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
