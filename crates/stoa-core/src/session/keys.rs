//! The SRTP keys of a session, as DTLS makes them.
//!
//! str0m keeps the keys of its sessions to itself, but takes the DTLS implementation from outside.
//! So every session gets the usual one (`dtls`) with an ear at its side: when a handshake is done and
//! the keying material passes by on its way to str0m, a copy goes to the participant.
//!
//! str0m asks for a new DTLS instance inside [`RtcConfig::build`] and does not say for which
//! session. So [`build`] leaves a sender where the provider finds it, for the length of that one
//! call on that one thread: [`HAND_OVER`]. It holds nothing before and after, so nothing is shared
//! between sessions, nodes or threads. From then on instance and participant have a channel of
//! their own, for one message.
//!
//! dimpl, the DTLS of str0m 0.25, offers `SRTP_AEAD_AES_256_GCM`, `SRTP_AEAD_AES_128_GCM` and
//! `SRTP_AES128_CM_HMAC_SHA1_80` in this order, as client and as server, and no other profile.
//! These are the three that [`Profile`] knows.

use std::{
    cell::Cell,
    fmt,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Instant,
};

use str0m::{
    Rtc, RtcConfig,
    crypto::{
        CryptoError, CryptoProvider,
        dtls::{
            DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion,
            ProtocolVersion,
        },
    },
};

use super::{ciphers, dtls, library::usual};
use crate::seal::{Profile, SrtpKeys};

thread_local! {
    /// For the DTLS instance that is being made, if one is.
    static HAND_OVER: Cell<Option<SyncSender<SrtpKeys>>> = const { Cell::new(None) };
}

/// Where a participant's keys arrive, once, when DTLS is done.
pub(crate) struct PendingKeys(Option<Receiver<SrtpKeys>>);

impl PendingKeys {
    /// The keys, if they have come and were not taken yet.
    pub(crate) fn take(&mut self) -> Option<SrtpKeys> {
        let keys = self.0.as_ref()?.try_recv().ok()?;
        // They come once, and the channel is as large as all else that is kept of them.
        self.0 = None;
        Some(keys)
    }
}

/// The usual cryptography, with DTLS overheard and SRTP that is made late.
pub(crate) fn crypto() -> CryptoProvider {
    CryptoProvider {
        dtls_provider: &Overheard,
        srtp_provider: &ciphers::Late,
        ..usual()
    }
}

/// Makes a session of a configuration that has [`crypto`] as its provider.
pub(crate) fn build(config: RtcConfig, now: Instant) -> (Rtc, PendingKeys) {
    /// Leaves nothing behind, whatever becomes of the call.
    struct Scope;
    impl Drop for Scope {
        fn drop(&mut self) {
            HAND_OVER.take();
        }
    }

    let (sender, receiver) = sync_channel(1);
    HAND_OVER.set(Some(sender));
    let scope = Scope;
    let rtc = config.build(now);
    drop(scope);
    (rtc, PendingKeys(Some(receiver)))
}

/// The usual DTLS provider, whose instances are overheard.
#[derive(Debug)]
struct Overheard;

impl DtlsProvider for Overheard {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        usual().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        dtls_version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = match CryptoProvider::get_default() {
            Some(chosen) => chosen
                .dtls_provider
                .new_dtls(cert, now, dtls_version, mtu)?,
            None => dtls::instance(cert, now, dtls_version, mtu)?,
        };
        Ok(match HAND_OVER.take() {
            Some(keys) => Box::new(OverheardInstance {
                inner,
                keys: Some(keys),
            }),
            None => inner,
        })
    }

    fn is_test(&self) -> bool {
        usual().dtls_provider.is_test()
    }
}

/// A DTLS instance that tells its participant the keys.
struct OverheardInstance {
    inner: Box<dyn DtlsInstance>,
    /// Until they have been told. WebRTC has no second handshake.
    keys: Option<SyncSender<SrtpKeys>>,
}

impl fmt::Debug for OverheardInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverheardInstance").finish_non_exhaustive()
    }
}

impl DtlsInstance for OverheardInstance {
    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buf);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output
            && let Some(profile) = Profile::from_dtls(*profile)
            && let Some(keys) = SrtpKeys::new(profile, material, self.inner.is_active())
            && let Some(sender) = self.keys.take()
        {
            // If the participant has left, nobody waits for them.
            let _ = sender.try_send(keys);
        }
        output
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

#[cfg(test)]
mod tests;
