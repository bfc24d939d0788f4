//! What the signalling service changes while people talk.

use stoa_core::{MuteSource, ParticipantChange, Revision, Role, RoomUpdate};

use super::Net;
use crate::{ClientId, room};

impl Net {
    /// Changes a participant, as the signalling service would. Returns the room's revision.
    ///
    /// # Panics
    /// If the node refuses.
    pub fn change(&mut self, id: ClientId, change: ParticipantChange) -> Revision {
        let client = &self.clients[id];
        let (room, who) = (client.room.clone(), client.id.clone());
        let changed = self
            .node
            .change_participant(self.now(), &room, &who, None, change);
        self.drain_node();
        changed.expect("the node takes the change")
    }

    /// Changes the room "room". Returns its revision.
    ///
    /// # Panics
    /// If the node refuses.
    pub fn update_room(&mut self, update: RoomUpdate) -> Revision {
        let updated = self.node.update_room(self.now(), &room("room"), update);
        self.drain_node();
        updated.expect("the node takes the update")
    }

    /// Gives a participant another role.
    pub fn set_role(&mut self, id: ClientId, role: Role) -> Revision {
        self.change(id, ParticipantChange::Role(role))
    }

    /// Mutes a participant, or takes that back.
    pub fn set_muted(&mut self, id: ClientId, source: MuteSource, muted: bool) -> Revision {
        self.change(id, ParticipantChange::Muted { source, muted })
    }
}
