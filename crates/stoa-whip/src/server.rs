//! HTTPS: where it is served, with which certificate, and by which pages.

mod connection;

use std::{
    io,
    net::{SocketAddr, TcpListener as Bound},
    sync::Arc,
};

use http::Request;
use hyper::body::Incoming;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use stoa_control::{Entrance, Place, TlsIdentity, one_ended};
use stoa_redact::ClientAddress;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Duration, interval, sleep, timeout},
};

use connection::Patience;

use crate::{
    config::{Pages, WhipConfig},
    enter, limits, route,
    service::{Service, Via},
    sessions::Sessions,
};

/// The pause after the system could not give us a connection: most often it has no more files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the server cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// An address cannot be bound; most often it is in use.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no address to listen on.
    #[error("there is no address to listen on")]
    NoAddress,
    /// The certificate and the key do not fit, or are not what TLS takes.
    #[error("the certificate cannot be used: {0}")]
    Certificate(#[source] rustls::Error),
}

/// The HTTPS server, bound to its addresses and not serving yet.
pub struct WhipServer {
    sockets: Vec<(SocketAddr, Bound)>,
    handle: WhipHandle,
}

/// Changes a running [`WhipServer`]. Clones are the same handle.
#[derive(Clone)]
pub struct WhipHandle {
    tls: Arc<watch::Sender<Arc<ServerConfig>>>,
    pages: Arc<watch::Sender<Arc<Pages>>>,
}

/// A configuration that was checked and can be applied: nothing of that can fail.
#[must_use = "nothing has changed until it is applied"]
pub struct PreparedReload {
    certificate: PreparedCertificate,
    pages: Arc<Pages>,
}

/// A certificate that was checked and can be applied.
#[must_use = "nothing has changed until it is applied"]
pub struct PreparedCertificate {
    handle: WhipHandle,
    tls: Arc<ServerConfig>,
}

impl WhipHandle {
    fn new(config: WhipConfig) -> Result<Self, BindError> {
        Ok(Self {
            tls: Arc::new(watch::Sender::new(Arc::new(tls(&config.identity)?))),
            pages: Arc::new(watch::Sender::new(Arc::new(Pages::of(config)))),
        })
    }

    /// Checks another configuration of the running server. All of it but `listen` can change.
    ///
    /// # Errors
    /// [`BindError::Certificate`]; nothing has changed then.
    pub fn prepare_reload(&self, config: WhipConfig) -> Result<PreparedReload, BindError> {
        Ok(PreparedReload {
            certificate: self.prepare_certificate(&config.identity)?,
            pages: Arc::new(Pages::of(config)),
        })
    }

    /// Checks another certificate.
    ///
    /// # Errors
    /// [`BindError::Certificate`]; nothing has changed then.
    pub fn prepare_certificate(
        &self,
        identity: &TlsIdentity,
    ) -> Result<PreparedCertificate, BindError> {
        Ok(PreparedCertificate {
            handle: self.clone(),
            tls: Arc::new(tls(identity)?),
        })
    }
}

impl PreparedReload {
    /// Goes by it from now on; connections that are there live on.
    pub fn apply(self) {
        self.certificate.handle.pages.send_replace(self.pages);
        self.certificate.apply();
    }
}

impl PreparedCertificate {
    /// New connections see it from now on; those that are there live on.
    pub fn apply(self) {
        self.handle.tls.send_replace(self.tls);
    }
}

impl WhipServer {
    /// Checks the certificate without binding anything.
    ///
    /// # Errors
    /// [`BindError::Certificate`], [`BindError::NoAddress`].
    pub fn check(config: &WhipConfig) -> Result<(), BindError> {
        if config.listen.is_empty() {
            return Err(BindError::NoAddress);
        }
        tls(&config.identity).map(drop)
    }

