//! One of the three: a real client.

use std::{net::SocketAddr, time::Instant};

use stoa_core::{
    Joined, ParticipantId,
    fuzz::{self, ClientKeys, ClientSealer},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpPendingOffer},
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
    rtp::{ExtensionValues, RtpWrite},
};

use super::{node_address, participant};

/// A client.
pub struct Person {
    /// Where it is.
    pub address: SocketAddr,
    /// The answer it got.
    pub answer: String,
    /// How many packets it has heard.
    pub heard: usize,
    /// The number of the next packet that is sealed by hand.
    pub index: u64,
    id: Option<ParticipantId>,
    rtc: Rtc,
    keys: ClientKeys,
    sealer: Option<ClientSealer>,
    mid: Mid,
    pending: Option<(String, SdpPendingOffer)>,
    is_connected: bool,
    seq: u64,
    /// What it wants to send and has not.
    said: Vec<Vec<u8>>,
}

impl Person {
    /// A client that speaks and hears three.
    pub fn new(now: Instant, address: SocketAddr) -> Self {
        let config = RtcConfig::new()
            .set_rtp_mode(true)
            .set_stats_interval(None)
            .clear_codecs()
            .enable_opus(true, true);
        let (mut rtc, keys) = fuzz::client(config, now);
        let candidate = Candidate::host(address, Protocol::Udp).expect("an address");
        rtc.add_local_candidate(candidate);
        let mut changes = rtc.sdp_api();
        let mut add = |way| changes.add_media(MediaKind::Audio, way, None, None, None);
        let mid = add(Direction::SendRecv);
        // As many lines as a room has slots: nobody takes the only one.
        add(Direction::RecvOnly);
        add(Direction::RecvOnly);
        let (offer, pending) = changes.apply().expect("a line");
        Self {
            address,
            answer: String::new(),
            heard: 0,
            index: 1,
            id: None,
            rtc,
            keys,
            sealer: None,
            mid,
            pending: Some((offer.to_sdp_string(), pending)),
            is_connected: false,
            seq: 1,
            said: Vec::new(),
        }
    }

    /// What it offers.
    pub fn offer(&self) -> String {
        self.pending
            .as_ref()
            .map(|(offer, _)| offer.clone())
            .unwrap_or_default()
    }

    /// Takes the node's answer.
    pub fn accept(&mut self, now: Instant, name: &str, joined: &Joined) {
        self.id = Some(participant(name));
        self.answer.clone_from(&joined.answer);
        let answer = SdpAnswer::from_sdp_string(&joined.answer).expect("an SDP");
        let (_, pending) = self.pending.take().expect("the first answer");
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.expect("an answer to the offer");
        self.take_turn(now);
    }

    /// Who it is.
    pub fn id(&self) -> &ParticipantId {
        self.id.as_ref().expect("it has come in")
    }

    /// Whether ICE and DTLS are done, and it is not over.
    pub fn is_connected(&self) -> bool {
        self.is_connected && self.rtc.is_alive()
    }

    /// The value of the first attribute of this name in the answer.
    pub fn answered(&self, name: &str) -> &str {
        let mut lines = self.answer.lines();
        let found = lines.find_map(|line| line.strip_prefix("a=")?.strip_prefix(name));
        found
            .and_then(|value| value.strip_prefix(':'))
            .expect("it is there")
    }

    /// The ICE user name of its checks, and the password.
    pub fn credential(&mut self) -> (String, String) {
        let theirs = self.rtc.direct_api().local_ice_credentials().ufrag;
        let user = format!("{}:{theirs}", self.answered("ice-ufrag"));
        (user, self.answered("ice-pwd").to_owned())
    }

    /// What it has announced to speak under.
    pub fn ssrc(&mut self) -> u32 {
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.mid, None);
        stream.map_or(0, |stream| *stream.ssrc())
    }

    /// The payload type of its voice.
    ///
    /// # Panics
    /// Before the answer.
    pub fn opus(&self) -> u8 {
        *self.rtc.media(self.mid).expect("a line").remote_pts()[0]
    }

    /// The number of the header extension that names a line (RFC 9143, section 15.2), by the answer.
    ///
    /// # Panics
    /// If it has none.
    pub fn mid_extension(&self) -> u8 {
        let mut lines = self.answer.lines();
        let found = lines.find_map(|line| {
            let (number, name) = line.strip_prefix("a=extmap:")?.split_once(' ')?;
            name.ends_with("sdes:mid").then_some(number)
        });
        let number = found.and_then(|number| number.parse().ok());
        number.expect("the answer names it")
    }

    /// The SSRC on which it hears the first slot.
    pub fn line_ssrc(&self) -> u32 {
        let text = self.answered("ssrc");
        text.split(' ')
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    }

    /// What seals by its keys.
    ///
    /// # Panics
    /// If it is not connected.
    pub fn sealer(&mut self) -> &mut ClientSealer {
        if self.sealer.is_none() {
            self.sealer = self.keys.take();
        }
        self.sealer.as_mut().expect("keys")
    }

    /// Says a word with the next turn.
    pub fn speak(&mut self, now: Instant) {
        let payload_type = self.rtc.media(self.mid).expect("a line").remote_pts()[0];
        let extensions = ExtensionValues {
            audio_level: Some(-10),
            voice_activity: Some(true),
            ..Default::default()
        };
        let time = u32::try_from(self.seq * 960).unwrap_or_default();
        let write = RtpWrite::new(payload_type, self.seq.into(), time, now, vec![0x55; 80]);
        let mut api = self.rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.mid, None).expect("a stream");
        stream.write_rtp(write.ext_vals(extensions));
        self.seq += 1;
        self.take_turn(now);
    }

    fn take_turn(&mut self, now: Instant) {
        let handled = self.rtc.handle_input(Input::Timeout(now));
        handled.expect("a session that works");
    }

    /// Takes a datagram of the node.
    ///
    /// # Panics
    /// If it is nothing that a client takes.
    pub fn receive(&mut self, now: Instant, contents: &[u8]) {
        let receive = Receive::new(Protocol::Udp, node_address(), self.address, contents);
        let receive = receive.expect("STUN, DTLS, RTP or RTCP");
        let handled = self.rtc.handle_input(Input::Receive(now, receive));
        handled.expect("what the node sends is good");
        self.drain(now);
    }

    /// What it wants to send by now.
    pub fn say(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.drain(now);
        std::mem::take(&mut self.said)
    }

    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.said.push(transmit.contents.into()),
                Ok(Output::Event(Event::Connected)) => self.is_connected = true,
                Ok(Output::Event(Event::RtpPacket(_))) => self.heard += 1,
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(at)) if at <= now => self.take_turn(now),
                Ok(Output::Timeout(_)) => return,
                Err(_) => return self.rtc.disconnect(),
            }
        }
    }
}
