//! Watches that outlive their connection: after a break they go on from what was seen last.

use std::{fmt, time::Duration};

use stoa_api::v1::{
    ErrorReason, WatchRequest, WatchResponse, WatchRoomsRequest, WatchRoomsResponse,
    watch_response, watch_rooms_response,
};
use tokio::time::sleep;
use tonic::{Code, Status, Streaming};

use crate::{client::Client, reason::reason};

/// The first pause before a broken watch is begun again. It doubles with each failure, up to
/// [`Timeouts::max_backoff`](crate::Timeouts::max_backoff).
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What happens in one room; made by [`Client::watch_room`].
pub struct RoomWatch(Resuming<OneRoom>);

/// What happens in all rooms of the caller's tenant; made by [`Client::watch_rooms`].
pub struct RoomsWatch(Resuming<AllRooms>);

impl Client {
    /// Watches one room from a revision on (0: from now on, beginning with a snapshot), over as many
    /// connections as it takes.
    pub fn watch_room(&self, room_id: impl Into<String>, from_revision: u64) -> RoomWatch {
        RoomWatch::new(self.clone(), room_id.into(), from_revision)
    }

    /// Watches all rooms of the caller's tenant from a revision on (0: from now on, beginning with a
    /// snapshot), over as many connections as it takes; who is heard included or not.
    pub fn watch_rooms(&self, from_revision: u64, active_speakers: bool) -> RoomsWatch {
        RoomsWatch::new(self.clone(), from_revision, active_speakers)
    }
}

impl RoomWatch {
    pub(crate) fn new(client: Client, room_id: String, from_revision: u64) -> Self {
        let kind = OneRoom {
            room_id,
            has_ended: false,
        };
        Self(Resuming::new(client, kind, from_revision))
    }

    /// The next message, however often the connection breaks meanwhile; `None` after `room_closed`. What is
    /// missed is sent again; where too much was, or the room is another one of the same name by now, a
    /// snapshot comes. May be dropped and called again.
    ///
    /// # Errors
    /// The node's own, where asking again would not help: ROOM_NOT_FOUND if the room has ended during a break.
    pub async fn next(&mut self) -> Result<Option<WatchResponse>, Status> {
        match self.0.kind.has_ended {
            true => Ok(None),
            false => self.0.next().await.map(Some),
        }
    }

    /// What to continue from, for example after the program was started again; 0 if that is nothing.
    pub fn revision(&self) -> u64 {
        self.0.revision
    }
}

impl RoomsWatch {
    pub(crate) fn new(client: Client, from_revision: u64, active_speakers: bool) -> Self {
        let kind = AllRooms {
            active_speakers,
            is_in_snapshot: false,
        };
        Self(Resuming::new(client, kind, from_revision))
    }

    /// The next message, however often the connection breaks meanwhile. What is missed is sent again; where
    /// too much was, `snapshot_begin` comes, and whatever was known before is to be forgotten. May be dropped
    /// and called again.
    ///
    /// # Errors
    /// The node's own, where asking again would not help.
    pub async fn next(&mut self) -> Result<WatchRoomsResponse, Status> {
        self.0.next().await
    }

    /// What to continue from, for example after the program was started again; 0 if that is nothing, as within
    /// a snapshot.
    pub fn revision(&self) -> u64 {
        self.0.revision
    }
}

/// What is watched.
trait Kind {
    type Message;

    /// Begins the watch.
    async fn open(&self, client: &Client, from: u64) -> Result<Streaming<Self::Message>, Status>;

    /// What to continue from after this message.
    fn after(&mut self, message: &Self::Message) -> u64;
}

struct OneRoom {
    room_id: String,
    has_ended: bool,
}

impl Kind for OneRoom {
    type Message = WatchResponse;

    async fn open(&self, client: &Client, from: u64) -> Result<Streaming<WatchResponse>, Status> {
        let request = WatchRequest {
            room_id: self.room_id.clone(),
            from_revision: from,
        };
        Ok(client.rooms().watch(request).await?.into_inner())
    }

    fn after(&mut self, message: &WatchResponse) -> u64 {
        self.has_ended |= matches!(message.event, Some(watch_response::Event::RoomClosed(_)));
        message.revision
    }
}

struct AllRooms {
    active_speakers: bool,
    is_in_snapshot: bool,
}

impl Kind for AllRooms {
    type Message = WatchRoomsResponse;

    async fn open(
        &self,
        client: &Client,
        from: u64,
    ) -> Result<Streaming<WatchRoomsResponse>, Status> {
        let request = WatchRoomsRequest {
            from_revision: from,
            active_speakers: self.active_speakers,
        };
        Ok(client.rooms().watch_rooms(request).await?.into_inner())
    }

    fn after(&mut self, message: &WatchRoomsResponse) -> u64 {
        use watch_rooms_response::Event;
        match message.event {
            Some(Event::SnapshotBegin(_)) => self.is_in_snapshot = true,
            // A watch that was resumed begins with a bookmark; there is none within a snapshot.
            Some(Event::SnapshotEnd(_) | Event::Bookmark(_)) => self.is_in_snapshot = false,
            _ => {}
        }
        match self.is_in_snapshot {
            true => 0,
            false => message.revision,
        }
    }
}

/// A watch that is begun again where it was.
struct Resuming<K: Kind> {
    client: Client,
    kind: K,
    revision: u64,
    stream: Option<Streaming<K::Message>>,
    pause: Duration,
}

impl<K: Kind> Resuming<K> {
    fn new(client: Client, kind: K, revision: u64) -> Self {
        Self {
            client,
            kind,
            revision,
            stream: None,
            pause: FIRST_PAUSE,
        }
    }

    async fn next(&mut self) -> Result<K::Message, Status> {
        loop {
            if let Some(stream) = &mut self.stream {
                let broken = match stream.message().await {
                    Ok(Some(message)) => {
                        self.pause = FIRST_PAUSE;
                        self.revision = self.kind.after(&message);
                        return Ok(message);
                    }
                    Ok(None) => Status::unavailable("the watch has ended"),
                    Err(status) => status,
                };
                self.stream = None;
                self.recover(broken).await?;
            }
            match self.kind.open(&self.client, self.revision).await {
                Ok(stream) => self.stream = Some(stream),
                Err(status) => self.recover(status).await?,
            }
        }
    }

    /// Waits a little after a failure, if it makes sense to ask again.
    async fn recover(&mut self, status: Status) -> Result<(), Status> {
        if reason(&status) == Some(ErrorReason::RevisionInFuture) && self.revision > 0 {
            // Of another life of the node.
            self.revision = 0;
            return Ok(());
        }
        if self.client.is_closed() || !is_passing(status.code()) {
            return Err(status);
        }
        tracing::debug!(code = ?status.code(), pause = ?self.pause, "a watch broke");
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(self.client.max_backoff());
        Ok(())
    }
}

/// Whether a failure of this kind may be over a moment later.
fn is_passing(code: Code) -> bool {
    match code {
        Code::Unavailable
        | Code::Cancelled
        | Code::Unknown
        | Code::Internal
        | Code::Aborted
        | Code::DeadlineExceeded
        | Code::ResourceExhausted => true,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}

impl fmt::Debug for RoomWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomWatch")
            .field("room_id", &self.0.kind.room_id)
            .field("revision", &self.0.revision)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RoomsWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomsWatch")
            .field("revision", &self.0.revision)
            .finish_non_exhaustive()
    }
}
