//! What the control plane changes about rooms and participants that exist.

use std::{sync::Arc, time::Instant};

use super::Node;
use crate::{
    error::Error,
    event::{ParticipantInfo, RoomEventKind},
    ids::{ParticipantId, Revision, RoomId, SessionId},
    keys::ParticipantKey,
    message::ToSeat,
    rights::MuteSource,
    settings::{ParticipantChange, RoomUpdate},
    subscription::Subscription,
};

impl Node {
    /// Changes a participant. When this returns, they are heard or not as it says; a change that
    /// changes nothing is no event. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`], [`Error::SessionMismatch`],
    /// [`Error::MuteLimit`], [`Error::SubscriptionLimit`].
    pub fn change_participant(
        &mut self,
        now: Instant,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
        change: ParticipantChange,
    ) -> Result<Revision, Error> {
        self.advance(now);
        let key = self.find_participant(room, participant, session)?;
        match change {
            ParticipantChange::Role(role) => self.describe(key, |info| info.role = role),
            ParticipantChange::Muted { source, muted } => {
                if source == MuteSource::Moderator {
                    let room = self.find_room(room)?;
                    self.rooms[room].set_muted_by_moderator(participant, muted)?;
                }
                self.describe(key, |info| *info.mutes.of(source) = muted);
            }
            ParticipantChange::Description {
                display_name,
                metadata,
                audio_mode,
            } => self.describe(key, |info| {
                info.display_name = display_name.unwrap_or_else(|| Arc::clone(&info.display_name));
                info.metadata = metadata.unwrap_or_else(|| info.metadata.clone());
                info.audio_mode = audio_mode.unwrap_or(info.audio_mode);
            }),
            ParticipantChange::Subscription(subscription) => self.subscribe(key, &subscription)?,
        }
        Ok(self.rooms[self.find_room(room)?].revision())
    }

    /// Changes how a participant is described, and what follows of it. A change that changes nothing is
    /// no event.
    pub(super) fn describe(
        &mut self,
        key: ParticipantKey,
        change: impl FnOnce(&mut ParticipantInfo),
    ) {
        let Some(participant) = self.participants.get_mut(key) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        let before = participant.info.clone();
        change(&mut participant.info);
        if !participant.may_speak(room.settings.speak_policy) {
            // Who is not heard claims nothing.
            participant.info.level_distrusted = false;
        }
        if participant.info == before {
            return;
        }
        let event = room.changed(RoomEventKind::Updated(participant.info.clone()));
        self.events.push_back(event);
        self.apply_rights(key);
    }

    /// Gives a listener the slots of another choice.
    fn subscribe(&mut self, key: ParticipantKey, choice: &Subscription) -> Result<(), Error> {
        let participant = self
            .participants
            .get_mut(key)
            .ok_or(Error::ParticipantNotFound)?;
        let lines = participant.lines;
        if lines == 0 {
            // Who hears nobody has nothing to choose.
            return Ok(());
        }
        let (room_key, seat) = (participant.room, participant.seat);
        let room = &mut self.rooms[room_key];
        let bank = room
            .stage
            .take_bank(self.now, choice, lines, &mut self.rng)?;
        let hears = participant.hears();
        let before = participant.bank.replace(bank);
        if hears {
            room.stage.ceases_to_hear(before);
            room.stage.starts_to_hear(Some(bank));
        }
        participant.choice = choice.clone();
        let member = self.member(room_key, key);
        self.tell_seat(seat, ToSeat::Listen { member, bank });
        if let Some(before) = before {
            self.rooms[room_key].stage.give_back_bank(before);
        }
        Ok(())
    }

    /// Changes a room's settings. Those who are in stay; who may speak by the new settings and who may
    /// not is settled when this returns. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub fn update_room(
        &mut self,
        now: Instant,
        room: &RoomId,
        update: RoomUpdate,
    ) -> Result<Revision, Error> {
        self.advance(now);
        let key = self.find_room(room)?;
        let room = &mut self.rooms[key];
        let settings = room.settings.updated(update);
        if room.settings == settings {
            return Ok(room.revision());
        }
        let before = std::mem::replace(&mut room.settings, settings.clone());
        room.stage.set(self.now, &settings);
        let event = room.changed(RoomEventKind::RoomUpdated(settings.clone()));
        let revision = event.revision;
        self.events.push_back(event);
        if before.empty_timeout != settings.empty_timeout
            || before.idle_timeout != settings.idle_timeout
        {
            self.await_end(key);
        }
        if before.speak_policy != settings.speak_policy {
            // The one change that concerns everybody.
            let members: Vec<ParticipantKey> = self.rooms[key].members.values().copied().collect();
            for member in members {
                self.apply_rights(member);
            }
        }
        Ok(revision)
    }
}
