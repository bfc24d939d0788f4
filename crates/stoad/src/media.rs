//! Joins the control service's port to the media workers.

use std::future::pending;

use stoa_control::{BoxFuture, Media, MediaError, Notice, WorkerStatus};
use stoa_core::{
    Join, Joined, LeaveReason, ParticipantChange, ParticipantId, Revision, RoomId, RoomSettings,
    RoomSnapshot, RoomUpdate, SessionId,
};
use tokio::sync::mpsc;

/// The media workers, as the control service wants them.
pub(crate) struct Workers(pub(crate) stoa_net::Media);

fn refuse(error: stoa_net::MediaError) -> MediaError {
    match error {
        stoa_net::MediaError::Refused(error) => MediaError::Refused(error),
        stoa_net::MediaError::Overloaded => MediaError::Overloaded,
        stoa_net::MediaError::Stopped => MediaError::Stopped,
    }
}

impl Media for Workers {
    fn create_room(
        &self,
        room: RoomId,
        settings: RoomSettings,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move { self.0.create_room(room, settings).await.map_err(refuse) })
    }

    fn update_room(
        &self,
        room: RoomId,
        update: RoomUpdate,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move { self.0.update_room(room, update).await.map_err(refuse) })
    }

    fn close_room(&self, room: RoomId) -> BoxFuture<'_, Result<(), MediaError>> {
        Box::pin(async move { self.0.close_room(room).await.map_err(refuse) })
    }

    fn join(&self, join: Join) -> BoxFuture<'_, Result<Joined, MediaError>> {
        Box::pin(async move { self.0.join(join).await.map_err(refuse) })
    }

    fn add_ice_candidate(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        candidate: String,
    ) -> BoxFuture<'_, Result<(), MediaError>> {
        Box::pin(async move {
            let added = self
                .0
                .add_ice_candidate(room, participant, session, candidate)
                .await;
            added.map_err(refuse)
        })
    }

    fn restart_ice(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        offer: String,
    ) -> BoxFuture<'_, Result<String, MediaError>> {
        Box::pin(async move {
            let answered = self.0.restart_ice(room, participant, session, offer).await;
            answered.map_err(refuse)
        })
    }

    fn change_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        change: ParticipantChange,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move {
            let changed = self
                .0
                .change_participant(room, participant, session, change)
                .await;
            changed.map_err(refuse)
        })
    }

    fn remove_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        reason: LeaveReason,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move {
            self.0
                .remove_participant(room, participant, session, reason)
                .await
                .map_err(refuse)
        })
    }

    fn snapshots(&self) -> BoxFuture<'_, Result<Vec<RoomSnapshot>, MediaError>> {
        Box::pin(async move { self.0.snapshots().await.map_err(refuse) })
    }

    fn home(&self, room: &RoomId) -> usize {
        self.0.home(room)
    }

    fn status(&self) -> Vec<WorkerStatus> {
        let describe = |status: stoa_net::WorkerStatus| WorkerStatus {
            port: status.port,
            rooms: status.rooms,
            participants: status.participants,
            seats: status.seats,
            datagrams_received: status.datagrams_received,
            datagrams_sent: status.datagrams_sent,
            datagrams_dropped: status
                .datagrams_dropped
                .into_iter()
                .map(|(reason, count)| (reason.to_owned(), count))
                .collect(),
        };
        self.0.status().into_iter().map(describe).collect()
    }
}

/// How many notices may be on their way between the two queues.
const BRIDGE_CAPACITY: usize = 1;

/// Hands on what the workers tell. The queue behind is the workers' own, which is bounded and knows
/// what to do when it is full; this one only translates. What is to be run for that never ends: that the workers have
/// ended is theirs to say.
pub(crate) fn bridge(
    mut from: mpsc::Receiver<stoa_net::Notice>,
) -> (impl Future<Output = ()>, mpsc::Receiver<Notice>) {
    let (to, notices) = mpsc::channel(BRIDGE_CAPACITY);
    let work = async move {
        while let Some(notice) = from.recv().await {
            let notice = match notice {
                stoa_net::Notice::Event(event) => Notice::Event(event),
                stoa_net::Notice::Lost => Notice::Lost,
            };
            if to.send(notice).await.is_err() {
                break;
            }
        }
        // The mirror is to know of that.
        drop(to);
        pending().await
    };
    (work, notices)
}
