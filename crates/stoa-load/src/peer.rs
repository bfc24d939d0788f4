//! One peer: a whole WebRTC session of str0m (ICE, DTLS, SRTP), without a socket or a clock.
//!
//! A peer that is looked at closely gives every RTP packet to its session, which decrypts it. Of the others'
//! packets the headers are counted and nothing else is done with them: thousands of those must not cost more
//! than the server.

use std::{
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};
use str0m::{
    Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    config::DtlsCert,
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
    rtp::{ExtensionValues, RtpWrite},
};

use crate::{
    ears::{Ears, Heard},
    mouth::{Mouth, Voice},
    rtp::Header,
    tally::Tally,
};

/// Which way a peer's audio goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    /// It speaks and listens.
    Both,
    /// It speaks alone.
    Sends,
    /// It listens alone.
    Receives,
}

/// An offer of the server's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) offer: String,
    /// How long it took to come.
    pub(crate) waited: Duration,
}

/// What a peer is to be.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) way: Way,
    /// Audio lines of its offer, if it listens: one to speak and listen on, the others to listen on.
    pub(crate) lines: usize,
    /// Whether its packets are decrypted and looked at.
    pub(crate) is_verified: bool,
    /// From when on a packet is too late to be played.
    pub(crate) late_after: Duration,
    /// How it speaks, if it does.
    pub(crate) voice: Option<Voice>,
}

/// Why a session failed.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum PeerError {
    #[error("the server's answer cannot be used: {0}")]
    Answer(String),
    #[error("the server's offer cannot be used: {0}")]
    Offer(String),
    #[error("the session failed: {0}")]
    Session(String),
    #[error("the server ended the session")]
    Ended,
    #[error("the way to the server broke (ICE)")]
    Disconnected,
}

/// A datagram that has arrived for a peer.
pub(crate) struct Incoming<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) arrived: SystemTime,
    pub(crate) bytes: &'a [u8],
}

/// Somebody.
pub(crate) struct Peer {
    rtc: Rtc,
    address: SocketAddr,
    way: Way,
    /// The one it speaks on.
    line: Option<Mid>,
    pending: Option<SdpPendingOffer>,
    mouth: Option<Mouth>,
    ears: Ears,
    is_verified: bool,
    sequence_number: u64,
    /// When its session wants its next turn.
    pub(crate) due: Instant,
    /// When it made its offer, or asked for the server's.
    asked: Instant,
    pub(crate) is_connected: bool,
}

fn session_failed(error: impl ToString) -> PeerError {
    PeerError::Session(error.to_string())
}

impl Peer {
    /// A peer at this address, and its offer; or its answer, if it is invited.
    ///
    /// # Errors
    /// [`PeerError::Session`] if its session cannot be made, [`PeerError::Offer`] if the server's cannot be used.
    pub(crate) fn new(
        now: Instant,
        address: SocketAddr,
        plan: Plan,
        invitation: Option<Invitation>,
    ) -> Result<(Self, String), PeerError> {
        let mut rtc = RtcConfig::new()
            .set_dtls_cert(certificate())
            .set_rtp_mode(true)
            .set_stats_interval(None)
            .clear_codecs()
            .enable_opus(true, false)
            .build(now);
        let candidate = Candidate::host(address, "udp").map_err(session_failed)?;
        rtc.add_local_candidate(candidate);
        let waited = invitation
            .as_ref()
            .map_or(Duration::ZERO, |invitation| invitation.waited);
        let (sdp, line, pending) = match invitation {
            Some(invitation) => (answer(&mut rtc, &invitation.offer)?, None, None),
            None => {
                let (offer, line, pending) = offer(&mut rtc, plan.way, plan.lines);
                (offer, Some(line), Some(pending))
            }
        };
        let own = plan.voice.as_ref().map(|voice| voice.speaker);
        let peer = Self {
            rtc,
            address,
            way: plan.way,
            line,
            pending,
            mouth: plan.voice.map(Mouth::new),
            ears: Ears::new(plan.late_after, own),
            is_verified: plan.is_verified,
            sequence_number: 1,
            due: now,
            asked: now.checked_sub(waited).unwrap_or(now),
            is_connected: false,
        };
        Ok((peer, sdp))
    }

    /// Whether it speaks.
    pub(crate) fn speaks(&self) -> bool {
        self.mouth.is_some()
    }

    /// Whether it listens.
    pub(crate) fn listens(&self) -> bool {
        self.way != Way::Sends
    }

    /// Takes the server's answer.
    pub(crate) fn accept(&mut self, answer: &str) -> Result<(), PeerError> {
        let unusable = |error: String| PeerError::Answer(error);
        let answer =
            SdpAnswer::from_sdp_string(answer).map_err(|error| unusable(error.to_string()))?;
        let pending = self
            .pending
            .take()
            .ok_or_else(|| unusable("a second one".to_owned()))?;
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.map_err(|error| unusable(error.to_string()))
    }

    /// Gives its session its turn.
    pub(crate) fn serve(&mut self, now: Instant) -> Result<(), PeerError> {
        self.rtc
            .handle_input(Input::Timeout(now))
            .map_err(session_failed)
    }

