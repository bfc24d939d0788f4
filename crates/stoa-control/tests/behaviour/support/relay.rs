//! A network between a client and the server's UDP port that can be cut.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{net::UdpSocket, task::JoinHandle, time::sleep};

/// Carries datagrams until it is dropped.
pub struct Relay {
    pub address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    pub async fn start(to: SocketAddr) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = front.local_addr().expect("an address");
        let is_cut = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(carry(Arc::new(front), to, Arc::clone(&is_cut)));
        Self {
            address,
            is_cut,
            task,
        }
    }

    /// Nothing arrives for so long.
    pub async fn cut(&self, duration: Duration) {
        self.is_cut.store(true, Ordering::Relaxed);
        // bounded: it is what the caller wants
        sleep(duration).await;
        self.is_cut.store(false, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(front: Arc<UdpSocket>, to: SocketAddr, is_cut: Arc<AtomicBool>) {
    let mut backs: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let Ok((length, from)) = front.recv_from(&mut buffer).await else {
            return;
        };
        let back = match backs.entry(from) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let back = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
                back.connect(to).await.expect("an address");
                let back = Arc::new(back);
                let (front, is_cut) = (Arc::clone(&front), Arc::clone(&is_cut));
                tokio::spawn(bring_back(Arc::clone(&back), front, from, is_cut));
                new.insert(back)
            }
        };
        if !is_cut.load(Ordering::Relaxed) {
            let _lost = back.send(&buffer[..length]).await;
        }
    }
}

async fn bring_back(
    back: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    from: SocketAddr,
    is_cut: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length) = back.recv(&mut buffer).await {
        if !is_cut.load(Ordering::Relaxed) {
            let _lost = front.send_to(&buffer[..length], from).await;
        }
    }
}
