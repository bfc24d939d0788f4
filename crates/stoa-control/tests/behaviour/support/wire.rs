//! The clients: the real one of each transport, and bare ones that obey no deadline themselves.

use std::{net::SocketAddr, sync::Arc};

use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use stoa_client::{Client, ClientConfig, Credential, TrustAnchors};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{Status, body::Body, transport::Endpoint};
use tower::{ServiceExt as _, service_fn, util::BoxCloneSyncService};

use super::pki::{Pki, SERVER_NAME};

/// What a stub calls through, whichever transport it is.
pub type Service = BoxCloneSyncService<Request<Body>, Response<Body>, Status>;

/// Which transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Http2,
    Http3,
}

/// Who the client is.
#[derive(Clone)]
pub enum Identity {
    Nobody,
    Key(&'static str),
    Certificate(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>),
}

/// `stoa-client` over HTTP/3, tonic's own channel over HTTP/2.
pub fn stock(wire: Wire, address: SocketAddr, pki: &Pki, identity: Identity) -> Service {
    match wire {
        Wire::Http3 => BoxCloneSyncService::new(client(address, pki, identity).service()),
        Wire::Http2 => http2_channel(address, pki, identity),
    }
}

/// `stoa-client`, not connected yet.
pub fn client(address: SocketAddr, pki: &Pki, identity: Identity) -> Client {
    let credential = match identity {
        Identity::Nobody => Credential::Anonymous,
        Identity::Key(key) => Credential::ApiKey(key.to_owned().into()),
        Identity::Certificate(chain, key) => Credential::Certificate { chain, key },
    };
    let trust = TrustAnchors::Store(pki.roots());
    let mut config = ClientConfig::new(format!("https://{address}"), trust, credential);
    config.server_name = Some(SERVER_NAME.into());
    Client::lazy(config).expect("a good configuration")
}

fn http2_channel(address: SocketAddr, pki: &Pki, identity: Identity) -> Service {
    let bearer = bearer(&identity);
    let connector = tls(pki, identity, b"h2");
    // The connector does TLS: tonic is not to know of it.
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URI");
    let channel = endpoint.connect_with_connector_lazy(service_fn(move |_| {
        let connector = connector.clone();
        async move { dial(address, &connector).await.map(TokioIo::new) }
    }));
    let service = channel.map_request(move |mut request: Request<Body>| {
        if let Some(bearer) = &bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.clone());
        }
        request
    });
    BoxCloneSyncService::new(service.map_err(|error| Status::from_error(Box::new(error))))
}

fn bearer(identity: &Identity) -> Option<HeaderValue> {
    let Identity::Key(key) = identity else {
        return None;
    };
    Some(HeaderValue::from_str(&format!("Bearer {key}")).expect("a header"))
}

fn tls(pki: &Pki, identity: Identity, protocol: &[u8]) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(pki.roots());
    let mut config = match identity {
        Identity::Certificate(chain, key) => builder
            .with_client_auth_cert(chain, key.clone_key())
            .expect("a good certificate"),
        Identity::Nobody | Identity::Key(_) => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(config))
}

async fn dial(
    address: SocketAddr,
    connector: &TlsConnector,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(SERVER_NAME).expect("a name");
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    connector.connect(name, stream).await
}

/// TLS as for HTTP/2, and nothing after it.
pub async fn tls_stream(address: SocketAddr, pki: &Pki) -> TlsStream<TcpStream> {
    dial(address, &tls(pki, Identity::Nobody, b"h2"))
        .await
        .expect("TLS")
}

/// A client that knows nothing of gRPC: what it shows of deadlines is the server's doing.
pub async fn bare(wire: Wire, address: SocketAddr, pki: &Pki, key: &'static str) -> Service {
    let bearer = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
    let with_key = move |mut request: Request<Body>| {
        request.headers_mut().insert(AUTHORIZATION, bearer.clone());
        *request.uri_mut() = format!("https://{SERVER_NAME}{}", request.uri().path())
            .parse()
            .expect("a URI");
        request
    };
    match wire {
        Wire::Http2 => {
            let stream = dial(address, &tls(pki, Identity::Nobody, b"h2"))
                .await
                .expect("TLS");
            let (sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .expect("HTTP/2");
            tokio::spawn(connection);
            let service = service_fn(move |request| {
                let mut sender = sender.clone();
                async move {
                    let response = sender.send_request(request).await;
                    response
                        .map(|r| r.map(Body::new))
                        .map_err(|e| Status::from_error(e.into()))
                }
            });
            BoxCloneSyncService::new(service.map_request(with_key))
        }
        Wire::Http3 => {
            let channel = http3_channel(address, pki).await;
            let service = service_fn(move |request| {
                let channel = channel.clone();
                async move {
                    let response = channel.oneshot(request).await;
                    response
                        .map(|r| r.map(Body::new))
                        .map_err(|e| Status::from_error(e.into()))
                }
            });
            BoxCloneSyncService::new(service.map_request(with_key))
        }
    }
}

async fn http3_channel(address: SocketAddr, pki: &Pki) -> stoa_h3::Channel {
    let tls = tls(pki, Identity::Nobody, stoa_h3::ALPN);
    let tls = rustls::ClientConfig::clone(tls.config());
    let tls = quinn::crypto::rustls::QuicClientConfig::try_from(tls).expect("TLS 1.3");
    let mut config = quinn::ClientConfig::new(Arc::new(tls));
    let limits = stoa_h3::QuicLimits::default();
    config.transport_config(Arc::new(stoa_h3::transport_config(&limits)));
    let local = "127.0.0.1:0".parse().expect("an address");
    let endpoint = quinn::Endpoint::client(local).expect("a socket");
    let connecting = endpoint
        .connect_with(config, address, SERVER_NAME)
        .expect("a name");
    let connection = connecting.await.expect("QUIC");
    stoa_h3::Channel::open(connection, SERVER_NAME.parse().expect("a name"))
        .await
        .expect("HTTP/3")
}
