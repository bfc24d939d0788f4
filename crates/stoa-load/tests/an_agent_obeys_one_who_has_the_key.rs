//! Whoever has an agent's key commands it, one at a time and for as long as they are there; nobody else does.

mod support;

use std::{
    fs::{self, Permissions},
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    sync::Arc,
};

use nix::sys::signal::Signal;
use quinn::{Endpoint, crypto::rustls::QuicClientConfig};
use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use support::{
    Agent, Node, Settings, Tester,
    agent::{KEY, by, by_addresses},
    ended, failed, scenario,
};

fn talkers(seconds: u32) -> String {
    let people = "{name: people, count: 2, role: speaker, talk: always}";
    scenario(&format!("seconds: {seconds}\ngroups:\n  - {people}\n"))
}

#[test]
fn a_key_that_is_not_its_own_is_refused() {
    let node = Node::start(&Settings::default());
    let mut agent = Agent::start(&[]);
    let run = |key: &str| {
        let file = node.write("agent-key", key);
        let mut arguments = node.arguments();
        arguments.extend(by_addresses(agent.address(), &file));
        Tester::run(&talkers(1), &arguments).wait()
    };
    let other = run(&KEY.replace("tests", "others"));
    let complaint = failed(&other, 69);
    let expected = format!(
        "cannot come to the agent at {}: it has another key",
        agent.address()
    );
    assert!(complaint.contains(&expected), "{complaint}");
    // No report, and nobody came to the server.
    assert!(other.report.is_none());
    let short = run("short");
    assert!(failed(&short, 66).contains("openssl rand -hex 32"));
    let open = node.write("agent-key", KEY);
    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("the file is ours");
    let mut arguments = node.arguments();
    arguments.extend(by_addresses(agent.address(), &open));
    let open = Tester::run(&talkers(1), &arguments).wait();
    let complaint = failed(&open, 66);
    assert!(
        complaint.contains("everybody may read (mode 644)"),
        "{complaint}"
    );
    assert_eq!(node.rooms(), 0);
    // With the key, and whatever else is in its file.
    ended(&run(&format!("{KEY}\n# of these tests\n")));
    agent.hear("Somebody came without the key and was turned away");

    let mut arguments = node.arguments();
    arguments.extend(by_addresses("127.0.0.1:9", &agent.key()));
    let nobody = Tester::run(&talkers(1), &arguments).wait();
    let complaint = failed(&nobody, 69);
    assert!(
        complaint.contains("cannot come to the agent at 127.0.0.1:9"),
        "{complaint}"
    );
}

/// Somebody who does not care whether the agent has the key, and has none.
#[test]
fn who_shows_no_key_gets_no_answer() {
    let agent = Agent::start(&[]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let why = runtime.block_on(async {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = Endpoint::client(local).expect("a port");
        let to = agent.address().parse().expect("an address");
        let connecting = endpoint.connect_with(without_a_key(), to, "agent");
        // For a client of TLS 1.3 the handshake is over before the server has judged it.
        match connecting.expect("a good configuration").await {
            Err(error) => error,
            Ok(connection) => {
                let asked = async {
                    let (mut question, mut answer) = connection.open_bi().await.ok()?;
                    question.write_all(b"\0\0\0\x04null").await.ok()?;
                    answer.read_to_end(1_024).await.ok()
                };
                assert_eq!(asked.await, None);
                connection.closed().await
            }
        }
    });
    // certificate_required (RFC 8446, section 6.2), as QUIC has it.
    match why {
        quinn::ConnectionError::ConnectionClosed(close) => {
            assert_eq!(u64::from(close.error_code), 0x100 + 116, "{close}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn one_coordinator_at_a_time_has_it_and_its_end_is_that_of_all_peers() {
    let node = Node::start(&Settings::default());
    let mut agent = Agent::start(&[]);
    let mut arguments = node.arguments();
    arguments.extend(by(&[&agent]));
    let first = Tester::run(&talkers(600), &arguments);
    node.wait("all are in", |node| node.participants() == 2);
    let second = Tester::run(&talkers(1), &arguments).wait();
    let complaint = failed(&second, 69);
    assert!(
        complaint.contains("another coordinator has it"),
        "{complaint}"
    );
    assert_eq!(node.participants(), 2);

    // Without a word to the agent or to the server.
    first.signal(Signal::SIGKILL);
    agent.hear("The coordinator is gone, and so are all peers: nothing is heard from it.");
    node.wait("nobody is connected", |node| node.participants() == 0);
    let next = Tester::run(&talkers(1), &arguments).wait();
    let report = ended(&next);
    assert_eq!(report["joins"]["connected"], 2);
    // One clock alone is not off.
    assert!(report["latency_within_ms"].is_null(), "{report}");
}

fn without_a_key() -> quinn::ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Careless))
        .with_no_client_auth();
    tls.alpn_protocols = vec![concat!("stoa-load-agent/", env!("CARGO_PKG_VERSION")).into()];
    let tls = QuicClientConfig::try_from(tls).expect("TLS 1.3");
    quinn::ClientConfig::new(Arc::new(tls))
}

/// Takes anybody for anybody.
#[derive(Debug)]
struct Careless;

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED25519,
        ]
    }
}
