//! Browsers choose how SRTP is protected, and each way is spoken: voices, a roll-over of the numbers, a
//! listener who joins after it, and reports both ways.
//!
//! str0m's DTLS always offers all three profiles and takes the strongest. Here both sides get the keys of
//! another one, as if nothing else had been offered: DTLS 1.2 makes the keying material of a profile out
//! of the beginning of what it makes for a longer one (RFC 5705, section 4; RFC 5246, section 5).

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
    time::{Duration, Instant},
};

use stoa_sim::{FRAME, Fate, Net, participant, room};
use str0m::{
    config::KeyingMaterial,
    crypto::{
        CryptoError, CryptoProvider,
        dtls::{
            DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion,
            ProtocolVersion, SrtpProfile,
        },
    },
};

thread_local! {
    /// What the sessions of this test speak.
    static PROFILE: Cell<SrtpProfile> = const { Cell::new(SrtpProfile::AEAD_AES_256_GCM) };
}

/// DTLS that ends with one SRTP profile.
#[derive(Debug)]
struct Restricted;

#[derive(Debug)]
struct RestrictedInstance {
    inner: Box<dyn DtlsInstance>,
    profile: SrtpProfile,
}

fn real() -> &'static dyn DtlsProvider {
    str0m::crypto::from_feature_flags().dtls_provider
}

impl DtlsProvider for Restricted {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        real().generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        dtls_version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        Ok(Box::new(RestrictedInstance {
            inner: real().new_dtls(cert, now, dtls_version, mtu)?,
            profile: PROFILE.get(),
        }))
    }
}

impl DtlsInstance for RestrictedInstance {
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        match self.inner.poll_output(buf) {
            DtlsOutput::KeyingMaterial(material, _) => {
                assert_eq!(self.protocol_version(), Some(ProtocolVersion::DTLS1_2));
                let material = &material[..self.profile.keying_material_len()];
                DtlsOutput::KeyingMaterial(KeyingMaterial::new(material), self.profile)
            }
            output => output,
        }
    }

    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

/// The whole life of a room in which everybody speaks this profile, whose tags have so many bytes.
fn converse(profile: SrtpProfile, tag: usize) {
    PROFILE.set(profile);
    CryptoProvider {
        dtls_provider: &Restricted,
        ..str0m::crypto::from_feature_flags()
    }
    .install_process_default();
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let lengths = Rc::new(RefCell::new(BTreeSet::new()));
    let seen = Rc::clone(&lengths);
    net.on_downlink(move |_, datagram| {
        if datagram[0] >> 6 == 2 && !(192..=223).contains(&datagram[1]) {
            seen.borrow_mut().insert(datagram.len());
        }
        Fate::Deliver
    });

    // More packets than a sequence number can count, wherever it begins.
    net.speak(&[(ann, 30)], FRAME * 65_600);
    assert_eq!(net.clients[ben].heard.len(), 65_600);
    assert_eq!(net.clients[ben].voices(), [ann]);
    // 12 bytes of header, the speaker, the level, and 80 bytes of payload.
    assert_eq!(*lengths.borrow(), BTreeSet::from([12 + 4 + 8 + 80 + tag]));

    net.forget_heard();
    let late = net.join("late", 3);
    net.speak(&[(ann, 30), (ben, 35)], Duration::from_secs(10));
    assert_eq!(net.clients[late].voices(), [ann, ben]);
    assert_eq!(net.clients[late].heard.len(), 1_000);
    assert_eq!(net.clients[ben].heard.len(), 500);

    for listener in [ben, late] {
        assert!(!net.clients[listener].reports.is_empty(), "{listener}");
    }
    let reception = net
        .node
        .reception(&room("room"), &participant("late"))
        .unwrap();
    let round_trip = reception
        .and_then(|reception| reception.round_trip)
        .unwrap();
    assert!(
        round_trip.abs_diff(net.latency * 2) < Duration::from_millis(2),
        "{round_trip:?}"
    );
}

#[test]
fn aes_128_cm_with_hmac_sha1() {
    converse(SrtpProfile::AES128_CM_SHA1_80, 10);
}

#[test]
fn aes_128_gcm() {
    converse(SrtpProfile::AEAD_AES_128_GCM, 16);
}

#[test]
fn aes_256_gcm() {
    converse(SrtpProfile::AEAD_AES_256_GCM, 16);
}