    /// Takes a datagram. Returns whether its session had a turn, so that there may be something to send.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        incoming: &Incoming<'_>,
        tally: &mut Tally,
    ) -> Result<bool, PeerError> {
        if let Some(header) = Header::read(incoming.bytes) {
            if !self.ears.has_heard() {
                tally.join.add(now.saturating_duration_since(self.asked));
            }
            self.ears
                .count(&header, incoming.arrived, incoming.bytes.len(), tally);
            if !self.is_verified {
                return Ok(false);
            }
        }
        let received = Receive::new(Protocol::Udp, incoming.from, self.address, incoming.bytes);
        // What is no packet of WebRTC is none of ours.
        let Ok(received) = received else {
            return Ok(false);
        };
        let handled = self.rtc.handle_input(Input::Receive(now, received));
        handled.map_err(session_failed)?;
        Ok(true)
    }

    /// Takes what its session has to say until it wants to wait: datagrams to send and voices heard, whose
    /// packets came at this time.
    pub(crate) fn poll(
        &mut self,
        arrived: SystemTime,
        tally: &mut Tally,
        mut send: impl FnMut(SocketAddr, &[u8]),
        mut heard: impl FnMut(Heard),
    ) -> Result<(), PeerError> {
        loop {
            match self.rtc.poll_output().map_err(session_failed)? {
                Output::Transmit(transmit) => send(transmit.destination, &transmit.contents),
                Output::Event(Event::Connected) => {
                    self.is_connected = true;
                    self.ears.open(arrived);
                    tally.connect.add(self.asked.elapsed());
                }
                Output::Event(Event::RtpPacket(packet)) => {
                    let csrc = (packet.header.csrc_count > 0).then(|| packet.header.csrc[0]);
                    let voice = self.ears.listen(csrc, &packet.payload, arrived, tally);
                    voice.into_iter().for_each(&mut heard);
                }
                Output::Event(Event::Closed) => return Err(PeerError::Ended),
                Output::Event(Event::IceConnectionStateChange(
                    IceConnectionState::Disconnected,
                )) => return Err(PeerError::Disconnected),
                Output::Event(_) => {}
                Output::Timeout(at) => {
                    self.due = at;
                    return Ok(());
                }
            }
        }
    }

    /// Says the next 20 ms, or nothing, at this time of the run's clock. Returns whether a packet was written.
    pub(crate) fn speak(&mut self, now: Instant, wall: SystemTime) -> Result<bool, PeerError> {
        let said = self.mouth.as_mut().and_then(|mouth| mouth.open(wall));
        let Some(said) = said else {
            return Ok(false);
        };
        let no_line = || session_failed("the answer lets nobody speak");
        let line = self.line.ok_or_else(no_line)?;
        let media = self.rtc.media(line);
        let payload_type = media.and_then(|media| media.remote_pts().first().copied());
        let payload_type =
            payload_type.ok_or_else(|| session_failed("the answer has no format"))?;
        let extensions = ExtensionValues {
            audio_level: i8::try_from(said.level).ok().map(|level| -level),
            voice_activity: Some(said.is_voice),
            ..Default::default()
        };
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(line, None);
        let stream = stream.ok_or_else(no_line)?;
        let number = self.sequence_number.into();
        let write = RtpWrite::new(payload_type, number, said.time, now, said.payload);
        stream.write_rtp(write.marker(said.marker).ext_vals(extensions));
        self.sequence_number += 1;
        self.serve(now)?;
        Ok(true)
    }

    /// Says goodbye (RFC 3550, section 6.6, and DTLS's close_notify).
    pub(crate) fn close(&mut self) {
        // A session that cannot be closed is over.
        let _ = self.rtc.close();
    }
}

/// Offers what a peer does.
fn offer(rtc: &mut Rtc, way: Way, lines: usize) -> (String, Mid, SdpPendingOffer) {
    let (first, others) = match way {
        Way::Both => (Direction::SendRecv, lines),
        Way::Sends => (Direction::SendOnly, 1),
        Way::Receives => (Direction::RecvOnly, lines),
    };
    let mut changes = rtc.sdp_api();
    let line = changes.add_media(MediaKind::Audio, first, None, None, None);
    for _ in 1..others {
        changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
    }
    let (offer, pending) = changes.apply().expect("a line was added");
    (offer.to_sdp_string(), line, pending)
}

/// Answers the server's offer.
fn answer(rtc: &mut Rtc, offer: &str) -> Result<String, PeerError> {
    let unusable = |error: String| PeerError::Offer(error);
    let offer = SdpOffer::from_sdp_string(offer).map_err(|error| unusable(error.to_string()))?;
    let answer = rtc.sdp_api().accept_offer(offer);
    let answer = answer.map_err(|error| unusable(error.to_string()))?;
    Ok(answer.to_sdp_string())
}

/// One for all peers: making one takes longer than a handshake.
fn certificate() -> DtlsCert {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let generate = || {
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto.dtls_provider.generate_certificate();
        certificate.expect("the cryptography of this build makes certificates")
    };
    CERTIFICATE.get_or_init(generate).clone()
}
