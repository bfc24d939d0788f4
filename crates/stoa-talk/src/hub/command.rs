//! What sockets ask of their room's hub.

use std::sync::Arc;

use stoa_client::v1::JoinResponse;
use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};

use crate::{
    outbox::{Closing, Outbox},
    problem::Problem,
};

/// What a hub is asked.
#[derive(Debug)]
pub(crate) enum Command {
    /// Whose browsers are in the room?
    Present {
        /// Gets their participant ids.
        answer: oneshot::Sender<Vec<String>>,
    },
    /// See to it that the room exists and its events are followed.
    Open {
        /// Gets the outcome.
        done: oneshot::Sender<Result<(), Problem>>,
    },
    /// Stoa has admitted this participant. Sends `joined` to the socket, tells the others, and
    /// keeps the socket posted from now on.
    Attach(Box<Attach>),
    /// End this participant's socket.
    Close {
        /// Whose.
        id: String,
        /// Why.
        closing: Closing,
    },
    /// End all sockets.
    CloseAll {
        /// Why.
        closing: Closing,
    },
    /// The socket is gone; send it nothing more.
    Detach {
        /// Whose.
        id: String,
        /// Which.
        seat: u64,
        /// Gets whether no other socket stands for the participant by now.
        was_here: oneshot::Sender<bool>,
    },
}

/// A socket whose participant Stoa has admitted.
#[derive(Debug)]
pub(crate) struct Attach {
    /// Which socket.
    pub(crate) seat: u64,
    /// Stoa's answer.
    pub(crate) admitted: JoinResponse,
    /// The room's title.
    pub(crate) title: String,
    /// Whether the name alone lets people in.
    pub(crate) open: bool,
    /// Whom the participant does not want to hear.
    pub(crate) silenced: Vec<String>,
    /// Where the socket's messages go.
    pub(crate) outbox: Outbox,
}

/// The way to a room's hub, which lives as long as one of these does.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
    changes: Arc<Mutex<()>>,
}

impl Handle {
    /// A way to the hub that gets these commands.
    pub(crate) fn new(commands: mpsc::Sender<Command>, changes: Arc<Mutex<()>>) -> Self {
        Self { commands, changes }
    }

    /// Asks the hub to do something.
    pub(crate) async fn send(&self, command: Command) -> Result<(), Problem> {
        self.commands.send(command).await.map_err(|_| lost())
    }

    /// Asks the hub something and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Problem> {
        let (sender, answer) = oneshot::channel();
        self.send(command(sender)).await?;
        answer.await.map_err(|_| lost())
    }

    /// The turn to change people in this room, in the database and then in Stoa: so that both see
    /// the same order.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().await
    }
}

fn lost() -> Problem {
    Problem::unavailable("ROOM_LOST", "the room's task has failed; try again")
}
