//! What the control plane asks of the node.

use std::{sync::Arc, time::Instant};

use rand::Rng;

use super::{Node, TimerKey};
use crate::{
    error::{Error, LimitScope},
    event::{LeaveReason, ParticipantInfo, RoomEventKind, RoomSnapshot},
    ids::{ParticipantId, Revision, RoomId, SessionId},
    keys::{ParticipantKey, RoomKey},
    participant::{Drained, Participant, negotiate::negotiate},
    rights::{Mutes, Role},
    room::Room,
    settings::{AudioMode, Metadata, RoomSettings},
    subscription::Subscription,
};

/// A request to let somebody in.
#[derive(Debug, Clone)]
pub struct Join {
    /// Into which room.
    pub room: RoomId,
    /// Who.
    pub participant: ParticipantId,
    /// The name to show; not interpreted.
    pub display_name: Arc<str>,
    /// The client's SDP offer.
    pub offer: String,
    /// What they are to be in the room.
    pub role: Role,
    /// The signalling service's own.
    pub metadata: Metadata,
    /// What their microphone is to carry.
    pub audio_mode: AudioMode,
    /// Whom they want to hear.
    pub subscription: Subscription,
}

impl Join {
    /// A request of somebody who listens to everybody, and has nothing more to say of themselves.
    pub fn new(room: RoomId, participant: ParticipantId, offer: String) -> Self {
        Self {
            room,
            participant,
            display_name: "".into(),
            offer,
            role: Role::default(),
            metadata: Metadata::default(),
            audio_mode: AudioMode::default(),
            subscription: Subscription::default(),
        }
    }
}

/// Somebody was let in.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The final SDP answer.
    pub answer: String,
    /// The new participant.
    pub participant: ParticipantInfo,
    /// The room's revision right after.
    pub revision: Revision,
}

impl Node {
    /// Creates an empty room.
    ///
    /// # Errors
    /// [`Error::RoomExists`], [`Error::RoomLimit`].
    pub fn create_room(
        &mut self,
        now: Instant,
        id: RoomId,
        settings: RoomSettings,
    ) -> Result<Revision, Error> {
        self.advance(now);
        if self.rooms_by_id.contains_key(&id) {
            return Err(Error::RoomExists);
        }
        if self.rooms.len() >= self.limits.rooms {
            return Err(Error::RoomLimit {
                limit: self.limits.rooms,
            });
        }
        let room = Room::new(id.clone(), settings.clone(), &self.hasher, &mut self.rng);
        let revision = room.revision();
        self.events
            .push_back(room.event(RoomEventKind::Created(settings)));
        let key = self.rooms.insert(room);
        self.rooms_by_id.insert(id, key);
        Ok(revision)
    }

