//! What the workers tell the control plane, without ever waiting for it.

use stoa_core::RoomEvent;
use tokio::sync::mpsc;

/// How many notices may wait. A join makes two events; this is several seconds of a storm of joins.
pub(crate) const NOTICE_CAPACITY: usize = 16_384;

/// One thing that the workers tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// Something happened in a room. Events of one room come in order.
    Event(RoomEvent),
    /// The queue was full and events are missing: ask [`Media::snapshots`](crate::Media::snapshots)
    /// how things stand.
    Lost,
}

/// A worker's end of the queue.
pub(crate) struct Notices {
    queue: mpsc::Sender<Notice>,
    /// Events are missing, and the receiver does not know yet.
    owes_lost: bool,
}

impl Notices {
    pub(crate) fn new(queue: mpsc::Sender<Notice>) -> Self {
        Self {
            queue,
            owes_lost: false,
        }
    }

    /// Tells, or notes that it could not.
    pub(crate) fn tell(&mut self, event: RoomEvent) {
        self.settle();
        if self.owes_lost || self.queue.try_send(Notice::Event(event)).is_err() {
            self.owes_lost = true;
        }
    }

    /// Tells that events are missing, as soon as there is room to say so. Returns whether it is
    /// still owed.
    pub(crate) fn settle(&mut self) -> bool {
        if self.owes_lost && self.queue.try_send(Notice::Lost).is_ok() {
            self.owes_lost = false;
        }
        self.owes_lost && !self.queue.is_closed()
    }
}
