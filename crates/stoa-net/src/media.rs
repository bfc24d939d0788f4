//! How the rest of the process talks to the workers.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use stoa_core::{
    Join, Joined, ParticipantChange, ParticipantId, Revision, RoomId, RoomSettings, RoomSnapshot,
    RoomUpdate, SessionId,
};
use tokio::sync::oneshot;

use crate::{
    error::MediaError,
    mailbox::{Command, Mailbox, Reply, Target},
    status::WorkerStatus,
};

/// A worker, as seen from outside.
#[derive(Clone)]
pub(crate) struct WorkerHandle {
    pub(crate) mailbox: Mailbox,
    pub(crate) status: Arc<Mutex<WorkerStatus>>,
}

/// All media workers of the process. Cheap to clone.
///
/// A room belongs to the worker that the hash of its name says: nothing has to be looked up, nothing
/// can disagree, and a caller who goes away in the middle of a call leaves nothing behind.
#[derive(Clone)]
pub struct Media {
    workers: Arc<[WorkerHandle]>,
    hasher: RandomState,
}

impl Media {
    pub(crate) fn new(workers: Vec<WorkerHandle>) -> Self {
        Self {
            workers: workers.into(),
            hasher: RandomState::new(),
        }
    }

    /// Creates an empty room.
    ///
    /// # Errors
    /// [`MediaError`], with the errors of [`Node::create_room`](stoa_core::Node::create_room).
    pub async fn create_room(
        &self,
        room: RoomId,
        settings: RoomSettings,
    ) -> Result<Revision, MediaError> {
        let worker = self.home(&room);
        self.ask(worker, |reply| Command::CreateRoom {
            room,
            settings,
            reply,
        })
        .await?
        .map_err(MediaError::from)
    }

    /// Ends a room and every session in it.
    ///
    /// # Errors
    /// [`MediaError`], with [`stoa_core::Error::RoomNotFound`].
    pub async fn close_room(&self, room: RoomId) -> Result<(), MediaError> {
        let worker = self.home(&room);
        self.ask(worker, |reply| Command::CloseRoom { room, reply })
            .await?
            .map_err(MediaError::from)
    }

    /// Lets somebody in and answers their offer.
    ///
    /// # Errors
    /// [`MediaError`], with the errors of [`Node::join`](stoa_core::Node::join).
    pub async fn join(&self, join: Join) -> Result<Joined, MediaError> {
        let worker = self.home(&join.room);
        self.ask(worker, |reply| Command::Join { join, reply })
            .await?
            .map_err(MediaError::from)
    }

    /// Takes an ICE candidate that a client found after its offer.
    ///
    /// # Errors
    /// [`MediaError`], with the errors of
    /// [`Node::add_ice_candidate`](stoa_core::Node::add_ice_candidate).
    pub async fn add_ice_candidate(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        candidate: String,
    ) -> Result<(), MediaError> {
        let worker = self.home(&room);
        let target = Target {
            room,
            participant,
            session,
        };
        let command = |reply| Command::AddIceCandidate {
            target,
            candidate,
            reply,
        };
        self.ask(worker, command).await?.map_err(MediaError::from)
    }

    /// Changes a participant. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`MediaError`], with the errors of
    /// [`Node::change_participant`](stoa_core::Node::change_participant).
    pub async fn change_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        change: ParticipantChange,
    ) -> Result<Revision, MediaError> {
        let worker = self.home(&room);
        let target = Target {
            room,
            participant,
            session,
        };
        let command = |reply| Command::ChangeParticipant {
            target,
            change,
            reply,
        };
        self.ask(worker, command).await?.map_err(MediaError::from)
    }

    /// Changes a room's settings. Returns its revision right after.
    ///
    /// # Errors
    /// [`MediaError`], with [`stoa_core::Error::RoomNotFound`].
    pub async fn update_room(
        &self,
        room: RoomId,
        update: RoomUpdate,
    ) -> Result<Revision, MediaError> {
        let worker = self.home(&room);
        let command = |reply| Command::UpdateRoom {
            room,
            update,
            reply,
        };
        self.ask(worker, command).await?.map_err(MediaError::from)
    }

    /// Ends a participant's session. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`MediaError`], with the errors of
    /// [`Node::remove_participant`](stoa_core::Node::remove_participant).
    pub async fn remove_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
    ) -> Result<Revision, MediaError> {
        let worker = self.home(&room);
        let target = Target {
            room,
            participant,
            session,
        };
        let command = |reply| Command::RemoveParticipant { target, reply };
        self.ask(worker, command).await?.map_err(MediaError::from)
    }

    /// Every room of every worker as it is now.
    ///
    /// # Errors
    /// [`MediaError::Overloaded`], [`MediaError::Stopped`].
    pub async fn snapshots(&self) -> Result<Vec<RoomSnapshot>, MediaError> {
        let mut all = Vec::new();
        for worker in 0..self.workers.len() {
            all.extend(
                self.ask(worker, |reply| Command::Snapshots { reply })
                    .await?,
            );
        }
        Ok(all)
    }

    /// What the workers say of themselves, in the order of their ports, at most a second old.
    pub fn status(&self) -> Vec<WorkerStatus> {
        self.workers
            .iter()
            .map(|worker| lock(&worker.status).clone())
            .collect()
    }

    /// Asks every worker to end. Nothing that was posted before is skipped.
    pub(crate) fn shut_down(&self) {
        for worker in self.workers.iter() {
            while worker.mailbox.post(Command::ShutDown) == Err(MediaError::Overloaded) {
                std::thread::yield_now();
            }
        }
    }

    fn home(&self, room: &RoomId) -> usize {
        let workers = self.workers.len() as u64;
        // Less than the number of workers, so it fits.
        (self.hasher.hash_one(room) % workers) as usize
    }

    async fn ask<T>(
        &self,
        worker: usize,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, MediaError> {
        let (reply, result) = oneshot::channel();
        self.workers[worker].mailbox.post(command(reply))?;
        result.await.map_err(|_| MediaError::Stopped)
    }
}

/// A panic elsewhere does not make a table of plain values wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
