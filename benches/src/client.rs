//! One client: a real str0m session with a line to speak and listen on, and further ones to listen on.
//!
//! It has neither socket nor clock: the benches in process hand datagrams over, those with a daemon
//! give it a socket (`peer`).

use std::{net::SocketAddr, sync::OnceLock, time::Instant};

use stoa_core::ParticipantId;
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    config::DtlsCert,
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
    rtp::{ExtensionValues, RtpPacket, RtpWrite},
};

/// The RTP time of a 20 ms frame.
const FRAME_TICKS: u32 = 960;

/// Bytes of Opus in a packet: 36 kbit/s, as browsers send speech.
pub(crate) const PAYLOAD_BYTES: usize = 90;

/// Whether a datagram is SRTP: version 2, and not a packet type of RTCP (RFC 5761, section 4).
pub(crate) fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, second, ..]
        if first >> 6 == 2 && !(192..=223).contains(second))
}

/// A client's session failed.
#[derive(Debug, thiserror::Error)]
#[error("{who}: the client's session failed: {what}")]
pub(crate) struct ClientError {
    who: ParticipantId,
    what: String,
}

/// A packet that a client could make a voice of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    /// Whose (RFC 3550, section 5.1).
    pub(crate) csrc: Option<u32>,
    /// What the speaker wrote at the head of the payload.
    pub(crate) stamp: u64,
}

/// A datagram that a client wants to send.
pub(crate) struct Outgoing {
    pub(crate) destination: SocketAddr,
    pub(crate) contents: Vec<u8>,
}

/// One client.
pub(crate) struct Client {
    pub(crate) id: ParticipantId,
    pub(crate) address: SocketAddr,
    pub(crate) offer: String,
    pub(crate) connected: bool,
    /// How many packets it has heard.
    pub(crate) heard: u64,
    /// How loud it says that it speaks (RFC 6464), in dBov: 0 to -127.
    pub(crate) level: i8,
    /// When its session wants its next turn.
    pub(crate) due: Instant,
    rtc: Rtc,
    line: Mid,
    pending: Option<SdpPendingOffer>,
    unsent: Vec<Outgoing>,
    seq: u64,
    time: u32,
}

impl Client {
    /// A client at this address with so many audio lines: one to speak and listen on, the others to
    /// listen on.
    pub(crate) fn new(now: Instant, id: ParticipantId, address: SocketAddr, lines: usize) -> Self {
        let mut rtc = RtcConfig::new()
            .set_dtls_cert(certificate())
            .set_rtp_mode(true)
            .set_stats_interval(None)
            .clear_codecs()
            .enable_opus(true, false)
            .build(now);
        let candidate = Candidate::host(address, "udp").expect("a plain UDP address");
        rtc.add_local_candidate(candidate);
        let mut changes = rtc.sdp_api();
        let line = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        for _ in 1..lines {
            changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        }
        let (offer, pending) = changes.apply().expect("a line was added");
        Self {
            id,
            address,
            offer: offer.to_sdp_string(),
            connected: false,
            heard: 0,
            level: -30,
            due: now,
            rtc,
            line,
            pending: Some(pending),
            unsent: Vec::new(),
            seq: 1,
            time: 0,
        }
    }

    fn failed(&self, error: impl ToString) -> ClientError {
        ClientError {
            who: self.id.clone(),
            what: error.to_string(),
        }
    }

    fn handle(&mut self, input: Input<'_>) -> Result<(), ClientError> {
        let result = self.rtc.handle_input(input);
        result.map_err(|error| self.failed(error))
    }

    /// Takes the node's answer.
    pub(crate) fn accept(&mut self, answer: &str) -> Result<(), ClientError> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(|error| self.failed(error))?;
        let pending = self.pending.take();
        let pending = pending.ok_or_else(|| self.failed("a second answer"))?;
        let result = self.rtc.sdp_api().accept_answer(pending, answer);
        result.map_err(|error| self.failed(error))
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), ClientError> {
        self.handle(Input::Timeout(now))
    }

    /// Takes a datagram of the node. Returns the voice in it, if there is one.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        from: SocketAddr,
        contents: &[u8],
    ) -> Result<Option<Voice>, ClientError> {
        let receive = Receive::new(Protocol::Udp, from, self.address, contents);
        let receive = receive.map_err(|error| self.failed(error))?;
        self.handle(Input::Receive(now, receive))?;
        self.poll()
    }

    /// What it wants to send.
    pub(crate) fn drain(&mut self) -> Result<Vec<Outgoing>, ClientError> {
        self.poll()?;
        Ok(std::mem::take(&mut self.unsent))
    }

    fn poll(&mut self) -> Result<Option<Voice>, ClientError> {
        let mut heard = None;
        loop {
            let output = self.rtc.poll_output();
            match output.map_err(|error| self.failed(error))? {
                Output::Transmit(transmit) => self.unsent.push(Outgoing {
                    destination: transmit.destination,
                    contents: transmit.contents.into(),
                }),
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::RtpPacket(packet)) => {
                    self.heard += 1;
                    heard = Some(voice(&packet));
                }
                Output::Event(_) => {}
                Output::Timeout(at) => {
                    self.due = at;
                    return Ok(heard);
                }
            }
        }
    }

    /// Says 20 ms. The stamp stands at the head of the payload, where nobody but another client of
    /// ours looks for it.
    pub(crate) fn write(&mut self, now: Instant, stamp: u64) -> Result<(), ClientError> {
        let media = self.rtc.media(self.line);
        let payload_type = media.and_then(|media| media.remote_pts().first().copied());
        let payload_type = payload_type.ok_or_else(|| self.failed("no payload type"))?;
        let extensions = ExtensionValues {
            audio_level: Some(self.level),
            voice_activity: Some(true),
            ..Default::default()
        };
        let (seq, time) = (self.seq, self.time);
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_tx_by_mid(self.line, None) {
            let mut payload = vec![0x55; PAYLOAD_BYTES];
            payload[..size_of::<u64>()].copy_from_slice(&stamp.to_be_bytes());
            let write = RtpWrite::new(payload_type, seq.into(), time, now, payload);
            stream.write_rtp(write.ext_vals(extensions));
        }
        self.seq += 1;
        self.time = self.time.wrapping_add(FRAME_TICKS);
        self.handle_timeout(now)
    }
}

fn voice(packet: &RtpPacket) -> Voice {
    let stamp = packet.payload.first_chunk().copied().unwrap_or_default();
    Voice {
        csrc: (packet.header.csrc_count > 0).then(|| packet.header.csrc[0]),
        stamp: u64::from_be_bytes(stamp),
    }
}

/// One for all clients: making one takes longer than a handshake.
pub(crate) fn certificate() -> DtlsCert {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let generate = || {
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto.dtls_provider.generate_certificate();
        certificate.expect("the node has made one in the same way")
    };
    CERTIFICATE.get_or_init(generate).clone()
}
