//! The insider: a real session on a socket of its own, and its keys.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use stoa_client::Client;
use stoa_core::fuzz::{self, ClientKeys, ClientSealer};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    config::CryptoProvider,
    ice::{StunMessage, TransId},
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
};

use super::{
    Way,
    records::{self, Shared},
};
use crate::{
    BenchError,
    client::{PAYLOAD_BYTES, certificate, is_rtp},
    flood::wire::first_candidate,
    hall,
};

/// How long ICE and DTLS may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How many datagrams are taken in one turn.
const MOST_TAKEN: usize = 256;

/// Somebody who was let in.
pub(in crate::flood) struct Insider {
    /// Where the node is.
    pub(super) node: SocketAddr,
    /// How many bytes came from there that are no media.
    pub(super) answered: u64,
    socket: UdpSocket,
    address: SocketAddr,
    rtc: Rtc,
    crypto: CryptoProvider,
    keys: Option<ClientKeys>,
    sealer: Option<ClientSealer>,
    dtls: Option<Shared>,
    line: Mid,
    ssrc: u32,
    lines: Vec<u32>,
    answer: String,
    is_connected: bool,
    due: Instant,
}

impl Insider {
    /// Lets somebody into a room, with as many lines as it has slots.
    pub(in crate::flood) async fn enter(
        client: &Client,
        way: Way,
        (room, slots): (&str, u32),
        name: &str,
    ) -> Result<Self, BenchError> {
        let (mut insider, offer, pending) = Self::open(way, slots).map_err(flood)?;
        let answer = hall::join(client, room, name, way.role(), offer).await?;
        insider.accept(pending, answer.sdp_answer)?;
        Ok(insider)
    }

