//! The port to whoever moves the media.

use std::{collections::BTreeMap, pin::Pin};

use stoa_core::{
    Join, Joined, LeaveReason, ParticipantChange, ParticipantId, Revision, RoomEvent, RoomId,
    RoomSettings, RoomSnapshot, RoomUpdate, SessionId,
};

/// A future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the control service asks of the media workers.
///
/// Every change a command makes is also told as a [`Notice`], in order for each room; the service
/// answers its caller once it has seen both. Dropping a future may or may not undo the command.
pub trait Media: Send + Sync + 'static {
    /// Creates an empty room and returns its revision.
    fn create_room(
        &self,
        room: RoomId,
        settings: RoomSettings,
    ) -> BoxFuture<'_, Result<Revision, MediaError>>;

    /// Changes a room's settings, and returns its revision after that.
    fn update_room(
        &self,
        room: RoomId,
        update: RoomUpdate,
    ) -> BoxFuture<'_, Result<Revision, MediaError>>;

    /// Ends the room and every media session in it.
    fn close_room(&self, room: RoomId) -> BoxFuture<'_, Result<(), MediaError>>;

    /// Admits a participant.
    fn join(&self, join: Join) -> BoxFuture<'_, Result<Joined, MediaError>>;

    /// Gives the participant's session one more remote candidate. Where `session` is given, the
    /// call is refused if the participant has another one by now.
    fn add_ice_candidate(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        candidate: String,
    ) -> BoxFuture<'_, Result<(), MediaError>>;

    /// Restarts ICE of the participant's session by another offer, and returns the answer. `session` as in
    /// [`Media::add_ice_candidate`].
    fn restart_ice(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        offer: String,
    ) -> BoxFuture<'_, Result<String, MediaError>>;

    /// Changes a participant, and returns the room's revision after that. `session` as in
    /// [`Media::add_ice_candidate`].
    fn change_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        change: ParticipantChange,
    ) -> BoxFuture<'_, Result<Revision, MediaError>>;

    /// Ends the participant's session for this reason, and returns the room's revision after that.
    /// `session` as in [`Media::add_ice_candidate`].
    fn remove_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        reason: LeaveReason,
    ) -> BoxFuture<'_, Result<Revision, MediaError>>;

    /// Every room, as it is after everything that was lost before a [`Notice::Lost`]. Notices of
    /// changes that a snapshot shows already may still follow; their revisions tell.
    fn snapshots(&self) -> BoxFuture<'_, Result<Vec<RoomSnapshot>, MediaError>>;

    /// With which worker a room is at home, or would be, by its place in [`Media::status`].
    fn home(&self, room: &RoomId) -> usize;

    /// The workers' counters, in the order of their ports.
    fn status(&self) -> Vec<WorkerStatus>;
}

/// Why a command had no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The room's owner refused it.
    #[error(transparent)]
    Refused(#[from] stoa_core::Error),
    /// A worker's mailbox is full.
    #[error("a media worker's mailbox is full")]
    Overloaded,
    /// The workers have stopped, or are about to.
    #[error("the media workers have stopped")]
    Stopped,
}

/// What happened, told in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// One event of one room.
    Event(RoomEvent),
    /// The bounded queue of events overflowed, and some are missing here: ask for snapshots.
    Lost,
}

/// One media worker's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its UDP port.
    pub port: u16,
    /// Rooms it owns.
    pub rooms: usize,
    /// Participants in them.
    pub participants: usize,
    /// Seats it has: those whose datagrams come to it, of its own rooms and of others'.
    pub seats: usize,
    /// Datagrams received since the start.
    pub datagrams_received: u64,
    /// Datagrams sent since the start.
    pub datagrams_sent: u64,
    /// Datagrams dropped since the start, received or to be sent, by reason.
    pub datagrams_dropped: BTreeMap<String, u64>,
}
