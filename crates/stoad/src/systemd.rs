//! What systemd is told (`sd_notify`): that the node is ready, that it ends, that it lives. Nothing, where nobody asked.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use sd_notify::NotifyState;
use stoa_net::Media;

/// For how long systemd is asked to wait on, each time that it is told that the node still drains.
const WAIT_ON: Duration = Duration::from_secs(10);

/// Everything is open, and calls are taken.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again; [`reloaded`] follows.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot tell systemd"),
    }
}

/// The configuration was read again, with this result.
pub(crate) fn reloaded(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The node ends.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// It still drains; to be said again before [`WAIT_ON`] is over.
pub(crate) fn draining(participants: usize) {
    let micros = u32::try_from(WAIT_ON.as_micros()).unwrap_or(u32::MAX);
    let status = format!("draining: {participants} participants are left");
    tell(&[
        NotifyState::ExtendTimeoutUsec(micros),
        NotifyState::Status(&status),
    ]);
}

/// Says that the node lives for as long as it does: this task has its turn, and every media worker has said how it
/// stands. Whoever has set `WatchdogSec=` restarts one that does not.
pub(crate) async fn watchdog(media: Media) -> Infallible {
    let Some(patience) = sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero())
    else {
        return std::future::pending().await;
    };
    let mut turn = tokio::time::interval(patience / 2);
    loop {
        turn.tick().await;
        if stoa_ops::faults(&media.status(), Instant::now()).is_empty() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot tell systemd");
    }
}
