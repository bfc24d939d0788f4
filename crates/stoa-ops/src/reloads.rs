//! How often the configuration and the certificates were read again, and how that went.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

/// A port that shows a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsPort {
    /// The control API.
    Control,
    /// WHIP and WHEP.
    Whip,
}

impl TlsPort {
    /// As in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Whip => "whip",
        }
    }
}

/// So many went well, so many did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
}

impl Outcomes {
    fn count(&mut self, well: bool) {
        match well {
            true => self.succeeded += 1,
            false => self.failed += 1,
        }
    }
}

/// What is counted and noted, for `/metrics`. Clones are the same.
#[derive(Debug, Clone)]
pub struct Reloads(Arc<Mutex<Noted>>);

/// The same at one time.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    pub(crate) config: Outcomes,
    pub(crate) last_successful: bool,
    /// The start counts: the configuration was read then, too.
    pub(crate) last_success: SystemTime,
    pub(crate) certificates: Outcomes,
    /// When the certificate of each port that has one is over.
    pub(crate) expiries: BTreeMap<TlsPort, SystemTime>,
}

impl Reloads {
    /// Nothing was read again since the start, which was now.
    pub fn new(now: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Noted {
            config: Outcomes::default(),
            last_successful: true,
            last_success: now,
            certificates: Outcomes::default(),
            expiries: BTreeMap::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration was read again; it is good, and holds since now, or it is not.
    pub fn config(&self, is_good: bool, now: SystemTime) {
        let mut noted = self.lock();
        noted.config.count(is_good);
        noted.last_successful = is_good;
        if is_good {
            noted.last_success = now;
        }
    }

    /// Files of certificates had changed; they are good, and shown since now, or they are not.
    pub fn certificates(&self, are_good: bool) {
        self.lock().certificates.count(are_good);
    }

    /// This port shows a certificate that is over by then.
    pub fn expiry(&self, port: TlsPort, expiry: SystemTime) {
        self.lock().expiries.insert(port, expiry);
    }

    pub(crate) fn noted(&self) -> Noted {
        self.lock().clone()
    }
}
