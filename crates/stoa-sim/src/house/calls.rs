//! What a signalling service asks of a house. Each call goes to the home of its room.
//!
//! A call that takes a right away is answered when the other workers have sent all that home had handed on
//! to them before: so nobody hears somebody who may not speak once it has returned.

use std::{collections::BTreeSet, time::Instant};

use stoa_core::{
    Error, Join, Joined, LeaveReason, Node, Output, ParticipantChange, ParticipantId, Reception,
    Revision, RoomId, RoomSettings, RoomSnapshot, RoomUpdate, SessionId,
};

use super::{House, worker_id};

impl House {
    /// As [`Node::create_room`].
    ///
    /// # Errors
    /// The node's own.
    pub fn create_room(
        &mut self,
        now: Instant,
        id: RoomId,
        settings: RoomSettings,
    ) -> Result<Revision, Error> {
        let home = self.home(&id);
        self.at(now, home).create_room(now, id, settings)
    }

    /// As [`Node::update_room`].
    ///
    /// # Errors
    /// The node's own.
    pub fn update_room(
        &mut self,
        now: Instant,
        room: &RoomId,
        update: RoomUpdate,
    ) -> Result<Revision, Error> {
        self.call(now, room, |home| home.update_room(now, room, update))
    }

    /// As [`Node::close_room`].
    ///
    /// # Errors
    /// The node's own.
    pub fn close_room(&mut self, now: Instant, room: &RoomId) -> Result<(), Error> {
        self.call(now, room, |home| home.close_room(now, room))
    }

    /// As [`Node::shut_down`], for all nodes.
    pub fn shut_down(&mut self, now: Instant) {
        for worker in 0..self.nodes.len() {
            self.at(now, worker).shut_down(now);
            self.settle(worker);
        }
    }

    /// As [`Node::join`]; where there is a lobby, as [`Lobby::prepare`](stoa_core::Lobby::prepare) and
    /// [`Node::admit`]. The next one gets their seat at the next worker.
    ///
    /// # Errors
    /// The lobby's and the node's own.
    pub fn join(&mut self, now: Instant, join: Join) -> Result<Joined, Error> {
        let home = self.home(&join.room);
        let Some(lobby) = &mut self.lobby else {
            return self.at(now, home).join(now, join);
        };
        let seat = worker_id(self.seated % self.nodes.len());
        let prepared = lobby.prepare(now, &join, seat);
        self.poll_lobby();
        let prepared = prepared?;
        self.seated += 1;
        self.at(now, home).admit(now, join, prepared)
    }

    /// As [`Node::add_ice_candidate`].
    ///
    /// # Errors
    /// The node's own.
    pub fn add_ice_candidate(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
        candidate: &str,
    ) -> Result<(), Error> {
        let home = self.home(room);
        self.at(now, home)
            .add_ice_candidate(now, room, participant, session, candidate)
    }

    /// As [`Node::change_participant`].
    ///
    /// # Errors
    /// The node's own.
    pub fn change_participant(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
        change: ParticipantChange,
    ) -> Result<Revision, Error> {
        self.call(now, room, |home| {
            home.change_participant(now, room, participant, session, change)
        })
    }

    /// As [`Node::seat_of`] and [`Node::restart_ice`].
    ///
    /// # Errors
    /// The nodes' own.
    pub fn restart_ice(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
        offer: &str,
    ) -> Result<String, Error> {
        let home = self.home(room);
        let seat = self.at(now, home).seat_of(room, participant, session)?;
        let worker = usize::from(seat.worker().0);
        self.at(now, worker).restart_ice(now, seat, offer)
    }

    /// As [`Node::remove_participant`], because of a command.
    ///
    /// # Errors
    /// The node's own.
    pub fn remove_participant(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
    ) -> Result<Revision, Error> {
        self.call(now, room, |home| {
            home.remove_participant(now, room, participant, session, LeaveReason::Removed)
        })
    }

    /// As [`Node::reception`]: nothing for those who have their seat elsewhere.
    ///
    /// # Errors
    /// The node's own.
    pub fn reception(
        &self,
        room: &RoomId,
        participant: &ParticipantId,
    ) -> Result<Option<Reception>, Error> {
        self.nodes[self.home(room)].reception(room, participant)
    }

    /// Every room as it is now, wherever it is at home.
    pub fn snapshots(&self) -> Vec<RoomSnapshot> {
        self.nodes.iter().flat_map(Node::snapshots).collect()
    }

    /// Asks the home of a room for something that may take a right away.
    fn call<T>(&mut self, now: Instant, room: &RoomId, ask: impl FnOnce(&mut Node) -> T) -> T {
        let home = self.home(room);
        let answer = ask(self.at(now, home));
        self.settle(home);
        answer
    }

    /// Lets the other workers send all that a home has handed on to them.
    fn settle(&mut self, home: usize) {
        if self.nodes.len() == 1 {
            return;
        }
        self.poll(home, |house, output| house.outputs.push_back(output));
        let mut hearing = BTreeSet::new();
        for (way, letter) in self.post.take_media_from(home) {
            hearing.insert(way.to);
            self.deliver(way, letter);
        }
        for worker in hearing {
            self.poll(worker, |house, output| match output {
                Output::Transmit(transmit) => house.settled.push_back(transmit),
                other => house.outputs.push_back(other),
            });
        }
    }
}
