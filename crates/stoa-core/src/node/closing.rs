//! How rooms end: by command, with the node, or by themselves when nothing happens in them.
//!
//! Each room has its own deadlines among the node's timers, and none where its settings have none. What moves
//! them is cheap: a voice is only noted, and the deadline is looked at again when it comes.

use super::{Node, TimerKey};
use crate::{
    event::{CloseReason, LeaveReason, RoomEventKind},
    keys::{ParticipantKey, RoomKey},
};

impl Node {
    /// Sets the deadlines of a room as its settings are now.
    pub(super) fn await_end(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.get(key) else {
            return;
        };
        let settings = &room.settings;
        let empty = settings
            .empty_timeout
            .filter(|_| room.members.is_empty())
            .map(|timeout| room.empty_since + timeout.duration());
        let idle = settings
            .idle_timeout
            .map(|timeout| room.last_voice + timeout.duration());
        for (timer, due) in [(TimerKey::Empty(key), empty), (TimerKey::Idle(key), idle)] {
            match due {
                Some(due) => self.timers.set(timer, due),
                None => self.timers.cancel(timer),
            }
        }
    }

    /// The last one has left.
    pub(super) fn became_empty(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        room.empty_since = self.now;
        if let Some(timeout) = room.settings.empty_timeout {
            let due = self.now + timeout.duration();
            self.timers.set(TimerKey::Empty(key), due);
        }
    }

    /// Ends a room if nobody has been in it for long enough.
    pub(super) fn check_empty(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.get(key) else {
            return;
        };
        let timeout = room.settings.empty_timeout;
        let is_over = timeout.is_some_and(|timeout| {
            room.members.is_empty() && self.now >= room.empty_since + timeout.duration()
        });
        if is_over {
            self.close(key, CloseReason::Empty);
        }
    }

    /// Ends a room if nobody has been heard in it for long enough, and looks again later if somebody has.
    pub(super) fn check_idle(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.get(key) else {
            return;
        };
        let Some(timeout) = room.settings.idle_timeout else {
            return;
        };
        let due = room.last_voice + timeout.duration();
        match due <= self.now {
            true => self.close(key, CloseReason::Idle),
            false => self.timers.set(TimerKey::Idle(key), due),
        }
    }

    /// Ends a room, and with a goodbye everybody's session in it.
    pub(super) fn close(&mut self, key: RoomKey, reason: CloseReason) {
        let Some(room) = self.rooms.get(key) else {
            return;
        };
        let leave = match reason {
            CloseReason::NodeShutdown => LeaveReason::NodeShutdown,
            CloseReason::Closed | CloseReason::Empty | CloseReason::Idle => LeaveReason::RoomClosed,
        };
        let members: Vec<ParticipantKey> = room.members.values().copied().collect();
        for member in members {
            self.end(member, leave);
        }
        if let Some(mut room) = self.rooms.remove(key) {
            self.rooms_by_id.remove(&room.id);
            for timer in [TimerKey::Ranking, TimerKey::Empty, TimerKey::Idle] {
                self.timers.cancel(timer(key));
            }
            self.events
                .push_back(room.changed(RoomEventKind::Closed(reason)));
        }
    }
}
