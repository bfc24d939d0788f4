//! How the rest of the process talks to the workers.

mod inspect;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use stoa_core::{
    Error, Join, Joined, LeaveReason, LimitScope, LobbyStats, PacketQuota, ParticipantChange,
    ParticipantId, Revision, Role, RoomId, RoomSettings, RoomSnapshot, RoomUpdate, SessionId,
    WorkerId,
};
use tokio::sync::oneshot;

use crate::{
    error::MediaError,
    latest::Latest,
    lobby::{LobbyHandle, Request},
    mailbox::{Command, Mailbox, Reply, Target},
    quotas::SharedQuotas,
    status::{QueueDepth, WorkerStatus},
};

/// By how many more seats than the emptiest worker a room's home may have before its listeners are seated
/// elsewhere. Each further worker costs a room a message for each packet, so small rooms stay together.
const SEATS_AT_HOME: usize = 64;

/// A worker, as seen from outside.
#[derive(Clone)]
pub(crate) struct WorkerHandle {
    pub(crate) mailbox: Mailbox,
    pub(crate) status: Arc<Mutex<WorkerStatus>>,
    /// How many seats it has.
    pub(crate) seats: Arc<AtomicUsize>,
    /// How many of those who are about to join will have theirs there.
    pub(crate) expected: Arc<AtomicUsize>,
    /// Whether it has no time for more seats.
    pub(crate) is_hot: Arc<AtomicBool>,
}

impl WorkerHandle {
    fn load(&self) -> usize {
        self.seats.load(Ordering::Relaxed) + self.expected.load(Ordering::Relaxed)
    }

    fn is_hot(&self) -> bool {
        self.is_hot.load(Ordering::Relaxed)
    }
}

/// All media workers of the process. Cheap to clone.
///
/// A room is at home with the worker that the hash of its name says: nothing has to be looked up, nothing
/// can disagree, and a caller who goes away in the middle of a call leaves nothing behind.
#[derive(Clone)]
pub struct Media {
    workers: Arc<[WorkerHandle]>,
    lobbies: Arc<[LobbyHandle]>,
    /// How many seats a worker may have.
    seats: usize,
    quotas: Arc<Latest<SharedQuotas>>,
    hasher: RandomState,
}

/// Somebody who is about to join, counted as long as this exists.
struct Expected(Arc<AtomicUsize>);

