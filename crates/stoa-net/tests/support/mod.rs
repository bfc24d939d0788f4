//! A WebRTC client on str0m with a real UDP socket, and workers to speak to.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use stoa_core::{
    Certificate, EgressPath, Join, Limits, Metadata, ParticipantId, Role, RoomId, TenantId,
};
use stoa_net::{Config, Media, MediaError};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    media::{Direction, MediaKind, Mid, Pt},
    net::{Protocol, Receive, TcpType},
    rtp::{ExtensionValues, RtpPacket, RtpWrite},
};

/// One worker on loopback, any free port.
pub(crate) fn config(bind: &[&str]) -> Config {
    Config {
        bind: bind.iter().map(|ip| ip.parse().unwrap()).collect(),
        port: 0,
        workers: 1,
        tcp: true,
        advertise: Vec::new(),
        certificate: Certificate::generate().unwrap(),
        limits: Limits::default(),
        egress: EgressPath::Direct,
        quotas: Vec::new(),
    }
}

/// A room of this name; `tenant/room` is one of a tenant.
pub(crate) fn room(name: &str) -> RoomId {
    match name.split_once('/') {
        Some((tenant, name)) => RoomId::of_tenant(&TenantId::new(tenant).unwrap(), name).unwrap(),
        None => RoomId::new(name).unwrap(),
    }
}

pub(crate) fn who(name: &str) -> ParticipantId {
    ParticipantId::new(name).unwrap()
}

/// What somebody asks who wants to come into a room with this offer.
pub(crate) fn join(into: &str, name: &str, offer: String, role: Role) -> Join {
    Join {
        room: room(into),
        participant: who(name),
        display_name: Arc::from(name),
        offer,
        role,
        metadata: Metadata::default(),
        audio_mode: Default::default(),
        subscription: Default::default(),
        resume: None,
        may_publish: true,
    }
}

/// How a client reaches its worker.
enum Link {
    Udp(UdpSocket),
    /// Datagrams behind their lengths (RFC 4571), and the beginning of the one that has not come whole.
    Tcp(TcpStream, Vec<u8>),
    /// By TCP, once it is known where.
    None,
}

impl Link {
    fn send(&mut self, to: SocketAddr, contents: &[u8]) {
        match self {
            Self::Udp(socket) => {
                socket.send_to(contents, to).unwrap();
            }
            // Who has been closed out notices when it reads.
            Self::Tcp(stream, _) => drop(stream.write_all(&framed(contents))),
            Self::None => {}
        }
    }

    /// What comes within this time, and from where.
    fn receive(&mut self, wait: Duration) -> io::Result<Option<(Vec<u8>, SocketAddr)>> {
        let mut buffer = [0; 2000];
        match self {
            Self::Udp(socket) => {
                socket.set_read_timeout(Some(wait))?;
                let (length, from) = socket.recv_from(&mut buffer)?;
                Ok(Some((buffer[..length].to_vec(), from)))
            }
            Self::Tcp(stream, partial) => {
                let from = stream.peer_addr()?;
                if let Some(datagram) = first_frame(partial) {
                    return Ok(Some((datagram, from)));
                }
                stream.set_read_timeout(Some(wait))?;
                let length = stream.read(&mut buffer)?;
                if length == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                partial.extend_from_slice(&buffer[..length]);
                Ok(first_frame(partial).map(|datagram| (datagram, from)))
            }
            Self::None => Ok(None),
        }
    }
}

/// A datagram behind its length.
pub(crate) fn framed(contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap();
    [&length.to_be_bytes(), contents].concat()
}

/// Takes the first datagram out, if it is complete.
fn first_frame(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    let datagram = bytes.get(2..2 + length)?.to_vec();
    bytes.drain(..2 + length);
    Some(datagram)
}

