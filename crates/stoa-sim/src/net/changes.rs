//! What the signalling service does while people talk.

use stoa_core::{Error, MuteSource, ParticipantChange, Revision, Role, RoomSettings, RoomUpdate};

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
            .change_participant(self.now(), &room, &who, None, change.clone());
        self.settle_node();
        let moment = self.moment();
        self.ledger.changed(moment, id, &change);
        self.drain_node();
        changed.expect("the node takes the change")
    }

    /// Changes the room "room". Returns its revision.
    ///
    /// # Panics
    /// If the node refuses.
    pub fn update_room(&mut self, update: RoomUpdate) -> Revision {
        self.update_room_of("room", update)
    }

    /// Changes any room. Returns its revision.
    ///
    /// # Panics
    /// If the node refuses.
    pub fn update_room_of(&mut self, of: &str, update: RoomUpdate) -> Revision {
        let updated = self.node.update_room(self.now(), &room(of), update.clone());
        self.settle_node();
        let moment = self.moment();
        self.ledger.room_updated(moment, &room(of), &update);
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

    /// Makes a room with default settings.
    ///
    /// # Panics
    /// If the node refuses.
    pub fn create_room(&mut self, name: &str) {
        let settings = RoomSettings::default();
        let created = self.node.create_room(self.now(), room(name), settings);
        self.drain_node();
        created.expect("the node takes the room");
    }

    /// Closes a room over everybody in it.
    ///
    /// # Panics
    /// If there is no such room.
    pub fn close_room(&mut self, name: &str) {
        let closed = self.node.close_room(self.now(), &room(name));
        self.drain_node();
        closed.expect("there is such a room");
    }

    /// Sends a client away. Returns the room's revision.
    ///
    /// # Errors
    /// The node's own, where this session is not in the room any more.
    pub fn remove(&mut self, id: ClientId) -> Result<Revision, Error> {
        let client = &self.clients[id];
        let (room, who) = (client.room.clone(), client.id.clone());
        let session = client.session.clone();
        let removed = self
            .node
            .remove_participant(self.now(), &room, &who, Some(&session));
        self.drain_node();
        removed
    }

    /// A client's program ends without a word and is started again: the signalling service takes the
    /// old session out and lets the same name in anew. Returns the new client.
    ///
    /// # Errors
    /// The node's own, where it refuses the new session.
    pub fn restart(&mut self, id: ClientId) -> Result<ClientId, Error> {
        self.vanish(id);
        // Where the node has noticed by itself, there is nothing to take out.
        let _gone_already = self.remove(id);
        let client = &self.clients[id];
        let (room, name) = (client.room.clone(), client.id.clone());
        let lines = client.line_count();
        self.admit(room.as_str(), name.as_str(), lines)
    }
}
