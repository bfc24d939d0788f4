//! What the kernel drops before a media worker can see it.

use std::collections::HashMap;

/// Where Linux tells it, for each IP version.
const TABLES: [&str; 2] = ["/proc/self/net/udp", "/proc/self/net/udp6"];

/// Datagrams that were dropped for want of room in a socket's receive buffer, by the port. Empty where the
/// kernel does not tell.
pub(super) fn dropped() -> HashMap<u16, u64> {
    let mut dropped = HashMap::new();
    for table in TABLES
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
    {
        for (port, drops) in table.lines().filter_map(row) {
            *dropped.entry(port).or_default() += drops;
        }
    }
    dropped
}

/// The port and the drops of a row of the table; the heading is none.
fn row(line: &str) -> Option<(u16, u64)> {
    let mut columns = line.split_ascii_whitespace();
    let (_, port) = columns.nth(1)?.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let drops = columns.last()?.parse().ok()?;
    Some((port, drops))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_row_is_read_and_the_heading_is_not() {
        let heading = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
        assert_eq!(row(heading), None);
        let line = " 1234: 0100007F:9C40 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 26 2 0000000000000000 17";
        assert_eq!(row(line), Some((40_000, 17)));
    }

    #[test]
    fn a_full_socket_is_seen() {
        let full = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = full.local_addr().expect("it is bound").port();
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a port");
        // bounded: a receive buffer has a few hundred KiB, this is 64 MiB.
        for _ in 0..1_024 {
            sender
                .send_to(&[0; 65_000], ("127.0.0.1", port))
                .expect("loopback takes it");
            if dropped().get(&port).is_some_and(|drops| *drops > 0) {
                return;
            }
        }
        panic!("the kernel drops nothing: {:?}", dropped().get(&port));
    }
}
