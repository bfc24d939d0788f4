use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, ServerName},
};
use stoa_control::TlsIdentity;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client};

use super::*;

const ANSWER_BYTES: usize = 16 << 20;

/// What every wait of a test ends by.
const IN_TIME: Duration = Duration::from_secs(20);

/// How long a connection may last where it is not its age that ends it.
const OLD: Duration = Duration::from_secs(3_600);

/// One connection, by this protocol, to a server with little patience, and the server's end of it.
async fn connect(protocol: &[u8], age: Duration) -> (client::TlsStream<TcpStream>, JoinHandle<()>) {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = key.cert.der().clone();
    let identity = TlsIdentity {
        chain: vec![certificate.clone()],
        key: PrivateKeyDer::try_from(key.signing_key.serialize_der()).expect("a key"),
    };
    let tls = Arc::new(crate::server::tls(&identity).expect("a pair"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (_open, end) = watch::channel(false);
        let short = Duration::from_millis(200);
        let patience = Patience {
            head: short,
            keep_alive: short,
            age,
            grace: short,
        };
        let answer = |_| async { Response::new(Full::new(Bytes::from(vec![0; ANSWER_BYTES]))) };
        serve(stream, tls, patience, end, answer).await;
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    (dial(address, config).await, served)
}

async fn dial(address: SocketAddr, config: ClientConfig) -> client::TlsStream<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.expect("TLS")
}

async fn is_over(served: JoinHandle<()>) {
    let ended = timeout(IN_TIME, served).await;
    ended.expect("its place is free in time").expect("no fault");
}

#[tokio::test]
async fn who_says_nothing_after_tls_is_cut() {
    for protocol in [&b"h2"[..], b"http/1.1"] {
        let (mut silent, served) = connect(protocol, OLD).await;
        is_over(served).await;
        // An end and a reset are both one.
        assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn who_stops_within_a_head_is_cut() {
    let (mut half, served) = connect(b"http/1.1", OLD).await;
    half.write_all(b"GET / HT").await.expect("room to send");
    is_over(served).await;

    let (mut half, served) = connect(b"h2", OLD).await;
    // The preface, SETTINGS, and HEADERS without END_HEADERS that lack their 16 bytes.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x10\x01\0\0\0\0\x01";
    half.write_all(preface).await.expect("room to send");
    is_over(served).await;
}

#[tokio::test]
async fn who_never_reads_is_cut() {
    let (mut lazy, served) = connect(b"http/1.1", Duration::from_secs(1)).await;
    let ask = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    lazy.write_all(ask).await.expect("room to send");
    is_over(served).await;
    let mut rest = Vec::new();
    // What the system had taken already, and then its end, whichever.
    drop(timeout(IN_TIME, lazy.read_to_end(&mut rest)).await);
    assert!(rest.len() < ANSWER_BYTES, "what it had not read is gone");
}
