//! The one QUIC connection: made when it is needed, made anew when it is lost.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::Uri;
use quinn::{Endpoint, VarInt, crypto::rustls::QuicClientConfig};
use stoa_h3::{Channel, QuicLimits};
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    config::{ClientConfig, Credential, Timeouts},
    error::ConnectError,
};

/// The pause after the first failed attempt.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// How many of a host's addresses are tried.
const MAX_ADDRESSES: usize = 8;

/// How long one address has before the next one is tried as well (RFC 8305, section 8).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// How long [`Connector::close`] waits for the last packets.
const CLOSE_PATIENCE: Duration = Duration::from_millis(500);

/// H3_NO_ERROR (RFC 9114, section 8.1).
const H3_NO_ERROR: VarInt = VarInt::from_u32(0x100);

/// Where to connect to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    origin: Uri,
    host: String,
    port: u16,
    server_name: String,
}

impl Target {
    pub(crate) fn parse(endpoint: &str, server_name: Option<&str>) -> Result<Self, ConnectError> {
        let bad = |why| ConnectError::Endpoint {
            endpoint: endpoint.to_owned(),
            why,
        };
        let origin: Uri = endpoint.parse().map_err(|_| bad("it is not a URI"))?;
        if origin.scheme_str() != Some("https") {
            return Err(bad("the scheme is not https"));
        }
        if !matches!(origin.path(), "" | "/") || origin.query().is_some() {
            return Err(bad("it has a path"));
        }
        let authority = origin.authority().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("it has a user name"));
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        if host.is_empty() {
            return Err(bad("it has no host"));
        }
        let port = authority.port_u16().filter(|p| *p != 0);
        let port = port.ok_or_else(|| bad("it has no port"))?;
        let server_name = server_name.unwrap_or(&host).to_owned();
        Ok(Self {
            origin,
            host,
            port,
            server_name,
        })
    }
}

/// Makes connections and keeps the one that lives.
pub(crate) struct Connector {
    target: Target,
    timeouts: Timeouts,
    config: quinn::ClientConfig,
    ipv4: OnceLock<Endpoint>,
    ipv6: OnceLock<Endpoint>,
    closed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    channel: Option<Channel>,
    failures: u32,
    failed: Option<(Instant, String)>,
}

impl Connector {
    pub(crate) fn new(config: ClientConfig, target: Target) -> Result<Self, ConnectError> {
        let timeouts = config.timeouts.clone();
        Ok(Self {
            config: quic_config(config)?,
            target,
            timeouts,
            ipv4: OnceLock::new(),
            ipv6: OnceLock::new(),
            closed: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    pub(crate) fn origin(&self) -> Uri {
        self.target.origin.clone()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn max_backoff(&self) -> Duration {
        self.timeouts.max_backoff
    }

    /// The channel of the connection that lives, or of a new one. Callers that come while an
    /// attempt is made wait for its end.
    pub(crate) async fn channel(&self) -> Result<Channel, ConnectError> {
        let mut state = self.state.lock().await;
        if self.is_closed() {
            return Err(ConnectError::Closed);
        }
        if let Some(channel) = state.channel.as_ref().filter(|c| !c.is_closed()) {
            return Ok(channel.clone());
        }
        state.channel = None;
        if let Some((until, last)) = &state.failed {
            let wait = until.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Err(ConnectError::Backoff {
                    last: last.clone(),
                    wait,
                });
            }
        }
        let attempt = timeout(self.timeouts.connect, self.attempt()).await;
        match attempt.unwrap_or(Err(ConnectError::Timeout(self.timeouts.connect))) {
            Ok(channel) => {
                *state = State {
                    channel: Some(channel.clone()),
                    ..State::default()
                };
                Ok(channel)
            }
            Err(error) => {
                let pause = backoff(state.failures, self.timeouts.max_backoff);
                tracing::debug!(%error, ?pause, "no connection to the node");
                state.failures = state.failures.saturating_add(1);
                state.failed = Some((Instant::now() + pause, error.to_string()));
                Err(error)
            }
        }
    }

    /// Tries the host's addresses in the resolver's order, each a little after the one before, and
    /// returns the first success (as RFC 8305 does): the node may well listen on one of them only,
    /// and QUIC gets no answer at all from the others.
    async fn attempt(&self) -> Result<Channel, ConnectError> {
        let Target { host, port, .. } = &self.target;
        let addresses = tokio::net::lookup_host((host.as_str(), *port))
            .await
            .map_err(|source| ConnectError::Resolve {
                host: host.clone(),
                source,
            })?;
        let mut rest = addresses
            .take(MAX_ADDRESSES)
            .collect::<Vec<_>>()
            .into_iter();
        let mut attempts = JoinSet::new();
        let mut failure = ConnectError::NoAddress(host.clone());
        loop {
            match rest.next() {
                Some(address) => match self.connect(address) {
                    Ok(connecting) => drop(attempts.spawn(connecting)),
                    Err(error) => failure = error,
                },
                None if attempts.is_empty() => return Err(failure),
                None => {}
            }
            let more = rest.len() > 0;
            let ended = tokio::select! {
                ended = attempts.join_next() => ended,
                () = sleep(NEXT_ADDRESS), if more => None,
            };
            match ended {
                Some(Ok(Ok(channel))) => return Ok(channel),
                Some(Ok(Err(error))) => failure = error,
                // Nothing has ended; or a task did that was neither aborted nor can panic.
                None | Some(Err(_)) => {}
            }
        }
    }

    /// Begins one attempt; what it needs goes along, so that it can run beside others.
    fn connect(
        &self,
        address: SocketAddr,
    ) -> Result<impl Future<Output = Result<Channel, ConnectError>> + use<>, ConnectError> {
        let connecting = self
            .endpoint(address)?
            .connect_with(self.config.clone(), address, &self.target.server_name)
            .map_err(ConnectError::Start)?;
        let authority = self.target.origin.authority().cloned();
        let authority = authority.expect("checked by Target::parse");
        Ok(async move {
            let connection = connecting.await.map_err(ConnectError::Handshake)?;
            let opened = Channel::open(connection, authority).await;
            opened.map_err(|error| ConnectError::Http3(error.to_string()))
        })
    }

    /// The socket for the address's family, opened when first needed: many hosts have no IPv6.
    fn endpoint(&self, address: SocketAddr) -> Result<&Endpoint, ConnectError> {
        let (slot, local) = match address {
            SocketAddr::V4(_) => (&self.ipv4, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))),
            SocketAddr::V6(_) => (&self.ipv6, SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))),
        };
        if let Some(endpoint) = slot.get() {
            return Ok(endpoint);
        }
        let endpoint = Endpoint::client(local).map_err(ConnectError::Socket)?;
        Ok(slot.get_or_init(|| endpoint))
    }

    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let endpoints = [self.ipv4.get(), self.ipv6.get()];
        for endpoint in endpoints.into_iter().flatten() {
            endpoint.close(H3_NO_ERROR, b"");
        }
        self.state.lock().await.channel = None;
        for endpoint in endpoints.into_iter().flatten() {
            // An attempt that got no answer leaves quinn waiting for one for a while.
            let _ = timeout(CLOSE_PATIENCE, endpoint.wait_idle()).await;
        }
    }
}