/// A TCP connection from an address of this machine, with as little room to receive as the system grants if
/// it is to be `small`.
pub(crate) fn connect(from: IpAddr, to: SocketAddr, small: bool) -> TcpStream {
    let domain = socket2::Domain::for_address(to);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
    if small {
        socket.set_recv_buffer_size(1).unwrap();
    }
    socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true).unwrap();
    stream
}

pub(crate) struct Client {
    rtc: Rtc,
    link: Link,
    address: SocketAddr,
    microphone: Mid,
    seq: u64,
    /// The port of the worker to which they send.
    pub(crate) seat: u16,
    pub(crate) connected: bool,
    pub(crate) closed: bool,
    /// Whether its TCP connection was closed.
    pub(crate) cut_off: bool,
    pub(crate) heard: Vec<RtpPacket>,
}

impl Client {
    /// A client on an address of this machine, with an offer of one send-receive audio line.
    pub(crate) fn new(ip: IpAddr) -> (Self, String, SdpPendingOffer) {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let candidate = Candidate::builder().udp().host(address);
        Self::with(Link::Udp(socket), candidate.build().unwrap())
    }

    /// The same, of one who has no UDP.
    fn new_without_udp(ip: IpAddr) -> (Self, String, SdpPendingOffer) {
        // The port of one that connects means nothing (RFC 6544, section 4.5).
        let candidate = Candidate::builder().tcp().host((ip, 9).into());
        let candidate = candidate.tcptype(TcpType::Active).build();
        Self::with(Link::None, candidate.unwrap())
    }

    fn with(link: Link, candidate: Candidate) -> (Self, String, SdpPendingOffer) {
        let address = candidate.addr();
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .build(Instant::now());
        rtc.add_local_candidate(candidate);
        let mut changes = rtc.sdp_api();
        let microphone = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let client = Self {
            rtc,
            link,
            address,
            microphone,
            seq: 0,
            seat: 0,
            connected: false,
            closed: false,
            cut_off: false,
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
        Self::enter(Self::new(ip), media, into, name, role).await
    }

    /// Joins a room as a speaker who has no UDP, with little room to receive if it is to be `small`.
    pub(crate) async fn join_by_tcp(
        media: &Media,
        ip: IpAddr,
        into: &str,
        name: &str,
        small: bool,
    ) -> Result<Self, MediaError> {
        let client = Self::new_without_udp(ip);
        let mut client = Self::enter(client, media, into, name, Role::Speaker).await?;
        let to = SocketAddr::new(ip, client.seat);
        client.link = Link::Tcp(connect(ip, to, small), Vec::new());
        Ok(client)
    }
    async fn enter(
        (mut client, offer, pending): (Self, String, SdpPendingOffer),
        media: &Media,
        into: &str,
        name: &str,
        role: Role,
    ) -> Result<Self, MediaError> {
        let joined = media.join(join(into, name, offer, role)).await?;
        let answer = SdpAnswer::from_sdp_string(&joined.answer).unwrap();
        client.seat = port_in(&joined.answer);
        client.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        Ok(client)
    }

    /// Sends these bytes as they are.
    pub(crate) fn send_raw(&mut self, contents: &[u8]) {
        let to = SocketAddr::new(self.address.ip(), self.seat);
        self.link.send(to, contents);
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
        match self.link.receive(wait) {
            Ok(Some((contents, from))) => {
                let protocol = match self.link {
                    Link::Udp(_) => Protocol::Udp,
                    Link::Tcp(..) | Link::None => Protocol::Tcp,
                };
                let receive = Receive::new(protocol, from, self.address, &contents).unwrap();
                self.rtc
                    .handle_input(Input::Receive(Instant::now(), receive))
                    .unwrap();
                self.drain();
                true
            }
            Ok(None) => false,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                false
            }
            Err(_) if matches!(self.link, Link::Tcp(..)) => {
                self.link = Link::None;
                self.cut_off = true;
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    self.link.send(transmit.destination, &transmit.contents);
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
#[track_caller]
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
