//! Commands to a worker: few, never lost once taken, refused when there are too many.

use std::sync::{Arc, mpsc};

use stoa_core::{
    Error, Join, Joined, ParticipantChange, ParticipantId, Revision, RoomId, RoomSettings,
    RoomSnapshot, RoomUpdate, SessionId,
};
use tokio::sync::oneshot;

use crate::error::MediaError;

/// How many commands may wait for a worker. At 2-4 ms for each join this is about two seconds: who
/// comes later is better off elsewhere.
pub(crate) const MAILBOX_CAPACITY: usize = 512;

/// Where a command's result goes.
pub(crate) type Reply<T> = oneshot::Sender<T>;

/// One thing to do.
pub(crate) enum Command {
    CreateRoom {
        room: RoomId,
        settings: RoomSettings,
        reply: Reply<Result<Revision, Error>>,
    },
    CloseRoom {
        room: RoomId,
        reply: Reply<Result<(), Error>>,
    },
    Join {
        join: Join,
        reply: Reply<Result<Joined, Error>>,
    },
    AddIceCandidate {
        target: Target,
        candidate: String,
        reply: Reply<Result<(), Error>>,
    },
    ChangeParticipant {
        target: Target,
        change: ParticipantChange,
        reply: Reply<Result<Revision, Error>>,
    },
    UpdateRoom {
        room: RoomId,
        update: RoomUpdate,
        reply: Reply<Result<Revision, Error>>,
    },
    RemoveParticipant {
        target: Target,
        reply: Reply<Result<Revision, Error>>,
    },
    Snapshots {
        reply: Reply<Vec<RoomSnapshot>>,
    },
    /// End all rooms, and then the worker.
    ShutDown,
}

/// Whom a command concerns.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) room: RoomId,
    pub(crate) participant: ParticipantId,
    pub(crate) session: Option<SessionId>,
}

/// The sending end.
#[derive(Clone)]
pub(crate) struct Mailbox {
    queue: mpsc::SyncSender<Command>,
    waker: Arc<mio::Waker>,
}

/// A mailbox, and the end that its worker reads.
pub(crate) fn mailbox(waker: mio::Waker) -> (Mailbox, mpsc::Receiver<Command>) {
    let (queue, commands) = mpsc::sync_channel(MAILBOX_CAPACITY);
    (
        Mailbox {
            queue,
            waker: Arc::new(waker),
        },
        commands,
    )
}

impl Mailbox {
    /// Posts a command.
    ///
    /// # Errors
    /// [`MediaError::Overloaded`] when the mailbox is full, [`MediaError::Stopped`] when the worker
    /// is gone.
    pub(crate) fn post(&self, command: Command) -> Result<(), MediaError> {
        self.queue.try_send(command).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => MediaError::Overloaded,
            mpsc::TrySendError::Disconnected(_) => MediaError::Stopped,
        })?;
        // A worker that cannot be woken finds the command at its next turn.
        self.waker
            .wake()
            .unwrap_or_else(|error| tracing::warn!(%error, "cannot wake a worker"));
        Ok(())
    }
}