    /// Prepares TLS and binds every address.
    ///
    /// # Errors
    /// [`BindError`] names the address that is in use, or what is wrong with the certificate.
    pub fn bind(config: WhipConfig) -> Result<Self, BindError> {
        Self::check(&config)?;
        let bind = |&address: &SocketAddr| {
            let failed = |source| BindError::Address { address, source };
            let listener = Bound::bind(address).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            Ok((listener.local_addr().map_err(failed)?, listener))
        };
        let sockets = config.listen.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Self {
            sockets,
            handle: WhipHandle::new(config)?,
        })
    }

    /// Changes the server, also while it serves.
    pub fn handle(&self) -> WhipHandle {
        self.handle.clone()
    }

    /// The addresses that are bound, with the ports that were picked.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|(address, _)| *address).collect()
    }

    /// Serves until `shutdown` completes. Then nothing new is accepted, and requests under way may go on
    /// for [`limits::GRACE`]. It returns early only after a fault of its own, which is logged as an error.
    pub async fn serve(self, entrance: Entrance, shutdown: impl Future<Output = ()>) {
        let service = Arc::new(Service {
            entrance,
            pages: self.handle.pages.subscribe(),
            sessions: Sessions::default(),
        });
        let (end, _) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (bound, listener) in self.sockets {
            let listener = match TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, "WHIP and WHEP cannot be served"),
            };
            tracing::info!(address = %bound, "WHIP and WHEP are served over HTTPS");
            let server = Server {
                tls: self.handle.tls.subscribe(),
                service: Arc::clone(&service),
                end: end.subscribe(),
            };
            tasks.spawn(accept(listener, server));
        }
        let sweeping = tasks.spawn(sweep(service));
        tokio::select! {
            () = shutdown => {}
            () = one_ended(&mut tasks, "WHIP and WHEP") => {}
        }
        sweeping.abort();
        end.send_replace(true);
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(%error, "WHIP and WHEP did not end in order");
            }
        }
    }
}

fn tls(identity: &TlsIdentity) -> Result<ServerConfig, BindError> {
    let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        // 1.2, too: encoders are older than browsers.
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(BindError::Certificate)?
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .map_err(BindError::Certificate)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Forgets sessions that are over.
async fn sweep(service: Arc<Service>) {
    let mut turn = interval(limits::SWEEP);
    loop {
        turn.tick().await;
        let entrance = &service.entrance;
        service
            .sessions
            .retain(|session| enter::is_in(entrance, session));
    }
}

/// Completes when the server is to end, or is gone.
async fn over(end: &mut watch::Receiver<bool>) {
    let _ = end.wait_for(|end| *end).await;
}

#[derive(Clone)]
struct Server {
    tls: watch::Receiver<Arc<ServerConfig>>,
    service: Arc<Service>,
    end: watch::Receiver<bool>,
}

async fn accept(listener: TcpListener, server: Server) {
    let mut end = server.end.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = over(&mut end) => break,
            Some(ended) = connections.join_next() => note(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => match server.service.entrance.whip_connections().enter(address.ip()) {
                    Ok(place) => {
                        let server = server.clone();
                        connections.spawn(server.connection(stream, address.into(), place));
                    }
                    Err(crowded) => tracing::debug!(reason = crowded.name(), "a connection was turned away"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // bounded: by its length; the listener is still there
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(limits::GRACE * 2, all).await.is_err() {
        tracing::warn!("connections had to be cut");
    }
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended by a fault");
    }
}

impl Server {
    async fn connection(self, stream: TcpStream, client: ClientAddress, place: Place) {
        let tls = Arc::clone(&self.tls.borrow());
        let (service, place) = (self.service, Arc::new(place));
        let via = Via {
            source: client.expose().ip(),
            place: Arc::clone(&place),
        };
        let answer = move |request: Request<Incoming>| {
            route::answer(Arc::clone(&service), request, via.clone())
        };
        let patience = Patience::default();
        tokio::select! {
            () = connection::serve(stream, tls, patience, self.end, answer) => {}
            () = place.given_away() => tracing::debug!(%client, "a connection made room"),
        }
    }
}

#[cfg(test)]
mod tests;
