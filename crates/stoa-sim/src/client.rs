//! One client: a whole str0m session that offers, connects, talks and listens.

mod heard;
mod voice;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant},
};

use stoa_core::{Csrc, Joined, ParticipantId, RoomId, SessionId, Transport};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    config::DtlsCert,
    media::{Direction, MediaKind, Mid},
    net::{Receive, TcpType},
    rtp::{RtpPacket, Ssrc, rtcp::SenderInfo},
};

pub use self::{heard::Heard, voice::Lie};
use crate::{ClientId, node_address, participant, room};

/// How often a client checks a pair without an answer, at last every 3 s: for more than a minute, as browsers
/// do, which go on until their page gives up.
const STUN_ATTEMPTS: usize = 30;

/// A sender report that a client has received.
pub struct Report {
    /// When, since the beginning of the run.
    pub at: Duration,
    /// On which of the client's audio lines, counted from 0.
    pub line: usize,
    /// What it says.
    pub info: SenderInfo,
}

/// One client.
pub struct Client {
    /// Its session. Whoever changes it directly lets time pass afterwards.
    pub rtc: Rtc,
    /// Its name.
    pub id: ParticipantId,
    /// Where it is.
    pub room: RoomId,
    /// The node's name for its session; "unknown" before the answer.
    pub session: SessionId,
    /// What names it in the packets that others hear.
    pub csrc: Csrc,
    /// What it has offered.
    pub offer: String,
    /// The last answer it got.
    pub answer: String,
    /// Whether it has come in the place of another one.
    pub resumes: bool,
    /// Whether ICE and DTLS are done, as it sees it.
    pub connected: bool,
    /// Whether its session is over, as it sees it.
    pub closed: bool,
    /// Whether it has stopped to exist.
    pub vanished: bool,
    /// All that it has received, in order.
    pub heard: Vec<Heard>,
    /// The sender reports it has received, in order.
    pub reports: Vec<Report>,
    /// How it reaches the node. Of a connection nothing is simulated but that it is another way than UDP.
    pub transport: Transport,
    /// Where the network sees it.
    pub outer: SocketAddr,
    /// Where it sends to: the worker that its answer names.
    pub node: SocketAddr,
    /// When its session wants its next turn.
    pub timeout: Instant,
    /// What the next packet will be numbered, in its RTP header.
    pub seq: u64,
    /// The RTP time of the next packet.
    pub time: u32,
    inner: SocketAddr,
    index: ClientId,
    lines: Vec<Mid>,
    pending: Option<SdpPendingOffer>,
    spoken: u32,
    last_spoken: Option<Instant>,
    /// Whether it sends each packet once more with the next, where that was agreed on (RFC 2198).
    pub speaks_redundantly: bool,
    last_payload: Option<Vec<u8>>,
    /// The SSRC that it announced for its voice.
    microphone: Option<Ssrc>,
    /// The last few packets: the number on the wire, and the number in the payload.
    recent: VecDeque<(u16, u32)>,
    /// The datagram that is being received.
    arriving: (u64, Duration),
}

impl Client {
    /// A client that offers one line to speak and listen on, and the rest to listen only; and its
    /// offer.
    ///
    /// # Panics
    /// If there are too many clients for the network's addresses, or `lines` is 0.
    pub fn new(
        now: Instant,
        index: ClientId,
        to: &str,
        name: &str,
        lines: usize,
    ) -> (Self, String) {
        Self::over(Transport::Udp, now, index, to, name, lines)
    }

