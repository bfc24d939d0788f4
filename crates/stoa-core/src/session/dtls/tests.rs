//! A client shakes hands with an instance; what was agreed on stands in the ServerKeyExchange (RFC 8422,
//! section 5.4), which is not encrypted.

use dimpl::crypto::{CryptoProvider, NamedGroup, SupportedKxGroup, aws_lc_rs::default_provider};

use super::*;

/// `ecdsa_secp256r1_sha256` (RFC 8446, section 4.2.3).
const ECDSA_P256_SHA256: u16 = 0x0403;

fn certificate() -> DtlsCert {
    let crypto = str0m::crypto::from_feature_flags();
    crypto.dtls_provider.generate_certificate().unwrap()
}

/// Everything that one side wants sent.
fn drain(mut poll: impl FnMut(&mut [u8]) -> Option<usize>) -> Vec<Vec<u8>> {
    let mut buffer = [0; 2048];
    std::iter::from_fn(|| poll(&mut buffer).map(|length| buffer[..length].to_vec())).collect()
}

/// How long a packet is, if the output is one. Nothing once there is no more output.
fn packet(output: &DtlsOutput<'_>) -> Option<usize> {
    match output {
        DtlsOutput::Packet(packet) => Some(packet.len()),
        DtlsOutput::Timeout(_) => None,
        _ => Some(0),
    }
}

/// The group and the signature in a datagram with a ServerKeyExchange.
fn key_exchange(mut datagram: &[u8]) -> Option<(u16, u16)> {
    const RECORD_HEADER: usize = 13;
    const MESSAGE_HEADER: usize = 12;
    let word = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
    while let Some((header, rest)) = datagram.split_at_checked(RECORD_HEADER) {
        let (record, after) = rest.split_at(usize::from(word(&header[11..])));
        // The first fragment of a handshake message of that type.
        if header[0] == 22 && record[0] == 12 && record[6..9] == [0; 3] {
            let body = &record[MESSAGE_HEADER..];
            assert_eq!(body[0], 3, "a named curve");
            let signature = 4 + usize::from(body[3]);
            return Some((word(&body[1..]), word(&body[signature..])));
        }
        datagram = after;
    }
    None
}

/// A client with this certificate and the usual configuration, and a node's instance.
fn pair(certificate: DtlsCert, now: Instant) -> (Dtls, Box<dyn DtlsInstance>) {
    let config = Config::builder().with_crypto_provider(default_provider());
    let mut client = Dtls::new_12(Arc::new(config.build().unwrap()), certificate, now);
    client.set_active(true);
    client.handle_timeout(now).unwrap();
    let mut server = instance(&self::certificate(), now, DtlsVersion::Dtls12, None).unwrap();
    server.set_active(false);
    server.handle_timeout(now).unwrap();
    (client, server)
}

/// Everything that both want sent reaches the other. Returns what became of the client's datagrams, and the kinds of
/// what the server has to tell.
fn talk(
    client: &mut Dtls,
    server: &mut dyn DtlsInstance,
) -> (Result<(), DtlsImplError>, Vec<&'static str>) {
    let (mut taken, mut told) = (Ok(()), Vec::new());
    for _ in 0..3 {
        for datagram in drain(|buffer| packet(&client.poll_output(buffer))) {
            taken = taken.and(server.handle_packet(&datagram));
        }
        let poll = |buffer: &mut [u8]| {
            // As long as str0m's.
            let output = server.poll_output(&mut buffer[..records::MAX_CERTIFICATE_BYTES]);
            match output {
                DtlsOutput::Connected => told.push("connected"),
                DtlsOutput::PeerCert(_) => told.push("certificate"),
                DtlsOutput::KeyingMaterial(..) => told.push("keys"),
                DtlsOutput::ApplicationData(_) => told.push("data"),
                _ => {}
            }
            packet(&output)
        };
        for datagram in drain(poll) {
            client.handle_packet(&datagram).unwrap();
        }
    }
    (taken, told)
}

