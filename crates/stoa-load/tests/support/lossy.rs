//! A way between clients and a node that loses just so many packets.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// How long it waits for a datagram before it looks whether it is over, and at the other side.
const TURN: Duration = Duration::from_millis(1);

/// The way. Each client has a socket on the node's side, as behind a NAT.
pub(crate) struct Lossy {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    to: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Lossy {
    /// Opens it. After `whole` RTP packets for clients, of the following ones each `each`th is lost, until `most`
    /// are.
    pub(crate) fn open(whole: u64, each: u64, most: u64) -> Self {
        let outer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = outer.local_addr().expect("an address");
        let (over, to, lost) = <(Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let (is_over, node, count) = (Arc::clone(&over), Arc::clone(&to), Arc::clone(&lost));
        let run = move || {
            outer.set_read_timeout(Some(TURN)).expect("a timeout");
            let mut inner: HashMap<SocketAddr, UdpSocket> = HashMap::new();
            let mut packets = 0;
            let mut buffer = [0; 2_048];
            while !is_over.load(Ordering::Relaxed) {
                let node = node.load(Ordering::Relaxed) as u16;
                if let Ok((length, from)) = outer.recv_from(&mut buffer) {
                    let open = || {
                        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
                        socket.set_nonblocking(true).expect("a socket");
                        socket
                    };
                    let socket = inner.entry(from).or_insert_with(open);
                    drop(socket.send_to(&buffer[..length], (Ipv4Addr::LOCALHOST, node)));
                }
                for (client, socket) in &inner {
                    while let Ok((length, _)) = socket.recv_from(&mut buffer) {
                        if is_rtp(&buffer[..length]) {
                            packets += 1;
                            let is_due = packets > whole && packets % each == 0;
                            if is_due && count.load(Ordering::Relaxed) < most {
                                count.fetch_add(1, Ordering::Relaxed);
                                continue;
                            }
                        }
                        drop(outer.send_to(&buffer[..length], client));
                    }
                }
            }
        };
        let thread = std::thread::spawn(run);
        Self {
            address,
            over,
            to,
            lost,
            thread: Some(thread),
        }
    }

    /// Where clients reach it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads to this port.
    pub(crate) fn lead_to(&self, port: u16) {
        self.to.store(port.into(), Ordering::Relaxed);
    }

    /// How many packets it has lost.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Whether a datagram is SRTP and not SRTCP (RFC 5761, section 4).
fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, second, ..] if first >> 6 == 2 && !(192..=223).contains(second))
}
