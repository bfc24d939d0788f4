//! The attacks, each for a while and at a rate that are bounded.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use crate::client::is_rtp;

use super::{
    connections, http2, http3, insider, whip,
    wire::{Noise, RawSocket, client_hello, feedback, forged_check},
};

/// How often datagrams are sent: a burst each time.
const TICK: Duration = Duration::from_millis(1);

/// An attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attack {
    /// Datagrams of nothing but chance.
    Garbage,
    /// ICE checks of somebody who is there, without their password.
    ForgedChecks,
    /// ClientHellos in the name of listeners who are in.
    ClientHellos,
    /// RTCP in the name of listeners that asks for everything again, half NACK, half PLI.
    Feedback,
    /// What speakers have sent, once more and in their name.
    ReplayedMedia,
    /// ClientHellos as clients send them, in the name of listeners who are in: what an insider can send.
    InsiderHellos,
    /// Connections to the control API that never say anything, all of one address.
    IdleConnections,
    /// The same from so many addresses that they reach the port's whole limit.
    IdleFromMany,
    /// To the control API by HTTP/2 over TCP.
    Http2(http2::Way),
    /// To the control API by HTTP/3 over QUIC.
    Http3(http3::Way),
    /// To WHIP.
    Whip(whip::Way),
    /// Joins whose clients never come.
    Joins,
    /// The same with the longest offers that are read.
    LongOffers,
}

impl Attack {
    pub(super) const ALL: [Self; 21] = [
        Self::Garbage,
        Self::ForgedChecks,
        Self::ClientHellos,
        Self::InsiderHellos,
        Self::Feedback,
        Self::ReplayedMedia,
        Self::IdleConnections,
        Self::IdleFromMany,
        Self::Http2(http2::Way::SlowHeads),
        Self::Http2(http2::Way::Resets),
        Self::Http2(http2::Way::Pings),
        Self::Http2(http2::Way::UnreadByAnybody),
        Self::Http2(http2::Way::UnreadByCaller),
        Self::Http3(http3::Way::SlowHeads),
        Self::Http3(http3::Way::Resets),
        Self::Http3(http3::Way::UnreadByCaller),
        Self::Http3(http3::Way::Initials),
        Self::Whip(whip::Way::NeverConnect),
        Self::Whip(whip::Way::SlowRequests),
        Self::Joins,
        Self::LongOffers,
    ];

    /// Its place among them, from 1.
    pub(super) fn number(self) -> usize {
        let place = Self::ALL.into_iter().position(|other| other == self);
        place.map_or(0, |place| place + 1)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::ForgedChecks => "forged checks",
            Self::ClientHellos => "ClientHellos, spoofed",
            Self::Feedback => "NACK and PLI, spoofed",
            Self::ReplayedMedia => "replayed SRTP, spoofed",
            Self::InsiderHellos => "ClientHellos of insiders",
            Self::IdleConnections => "idle connections, one source",
            Self::IdleFromMany => "idle connections, 8 sources",
            Self::Http2(way) => way.name(),
            Self::Http3(way) => way.name(),
            Self::Whip(way) => way.name(),
            Self::Joins => "joins that never connect",
            Self::LongOffers => "longest offers",
        }
    }
}

/// Against what.
#[derive(Clone)]
pub(super) struct Target {
    /// A media port.
    pub(super) media: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) whip: SocketAddr,
    /// Who vouches for the daemon, in PEM.
    pub(super) ca_pem: String,
    /// What a caller's calls have as `authorization`.
    pub(super) bearer: String,
    /// Join tokens, one for each who is to enter by WHIP.
    pub(super) tokens: Vec<String>,
    /// What they offer.
    pub(super) offer: String,
    /// Of somebody who has been let in at that port.
    pub(super) ufrag: String,
    /// The ports of listeners.
    pub(super) ports: Vec<u16>,
}

/// What an attack sent, and what came back to where it was sent from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Offered {
    /// Datagrams, connections, frames or calls.
    pub(super) count: u64,
    /// Their bytes, where they are datagrams.
    pub(super) bytes: u64,
    /// Bytes that were answered to the attacker's own address, where that has shown nothing.
    pub(super) answered: u64,
}

