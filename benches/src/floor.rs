//! What a packet costs at least, whoever sends it: the cipher alone, and the kernel alone.

pub(crate) mod crypto;
pub(crate) mod kernel;

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A floor cannot be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FloorError {
    #[error("the kernel's floor: {0}")]
    Socket(#[from] std::io::Error),
    #[error("the kernel's floor: {0}")]
    SystemCall(#[from] nix::Error),
    #[error("the cipher's floor: the cipher refused a packet")]
    Cipher,
}

/// What this thread has used of a processor: the same clock that a daemon is measured by.
pub(crate) fn thread_time() -> Result<Duration, FloorError> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// Microseconds for each of so many.
pub(crate) fn each(spent: Duration, count: usize) -> f64 {
    let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    spent.as_secs_f64() * 1e6 / f64::from(count)
}
