//! Changes of rooms and participants: what is to be other, and whether it can be.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use prost_types::FieldMask;
use stoa_api::v1;
use stoa_core::{
    AudioSlots, Metadata, MuteSource, ParticipantChange, Role, RoomId, RoomSettings, RoomUpdate,
    SpeakPolicy, limits::MAX_AUDIO_SLOTS,
};

use super::{Fields, MAX_DISPLAY_NAME_BYTES, Member, member};
use crate::errors::Failure;

/// What UpdateParticipant can change.
const PARTICIPANT_PATHS: [&str; 2] = ["display_name", "metadata"];
/// What UpdateRoom can change.
const ROOM_PATHS: [&str; 4] = [
    "audio_slots",
    "speak_policy",
    "max_participants",
    "metadata",
];

impl Fields {
    fn wrong(&mut self, field: &'static str, why: impl Into<String>) {
        self.0.push((field, why.into()));
    }

    /// A role; none means listener.
    pub(super) fn role(&mut self, field: &'static str, role: i32) -> Option<Role> {
        match v1::Role::try_from(role) {
            Ok(v1::Role::Unspecified | v1::Role::Listener) => Some(Role::Listener),
            Ok(v1::Role::Speaker) => Some(Role::Speaker),
            Ok(v1::Role::Moderator) => Some(Role::Moderator),
            Err(_) => {
                self.wrong(field, format!("{role} is no role that this node knows"));
                None
            }
        }
    }

    pub(super) fn metadata(
        &mut self,
        field: &'static str,
        entries: &HashMap<String, String>,
    ) -> Option<Metadata> {
        let entries: BTreeMap<_, _> = entries.clone().into_iter().collect();
        self.take(field, Metadata::new(entries))
    }

    fn audio_slots(&mut self, slots: u32) -> Option<AudioSlots> {
        if slots == 0 {
            return Some(AudioSlots::default());
        }
        let wrong = || format!("is {slots}; a room has 1 to {MAX_AUDIO_SLOTS} slots");
        self.take("room.audio_slots", AudioSlots::new(slots).ok_or_else(wrong))
    }

    fn speak_policy(&mut self, policy: i32) -> Option<SpeakPolicy> {
        match v1::SpeakPolicy::try_from(policy) {
            Ok(v1::SpeakPolicy::Unspecified | v1::SpeakPolicy::Everyone) => {
                Some(SpeakPolicy::Everyone)
            }
            Ok(v1::SpeakPolicy::SpeakersOnly) => Some(SpeakPolicy::SpeakersOnly),
            Err(_) => {
                let why = format!("{policy} is no policy that this node knows");
                self.wrong("room.speak_policy", why);
                None
            }
        }
    }

    /// The settings that a new room shall have.
    pub(super) fn settings(&mut self, room: &v1::Room) -> Option<RoomSettings> {
        let audio_slots = self.audio_slots(room.audio_slots);
        let speak_policy = self.speak_policy(room.speak_policy);
        let metadata = self.metadata("room.metadata", &room.metadata);
        Some(RoomSettings {
            audio_slots: audio_slots?,
            speak_policy: speak_policy?,
            max_participants: participants(room.max_participants),
            metadata: metadata?,
        })
    }

    /// The paths of a mask, if there are some and all are known.
    fn mask<'a>(&mut self, mask: Option<&'a FieldMask>, known: &[&str]) -> Vec<&'a str> {
        let paths: Vec<&str> = mask
            .map(|mask| mask.paths.iter().map(String::as_str).collect())
            .unwrap_or_default();
        let can_be = known.join(", ");
        if paths.is_empty() {
            self.wrong(
                "update_mask",
                format!("is empty; it names what to change: {can_be}"),
            );
        }
        if let Some(unknown) = paths.iter().find(|path| !known.contains(path)) {
            let why = format!("has {unknown:?}, which cannot be changed; what can be: {can_be}");
            self.wrong("update_mask", why);
        }
        paths
    }
}