/// What a node agrees on with a client that offers these groups, the first one before the others.
fn agreed(offered: &'static [NamedGroup]) -> (u16, u16) {
    let now = Instant::now();
    let usual = default_provider();
    let find = |&name| usual.kx_groups.iter().find(|group| group.name() == name);
    let groups: Vec<&'static dyn SupportedKxGroup> =
        offered.iter().filter_map(find).copied().collect();
    let provider = CryptoProvider {
        kx_groups: Vec::leak(groups),
        ..usual
    };
    let config = Config::builder().with_crypto_provider(provider).build();
    let mut client = Dtls::new_12(Arc::new(config.unwrap()), certificate(), now);
    client.set_active(true);
    client.handle_timeout(now).unwrap();
    let mut server = instance(&certificate(), now, DtlsVersion::Dtls12, None).unwrap();
    server.set_active(false);
    server.handle_timeout(now).unwrap();
    let (mut agreed, mut is_connected) = (None, false);
    for _ in 0..3 {
        for datagram in drain(|buffer| packet(&client.poll_output(buffer))) {
            server.handle_packet(&datagram).unwrap();
        }
        let poll = |buffer: &mut [u8]| {
            let output = server.poll_output(buffer);
            is_connected |= matches!(output, DtlsOutput::Connected);
            packet(&output)
        };
        for datagram in drain(poll) {
            agreed = agreed.or(key_exchange(&datagram));
            client.handle_packet(&datagram).unwrap();
        }
    }
    assert!(is_connected);
    agreed.unwrap()
}

#[test]
fn the_cheapest_key_exchange_is_chosen() {
    const X25519: NamedGroup = NamedGroup::X25519;
    const P256: NamedGroup = NamedGroup::Secp256r1;
    const P384: NamedGroup = NamedGroup::Secp384r1;
    let chosen: [(&[NamedGroup], NamedGroup); 4] = [
        (&[X25519, P256, P384], X25519),
        (&[P384, P256, X25519], X25519),
        (&[P384, P256], P256),
        (&[P384], P384),
    ];
    for (offered, group) in chosen {
        let expected = (group.as_u16(), ECDSA_P256_SHA256);
        assert_eq!(agreed(offered), expected, "{offered:?}");
    }
}

#[test]
fn application_data_goes_nowhere() {
    let (mut client, mut server) = pair(certificate(), Instant::now());
    let (taken, told) = talk(&mut client, &mut *server);
    assert_eq!(taken, Ok(()));
    assert_eq!(told, ["certificate", "connected", "keys"]);
    client
        .send_application_data(b"an association, please")
        .unwrap();
    let (taken, told) = talk(&mut client, &mut *server);
    assert_eq!(taken, Ok(()));
    assert!(told.is_empty(), "{told:?}");
    // What stands behind the data in the same datagram is not heard either; what comes after is.
    client.close().unwrap();
    assert_eq!(talk(&mut client, &mut *server).0, Ok(()));
    assert!(server.is_closed());
}

/// dimpl takes whatever it is given for a certificate, until it has to verify by it.
#[test]
fn a_certificate_that_there_is_no_room_for_is_refused() {
    for (bytes, is_taken) in [
        (records::MAX_CERTIFICATE_BYTES, true),
        (records::MAX_CERTIFICATE_BYTES + 1, false),
        (8_000, false),
    ] {
        let mut long = certificate();
        long.certificate.resize(bytes, 0);
        let (mut client, mut server) = pair(long, Instant::now());
        let (taken, told) = talk(&mut client, &mut *server);
        assert_eq!(told.contains(&"certificate"), is_taken, "{bytes}: {told:?}");
        assert!(is_taken || matches!(taken, Err(DtlsImplError::CertificateError(_))));
    }
}

#[test]
fn one_configuration_serves_all_sessions() {
    let first = shared(None).unwrap();
    assert!(Arc::ptr_eq(&first, &shared(None).unwrap()));
    assert!(Arc::ptr_eq(&first, &shared(Some(first.mtu())).unwrap()));
    let other = shared(Some(first.mtu() - 1)).unwrap();
    assert_eq!(other.mtu(), first.mtu() - 1);
}

#[test]
fn every_version_of_str0m_is_known() {
    let certificate = certificate();
    for version in [DtlsVersion::Dtls12, DtlsVersion::Dtls13, DtlsVersion::Auto] {
        assert!(instance(&certificate, Instant::now(), version, None).is_ok());
    }
}
