//! What the control plane changes about rooms and participants that exist.

use std::time::Instant;

use super::Node;
use crate::{
    error::Error,
    event::{ParticipantInfo, RoomEventKind},
    ids::{ParticipantId, Revision, RoomId, SessionId},
    keys::ParticipantKey,
    rights::MuteSource,
    settings::{ParticipantChange, RoomUpdate},
};

impl Node {
    /// Changes a participant. When this returns, they are heard or not as it says; a change that
    /// changes nothing is no event. Returns the room's revision right after.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`], [`Error::SessionMismatch`],
    /// [`Error::MuteLimit`].
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
        if let ParticipantChange::Muted {
            source: MuteSource::Moderator,
            muted,
        } = change
        {
            let room = self.find_room(room)?;
            self.rooms[room].set_muted_by_moderator(participant, muted)?;
        }
        self.describe(key, |info| match change {
            ParticipantChange::Role(role) => info.role = role,
            ParticipantChange::Muted { source, muted } => *info.mutes.of(source) = muted,
            ParticipantChange::Description {
                display_name,
                metadata,
            } => {
                if let Some(display_name) = display_name {
                    info.display_name = display_name;
                }
                if let Some(metadata) = metadata {
                    info.metadata = metadata;
                }
            }
        })
    }

    /// Changes how a participant is described, and what follows of it.
    fn describe(
        &mut self,
        key: ParticipantKey,
        change: impl FnOnce(&mut ParticipantInfo),
    ) -> Result<Revision, Error> {
        let participant = self
            .participants
            .get_mut(key)
            .ok_or(Error::ParticipantNotFound)?;
        let room = &mut self.rooms[participant.room];
        let before = participant.info.clone();
        change(&mut participant.info);
        if participant.info == before {
            return Ok(room.revision());
        }
        let event = room.changed(RoomEventKind::Updated(participant.info.clone()));
        let revision = event.revision;
        self.events.push_back(event);
        self.apply_rights(key);
        Ok(revision)
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
        if before.audio_slots != settings.audio_slots {
            room.stage.resize(self.now, settings.audio_slots.count());
        }
        let event = room.changed(RoomEventKind::RoomUpdated(settings.clone()));
        let revision = event.revision;
        self.events.push_back(event);
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
