//! Somebody who was let in, has finished ICE and DTLS, and sends with valid keys what no client does.

mod packets;
mod records;
mod session;

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use stoa_client::v1::Role;

pub(super) use self::session::Insider;
use super::target::{Offered, paced};

/// From how many ports checks come that change theirs.
const PORTS: usize = 1_000;

/// After how many datagrams the insider does what their session wants, and takes what came.
const TURN: u64 = 64;

/// What they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// RTCP of all kinds about the lines that they hear, in packets as long as are looked at.
    Reports,
    /// RTP of somebody who may not speak.
    ListenerMedia,
    /// The same under another SSRC each time, on the line of their microphone.
    NewSsrcs,
    /// DTLS records of application data.
    Records,
    /// ICE checks from where they are.
    Checks,
    /// ICE checks from many ports in turns.
    ChecksFromMany,
    /// RTP of somebody who speaks, in a room where as many listen.
    SpeakerMedia,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reports => "RTCP, with keys",
            Self::ListenerMedia => "RTP of a listener, with keys",
            Self::NewSsrcs => "RTP of new SSRCs, with keys",
            Self::Records => "DTLS records, with keys",
            Self::Checks => "ICE checks, with keys",
            Self::ChecksFromMany => "ICE checks, 1,000 ports, with keys",
            Self::SpeakerMedia => "RTP of a speaker, with keys",
        }
    }

    pub(super) fn role(self) -> Role {
        match self {
            // What a session makes of reports it makes of those who have spoken.
            Self::Reports | Self::SpeakerMedia => Role::Speaker,
            _ => Role::Listener,
        }
    }

    /// Whether they speak where others than the ones who are measured listen to them: by the loss of those one could
    /// not tell whether what they say is forwarded.
    pub(super) fn has_audience(self) -> bool {
        self == Self::SpeakerMedia
    }
}

/// Sends at this rate for as long, and leaves.
pub(super) fn run(
    way: Way,
    mut insider: Insider,
    rate: u32,
    time: Duration,
) -> io::Result<Offered> {
    let offered = match way {
        Way::Reports => reports(&mut insider, rate, time),
        Way::ListenerMedia | Way::NewSsrcs | Way::SpeakerMedia => {
            media(way, &mut insider, rate, time)
        }
        Way::Records => records(&mut insider, rate, time),
        Way::Checks => checks(&mut insider, 0, rate, time),
        Way::ChecksFromMany => checks(&mut insider, PORTS, rate, time),
    };
    insider.leave()?;
    Ok(Offered {
        answered: insider.answered,
        ..offered?
    })
}

fn reports(insider: &mut Insider, rate: u32, time: Duration) -> io::Result<Offered> {
    // From now on the session looks at what they report of their microphone.
    let word = packets::silence(insider.opus()?, insider.ssrc(), insider.extension("level")?);
    let word = insider.seal_rtp(&word, 1)?;
    insider.send(&word)?;
    let compounds = packets::compounds(insider.ssrc(), insider.lines());
    paced(rate, time, |number| {
        if number.is_multiple_of(TURN) {
            insider.turn()?;
        }
        let compound = &compounds[number as usize % compounds.len()];
        let packet = insider.seal_rtcp(compound)?;
        insider.send(&packet)
    })
}

fn media(way: Way, insider: &mut Insider, rate: u32, time: Duration) -> io::Result<Offered> {
    let (opus, ssrc) = (insider.opus()?, insider.ssrc());
    let mid = packets::mid(insider.extension("sdes:mid")?, insider.mid());
    paced(rate, time, |number| {
        if number.is_multiple_of(TURN) {
            insider.turn()?;
        }
        let (header, index) = match way {
            Way::NewSsrcs => (packets::header(opus, 1, number as u32, &mid), 1),
            _ => (packets::header(opus, number + 1, ssrc, &[]), number + 1),
        };
        let packet = insider.seal_rtp(&header, index)?;
        insider.send(&packet)
    })
}

fn records(insider: &mut Insider, rate: u32, time: Duration) -> io::Result<Offered> {
    let data = [0x55; 1_000];
    paced(rate, time, |number| {
        if number.is_multiple_of(TURN) {
            insider.turn()?;
        }
        let length = 1 + number as usize % data.len();
        let record = insider.record(&data[..length])?;
        insider.send(&record)
    })
}

/// From so many sockets, or their own.
fn checks(insider: &mut Insider, ports: usize, rate: u32, time: Duration) -> io::Result<Offered> {
    let open = |_| -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let sockets: Vec<_> = (0..ports).map(open).collect::<Result<_, _>>()?;
    let node = insider.node;
    let take = |insider: &mut Insider, socket: &UdpSocket| {
        let mut answer = [0; 2_048];
        while let Ok(length) = socket.recv(&mut answer) {
            insider.answered_to(&answer[..length]);
        }
    };
    let offered = paced(rate, time, |number| {
        if number.is_multiple_of(TURN) {
            insider.turn()?;
        }
        let check = insider.check()?;
        let Some(socket) = sockets.get(number as usize % ports.max(1)) else {
            return insider.send(&check);
        };
        // A full buffer of the sender's own is no fault.
        let sent = socket.send_to(&check, node).unwrap_or_default();
        take(insider, socket);
        Ok(sent as u64)
    });
    insider.turn()?;
    sockets.iter().for_each(|socket| take(insider, socket));
    offered
}
