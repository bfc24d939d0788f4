//! The reference signalling service of Stoa: an invite-only voice room product.
//!
//! It serves one page and one WebSocket for each browser. It knows nothing about Stoa that the
//! public control API does not say: rooms are created, people admitted and events followed through
//! [`stoa_client`] alone, as any other team's signalling service would do it. Whoever has a room's
//! link may come in; there are no accounts.
//!
//! The way of a browser's message: `web` (routes, headers, origin) · `socket` (one browser) ·
//! `protocol` (what is said) · `directory` (which room) · `hub` (one room). What a browser says is
//! described in `docs/talk-protocol.md`, what is bounded in `limits`.

#![forbid(unsafe_code)]

mod directory;
mod hub;
mod limits;
mod origin;
mod page;
mod problem;
mod protocol;
mod socket;
mod talk;
mod web;

use std::{io, sync::Arc};

use stoa_client::Client;
use tokio::{net::TcpListener, time};

use self::talk::Talk;

/// Why the service ended before it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The listening socket failed.
    #[error("the listening socket failed: {0}")]
    Listener(#[from] io::Error),
}

/// Serves the page and its WebSockets on `listener`, and speaks to Stoa through `client`, until
/// `shutdown` resolves.
///
/// Then no new connections are taken, browsers are told and their participants taken out of their
/// rooms, and rooms that nobody else is in are closed; what is not done within five seconds is left
/// to Stoa's own timeouts.
///
/// # Errors
/// [`Error::Listener`] if connections cannot be accepted.
pub async fn serve(
    listener: TcpListener,
    client: Client,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let talk = Talk::new(client);
    let mut ending = talk.shutdown();
    let announcement = {
        let talk = Arc::clone(&talk);
        async move {
            shutdown.await;
            talk.announce_end();
        }
    };
    let app = web::router(Arc::clone(&talk));
    let server = axum::serve(listener, app).with_graceful_shutdown(announcement);
    let deadline = async {
        ending.wait().await;
        talk.ended().await;
        // Requests that have not been answered by now hold nobody up.
        time::sleep(limits::GOODBYE_TIMEOUT).await;
    };
    tokio::select! {
        served = server.into_future() => served?,
        () = deadline => return Ok(()),
    }
    talk.ended().await;
    Ok(())
}