impl Expected {
    fn at(worker: &WorkerHandle) -> Self {
        worker.expected.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&worker.expected))
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Media {
    pub(crate) fn new(
        workers: Vec<WorkerHandle>,
        lobbies: Vec<LobbyHandle>,
        seats: usize,
        quotas: Arc<Latest<SharedQuotas>>,
    ) -> Self {
        Self {
            workers: workers.into(),
            lobbies: lobbies.into(),
            seats,
            quotas,
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
    /// [`MediaError`], with the errors of [`Lobby::prepare`](stoa_core::Lobby::prepare) and
    /// [`Node::admit`](stoa_core::Node::admit).
    pub async fn join(&self, join: Join) -> Result<Joined, MediaError> {
        let home = self.home(&join.room);
        let seat = self.seat(home, join.role);
        if self.workers[seat].load() >= self.seats {
            let (scope, limit) = (LimitScope::Worker, self.seats);
            return Err(Error::ParticipantLimit { scope, limit }.into());
        }
        let _expected = Expected::at(&self.workers[seat]);
        let (reply, result) = oneshot::channel();
        let lobby = self.hasher.hash_one(&join.participant) % self.lobbies.len() as u64;
        // Less than the number of lobbies, so it fits; and so does that of workers.
        self.lobbies[lobby as usize].ask(Request {
            join: Box::new(join),
            seat: WorkerId(seat as u16),
            home: self.workers[home].mailbox.clone(),
            reply,
        })?;
        result.await.map_err(|_| MediaError::Stopped)?
    }

    /// At which worker somebody's datagrams are to arrive. The stage stays at home, and so do small rooms;
    /// the audience of a large one is spread, and that of a home without time sits elsewhere.
    fn seat(&self, home: usize, role: Role) -> usize {
        if role != Role::Listener {
            return home;
        }
        let cool = self.workers.iter().enumerate();
        let cool = cool.filter(|(_, worker)| !worker.is_hot());
        let loads = cool.map(|(index, worker)| (index, worker.load()));
        let Some((emptiest, load)) = loads.min_by_key(|&(_, load)| load) else {
            return home;
        };
        let own = &self.workers[home];
        match own.is_hot() || own.load() > load + SEATS_AT_HOME {
            true => emptiest,
            false => home,
        }
    }

    /// Which workers have no time for more seats, in the order of their ports: listeners are seated at others
    /// from now on, as long as there are any.
    pub fn shun(&self, hot: impl IntoIterator<Item = bool>) {
        for (worker, is_hot) in self.workers.iter().zip(hot) {
            worker.is_hot.store(is_hot, Ordering::Relaxed);
        }
    }

    /// Limits what tenants may forward from all workers together, in the place of [`Config::quotas`](crate::Config::quotas)
    /// or of what was said here last. Each worker goes by it from its next turn on, for rooms that are there and for those
    /// to come; others have no limit. What a tenant has used of its quota counts on, and nothing changes where the
    /// quotas are as they were.
    pub fn set_packet_quotas(&self, quotas: &[PacketQuota]) {
        self.quotas.replace(|before| before.changed(quotas));
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

    /// Restarts ICE of a participant's session by another offer of the same client. Returns the answer.
    ///
    /// # Errors
    /// [`MediaError`], with the errors of [`Node::seat_of`](stoa_core::Node::seat_of) and
    /// [`Node::restart_ice`](stoa_core::Node::restart_ice).
    pub async fn restart_ice(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        offer: String,
    ) -> Result<String, MediaError> {
        let home = self.home(&room);
        let target = Target {
            room,
            participant,
            session,
        };
        let found = self.ask(home, |reply| Command::SeatOf { target, reply });
        let seat = found.await?.map_err(MediaError::from)?;
        // The number of a worker that this process has.
        let worker = usize::from(seat.worker().0);
        let command = |reply| Command::RestartIce { seat, offer, reply };
        self.ask(worker, command).await?.map_err(MediaError::from)
    }

    /// Ends a participant's session for this reason. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`MediaError`], with the errors of
    /// [`Node::remove_participant`](stoa_core::Node::remove_participant).
    pub async fn remove_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        reason: LeaveReason,
    ) -> Result<Revision, MediaError> {
        let worker = self.home(&room);
        let target = Target {
            room,
            participant,
            session,
        };
        let command = |reply| Command::RemoveParticipant {
            target,
            reason,
            reply,
        };
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

    /// What waits in the lobbies: of each, the joins and the sessions that are being set up.
    pub fn lobby_depths(&self) -> Vec<QueueDepth> {
        self.lobbies.iter().flat_map(LobbyHandle::depths).collect()
    }

    /// What the lobbies have counted.
    pub fn lobby_stats(&self) -> Vec<LobbyStats> {
        self.lobbies.iter().map(LobbyHandle::stats).collect()
    }

    /// Asks every worker to end. Nothing that was posted before is skipped.
    pub(crate) fn shut_down(&self) {
        for worker in self.workers.iter() {
            let mut posted = worker.mailbox.post(Command::ShutDown);
            while posted.is_err_and(|returned| returned.error == MediaError::Overloaded) {
                std::thread::yield_now();
                posted = worker.mailbox.post(Command::ShutDown);
            }
        }
    }

    /// With which worker a room is at home, or would be.
    pub fn home(&self, room: &RoomId) -> usize {
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
        let posted = self.workers[worker].mailbox.post(command(reply));
        posted.map_err(|returned| returned.error)?;
        result.await.map_err(|_| MediaError::Stopped)
    }
}

/// A panic elsewhere does not make a table of plain values wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
