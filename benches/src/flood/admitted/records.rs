//! The DTLS of a session, shared with whoever wants to make records of it that the session itself would not.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

thread_local! {
    /// The one that was made last on this thread: str0m makes it while a session is built.
    static MADE: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// The DTLS of a session.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<Box<dyn DtlsInstance>>>);

/// Makes a session, and shares its DTLS.
pub(super) fn build(config: RtcConfig, now: Instant) -> (Rtc, Option<Shared>) {
    let crypto = CryptoProvider {
        dtls_provider: &Sharing,
        ..str0m::crypto::from_feature_flags()
    };
    let rtc = config.set_crypto_provider(crypto.into()).build(now);
    (rtc, MADE.take())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Box<dyn DtlsInstance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record of application data.
    pub(super) fn record(&self, data: &[u8]) -> io::Result<Vec<u8>> {
        let mut dtls = self.lock();
        dtls.send_application_data(data).map_err(io::Error::other)?;
        let mut buffer = [0; 2_048];
        for _ in 0..8 {
            if let DtlsOutput::Packet(packet) = dtls.poll_output(&mut buffer) {
                return Ok(packet.to_vec());
            }
        }
        Err(io::Error::other("there is no record"))
    }
}

/// The usual DTLS, shared.
#[derive(Debug)]
struct Sharing;

impl DtlsProvider for Sharing {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        let usual = str0m::crypto::from_feature_flags();
        usual.dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        dtls_version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let usual = str0m::crypto::from_feature_flags();
        let dtls = usual.dtls_provider.new_dtls(cert, now, dtls_version, mtu)?;
        let shared = Shared(Arc::new(Mutex::new(dtls)));
        MADE.set(Some(shared.clone()));
        Ok(Box::new(shared))
    }
}

impl DtlsInstance for Shared {
    fn set_active(&mut self, active: bool) {
        self.lock().set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.lock().handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.lock().poll_output(buf)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.lock().handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.lock().send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.lock().is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.lock().protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.lock().is_closing()
    }

    fn is_closed(&self) -> bool {
        self.lock().is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.lock().close()
    }
}
