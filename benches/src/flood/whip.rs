//! Attackers who speak HTTP/1.1 to WHIP, with good join tokens.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustls::ClientConfig;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::{
    connections::{TURN, block_on, connect_tls, source, tls, together},
    target::{Offered, Target},
};

/// How often a slow one says the next byte.
const SLOWLY: Duration = Duration::from_millis(100);

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Sessions that are opened, and to which nobody ever comes.
    NeverConnect,
    /// Heads and bodies that come byte by byte.
    SlowRequests,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NeverConnect => "WHIP: sessions never connect",
            Self::SlowRequests => "WHIP: heads, bodies by bytes",
        }
    }

    fn connections(self) -> u32 {
        match self {
            Self::NeverConnect => 16,
            // One source's share.
            Self::SlowRequests => 250,
        }
    }
}

/// What all connections share.
struct Attack {
    way: Way,
    target: Target,
    tls: Arc<ClientConfig>,
    /// How many tokens are used up.
    used: AtomicUsize,
    end: Instant,
}

/// Attacks from one source for as long. Sessions are opened as fast as they are answered, one for each token.
pub(super) fn run(way: Way, target: &Target, time: Duration) -> io::Result<Offered> {
    block_on(async {
        let attack = Arc::new(Attack {
            way,
            target: target.clone(),
            tls: tls(&target.ca_pem, b"http/1.1")?,
            used: AtomicUsize::new(0),
            end: Instant::now() + time,
        });
        let mut attackers = JoinSet::new();
        for number in 0..way.connections() {
            let attack = Arc::clone(&attack);
            attackers.spawn(async move {
                let mut offered = Offered::default();
                while Instant::now() < attack.end {
                    // Whatever ends it, there is another one.
                    let one = attack.one(number, &mut offered);
                    drop(timeout_at(attack.end, one).await);
                    sleep(TURN).await;
                }
                offered
            });
        }
        together(attackers).await
    })
}

impl Attack {
    /// One connection, until the daemon ends it.
    async fn one(&self, number: u32, offered: &mut Offered) -> io::Result<()> {
        let mut stream = connect_tls(source(1), self.target.whip, &self.tls).await?;
        match self.way {
            Way::NeverConnect => loop {
                let Some(request) = self.request() else {
                    sleep(SLOWLY).await;
                    continue;
                };
                stream.write_all(&request).await?;
                offered.count += 1;
                offered.bytes += request.len() as u64;
                read_answer(&mut stream).await?;
            },
            Way::SlowRequests => {
                let request = self.request().unwrap_or_default();
                // Half of them have said their whole head.
                let head = request.windows(4).position(|bytes| bytes == b"\r\n\r\n");
                let at_once = if number.is_multiple_of(2) {
                    20
                } else {
                    head.unwrap_or(0) + 4
                };
                let (first, rest) = request.split_at(at_once.min(request.len()));
                stream.write_all(first).await?;
                for byte in rest {
                    stream.write_all(&[*byte]).await?;
                    offered.count += 1;
                    offered.bytes += 1;
                    sleep(SLOWLY).await;
                }
                Ok(())
            }
        }
    }

    /// A request to enter by the next token, while there are some.
    fn request(&self) -> Option<Vec<u8>> {
        let next = self.used.fetch_add(1, Ordering::Relaxed);
        let token = self.target.tokens.get(next)?;
        let offer = &self.target.offer;
        let length = offer.len();
        let request = format!(
            "POST /whip HTTP/1.1\r\nHost: stoa\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{offer}"
        );
        Some(request.into_bytes())
    }
}

/// Reads an answer to its end, which its head names.
///
/// # Errors
/// Where the daemon has refused: then its attacker is out of what it needs.
async fn read_answer(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(())
}