    fn open(way: Way, slots: u32) -> io::Result<(Self, String, SdpPendingOffer)> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        let (address, now) = (socket.local_addr()?, Instant::now());
        let config = RtcConfig::new()
            .set_dtls_cert(certificate())
            .set_rtp_mode(true)
            .set_stats_interval(None)
            .clear_codecs()
            .enable_opus(true, false);
        let (mut rtc, keys, dtls) = if way == Way::Records {
            let (rtc, dtls) = records::build(config, now);
            (rtc, None, dtls)
        } else {
            let (rtc, keys) = fuzz::client(config, now);
            (rtc, Some(keys), None)
        };
        let candidate = Candidate::host(address, Protocol::Udp).map_err(io::Error::other)?;
        rtc.add_local_candidate(candidate);
        let mut changes = rtc.sdp_api();
        let mut add = |way| changes.add_media(MediaKind::Audio, way, None, None, None);
        let line = add(Direction::SendRecv);
        for _ in 1..slots {
            add(Direction::RecvOnly);
        }
        let (offer, pending) = changes.apply().ok_or_else(|| lacks("an offer"))?;
        let mut api = rtc.direct_api();
        let stream = api.stream_tx_by_mid(line, None);
        let ssrc = stream.map_or(0, |stream| *stream.ssrc());
        let insider = Self {
            node: address,
            answered: 0,
            socket,
            address,
            rtc,
            crypto: str0m::crypto::from_feature_flags(),
            keys,
            sealer: None,
            dtls,
            line,
            ssrc,
            lines: Vec::new(),
            answer: String::new(),
            is_connected: false,
            due: now,
        };
        Ok((insider, offer.to_sdp_string(), pending))
    }

    fn accept(&mut self, pending: SdpPendingOffer, answer: String) -> Result<(), BenchError> {
        self.node = first_candidate(&answer).ok_or_else(|| flood(lacks("a candidate")))?;
        let sdp = SdpAnswer::from_sdp_string(&answer);
        let accepted = sdp.map_err(|error| error.to_string()).and_then(|sdp| {
            let accepted = self.rtc.sdp_api().accept_answer(pending, sdp);
            accepted.map_err(|error| error.to_string())
        });
        accepted.map_err(|error| flood(io::Error::other(error)))?;
        let ssrcs = answer.lines().filter_map(|line| {
            let (ssrc, _) = line.strip_prefix("a=ssrc:")?.split_once(' ')?;
            ssrc.parse().ok()
        });
        self.lines = ssrcs.collect();
        self.lines.dedup();
        self.answer = answer;
        Ok(())
    }

    /// Finishes ICE and DTLS.
    pub(in crate::flood) fn connect(mut self) -> io::Result<Self> {
        let end = Instant::now() + CONNECT;
        while !self.is_connected {
            if Instant::now() > end {
                return Err(lacks("a connection"));
            }
            self.turn()?;
            // bounded: by CONNECT
            std::thread::sleep(Duration::from_millis(1));
        }
        self.sealer = self.keys.as_mut().and_then(ClientKeys::take);
        Ok(self)
    }

    /// Says goodbye.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        self.rtc.close().map_err(io::Error::other)?;
        self.drain()
    }

    /// Takes what came, and does what the session wants.
    pub(super) fn turn(&mut self) -> io::Result<()> {
        let mut buffer = [0; 2_048];
        for _ in 0..MOST_TAKEN {
            let Ok((length, from)) = self.socket.recv_from(&mut buffer) else {
                break;
            };
            let datagram = &buffer[..length];
            if is_rtp(datagram) {
                continue;
            }
            self.answered_to(datagram);
            if let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, datagram) {
                let input = Input::Receive(Instant::now(), receive);
                // Answers to checks that it has not made.
                drop(self.rtc.handle_input(input));
                self.drain()?;
            }
        }
        let now = Instant::now();
        if self.due <= now {
            let handled = self.rtc.handle_input(Input::Timeout(now));
            handled.map_err(io::Error::other)?;
        }
        self.drain()
    }

    fn drain(&mut self) -> io::Result<()> {
        loop {
            match self.rtc.poll_output().map_err(io::Error::other)? {
                Output::Transmit(transmit) => {
                    // Whoever floods loses some.
                    drop(
                        self.socket
                            .send_to(&transmit.contents, transmit.destination),
                    );
                }
                Output::Event(Event::Connected) => self.is_connected = true,
                Output::Event(_) => {}
                Output::Timeout(at) => {
                    self.due = at;
                    return Ok(());
                }
            }
        }
    }

    /// Counts what the node has sent: media follow the checks that nominate, and are no answer.
    pub(super) fn answered_to(&mut self, datagram: &[u8]) {
        if !is_rtp(datagram) {
            self.answered += datagram.len() as u64;
        }
    }

    /// Sends it, if the kernel takes it. Returns its length.
    pub(super) fn send(&self, datagram: &[u8]) -> io::Result<u64> {
        match self.socket.send_to(datagram, self.node) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(datagram.len() as u64),
        }
    }

    /// What they have announced to speak under.
    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Under what they hear.
    pub(super) fn lines(&self) -> &[u32] {
        &self.lines
    }

    /// What names the line of their microphone.
    pub(super) fn mid(&self) -> &str {
        &self.line
    }

    /// The payload type of their voice.
    pub(super) fn opus(&self) -> io::Result<u8> {
        let media = self.rtc.media(self.line);
        let opus = media.and_then(|media| media.remote_pts().first().copied());
        opus.map(|opus| *opus)
            .ok_or_else(|| lacks("a payload type"))
    }

    /// The number of a header extension, by the end of its name.
    pub(super) fn extension(&self, name: &str) -> io::Result<u8> {
        let mut lines = self.answer.lines();
        let found = lines.find_map(|line| {
            let (number, of) = line.strip_prefix("a=extmap:")?.split_once(' ')?;
            of.ends_with(name).then(|| number.parse().ok())?
        });
        found.ok_or_else(|| lacks("a header extension"))
    }

    /// An RTP packet of this header.
    pub(super) fn seal_rtp(&self, header: &[u8], index: u64) -> io::Result<Vec<u8>> {
        let sealer = self.sealer.as_ref();
        let packet = sealer.and_then(|sealer| sealer.rtp(header, &[0x55; PAYLOAD_BYTES], index));
        packet.ok_or_else(|| lacks("keys"))
    }

    /// An RTCP packet.
    pub(super) fn seal_rtcp(&mut self, compound: &[u8]) -> io::Result<Vec<u8>> {
        let sealer = self.sealer.as_mut();
        let packet = sealer.and_then(|sealer| sealer.rtcp(compound));
        packet.ok_or_else(|| lacks("keys"))
    }

    /// A DTLS record of application data.
    pub(super) fn record(&self, data: &[u8]) -> io::Result<Vec<u8>> {
        let dtls = self.dtls.as_ref().ok_or_else(|| lacks("DTLS"))?;
        dtls.record(data)
    }

    /// An ICE check that nominates where it comes from.
    pub(super) fn check(&mut self) -> io::Result<Vec<u8>> {
        let value = |name| {
            let mut lines = self.answer.lines();
            lines.find_map(|line| line.strip_prefix(name))
        };
        let (ufrag, password) = (value("a=ice-ufrag:"), value("a=ice-pwd:"));
        let (ufrag, password) = ufrag.zip(password).ok_or_else(|| lacks("credentials"))?;
        let theirs = self.rtc.direct_api().local_ice_credentials().ufrag;
        let user = format!("{ufrag}:{theirs}");
        let check =
            StunMessage::binding_request(&user, TransId::new(), true, 1, 1_853_817_087, true);
        let mut bytes = vec![0; 500];
        let hmac = |key: &[u8], parts: &[&[u8]]| {
            let provider = self.crypto.sha1_hmac_provider;
            provider.sha1_hmac(key, parts)
        };
        let written = check.to_bytes(Some(password.as_bytes()), &mut bytes, hmac);
        bytes.truncate(written.map_err(io::Error::other)?);
        Ok(bytes)
    }
}

fn lacks(what: &str) -> io::Error {
    io::Error::other(format!("the insider has not got {what}"))
}

fn flood(error: io::Error) -> BenchError {
    crate::flood::FloodError::Attack(error).into()
}