    /// The same, of a client that has this transport only.
    ///
    /// # Panics
    /// As [`Client::new`].
    pub fn over(
        transport: Transport,
        now: Instant,
        index: ClientId,
        to: &str,
        name: &str,
        lines: usize,
    ) -> (Self, String) {
        let address = inner_address(index);
        let mut config = RtcConfig::new()
            .set_dtls_cert(certificate())
            .set_rtp_mode(true)
            .set_stats_interval(None)
            .clear_codecs()
            .enable_opus(true, true)
            // As browsers do. The node does not take it, so a client can lie with it.
            .enable_pcmu(true, false);
        config.set_max_stun_retransmits(STUN_ATTEMPTS);
        let mut rtc = config.build(now);
        let candidate = match transport {
            Transport::Udp => Candidate::builder().udp().host(address).build(),
            Transport::Tcp => {
                let active = Candidate::builder().tcp().host(address);
                active.tcptype(TcpType::Active).build()
            }
        };
        rtc.add_local_candidate(candidate.expect("an address as of a host"));
        let mut changes = rtc.sdp_api();
        let lines = (0..lines)
            .map(|line| {
                let direction = match line {
                    0 => Direction::SendRecv,
                    _ => Direction::RecvOnly,
                };
                changes.add_media(MediaKind::Audio, direction, None, None, None)
            })
            .collect();
        let (offer, pending) = changes.apply().expect("at least one line");
        let mut client = Self {
            rtc,
            id: participant(name),
            room: room(to),
            session: SessionId::new("unknown").expect("an identifier"),
            csrc: Csrc(0),
            offer: String::new(),
            answer: String::new(),
            resumes: false,
            connected: false,
            closed: false,
            vanished: false,
            heard: Vec::new(),
            reports: Vec::new(),
            transport,
            outer: address,
            node: node_address(),
            timeout: now,
            // Another one for most, and below half the range: a receiver takes the first number that it sees for one
            // without a roll-over (RFC 3711, section 3.3.1).
            seq: 1_000 * (index as u64 % 32 + 1),
            time: 0x8000_0000 + 77_777 * index as u32,
            inner: address,
            index,
            lines,
            pending: Some(pending),
            spoken: 0,
            last_spoken: None,
            speaks_redundantly: false,
            last_payload: None,
            microphone: None,
            recent: VecDeque::new(),
            arriving: (0, Duration::ZERO),
        };
        client.offer = offer.to_sdp_string();
        let offer = client.offer.clone();
        (client, offer)
    }

    /// Takes the node's answer.
    ///
    /// # Panics
    /// If it is not one to this client's offer.
    pub fn accept(&mut self, now: Instant, joined: &Joined) {
        self.csrc = joined.participant.csrc;
        self.session = joined.participant.session.clone();
        self.accept_answer(now, &joined.answer);
    }

    /// The same of an answer alone, as whoever joins by a signalling service has it.
    ///
    /// # Panics
    /// As [`Client::accept`].
    pub fn accept_answer(&mut self, now: Instant, answer: &str) {
        self.answer = answer.to_owned();
        self.node = candidate_of(answer);
        let answer = SdpAnswer::from_sdp_string(answer).expect("an SDP");
        let pending = self.pending.take().expect("the first answer");
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.expect("an answer to the offer");
        self.handle_timeout(now);
    }