/// The pause after one more failure: doubles from [`FIRST_BACKOFF`] up to the longest.
fn backoff(failures_before: u32, longest: Duration) -> Duration {
    FIRST_BACKOFF
        .saturating_mul(1 << failures_before.min(16))
        .min(longest)
}

fn quic_config(config: ClientConfig) -> Result<quinn::ClientConfig, ConnectError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| ConnectError::Tls(e.to_string()))?
        .with_root_certificates(config.trust.into_store()?);
    let mut tls = match config.credential {
        Credential::Certificate { chain, key } => builder
            .with_client_auth_cert(chain, key.clone_key())
            .map_err(ConnectError::Certificate)?,
        Credential::ApiKey(_) | Credential::Anonymous => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![stoa_h3::ALPN.to_vec()];
    let tls = QuicClientConfig::try_from(tls).map_err(|e| ConnectError::Tls(e.to_string()))?;

    let Timeouts {
        idle, keep_alive, ..
    } = config.timeouts;
    let limits = QuicLimits {
        idle_timeout: idle,
        keep_alive_interval: Some(keep_alive),
        ..QuicLimits::default()
    };
    let transport = stoa_h3::transport_config(&limits);
    let mut quic = quinn::ClientConfig::new(Arc::new(tls));
    quic.transport_config(Arc::new(transport));
    Ok(quic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_https_host_and_port() {
        let target = Target::parse("https://[::1]:7443", None).expect("an endpoint");
        assert_eq!((target.host.as_str(), target.port), ("::1", 7443));
        let target = Target::parse("https://10.0.0.1:7443/", Some("stoa.test")).expect("one");
        assert_eq!(target.server_name, "stoa.test");
        for bad in [
            "",
            "localhost:1",
            "http://localhost:1",
            "https://localhost",
            "https://localhost:0",
            "https://localhost:1/path",
            "https://me@localhost:1",
        ] {
            let parsed = Target::parse(bad, None);
            assert!(
                matches!(parsed, Err(ConnectError::Endpoint { .. })),
                "{bad:?}: {parsed:?}"
            );
        }
    }

    #[test]
    fn the_pause_doubles_up_to_its_bound() {
        let longest = Duration::from_secs(5);
        let pauses: Vec<_> = (0..8).map(|n| backoff(n, longest).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff(u32::MAX, longest), longest);
    }
}
