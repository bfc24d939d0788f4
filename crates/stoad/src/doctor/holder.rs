//! Who holds a port, as /proc tells it.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
};

use crate::config::{Port, Transport};

/// A process that holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) id: u32,
    /// Its program, as far as the kernel keeps it: 15 bytes.
    pub(super) program: String,
}

impl Holder {
    /// Whether it is a node of Stoa's.
    pub(super) fn is_stoad(&self) -> bool {
        self.program == "stoad"
    }
}

/// Who holds the port, or one that it cannot be bound beside. `None`: it cannot be seen, most often because it is
/// another user's.
pub(super) fn of(port: &Port) -> Option<Holder> {
    let name = match port.transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    };
    let sockets: Vec<String> = [name.to_owned(), format!("{name}6")]
        .iter()
        .filter_map(|table| fs::read_to_string(Path::new("/proc/self/net").join(table)).ok())
        .flat_map(|table| inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    processes().find(|holder| has_one_of(holder.id, &sockets))
}

/// The sockets in a table of the kernel's that are in the port's way.
fn inodes(table: &str, port: &Port) -> Vec<String> {
    let lines = table.lines().skip(1);
    lines
        .filter_map(|line| inode(line, port))
        .map(str::to_owned)
        .collect()
}

/// The socket of a line of such a table, if it is in the port's way.
fn inode<'a>(line: &'a str, port: &Port) -> Option<&'a str> {
    let mut columns = line.split_whitespace();
    let (ip, number) = columns.nth(1)?.split_once(':')?;
    let state = columns.nth(1)?;
    let number = u16::from_str_radix(number, 16).ok()?;
    // Of TCP's sockets those that listen; UDP's are in the state that the kernel calls closed.
    let listens = port.transport == Transport::Udp || state == "0A";
    let meets = meets(address(ip)?, port.address.ip());
    let is_in_the_way = number == port.address.port() && listens && meets;
    columns.nth(5).filter(|_| is_in_the_way)
}

/// Whether two addresses cannot have the same port. A wildcard of IPv6 may be one for IPv4 as well, so it is.
fn meets(a: IpAddr, b: IpAddr) -> bool {
    a == b || a.is_unspecified() || b.is_unspecified()
}

/// An address as the kernel writes it: words of 32 bits, each in the order of the machine.
fn address(text: &str) -> Option<IpAddr> {
    let word = |text: &str| Some(u32::from_str_radix(text, 16).ok()?.to_ne_bytes());
    match text.len() {
        8 => Some(Ipv4Addr::from(word(text)?).into()),
        32 => {
            let mut octets = [0; 16];
            for (at, to) in octets.chunks_mut(4).enumerate() {
                to.copy_from_slice(&word(text.get(8 * at..8 * at + 8)?)?);
            }
            Some(Ipv6Addr::from(octets).to_canonical())
        }
        _ => None,
    }
}

/// All processes that can be seen.
fn processes() -> impl Iterator<Item = Holder> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let program = fs::read_to_string(entry.path().join("comm")).ok()?;
        Some(Holder {
            id,
            program: program.trim().to_owned(),
        })
    })
}

fn has_one_of(process: u32, sockets: &[String]) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd"));
    let targets = descriptors.into_iter().flatten().flatten();
    targets
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| {
            sockets
                .iter()
                .any(|socket| target.as_os_str() == socket.as_str())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_by_its_port() {
        for ip in [IpAddr::from([127, 0, 0, 1]), Ipv6Addr::LOCALHOST.into()] {
            let Ok(socket) = std::net::UdpSocket::bind((ip, 0)) else {
                assert!(ip.is_ipv6(), "loopback");
                continue;
            };
            let mut port = Port {
                key: "media.port",
                transport: Transport::Udp,
                address: socket.local_addr().expect("it is bound"),
                is_v6_only: true,
            };
            assert_eq!(of(&port).map(|holder| holder.id), Some(std::process::id()));
            port.transport = Transport::Tcp;
            assert_ne!(of(&port).map(|holder| holder.id), Some(std::process::id()));
        }
    }
}
