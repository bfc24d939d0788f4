//! Servers with quotas, and how they refuse.

use std::{collections::HashMap, time::Duration};

use stoa_api::v1::ErrorReason;
use stoa_control::Quotas;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Rig, assert_reason};

/// A server that allows the tests' own tenant so much.
pub async fn rig(quotas: Quotas) -> Rig {
    Rig::with(|config| config.tenants[0].quotas = quotas).await
}

/// QUOTA_REACHED, with its metadata.
#[track_caller]
pub fn assert_quota<T: std::fmt::Debug>(result: Result<T, Status>, quota: &str, limit: usize) {
    let (reason, code) = (ErrorReason::QuotaReached, Code::ResourceExhausted);
    let status = assert_reason(result, reason, code);
    let info = status.get_details_error_info().expect("there is one");
    let expected = HashMap::from([
        ("quota".to_owned(), quota.to_owned()),
        ("limit".to_owned(), limit.to_string()),
    ]);
    assert_eq!(info.metadata, expected);
}

/// RATE_EXCEEDED for this scope, with a delay.
#[track_caller]
pub fn assert_rate<T: std::fmt::Debug>(result: Result<T, Status>, scope: &str) -> Duration {
    let (reason, code) = (ErrorReason::RateExceeded, Code::ResourceExhausted);
    let status = assert_reason(result, reason, code);
    let info = status.get_details_error_info().expect("there is one");
    assert_eq!(info.metadata["scope"], scope);
    let retry = status.get_details_retry_info().expect("there is one");
    let delay = retry.retry_delay.expect("there is one");
    assert!(!delay.is_zero());
    delay
}
