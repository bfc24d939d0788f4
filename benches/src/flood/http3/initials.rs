//! The first packet of a QUIC handshake (RFC 9000, section 17.2.2), many times, and nothing after it.
//!
//! Each is a real one, of a client that was made for it and that speaks to a socket of the attacker's own; that
//! socket hands it on from an address of loopback that is no client's.

use std::{
    collections::{HashSet, VecDeque},
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use quinn::{ClientConfig, Endpoint};
use tokio::time::{Instant, interval};

use crate::flood::{
    connections::{Pace, TURN, source},
    target::Offered,
};

/// From how many addresses.
const SOURCES: u32 = 200;

/// The most a second: each costs the attacker a key.
const MOST: u32 = 2_000;

/// Clients that are kept until their first packet has left.
const KEPT: usize = 256;

/// Sends them for as long. What is answered is counted: no more than three times what was sent (section 8.1).
pub(super) async fn run(
    config: ClientConfig,
    to: SocketAddr,
    rate: u32,
    time: Duration,
) -> io::Result<Offered> {
    let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    own.set_nonblocking(true)?;
    let sources: Vec<UdpSocket> = (0..SOURCES).map(open).collect::<io::Result<_>>()?;
    let endpoint = Endpoint::client(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0))?;
    let end = Instant::now() + time;
    let mut pace = Pace::new(f64::from(rate.min(MOST)));
    let (mut clients, mut seen) = (VecDeque::new(), HashSet::new());
    let mut offered = Offered::default();
    let mut turn = interval(TURN);
    while Instant::now() < end {
        turn.tick().await;
        for _ in 0..pace.due() {
            let client = endpoint.connect_with(config.clone(), own.local_addr()?, "stoa");
            clients.push_back(client.map_err(io::Error::other)?);
            if clients.len() > KEPT {
                clients.pop_front();
            }
        }
        let mut datagram = [0; 2_048];
        while let Ok(length) = own.recv(&mut datagram) {
            let packet = &datagram[..length];
            // What a client sends a second time, or in parting, is none of it.
            let Some(name) = destination(packet).filter(|name| seen.insert(name.to_vec())) else {
                continue;
            };
            let from = usize::from(name[0]) % sources.len();
            offered.bytes += sources[from].send_to(packet, to).unwrap_or_default() as u64;
            offered.count += 1;
        }
        for socket in &sources {
            while let Ok(length) = socket.recv(&mut datagram) {
                offered.answered += length as u64;
            }
        }
    }
    Ok(offered)
}

fn open(number: u32) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((source(number), 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The destination connection id of an Initial packet (section 17.2).
fn destination(packet: &[u8]) -> Option<&[u8]> {
    let (first, length) = (*packet.first()?, usize::from(*packet.get(5)?));
    let is_initial = first & 0xf0 == 0xc0;
    packet
        .get(6..6 + length)
        .filter(|name| is_initial && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_initial_packet_has_a_destination() {
        let packet = [0xc3, 0, 0, 0, 1, 2, 7, 8, 0];
        assert_eq!(destination(&packet), Some(&[7, 8][..]));
        assert_eq!(
            destination(&[0xe3, 0, 0, 0, 1, 2, 7, 8, 0]),
            None,
            "a Handshake"
        );
        assert_eq!(destination(&packet[..7]), None, "cut off");
    }
}
