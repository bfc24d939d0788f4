//! A server and clients of it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use stoa_h3::{
    ALPN, BoxError, Channel, QuicLimits, RequestBody, ServeError, ServerLimits, TransportError,
    serve_connection, transport_config,
};
use tokio::sync::{mpsc, oneshot, watch};
use tower::Service;

pub(crate) type AnyBody = UnsyncBoxBody<Bytes, TransportError>;

/// Nothing here takes long; what takes this long hangs.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("hangs")
}

/// A server on the loopback interface, gone with this value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    certificate: CertificateDer<'static>,
    shutdown: watch::Sender<bool>,
    /// What `serve_connection` returned, or that it panicked.
    ended: mpsc::UnboundedReceiver<Result<Result<(), ServeError>, tokio::task::JoinError>>,
    endpoint: quinn::Endpoint,
}

/// A self-signed certificate for `localhost`, and its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self {
            certificate: made.cert.der().clone(),
            key: PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap(),
        }
    }
}

fn tls() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

impl Server {
    pub(crate) fn start<S, B>(service: S) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::limited(service, QuicLimits::default(), ServerLimits::default())
    }

    /// A server that lets only the holder of `client` in.
    pub(crate) fn verifying<S, B>(service: S, client: &CertificateDer<'static>) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut roots = RootCertStore::empty();
        roots.add(client.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), tls());
        Self::serving(
            service,
            QuicLimits::default(),
            ServerLimits::default(),
            verifier.build().unwrap(),
        )
    }

    pub(crate) fn limited<S, B>(service: S, quic: QuicLimits, limits: ServerLimits) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::serving(
            service,
            quic,
            limits,
            WebPkiClientVerifier::no_client_auth(),
        )
    }

    fn serving<S, B>(
        service: S,
        quic: QuicLimits,
        limits: ServerLimits,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Identity { certificate, key } = Identity::new();
        let mut crypto = rustls::ServerConfig::builder_with_provider(tls())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        crypto.alpn_protocols = vec![ALPN.to_vec()];
        let crypto = QuicServerConfig::try_from(crypto).unwrap();
        let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        config.transport_config(Arc::new(transport_config(&quic)));
        let endpoint = quinn::Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();

        let (shutdown, stop) = watch::channel(false);
        let (ended_sender, ended) = mpsc::unbounded_channel();
        let address = endpoint.local_addr().unwrap();
        let accepting = endpoint.clone();
        tokio::spawn(async move {
            while let Some(incoming) = accepting.accept().await {
                let (service, limits) = (service.clone(), limits.clone());
                let (mut stop, ended) = (stop.clone(), ended_sender.clone());
                tokio::spawn(async move {
                    let Ok(connection) = incoming.await else {
                        return;
                    };
                    let served = tokio::spawn(async move {
                        let stopped = async {
                            let _ = stop.wait_for(|stop| *stop).await;
                        };
                        serve_connection(connection, service, limits, stopped).await
                    });
                    let _ = ended.send(served.await);
                });
            }
        });
        Self {
            address,
            certificate,
            shutdown,
            ended,
            endpoint,
        }
    }

    /// A bare QUIC connection.
    pub(crate) async fn connect_quic(&self, limits: &QuicLimits) -> quinn::Connection {
        self.connect_with(limits, None).await
    }

    async fn connect_with(
        &self,
        limits: &QuicLimits,
        identity: Option<Identity>,
    ) -> quinn::Connection {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let crypto = rustls::ClientConfig::builder_with_provider(tls())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut crypto = match identity {
            None => crypto.with_no_client_auth(),
            Some(Identity { certificate, key }) => crypto
                .with_client_auth_cert(vec![certificate], key)
                .unwrap(),
        };
        crypto.alpn_protocols = vec![ALPN.to_vec()];
        let crypto = QuicClientConfig::try_from(crypto).unwrap();
        let mut config = quinn::ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::new(transport_config(limits)));
        let endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let connecting = endpoint.connect_with(config, self.address, "localhost");
        within(connecting.unwrap()).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> Channel {
        self.connect_limited(&QuicLimits::default()).await
    }

    pub(crate) async fn connect_limited(&self, limits: &QuicLimits) -> Channel {
        let connection = self.connect_quic(limits).await;
        let authority = "localhost".parse().unwrap();
        within(Channel::open(connection, authority)).await.unwrap()
    }

    pub(crate) async fn connect_as(&self, identity: Identity) -> Channel {
        let limits = QuicLimits::default();
        let connection = self.connect_with(&limits, Some(identity)).await;
        let authority = "localhost".parse().unwrap();
        within(Channel::open(connection, authority)).await.unwrap()
    }

    pub(crate) fn shut_down(&self) {
        self.shutdown.send_replace(true);
    }

    /// How the next connection to end was served; a panic in there fails the test.
    pub(crate) async fn next_end(&mut self) -> Result<(), ServeError> {
        let ended = within(self.ended.recv()).await;
        ended.unwrap().expect("serve_connection panicked")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.endpoint.close(0u32.into(), b"");
    }
}

/// Says when it is dropped.
pub(crate) struct DropGuard(Option<oneshot::Sender<()>>);

impl DropGuard {
    pub(crate) fn new() -> (Self, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(());
        }
    }
}

/// A body whose frames a test sends one by one. It ends when the sender is dropped.
pub(crate) struct FedBody {
    frames: mpsc::UnboundedReceiver<Result<Frame<Bytes>, BoxError>>,
    _guard: DropGuard,
}

pub(crate) type Feed = mpsc::UnboundedSender<Result<Frame<Bytes>, BoxError>>;

/// The body, what feeds it, and what tells that it was dropped.
pub(crate) fn fed_body() -> (Feed, FedBody, oneshot::Receiver<()>) {
    let (feed, frames) = mpsc::unbounded_channel();
    let (guard, dropped) = DropGuard::new();
    let body = FedBody {
        frames,
        _guard: guard,
    };
    (feed, body, dropped)
}

impl Body for FedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.frames.poll_recv(cx)
    }
}

pub(crate) fn data(bytes: &'static [u8]) -> Result<Frame<Bytes>, BoxError> {
    Ok(Frame::data(Bytes::from_static(bytes)))
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

pub(crate) fn empty() -> AnyBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn post<B>(path: &str, body: B) -> Request<B> {
    Request::post(path).body(body).unwrap()
}

/// Answers with what the request brought, read to its end.
pub(crate) async fn echo(request: Request<RequestBody>) -> Result<Response<AnyBody>, Infallible> {
    let collected = request.into_body().collect().await;
    let body = match collected {
        Ok(collected) => collected.boxed_unsync_any(),
        Err(error) => full(error.to_string()),
    };
    Ok(Response::new(body))
}

trait BoxedAny {
    fn boxed_unsync_any(self) -> AnyBody;
}

impl BoxedAny for http_body_util::Collected<Bytes> {
    fn boxed_unsync_any(self) -> AnyBody {
        self.map_err(|never| match never {}).boxed_unsync()
    }
}
