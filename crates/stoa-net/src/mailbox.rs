//! Commands to a worker: few, never lost once taken, refused when there are too many.

use std::sync::{Arc, mpsc};

use stoa_core::{
    Error, Join, Joined, LeaveReason, ParticipantChange, ParticipantId, Prepared, Revision, RoomId,
    RoomInspection, RoomSettings, RoomSnapshot, RoomUpdate, SeatAt, SeatInspection, SessionId,
};
use tokio::sync::oneshot;

use crate::{
    doorbell::Doorbell,
    error::MediaError,
    post::{Post, post},
};

/// How many commands may wait for a worker. Most take microseconds; when so many wait, who comes later
/// is better off elsewhere.
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
    /// A lobby has answered the offer.
    Admit {
        join: Box<Join>,
        prepared: Prepared,
        reply: Reply<Result<Joined, MediaError>>,
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
    /// Where is their seat?
    SeatOf {
        target: Target,
        reply: Reply<Result<SeatAt, Error>>,
    },
    /// For the worker of that seat.
    RestartIce {
        seat: SeatAt,
        offer: String,
        reply: Reply<Result<String, Error>>,
    },
    UpdateRoom {
        room: RoomId,
        update: RoomUpdate,
        reply: Reply<Result<Revision, Error>>,
    },
    RemoveParticipant {
        target: Target,
        reason: LeaveReason,
        reply: Reply<Result<Revision, Error>>,
    },
    InspectRoom {
        room: RoomId,
        reply: Reply<Result<RoomInspection, Error>>,
    },
    /// Those who have their seats with the worker.
    InspectSeats {
        seats: Vec<SeatAt>,
        reply: Reply<Vec<Option<SeatInspection>>>,
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
pub(crate) struct Mailbox(Post<Command>);

/// A mailbox, and the end that its worker reads.
pub(crate) fn mailbox(doorbell: Arc<Doorbell>) -> (Mailbox, mpsc::Receiver<Command>) {
    let (post, commands) = post(MAILBOX_CAPACITY, doorbell);
    (Mailbox(post), commands)
}

/// A command that was not taken, and why.
pub(crate) struct Returned {
    pub(crate) command: Command,
    pub(crate) error: MediaError,
}

impl Mailbox {
    /// Posts a command, or gives it back: [`MediaError::Overloaded`] when the mailbox is full,
    /// [`MediaError::Stopped`] when the worker is gone.
    pub(crate) fn post(&self, command: Command) -> Result<(), Box<Returned>> {
        let returned = |command, error| Box::new(Returned { command, error });
        self.0.try_send(command).map_err(|error| match error {
            mpsc::TrySendError::Full(command) => returned(command, MediaError::Overloaded),
            mpsc::TrySendError::Disconnected(command) => returned(command, MediaError::Stopped),
        })
    }
}
