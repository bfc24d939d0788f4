//! The reference signalling service of Stoa: a voice room product with a stage, an audience and
//! moderators.
//!
//! It serves one page and one WebSocket for each browser. It knows nothing about Stoa that the
//! public control API does not say: rooms are created, people admitted and events followed through
//! [`stoa_client`] alone, as any other team's signalling service would do it. There are no accounts:
//! a room is entered by a link, or by its name where it is open, and a browser is known again by a
//! secret of its own. The service itself is open to everyone, or closed to all but invited people.
//!
//! The way of a browser's message: `web` (routes, headers, origin) · `socket` (one browser) ·
//! `protocol` (what is said) · `store` (what is kept, and who may do what) · `directory` (which
//! room) · `hub` (one room). Before all rooms: `entrance` (invitations, the waiting list) and `admin`
//! (the administrator's waves and bans), over HTTP. What a browser says is described in `docs/talk-protocol.md`, what is
//! bounded in `limits`; `docs/talk.md` is for those who use it.

#![forbid(unsafe_code)]

mod admin;
mod admission;
mod directory;
mod entrance;
#[doc(hidden)]
pub mod fuzz;
mod hub;
mod limits;
mod look;
mod origin;
mod outbox;
mod page;
mod problem;
mod protocol;
mod role;
mod secret;
mod socket;
mod sources;
mod stats;
mod store;
mod talk;
mod web;

use std::{io, net::SocketAddr, sync::Arc};

use stoa_client::Client;
use tokio::{net::TcpListener, time};

use self::{store::Store, talk::Talk};

pub use self::{
    admission::Admission,
    secret::{AdministratorKey, WeakKey},
    store::Database,
};

/// How the service is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where rooms, links and people are kept.
    pub database: Database,
    /// Whether there may be rooms that are entered by their name alone, and are made by entering
    /// them. Without, a room is made on purpose and entered by links.
    pub open_rooms: bool,
    /// Whom a service lets in that has never been told: what the administrator has said since then
    /// is in the database, and counts.
    pub admission: Admission,
    /// By what the administrator is known. Without it there is none.
    pub administrator: Option<AdministratorKey>,
    /// Whether requests come by way of a proxy that writes the client's address at the end of
    /// `X-Forwarded-For`. Whoever reaches a service directly that believes in one could say to be
    /// anybody, and try codes without end.
    pub behind_proxy: bool,
}

impl Default for Options {
    /// In memory, without open rooms, open to everyone, without an administrator or a proxy.
    fn default() -> Self {
        Self {
            database: Database::Memory,
            open_rooms: false,
            admission: Admission::Open,
            administrator: None,
            behind_proxy: false,
        }
    }
}

/// Why the service ended before it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The listening socket failed.
    #[error("the listening socket failed: {0}")]
    Listener(#[from] io::Error),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Serves the page and its WebSockets on `listener`, and speaks to Stoa through `client`, until
/// `shutdown` resolves. Opens the database first.
///
/// Then no new connections are taken, browsers are told and their participants taken out of their
/// rooms, and rooms that nobody else is in are closed; what is not done within five seconds is left
/// to Stoa's own timeouts.
///
/// # Errors
/// [`Error::Listener`] if connections cannot be accepted, [`Error::Database`] if the database cannot
/// be opened.
pub async fn serve(
    listener: TcpListener,
    client: Client,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let store = Store::open(options.database.clone())
        .await
        .map_err(|error| Error::Database(error.into()))?;
    let asked = options.admission;
    let admission = store
        .change(move |transaction| Ok(store::members::begin(transaction, asked)?))
        .await
        .map_err(|problem| Error::Database(problem.to_string().into()))?;
    if admission != asked {
        tracing::warn!(
            admission = admission.as_str(),
            "the administrator has decided otherwise since the first start, and that counts"
        );
    }
    let talk = Talk::new(client, store, options);
    let mut ending = talk.shutdown();
    let announcement = {
        let talk = Arc::clone(&talk);
        async move {
            shutdown.await;
            talk.announce_end();
        }
    };
    let app = web::router(Arc::clone(&talk)).into_make_service_with_connect_info::<SocketAddr>();
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
