//! What the control plane asks of the node.

use std::time::Instant;

use rand::Rng;

use super::{Node, TimerKey};
use crate::{
    contain::contain_counting,
    error::{Error, LimitScope, OfferError},
    event::{
        CloseReason, ConnectionState, LeaveReason, ParticipantInfo, RoomEventKind, RoomSnapshot,
    },
    ids::{ParticipantId, Revision, RoomId, SessionId},
    join::{Join, Joined, Prepared},
    keys::{BankKey, ParticipantKey, RoomKey},
    message::{Expected, ToSeat},
    participant::Participant,
    rights::Mutes,
    room::Room,
    seat::Place,
    session::{Session, negotiate::negotiate},
    settings::RoomSettings,
    subscription::Subscription,
};

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
        let (hasher, rng) = (&self.hasher, &mut self.rng);
        let mut room = Room::new(self.now, id.clone(), settings.clone(), hasher, rng);
        room.quota = self.quotas.of(id.tenant());
        let revision = room.revision();
        self.events
            .push_back(room.event(RoomEventKind::Created(settings)));
        let key = self.rooms.insert(room);
        self.rooms_by_id.insert(id, key);
        self.await_end(key);
        Ok(revision)
    }

    /// Ends a room and every session in it.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub fn close_room(&mut self, now: Instant, id: &RoomId) -> Result<(), Error> {
        self.advance(now);
        let key = self.find_room(id)?;
        self.close(key, CloseReason::Closed);
        Ok(())
    }

    /// Ends every room: the node is shutting down.
    pub fn shut_down(&mut self, now: Instant) {
        self.advance(now);
        let keys: Vec<RoomKey> = self.rooms.keys().collect();
        for key in keys {
            self.close(key, CloseReason::NodeShutdown);
        }
    }

    /// Lets somebody in, answers their offer and sets their session up here.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantExists`], [`Error::ParticipantLimit`],
    /// [`Error::SubscriptionLimit`], [`Error::Offer`].
    pub fn join(&mut self, now: Instant, join: Join) -> Result<Joined, Error> {
        self.advance(now);
        let room = self.find_room(&join.room)?;
        match &join.resume {
            Some(session) => {
                self.find_participant(&join.room, &join.participant, Some(session))?;
            }
            None => self.check_room_for(room, &join.participant)?,
        }
        let slots = self.rooms[room].settings.audio_slots.count();
        let (template, mode) = (&self.template, join.audio_mode);
        let (now, rng) = (self.now, &mut self.rng);
        let negotiated = contain_counting(&mut self.stats.panics, || {
            negotiate(template, now, rng, &join.offer, slots, mode)
        })??;
        let egress = template.egress;
        let prepared = Prepared::new(negotiated, self.worker, |negotiated| {
            Place::Here(Box::new(Session::new(negotiated, egress)))
        });
        self.admit(now, join, prepared)
    }

    /// Lets somebody in whose offer a lobby has answered ([`Lobby::prepare`](crate::Lobby::prepare)). If it
    /// is refused, the lobby is told.
    ///
    /// # Errors
    /// As [`Node::join`].
    pub fn admit(&mut self, now: Instant, join: Join, prepared: Prepared) -> Result<Joined, Error> {
        self.advance(now);
        let ticket = prepared.ticket();
        let admitted = self.try_admit(join, prepared);
        if let (Err(_), Some(ticket)) = (&admitted, ticket) {
            self.abandon(ticket);
        }
        admitted
    }

    /// Forgets somebody whose offer a lobby has answered, and who is not admitted after all.
    pub fn turn_away(&mut self, prepared: Prepared) {
        if let Some(ticket) = prepared.ticket() {
            self.abandon(ticket);
        }
    }

    fn try_admit(&mut self, mut join: Join, prepared: Prepared) -> Result<Joined, Error> {
        if let Some(session) = join.resume.take() {
            return self.admit_again(&join, &session, prepared);
        }
        let room_key = self.find_room(&join.room)?;
        self.check_room_for(room_key, &join.participant)?;
        let bank = self.bank_for(room_key, &prepared, &join.subscription)?;
        let room = &mut self.rooms[room_key];
        let info = ParticipantInfo {
            session: SessionId::from_random(self.rng.random()),
            display_name: join.display_name,
            csrc: room.take_csrc(&mut self.rng),
            state: ConnectionState::Connecting,
            role: join.role,
            mutes: Mutes {
                by_moderator: room.is_muted_by_moderator(&join.participant),
                by_participant: false,
            },
            metadata: join.metadata,
            audio_mode: join.audio_mode,
            connection_quality: None,
            level_distrusted: false,
            participant: join.participant,
        };
        self.timers.cancel(TimerKey::Empty(room_key));
        let told = RoomEventKind::Joined(info.clone());
        Ok(self.take_in(
            (room_key, info, told),
            (bank, join.subscription, join.may_publish),
            prepared,
        ))
    }

    /// The slots that a client of this offer hears, if it listens.
    ///
    /// # Errors
    /// [`Error::Offer`] if it has more lines than the room has slots; [`Error::SubscriptionLimit`].
    pub(super) fn bank_for(
        &mut self,
        room: RoomKey,
        prepared: &Prepared,
        choice: &Subscription,
    ) -> Result<Option<BankKey>, Error> {
        let room = &mut self.rooms[room];
        let (offered, slots) = (prepared.offered, room.settings.audio_slots.count());
        if offered > slots {
            return Err(OfferError::TooManyAudioLines { offered, slots }.into());
        }
        match prepared.lines {
            0 => Ok(None),
            lines => {
                let stage = &mut room.stage;
                let bank = stage.take_bank(self.now, choice, lines, &mut self.rng)?;
                Ok(Some(bank))
            }
        }
    }

    /// Takes somebody in, by a session that is to have its seat where it was prepared for, and tells of it.
    pub(super) fn take_in(
        &mut self,
        (room_key, info, told): (RoomKey, ParticipantInfo, RoomEventKind),
        (bank, choice, may_publish): (Option<BankKey>, Subscription, bool),
        prepared: Prepared,
    ) -> Joined {
        let Prepared {
            answer,
            credentials,
            lines,
            has_microphone,
            seat,
            place,
            ..
        } = prepared;
        let mut participant =
            Participant::new(info.clone(), room_key, seat, bank, lines, has_microphone);
        participant.choice = choice;
        participant.may_publish = may_publish;
        let key = self.participants.insert(participant);
        let room = &mut self.rooms[room_key];
        room.members.insert(info.participant.clone(), key);
        self.events.push_back(room.changed(told));
        let revision = room.revision();
        let expected = Expected {
            member: self.member(room_key, key),
            bank,
            credentials,
            place,
        };
        self.tell_seat(seat, ToSeat::Expect(Box::new(expected)));
        Joined {
            answer,
            participant: info,
            revision,
        }
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
        self.participants[key].add_candidate(candidate)
    }

    /// Ends a participant's session, for a reason that others are told. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`], [`Error::SessionMismatch`].
    pub fn remove_participant(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
        reason: LeaveReason,
    ) -> Result<Revision, Error> {
        self.advance(now);
        let key = self.find_participant(room, participant, session)?;
        self.end(key, reason);
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
}
