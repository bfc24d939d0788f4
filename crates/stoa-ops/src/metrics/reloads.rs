//! How the configuration and the certificates stand.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{catalogue, family::Family};
use crate::reloads::{Outcomes, Reloads};

pub(super) fn families(reloads: &Reloads) -> Vec<Family> {
    let noted = reloads.noted();
    let mut successful = Family::of(&catalogue::CONFIG_SUCCESSFUL);
    successful.count(&[], noted.last_successful.into());
    let mut success = Family::of(&catalogue::CONFIG_SUCCESS_TIME);
    success.value(&[], seconds(noted.last_success));
    let mut expiries = Family::of(&catalogue::CERTIFICATE_EXPIRY);
    for (port, expiry) in noted.expiries {
        expiries.value(&[port.name()], seconds(expiry));
    }
    let outcomes = |metric, Outcomes { succeeded, failed }| {
        let mut family = Family::of(metric);
        family.count(&["success"], succeeded);
        family.count(&["failure"], failed);
        family
    };
    vec![
        outcomes(&catalogue::CONFIG_RELOADS, noted.config),
        successful,
        success,
        outcomes(&catalogue::CERTIFICATE_RELOADS, noted.certificates),
        expiries,
    ]
}

/// As Prometheus writes times.
fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64()
}
