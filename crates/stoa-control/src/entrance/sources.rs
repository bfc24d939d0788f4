//! From where bad credentials come, and how many.

use std::{net::IpAddr, time::Duration};

use tokio::time::Instant;

use crate::{
    errors::Failure,
    rates::{Rate, Rates, Source, rate_exceeded},
    settings::Current,
};

/// How many sources are counted at a time, some 50 bytes each.
const SOURCES: usize = 65_536;

/// In which time bad credentials are counted.
const PERIOD: Duration = Duration::from_secs(60);

/// Counts bad credentials by their source.
pub(crate) struct Sources {
    rates: Rates<Source>,
    current: Current,
}

impl Sources {
    /// As many may come in a minute as the settings say.
    pub(crate) fn new(current: Current) -> Self {
        Self {
            rates: Rates::new(SOURCES),
            current,
        }
    }

    fn rate(&self) -> Rate {
        Rate::new(self.current.get().refusals_per_source, PERIOD)
    }

    /// Counts one.
    pub(crate) fn count(&self, source: IpAddr) {
        // One that is too many is not counted, so that the source is free again after a while.
        let _one_too_many = self.rates.take(source.into(), self.rate(), Instant::now());
    }

    /// Whether there have been too many.
    ///
    /// # Errors
    /// RATE_EXCEEDED.
    pub(crate) fn check(&self, source: IpAddr) -> Result<(), Failure> {
        let now = Instant::now();
        let checked = self.rates.check(&source.into(), self.rate(), now);
        checked.map_err(|wait| rate_exceeded("source", wait))
    }
}
