//! gRPC over HTTP/2 over TLS over TCP.

mod unread;

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use stoa_h3::PeerInfo;
use stoa_redact::ClientAddress;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::ServiceExt as _;

use unread::Unread;

use crate::{
    config::TransportLimits,
    connections::{Parting, Place},
    gate::Gate,
    handle::ControlHandle,
    lifecycle::{Lifecycle, Phase},
    preface::{read_preface, with_preface},
    tls::Tls,
};

/// The pause after the system could not give us a connection: most often it has no more files, and
/// asking again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How much of an answer waits for a slow caller, in bytes for each call.
const SEND_BUFFER_BYTES: usize = 64 * 1024;

/// Serves connections until the node stops and they have ended.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    tls: watch::Receiver<Tls>,
    gate: Gate,
    limits: TransportLimits,
    handle: ControlHandle,
) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "HTTP/2 cannot be served"),
    };
    let server = Arc::new(Server {
        tls,
        gate,
        limits,
        lifecycle: handle.lifecycle.clone(),
    });
    let mut connections = JoinSet::new();
    let mut stopping = Box::pin(handle.lifecycle.reached(Phase::Stopping));
    loop {
        tokio::select! {
            () = &mut stopping => break,
            Some(ended) = connections.join_next() => super::note(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    match handle.connections.enter(address.ip()) {
                        Ok(place) => {
                            connections.spawn(Arc::clone(&server).connection(stream, address.into(), place));
                        }
                        Err(crowded) => tracing::debug!(reason = crowded.name(), "a connection was turned away"),
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        super::note(ended);
    }
}

struct Server {
    tls: watch::Receiver<Tls>,
    gate: Gate,
    limits: TransportLimits,
    lifecycle: Lifecycle,
}

impl Server {
    async fn connection(self: Arc<Self>, stream: TcpStream, client: ClientAddress, place: Place) {
        let begun = tokio::select! {
            begun = timeout(self.limits.handshake, self.begin(stream)) => begun,
            () = self.lifecycle.reached(Phase::Stopping) => return,
            _ = place.parting() => return,
        };
        match begun {
            Ok(Ok(stream)) => self.http2(stream, client, Arc::new(place)).await,
            Ok(Err(error)) => tracing::debug!(%client, %error, "no HTTP/2 connection"),
            Err(_) => tracing::debug!(%client, "no HTTP/2 connection in time"),
        }
    }

    /// TLS, and the first bytes of HTTP/2: hyper would wait for those without an end.
    async fn begin(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        stream.set_nodelay(true)?;
        let tls = Arc::clone(&self.tls.borrow().http2);
        let mut stream = TlsAcceptor::from(tls).accept(stream).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "h2 was not agreed on",
            ));
        }
        read_preface(&mut stream).await?;
        Ok(stream)
    }

    async fn http2(&self, stream: TlsStream<TcpStream>, client: ClientAddress, place: Arc<Place>) {
        let certificates = stream.get_ref().1.peer_certificates();
        let certificates = certificates.map(|chain| {
            Arc::new(
                chain
                    .iter()
                    .map(|certificate| certificate.clone().into_owned())
                    .collect(),
            )
        });
        let peer = PeerInfo {
            remote_address: client,
            client_certificates: certificates,
        };
        let gate = self.gate.of(Arc::clone(&place));
        let unread = Unread::default();
        let answers = unread.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            let (gate, answers) = (gate.clone(), answers.clone());
            async move { Ok::<_, Infallible>(answers.watch(gate.oneshot(request).await?)) }
        });
        let io = TokioIo::new(with_preface(stream));
        let mut connection = Box::pin(self.builder().serve_connection(io, service));
        let ended = tokio::select! {
            ended = &mut connection => ended,
            is_over = self.is_over(&place) => {
                if !is_over {
                    return tracing::debug!(%client, "an HTTP/2 connection made room");
                }
                connection.as_mut().graceful_shutdown();
                match timeout(self.limits.grace, connection).await {
                    Ok(ended) => ended,
                    Err(_) => return tracing::info!("calls were still under way after the grace"),
                }
            }
            () = unread.overdue(self.limits.keep_alive) => {
                return tracing::debug!(%client, "an answer was not read in time");
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%client, %error, "an HTTP/2 connection ended with an error");
        }
    }

    /// Completes when nothing more is to be taken from a connection; whether what is under way may be answered.
    async fn is_over(&self, place: &Place) -> bool {
        tokio::select! {
            () = self.lifecycle.reached(Phase::Stopping) => true,
            how = place.parting() => how == Parting::Gently,
        }
    }

    fn builder(&self) -> hyper::server::conn::http2::Builder<TokioExecutor> {
        let limits = &self.limits;
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams_per_connection)
            .max_header_list_size(limits.header_list_bytes)
            .initial_stream_window_size(limits.stream_window)
            .initial_connection_window_size(limits.connection_window)
            .max_send_buf_size(SEND_BUFFER_BYTES)
            .keep_alive_interval(limits.keep_alive)
            .keep_alive_timeout(limits.idle.saturating_sub(limits.keep_alive));
        builder
    }
}
