//! What somebody who is in can send from where they are: the ClientHello of a real client, again and again.

use std::{
    io,
    ops::Range,
    time::{Duration, Instant},
};

use str0m::crypto::dtls::{DtlsOutput, DtlsVersion};

use crate::client::certificate;

use super::{
    target::{Offered, Target, paced},
    wire::{Noise, RawSocket},
};

/// Where a record's sequence number is, and the random of the ClientHello in it (RFC 6347, sections 4.1 and 4.2).
const SEQUENCE: Range<usize> = 5..11;
const RANDOM: Range<usize> = 27..59;

/// Sends them at this rate from the addresses of listeners, each with another number and another random.
pub(super) fn run(target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    let socket = RawSocket::open()?;
    let mut hello = recorded()?;
    let mut noise = Noise::new(11);
    paced(rate, time, |number| {
        hello[SEQUENCE].copy_from_slice(&number.to_be_bytes()[2..]);
        noise.fill(&mut hello[RANDOM]);
        let insider = target.ports[number as usize % target.ports.len()];
        socket.send(insider, target.media, &hello)?;
        Ok(hello.len() as u64)
    })
}

/// The first datagram of a client that begins a handshake.
fn recorded() -> io::Result<Vec<u8>> {
    let now = Instant::now();
    let provider = str0m::crypto::from_feature_flags().dtls_provider;
    let client = provider.new_dtls(&certificate(), now, DtlsVersion::Dtls12, None);
    let mut client = client.map_err(io::Error::other)?;
    client.set_active(true);
    client.handle_timeout(now).map_err(io::Error::other)?;
    let mut buffer = [0; 2_048];
    for _ in 0..8 {
        match client.poll_output(&mut buffer) {
            DtlsOutput::Packet(packet) if packet.len() > RANDOM.end => return Ok(packet.to_vec()),
            _ => {}
        }
    }
    Err(io::Error::other("a client did not begin a handshake"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_begins_with_a_client_hello() -> io::Result<()> {
        let hello = recorded()?;
        // A handshake record of DTLS, with a ClientHello of DTLS 1.2 in it.
        assert_eq!((hello[0], hello[1], hello[13]), (22, 0xfe, 1));
        assert_eq!(hello[25..27], [0xfe, 0xfd]);
        Ok(())
    }
}
