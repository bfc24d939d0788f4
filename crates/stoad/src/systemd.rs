//! What systemd is told (`sd_notify`): that the node is ready, that it ends, that it lives. Nothing, where nobody asked.
//!
//! Whoever is told does not have to listen, and the node does not wait for it: what is not taken is dropped, since the next
//! word comes soon. The few words that come once are said again for [`PERSIST`].

use std::{
    convert::Infallible,
    env,
    ffi::OsStr,
    fmt::Write as _,
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::{Duration, Instant},
};

use sd_notify::NotifyState;
use stoa_net::Media;

/// For how long systemd is asked to wait on, each time that it is told that the node still drains.
const WAIT_ON: Duration = Duration::from_secs(10);

/// For how long a word that comes once is said again if it is not taken. A start or a reload that systemd does not hear
/// of is one that it takes for failed, after its own 90 s.
const PERSIST: Duration = Duration::from_secs(10);

/// How often it is said again.
const AGAIN: Duration = Duration::from_millis(50);

/// Everything is open, and calls are taken.
pub(crate) fn ready() {
    persist(&[NotifyState::Ready]);
}

/// The configuration is read again; [`reloaded`] follows. For a thread that may wait, since the two have to be heard in
/// this order.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => complain(say(&text(&[NotifyState::Reloading, now]), PERSIST)),
        Err(error) => tracing::warn!(%error, "cannot tell systemd"),
    }
}

/// The configuration was read again, with this result. For a thread that may wait.
pub(crate) fn reloaded(status: &str) {
    let said = say(
        &text(&[NotifyState::Ready, NotifyState::Status(status)]),
        PERSIST,
    );
    complain(said);
}

/// The node ends.
pub(crate) fn stopping() {
    persist(&[NotifyState::Stopping]);
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

/// Says it once.
fn tell(states: &[NotifyState<'_>]) {
    complain(say(&text(states), Duration::ZERO));
}

/// Says it now and, if it is not taken, again for [`PERSIST`] or until the process ends; nobody waits for that.
fn persist(states: &[NotifyState<'_>]) {
    let text = text(states);
    let said = say(&text, Duration::ZERO);
    if !said.as_ref().is_err_and(is_full) {
        return complain(said);
    }
    tokio::spawn(async move {
        let until = Instant::now() + PERSIST;
        let mut said = said;
        while said.as_ref().is_err_and(is_full) && Instant::now() < until {
            tokio::time::sleep(AGAIN).await;
            said = say(&text, Duration::ZERO);
        }
        complain(said);
    });
}

/// Whether there is no room for it, which may change.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

fn complain(said: io::Result<()>) {
    if let Err(error) = said {
        tracing::warn!(%error, "cannot tell systemd");
    }
}

/// A message: an assignment a line.
fn text(states: &[NotifyState<'_>]) -> String {
    let mut text = String::new();
    for state in states {
        // To write into a text cannot fail.
        let _ = writeln!(text, "{state}");
    }
    text
}

/// Sends it to who is named by the environment, if anybody is, and waits no longer than this for room.
fn say(text: &str, patience: Duration) -> io::Result<()> {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let address = address(&name)?;
    let socket = UnixDatagram::unbound()?;
    match patience.is_zero() {
        true => socket.set_nonblocking(true)?,
        false => socket.set_write_timeout(Some(patience))?,
    }
    // A datagram goes whole or not at all.
    socket.send_to_addr(text.as_bytes(), &address).map(drop)
}

/// A path, or `@` and the name of a socket that is in no folder (sd_notify(3)), as managers of containers have it.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_begins_with_an_at_is_in_no_folder() {
        let address = |name| address(OsStr::new(name)).expect("an address");
        assert_eq!(address("@stoa").as_abstract_name(), Some(&b"stoa"[..]));
        let path = address("/run/systemd/notify");
        assert_eq!(path.as_pathname(), Some("/run/systemd/notify".as_ref()));
    }
}
