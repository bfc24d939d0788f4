//! One room's event stream, kept open: after a break it goes on from the last revision seen.

use std::time::Duration;

use rand::Rng as _;
use stoa_client::{
    Client, reason,
    v1::{ErrorReason, WatchRequest, WatchResponse, watch_response::Event},
};
use tokio::{sync::mpsc, time};
use tonic::Status;

use crate::limits;

/// What comes out of the stream.
#[derive(Debug)]
pub(crate) enum Followed {
    /// A message of Stoa.
    Message(Box<WatchResponse>),
    /// The room does not exist any more; this is the last item.
    Gone,
}

/// Follows the room from its present state on, until the room is gone or the receiver is dropped.
pub(crate) fn follow(client: Client, room: String) -> mpsc::Receiver<Followed> {
    let (out, events) = mpsc::channel(limits::EVENT_QUEUE);
    tokio::spawn(async move {
        let mut follower = Follower {
            client,
            room,
            revision: 0,
            out: out.clone(),
        };
        tokio::select! {
            () = follower.run() => {}
            () = out.closed() => {}
        }
    });
    events
}

struct Follower {
    client: Client,
    room: String,
    /// The last revision seen; 0 asks for a snapshot.
    revision: u64,
    out: mpsc::Sender<Followed>,
}

impl Follower {
    async fn run(&mut self) {
        let mut pause = limits::WATCH_BACKOFF_MIN;
        loop {
            let before = self.revision;
            match self.read_stream().await {
                Ok(()) => return,
                Err(status) => match reason(&status) {
                    Some(ErrorReason::RoomNotFound) => {
                        // A closed channel means that nobody wants to know.
                        let _ = self.out.send(Followed::Gone).await;
                        return;
                    }
                    // Another room of the same name: what was known of the old one is void.
                    Some(ErrorReason::RevisionInFuture) => self.revision = 0,
                    _ => {
                        let code = status.code();
                        tracing::warn!(?code, "a room's event stream broke");
                    }
                },
            }
            if self.revision != before {
                pause = limits::WATCH_BACKOFF_MIN;
            }
            time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(limits::WATCH_BACKOFF_MAX);
        }
    }

    /// Reads one stream to its end. `Ok` is the end of the room, or of the hub.
    async fn read_stream(&mut self) -> Result<(), Status> {
        let request = WatchRequest {
            room_id: self.room.clone(),
            from_revision: self.revision,
        };
        let mut stream = self.client.rooms().watch(request).await?.into_inner();
        while let Some(message) = stream.message().await? {
            self.revision = self.revision.max(message.revision);
            let last = matches!(message.event, Some(Event::RoomClosed(_)));
            if self
                .out
                .send(Followed::Message(Box::new(message)))
                .await
                .is_err()
                || last
            {
                return Ok(());
            }
        }
        Err(Status::unavailable("the stream ended before the room did"))
    }
}

/// Between half of the pause and all of it, so that the rooms of one node do not come back in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.5..=1.0))
}
