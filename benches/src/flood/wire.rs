//! What the attacks send.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::{AsRawFd as _, OwnedFd},
};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket,
};

/// The header of UDP, in bytes.
const UDP_HEADER: usize = 8;

/// Bytes that mean nothing, another sequence for each seed (xorshift64*).
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(super) fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.number().to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

/// A binding request (RFC 8489) of this user, whose integrity nobody has a key for.
pub(super) fn forged_check(noise: &mut Noise, ufrag: &str) -> Vec<u8> {
    let user = format!("{ufrag}:evil");
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([0; 12]);
    noise.fill(&mut message[8..]);
    message.extend([0, 6]);
    message.extend(u16::try_from(user.len()).unwrap_or(0).to_be_bytes());
    message.extend(user.as_bytes());
    message.resize(message.len().next_multiple_of(4), 0);
    message.extend([0, 8, 0, 20]);
    let at = message.len();
    message.resize(at + 20, 0);
    noise.fill(&mut message[at..]);
    let length = u16::try_from(message.len() - 20).unwrap_or(0);
    message[2..4].copy_from_slice(&length.to_be_bytes());
    message
}

/// The first record of a DTLS 1.2 handshake (RFC 6347), a ClientHello of nothing but chance.
pub(super) fn client_hello(noise: &mut Noise) -> Vec<u8> {
    const BODY: usize = 120;
    let mut record = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, BODY as u8 + 12];
    record.extend([1, 0, 0, BODY as u8, 0, 0, 0, 0, 0, 0, 0, BODY as u8]);
    record.extend([0xfe, 0xfd]);
    let at = record.len();
    record.resize(at + BODY - 2, 0);
    noise.fill(&mut record[at..]);
    record
}

/// RTCP feedback (RFC 4585) that asks for everything again, with a tag that is wrong: `kind` 205 is NACK, 206
/// PLI.
pub(super) fn feedback(noise: &mut Noise, kind: u8) -> Vec<u8> {
    let mut packet = vec![0; 60];
    noise.fill(&mut packet);
    packet[..4].copy_from_slice(&[0x81, kind, 0, 3]);
    packet
}

/// A socket that sends UDP from whatever port of this machine it wants to, and sees all that comes. It needs
/// the right CAP_NET_RAW.
pub(super) struct RawSocket(OwnedFd);

impl RawSocket {
    /// # Errors
    /// Without the right.
    pub(super) fn open() -> io::Result<Self> {
        let kind = (AddressFamily::Inet, SockType::Raw);
        let socket = socket(kind.0, kind.1, SockFlag::SOCK_NONBLOCK, SockProtocol::Udp)?;
        Ok(Self(socket))
    }

    /// Sends a datagram from a port of loopback, whoever has that.
    pub(super) fn send(&self, from: u16, to: SocketAddr, contents: &[u8]) -> io::Result<()> {
        let length = u16::try_from(UDP_HEADER + contents.len()).unwrap_or(u16::MAX);
        let mut datagram = Vec::with_capacity(length.into());
        for word in [from, to.port(), length, 0] {
            datagram.extend(word.to_be_bytes());
        }
        datagram.extend(contents);
        let SocketAddr::V4(to) = to else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let to = SockaddrIn::from(to);
        match sendto(self.0.as_raw_fd(), &datagram, &to, MsgFlags::empty()) {
            // Whoever floods loses some.
            Ok(_) | Err(nix::Error::EAGAIN | nix::Error::ENOBUFS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next datagram of this machine's that goes to this port: from which one, and what.
    pub(super) fn next_to(&self, port: u16) -> Option<(u16, Vec<u8>)> {
        let mut buffer = [0; 2_048];
        while let Ok(length) = recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            // The length of IP's own header is in its first byte, in words.
            let header = usize::from(buffer[0] & 0xf) * 4;
            let Some(udp) = buffer[..length].get(header..) else {
                continue;
            };
            let Some((head, contents)) = udp.split_at_checked(UDP_HEADER) else {
                continue;
            };
            let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
            if word(2) == port {
                return Some((word(0), contents.to_vec()));
            }
        }
        None
    }
}

/// Where a client of loopback is told to send.
pub(super) fn first_candidate(answer: &str) -> Option<SocketAddr> {
    let candidate = answer
        .lines()
        .find(|line| line.starts_with("a=candidate:"))?;
    let port = candidate.split(' ').nth(5)?.parse().ok()?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// The user name fragment of an answer.
pub(super) fn ufrag(answer: &str) -> Option<&str> {
    answer
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_check_is_one_but_for_its_integrity() {
        let check = forged_check(&mut Noise::new(1), "abc");
        assert_eq!(check.len() % 4, 0);
        let length = u16::from_be_bytes([check[2], check[3]]);
        assert_eq!(usize::from(length) + 20, check.len());
        assert_eq!(&check[24..32], b"abc:evil");
    }

    #[test]
    fn an_answer_says_where_to_send() {
        let answer =
            "v=0\r\na=ice-ufrag:xyz\r\na=candidate:1 1 udp 2130706175 127.0.0.1 4000 typ host\r\n";
        assert_eq!(first_candidate(answer).map(|at| at.port()), Some(4_000));
        assert_eq!(ufrag(answer), Some("xyz"));
    }
}
