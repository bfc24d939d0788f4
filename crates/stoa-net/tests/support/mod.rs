//! A WebRTC client on str0m with a real UDP socket, and workers to speak to.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use stoa_core::{Certificate, EgressPath, Join, Limits, Metadata, ParticipantId, Role, RoomId};
use stoa_net::{Config, Media, MediaError};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    media::{Direction, MediaKind, Mid, Pt},
    net::{Protocol, Receive},
    rtp::{ExtensionValues, RtpPacket, RtpWrite},
};

/// One worker on loopback, any free port.
pub(crate) fn config(bind: &[&str]) -> Config {
    Config {
        bind: bind.iter().map(|ip| ip.parse().unwrap()).collect(),
        port: 0,
        workers: 1,
        advertise: Vec::new(),
        certificate: Certificate::generate().unwrap(),
        limits: Limits::default(),
        egress: EgressPath::Direct,
    }
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

pub(crate) fn who(name: &str) -> ParticipantId {
    ParticipantId::new(name).unwrap()
}

pub(crate) struct Client {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    microphone: Mid,
    seq: u64,
    /// The port of the worker to which they send.
    pub(crate) seat: u16,
    pub(crate) connected: bool,
    pub(crate) closed: bool,
    pub(crate) heard: Vec<RtpPacket>,
}

impl Client {
    /// A client on an address of this machine, with an offer of one send-receive audio line.
    pub(crate) fn new(ip: IpAddr) -> (Self, String, SdpPendingOffer) {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let mut changes = rtc.sdp_api();
        let microphone = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let client = Self {
            rtc,
            socket,
            address,
            microphone,
            seq: 0,
            seat: 0,
            connected: false,
            closed: false,
            heard: Vec::new(),
        };
        (client, offer.to_sdp_string(), pending)
    }

    /// Joins a room as a speaker.
    pub(crate) async fn join(
        media: &Media,
        ip: IpAddr,
        into: &str,
        name: &str,
    ) -> Result<Self, MediaError> {
        Self::join_as(media, ip, into, name, Role::Speaker).await
    }

    /// Joins a room.
    pub(crate) async fn join_as(
        media: &Media,
        ip: IpAddr,
        into: &str,
        name: &str,
        role: Role,
    ) -> Result<Self, MediaError> {
        let (mut client, offer, pending) = Self::new(ip);
        let join = Join {
            room: room(into),
            participant: who(name),
            display_name: Arc::from(name),
            offer,
            role,
            metadata: Metadata::default(),
            audio_mode: Default::default(),
            subscription: Default::default(),
        };
        let joined = media.join(join).await?;
        let answer = SdpAnswer::from_sdp_string(&joined.answer).unwrap();
        client.seat = port_in(&joined.answer);
        client.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        Ok(client)
    }

    /// Sends one packet that carries `payload`.
    pub(crate) fn speak(&mut self, payload: &[u8]) {
        let now = Instant::now();
        let media = self.rtc.media(self.microphone).unwrap();
        let pt: Pt = media.remote_pts()[0];
        self.seq += 1;
        let level = ExtensionValues {
            audio_level: Some(-20),
            voice_activity: Some(true),
            ..Default::default()
        };
        let time = u32::try_from(self.seq).unwrap() * 960;
        let packet = RtpWrite::new(pt, self.seq.into(), time, now, payload).ext_vals(level);
        let mid = self.microphone;
        self.rtc
            .direct_api()
            .stream_tx_by_mid(mid, None)
            .unwrap()
            .write_rtp(packet);
    }

    /// One turn: sends what is to be sent, and waits a moment for what comes. Returns whether anything did.
    pub(crate) fn turn(&mut self) -> bool {
        self.rtc
            .handle_input(Input::Timeout(Instant::now()))
            .unwrap();
        let until = self.drain();
        let wait = until.saturating_duration_since(Instant::now());
        let wait = wait.clamp(Duration::from_millis(1), Duration::from_millis(5));
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = [0; 2000];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                let contents = &buffer[..length];
                let receive = Receive::new(Protocol::Udp, from, self.address, contents).unwrap();
                self.rtc
                    .handle_input(Input::Receive(Instant::now(), receive))
                    .unwrap();
                self.drain();
                true
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    self.socket
                        .send_to(&transmit.contents, transmit.destination)
                        .unwrap();
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::Closed) => self.closed = true,
                Output::Event(Event::RtpPacket(packet)) => self.heard.push(packet),
                Output::Event(_) => {}
                Output::Timeout(at) => return at,
            }
        }
    }
}

/// The port of the first candidate of an answer.
fn port_in(answer: &str) -> u16 {
    let mut lines = answer.lines();
    let candidate = lines.find(|line| line.starts_with("a=candidate:"));
    let port = candidate.and_then(|candidate| candidate.split(' ').nth(5));
    port.unwrap().parse().unwrap()
}

/// Gives every client its turns until the condition holds.
///
/// # Panics
/// After half a minute.
pub(crate) fn until(
    clients: &mut [&mut Client],
    mut holds: impl FnMut(&mut [&mut Client]) -> bool,
) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds(clients) {
        assert!(
            Instant::now() < deadline,
            "the condition did not come to hold"
        );
        for client in clients.iter_mut() {
            client.turn();
        }
    }
}
