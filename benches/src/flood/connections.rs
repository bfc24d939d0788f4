//! Connections of attackers: from which addresses of loopback, with TLS or without, and how they are paced.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, interval, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::target::Offered;

/// How long one waits for a connection, or for TLS on it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often attackers have their turn.
pub(super) const TURN: Duration = Duration::from_millis(10);

/// The address of an attacker. Nobody else has one of these: who is to be left in peace comes from 127.0.0.1.
pub(super) fn source(number: u32) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(number % 250).unwrap_or(0) + 1)
}

/// Runs one attack on a thread of its own.
pub(super) fn block_on<T>(attack: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(attack)
}

/// What all of them have offered, when the last has ended.
pub(super) async fn together(mut attackers: JoinSet<Offered>) -> io::Result<Offered> {
    let mut all = Offered::default();
    while let Some(offered) = attackers.join_next().await {
        all.add(offered.map_err(io::Error::other)?);
    }
    Ok(all)
}

/// A connection from this address.
pub(super) async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    let stream = timeout(PATIENCE, socket.connect(to)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// TLS as a client of the daemon's speaks it, for this protocol.
pub(super) fn tls(ca_pem: &str, protocol: &[u8]) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate = certificate.map_err(io::Error::other)?;
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(Arc::new(config))
}

/// A connection with TLS.
pub(super) async fn connect_tls(
    from: Ipv4Addr,
    to: SocketAddr,
    tls: &Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = connect(from, to).await?;
    let name = ServerName::IpAddress(to.ip().into());
    timeout(
        PATIENCE,
        TlsConnector::from(Arc::clone(tls)).connect(name, stream),
    )
    .await?
}

/// Says how many are due, of so many a second, each time it is asked.
pub(super) struct Pace {
    begun: Instant,
    rate: f64,
    done: u64,
}

impl Pace {
    pub(super) fn new(rate: f64) -> Self {
        Self {
            begun: Instant::now(),
            rate,
            done: 0,
        }
    }

    /// How many of them are due now.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate and a time that are positive and small"
    )]
    pub(super) fn due(&mut self) -> u64 {
        let all = (self.begun.elapsed().as_secs_f64() * self.rate) as u64;
        let due = all.saturating_sub(self.done);
        self.done = all;
        due
    }
}

/// Opens connections as fast as it may from so many addresses, and holds the last of them.
pub(super) fn idle(to: SocketAddr, sources: u32, rate: u32, time: Duration) -> io::Result<Offered> {
    /// No more than this machine has ports for without trouble.
    const MOST: usize = 4_000;
    block_on(async {
        let end = Instant::now() + time;
        let mut pace = Pace::new(f64::from(rate.min(2_000)));
        let (mut held, mut offered) = (VecDeque::new(), Offered::default());
        let mut turn = interval(TURN);
        while Instant::now() < end {
            turn.tick().await;
            for _ in 0..pace.due() {
                let from = source(u32::try_from(offered.count).unwrap_or(0) % sources);
                held.push_back(connect(from, to).await);
                offered.count += 1;
                if held.len() > MOST {
                    held.pop_front();
                }
            }
        }
        Ok(offered)
    })
}