    /// Ends a room and every session in it.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub fn close_room(&mut self, now: Instant, id: &RoomId) -> Result<(), Error> {
        self.advance(now);
        let key = self.find_room(id)?;
        self.close(key, LeaveReason::RoomClosed);
        Ok(())
    }

    /// Ends every room: the node is shutting down.
    pub fn shut_down(&mut self, now: Instant) {
        self.advance(now);
        let keys: Vec<RoomKey> = self.rooms.keys().collect();
        for key in keys {
            self.close(key, LeaveReason::NodeShutdown);
        }
    }

    /// Lets somebody in and answers their offer.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantExists`], [`Error::ParticipantLimit`],
    /// [`Error::SubscriptionLimit`], [`Error::Offer`].
    pub fn join(&mut self, now: Instant, join: Join) -> Result<Joined, Error> {
        self.advance(now);
        let room_key = self.find_room(&join.room)?;
        self.check_room_for(room_key, &join.participant)?;
        let slots = self.rooms[room_key].settings.audio_slots.count();
        let (template, mode) = (&self.template, join.audio_mode);
        let negotiated = negotiate(template, self.now, &mut self.rng, &join.offer, slots, mode)?;

        let room = &mut self.rooms[room_key];
        let bank = match negotiated.lines.len() {
            0 => None,
            lines => {
                Some(
                    room.stage
                        .take_bank(self.now, &join.subscription, lines, &mut self.rng)?,
                )
            }
        };
        let info = ParticipantInfo {
            participant: join.participant.clone(),
            session: SessionId::from_random(self.rng.random()),
            display_name: join.display_name,
            csrc: room.take_csrc(&mut self.rng),
            connected: false,
            role: join.role,
            mutes: Mutes {
                by_moderator: room.is_muted_by_moderator(&join.participant),
                by_participant: false,
            },
            metadata: join.metadata,
            audio_mode: join.audio_mode,
            connection_quality: None,
            level_distrusted: false,
        };
        let answer = negotiated.answer.clone();
        let credentials = negotiated.credentials.clone();
        let participant = Participant::new(
            self.now,
            info.clone(),
            room_key,
            bank,
            negotiated,
            self.template.egress,
        );
        let key = self.participants.insert(participant);
        room.members.insert(join.participant, key);
        self.events
            .push_back(room.changed(RoomEventKind::Joined(info.clone())));
        let revision = room.revision();
        self.demux.add(credentials, key);
        self.timers.set(
            TimerKey::Liveness(key),
            self.now + self.limits.connect_timeout,
        );
        self.serve_session(key);
        Ok(Joined {
            answer,
            participant: info,
            revision,
        })
    }

    fn check_room_for(&self, room: RoomKey, participant: &ParticipantId) -> Result<(), Error> {
        let Room {
            members, settings, ..
        } = &self.rooms[room];
        if members.contains_key(participant) {
            return Err(Error::ParticipantExists);
        }
        let limit = self.limits.participants_per_room;
        let limit = settings
            .max_participants
            .map_or(limit, |own| own.min(limit));
        if members.len() >= limit {
            return Err(Error::ParticipantLimit {
                scope: LimitScope::Room,
                limit,
            });
        }
        let limit = self.limits.participants;
        if self.participants.len() >= limit {
            return Err(Error::ParticipantLimit {
                scope: LimitScope::Worker,
                limit,
            });
        }
        Ok(())
    }

    /// Takes an ICE candidate that a client found after its offer; an empty one means that there will
    /// be no more.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`], [`Error::SessionMismatch`],
    /// [`Error::CandidateMalformed`], [`Error::CandidateLimit`].
    pub fn add_ice_candidate(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
        candidate: &str,
    ) -> Result<(), Error> {
        self.advance(now);
        let key = self.find_participant(room, participant, session)?;
        self.with_session(key, |participant, drained| {
            participant.add_candidate(candidate, drained)
        })
        .unwrap_or(Err(Error::ParticipantNotFound))
    }

    /// Ends a participant's session. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`], [`Error::SessionMismatch`].
    pub fn remove_participant(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
    ) -> Result<Revision, Error> {
        self.advance(now);
        let key = self.find_participant(room, participant, session)?;
        self.end(key, LeaveReason::Removed);
        Ok(self.rooms[self.find_room(room)?].revision())
    }

    /// Every room as it is now.
    pub fn snapshots(&self) -> Vec<RoomSnapshot> {
        self.rooms
            .values()
            .map(|room| self.snapshot(room))
            .collect()
    }

    fn snapshot(&self, room: &Room) -> RoomSnapshot {
        let members = room
            .members
            .values()
            .filter_map(|&key| self.participants.get(key));
        RoomSnapshot {
            room: room.id.clone(),
            revision: room.revision(),
            settings: room.settings.clone(),
            participants: members
                .map(|participant| participant.info.clone())
                .collect(),
        }
    }

    pub(super) fn find_room(&self, id: &RoomId) -> Result<RoomKey, Error> {
        self.rooms_by_id.get(id).copied().ok_or(Error::RoomNotFound)
    }

    pub(super) fn find_participant(
        &self,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
    ) -> Result<ParticipantKey, Error> {
        let room = &self.rooms[self.find_room(room)?];
        let key = *room
            .members
            .get(participant)
            .ok_or(Error::ParticipantNotFound)?;
        let present = self
            .participants
            .get(key)
            .ok_or(Error::ParticipantNotFound)?;
        match session {
            Some(session) if *session != present.info.session => Err(Error::SessionMismatch),
            _ => Ok(key),
        }
    }

    fn close(&mut self, key: RoomKey, reason: LeaveReason) {
        let Some(room) = self.rooms.get(key) else {
            return;
        };
        let members: Vec<ParticipantKey> = room.members.values().copied().collect();
        for member in members {
            self.end(member, reason);
        }
        if let Some(mut room) = self.rooms.remove(key) {
            self.rooms_by_id.remove(&room.id);
            self.timers.cancel(TimerKey::Ranking(key));
            self.events.push_back(room.changed(RoomEventKind::Closed));
        }
    }

    /// Ends a session, whatever the reason: everything that is known of it goes.
    pub(super) fn end(&mut self, key: ParticipantKey, reason: LeaveReason) {
        self.stop_sending(key);
        let Some(mut participant) = self.participants.remove(key) else {
            return;
        };
        let mut farewell = Drained::default();
        participant.close(&mut farewell);
        self.send(&mut farewell);
        self.demux
            .remove(&participant.ufrag, &participant.addresses);
        self.timers.cancel(TimerKey::Session(key));
        self.timers.cancel(TimerKey::Liveness(key));
        self.timers.cancel(TimerKey::Report(key));
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        room.members.remove(&participant.info.participant);
        room.return_csrc(participant.info.csrc);
        room.audience.remove(key);
        room.stage.remove(self.now, key);
        if let Some(bank) = participant.bank {
            room.stage.give_back_bank(bank);
        }
        self.events.push_back(room.changed(RoomEventKind::Left {
            participant: participant.info.participant,
            session: participant.info.session,
            reason,
        }));
    }
}