    /// Offers to begin ICE anew (RFC 8445, section 9). Returns the offer.
    pub fn offer_restart(&mut self) -> String {
        let mut changes = self.rtc.sdp_api();
        changes.ice_restart(true);
        let (offer, pending) = changes.apply().expect("a change");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// Takes the answer to it.
    ///
    /// # Panics
    /// If it is not one to this client's offer.
    pub fn accept_restart(&mut self, now: Instant, answer: &str) {
        self.answer = answer.to_owned();
        let answer = SdpAnswer::from_sdp_string(answer).expect("an SDP");
        let pending = self.pending.take().expect("an offer");
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.expect("an answer to the offer");
        self.handle_timeout(now);
    }

    /// Gives the session its turn.
    ///
    /// # Panics
    /// If the session fails.
    pub fn handle_timeout(&mut self, now: Instant) {
        let handled = self.rtc.handle_input(Input::Timeout(now));
        handled.expect("a session that works");
    }

    /// Takes a datagram that came to the client's outer address.
    ///
    /// # Panics
    /// If it is no packet of WebRTC, or the session fails over it.
    pub fn receive(&mut self, now: Instant, from: SocketAddr, contents: &[u8]) {
        let receive = Receive::new(self.transport.into(), from, self.inner, contents);
        let receive = receive.expect("STUN, DTLS, RTP or RTCP");
        let handled = self.rtc.handle_input(Input::Receive(now, receive));
        handled.expect("a session that works");
    }

    /// How many audio lines it offered.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Notes which datagram comes next, and when it left.
    pub(crate) fn expect(&mut self, datagram: u64, left: Duration) {
        self.arriving = (datagram, left);
    }

    /// Polls the session to its timeout. Returns what it sends, all of it to the node.
    ///
    /// # Panics
    /// If the session fails that was connected. One that is given up while it shakes hands fails when DTLS
    /// has no patience any more, and is over.
    pub fn drain(&mut self, elapsed: Duration) -> Vec<Vec<u8>> {
        let mut transmits = Vec::new();
        loop {
            let output = match self.rtc.poll_output() {
                Err(_) if !self.connected => {
                    self.rtc.disconnect();
                    self.closed = true;
                    continue;
                }
                output => output.expect("a session that works"),
            };
            match output {
                Output::Transmit(transmit) => {
                    assert_eq!(transmit.destination, self.node);
                    transmits.push(transmit.contents.into());
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::Closed) => self.closed = true,
                Output::Event(Event::RtpPacket(packet)) => self.hear(elapsed, packet),
                Output::Event(Event::SenderFeedback(feedback)) => {
                    self.reports.push(Report {
                        at: elapsed,
                        line: self.line_of(feedback.mid),
                        info: feedback.sender_info,
                    });
                }
                Output::Event(_) => {}
                Output::Timeout(at) => {
                    self.timeout = at;
                    break;
                }
            }
        }
        if self.vanished {
            transmits.clear();
        }
        transmits
    }

    fn hear(&mut self, at: Duration, packet: RtpPacket) {
        let mut api = self.rtc.direct_api();
        let stream = api.stream_rx(&packet.header.ssrc);
        let mid = stream.expect("a stream of this session").mid();
        let line = self.line_of(mid);
        let (datagram, left) = self.arriving;
        let redundant = self.formats().red == Some(packet.header.payload_type);
        self.heard.push(Heard {
            redundant,
            at,
            left,
            datagram,
            line,
            packet,
        });
    }

    fn line_of(&self, mid: Mid) -> usize {
        let line = self.lines.iter().position(|&line| line == mid);
        line.expect("a line of this client")
    }

    /// Whose voices it has heard, without repetition, in the order of the clients.
    pub fn voices(&self) -> Vec<ClientId> {
        self.voices_since(Duration::ZERO)
    }

    /// The same, of packets that came at this time or later.
    pub fn voices_since(&self, since: Duration) -> Vec<ClientId> {
        let recent = self.heard.iter().filter(|heard| heard.at >= since);
        let mut voices: Vec<_> = recent.map(Heard::sender).collect();
        voices.sort_unstable();
        voices.dedup();
        voices
    }

    /// What it has heard on one of its lines.
    pub fn on_line(&self, line: usize) -> impl Iterator<Item = &Heard> {
        self.heard.iter().filter(move |heard| heard.line == line)
    }
}

/// The address that an answer's candidate names (RFC 8839, section 5.1).
fn candidate_of(answer: &str) -> SocketAddr {
    let mut lines = answer.lines();
    let candidate = lines.find_map(|line| line.strip_prefix("a=candidate:"));
    let mut fields = candidate.expect("a candidate").split_ascii_whitespace();
    let ip = fields.nth(4).and_then(|ip| ip.parse().ok());
    let port = fields.next().and_then(|port| port.parse().ok());
    SocketAddr::new(ip.expect("an address"), port.expect("a port"))
}

/// Where a client is, behind whatever NAT.
fn inner_address(index: ClientId) -> SocketAddr {
    let number = u16::try_from(index + 1).expect("at most 65,535 clients");
    let [high, low] = number.to_be_bytes();
    // The workers have 10.0.1.1 and up.
    let network = u8::from(high > 0);
    SocketAddr::from(([10, network, high, low], 4000))
}

/// One for all clients: making one is slow, and nothing here depends on it.
fn certificate() -> DtlsCert {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let generate = || {
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto.dtls_provider.generate_certificate();
        certificate.expect("a certificate")
    };
    CERTIFICATE.get_or_init(generate).clone()
}