/// 0 stands for no limit of the room's own.
fn participants(max: u32) -> Option<usize> {
    (max > 0).then_some(usize::try_from(max).unwrap_or(usize::MAX))
}

pub(crate) fn set_role(
    request: &v1::SetRoleRequest,
) -> Result<(Member, ParticipantChange), Failure> {
    let mut fields = Fields::default();
    let (room, who, session) = (
        &request.room_id,
        &request.participant_id,
        &request.session_id,
    );
    let member = member(&mut fields, room, who, session);
    let role = match request.role() {
        v1::Role::Unspecified if request.role == 0 => {
            fields.wrong("role", "is not given; it must be a role");
            None
        }
        _ => fields.role("role", request.role),
    };
    fields.finish(member.zip(role.map(ParticipantChange::Role)))
}

pub(crate) fn set_muted(
    request: &v1::SetMutedRequest,
) -> Result<(Member, ParticipantChange), Failure> {
    let mut fields = Fields::default();
    let (room, who, session) = (
        &request.room_id,
        &request.participant_id,
        &request.session_id,
    );
    let member = member(&mut fields, room, who, session);
    let source = match v1::MuteSource::try_from(request.source) {
        Ok(v1::MuteSource::Moderator) => Some(MuteSource::Moderator),
        Ok(v1::MuteSource::Participant) => Some(MuteSource::Participant),
        Ok(v1::MuteSource::Unspecified) | Err(_) => {
            fields.wrong(
                "source",
                "must say whose mute it is: a moderator's or their own",
            );
            None
        }
    };
    let muted = request.muted;
    let change = source.map(|source| ParticipantChange::Muted { source, muted });
    fields.finish(member.zip(change))
}

pub(crate) fn update_participant(
    request: &v1::UpdateParticipantRequest,
) -> Result<(Member, ParticipantChange), Failure> {
    let mut fields = Fields::default();
    let nobody = v1::Participant::default();
    let described = request.participant.as_ref().unwrap_or(&nobody);
    let (who, session) = (&described.participant_id, &described.session_id);
    let member = member(&mut fields, &request.room_id, who, session);
    let paths = fields.mask(request.update_mask.as_ref(), &PARTICIPANT_PATHS);
    let display_name = paths.contains(&"display_name").then(|| {
        let name = &described.display_name;
        fields.at_most("participant.display_name", name, MAX_DISPLAY_NAME_BYTES);
        Arc::from(name.as_str())
    });
    // The outer option is whether it is to be changed, the inner one whether it can be.
    let metadata = paths
        .contains(&"metadata")
        .then(|| fields.metadata("participant.metadata", &described.metadata));
    let change = ParticipantChange::Description {
        display_name,
        metadata: metadata.flatten(),
    };
    fields.finish(member.map(|member| (member, change)))
}

pub(crate) fn room_update(
    request: &v1::UpdateRoomRequest,
) -> Result<(RoomId, RoomUpdate), Failure> {
    let mut fields = Fields::default();
    let none = v1::Room::default();
    let room = request.room.as_ref().unwrap_or(&none);
    let id = fields.take("room.room_id", RoomId::new(&room.room_id));
    let paths = fields.mask(request.update_mask.as_ref(), &ROOM_PATHS);
    let mut update = RoomUpdate::default();
    for path in paths {
        match path {
            "audio_slots" => update.audio_slots = fields.audio_slots(room.audio_slots),
            "speak_policy" => update.speak_policy = fields.speak_policy(room.speak_policy),
            "max_participants" => {
                update.max_participants = Some(participants(room.max_participants));
            }
            "metadata" => update.metadata = fields.metadata("room.metadata", &room.metadata),
            // Named above as a path that cannot be changed.
            _ => {}
        }
    }
    fields.finish(id.map(|id| (id, update)))
}

#[cfg(test)]
mod tests;