impl Offered {
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.answered += other.answered;
    }
}

/// Sends datagrams at this rate for as long, or opens connections.
///
/// # Errors
/// The system's; [`io::ErrorKind::PermissionDenied`] for a spoofed one without the right to that.
pub(super) fn run(
    attack: Attack,
    target: &Target,
    rate: u32,
    time: Duration,
) -> io::Result<Offered> {
    match attack {
        Attack::Garbage | Attack::ForgedChecks => from_outside(attack, target, rate, time),
        Attack::ClientHellos | Attack::Feedback => spoofed(attack, target, rate, time),
        Attack::ReplayedMedia => replayed(target, rate, time),
        Attack::InsiderHellos => insider::run(target, rate, time),
        Attack::IdleConnections => connections::idle(target.control, 1, rate, time),
        Attack::IdleFromMany => connections::idle(target.control, 8, rate, time),
        Attack::Http2(way) => http2::run(way, target, rate, time),
        Attack::Http3(way) => http3::run(way, target, rate, time),
        Attack::Whip(way) => whip::run(way, target, time),
        // Those are calls.
        Attack::Joins | Attack::LongOffers => Ok(Offered::default()),
    }
}

/// Calls this so often a second.
pub(super) fn paced(
    rate: u32,
    time: Duration,
    mut send: impl FnMut(u64) -> io::Result<u64>,
) -> io::Result<Offered> {
    let begun = Instant::now();
    let mut offered = Offered::default();
    while begun.elapsed() < time {
        let due = begun.elapsed().as_micros() * u128::from(rate) / 1_000_000;
        while u128::from(offered.count) < due {
            offered.bytes += send(offered.count)?;
            offered.count += 1;
        }
        // bounded: by the time of the attack
        std::thread::sleep(TICK);
    }
    Ok(offered)
}

fn from_outside(attack: Attack, target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let mut noise = Noise::new(u64::from(socket.local_addr()?.port()));
    let mut answered = 0;
    let mut garbage = vec![0; 1_200];
    let offered = paced(rate, time, |_| {
        let length = 20 + noise.number() as usize % 1_180;
        let datagram = match attack {
            Attack::Garbage => {
                noise.fill(&mut garbage[..length]);
                garbage[..length].to_vec()
            }
            _ => forged_check(&mut noise, &target.ufrag),
        };
        // A full buffer of the sender's own is no fault.
        let sent = socket.send_to(&datagram, target.media).unwrap_or_default();
        let mut answer = [0; 2_048];
        while let Ok(length) = socket.recv(&mut answer) {
            answered += length as u64;
        }
        Ok(sent as u64)
    })?;
    Ok(Offered {
        answered,
        ..offered
    })
}

fn spoofed(attack: Attack, target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    let socket = RawSocket::open()?;
    let mut noise = Noise::new(7);
    paced(rate, time, |number| {
        let datagram = match attack {
            Attack::ClientHellos => client_hello(&mut noise),
            _ => feedback(&mut noise, if number % 2 == 0 { 205 } else { 206 }),
        };
        let victim = target.ports[number as usize % target.ports.len()];
        socket.send(victim, target.media, &datagram)?;
        Ok(datagram.len() as u64)
    })
}

fn replayed(target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    /// Half a second of one who speaks.
    const KEPT: usize = 25;
    let socket = RawSocket::open()?;
    let mut kept: Vec<(u16, Vec<u8>)> = Vec::new();
    let begun = Instant::now();
    while kept.len() < KEPT && begun.elapsed() < time {
        match socket.next_to(target.media.port()) {
            Some((from, packet)) if is_rtp(&packet) => kept.push((from, packet)),
            Some(_) => {}
            // bounded: by the time of the attack
            None => std::thread::sleep(TICK),
        }
    }
    if kept.is_empty() {
        return Err(io::Error::other("nobody was heard to speak"));
    }
    paced(rate, time.saturating_sub(begun.elapsed()), |number| {
        let (from, packet) = &kept[number as usize % kept.len()];
        socket.send(*from, target.media, packet)?;
        Ok(packet.len() as u64)
    })
}
