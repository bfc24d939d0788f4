//! Datagrams of somebody who has nothing, from an address of their own.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use super::{
    target::{Offered, Target, paced},
    wire::{Noise, forged_check},
};

/// What they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing but chance.
    Garbage,
    /// ICE checks of somebody who is there, without their password.
    ForgedChecks,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::ForgedChecks => "forged checks",
        }
    }
}

/// Sends them at this rate from one address for as long, and counts what is answered.
pub(super) fn run(way: Way, target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let mut noise = Noise::new(u64::from(socket.local_addr()?.port()));
    let mut answered = 0;
    let mut garbage = vec![0; 1_200];
    let offered = paced(rate, time, |_| {
        let length = 20 + noise.number() as usize % 1_180;
        let datagram = match way {
            Way::Garbage => {
                noise.fill(&mut garbage[..length]);
                garbage[..length].to_vec()
            }
            Way::ForgedChecks => forged_check(&mut noise, &target.ufrag),
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
