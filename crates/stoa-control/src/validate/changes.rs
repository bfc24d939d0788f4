//! Changes of rooms and participants: what is to be other, and whether it can be.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use prost_types::{Duration, FieldMask};
use stoa_api::v1;
use stoa_core::{
    AudioMode, AudioSlots, Metadata, MuteSource, ParticipantChange, ParticipantId, Role, RoomId,
    RoomSettings, RoomTimeout, RoomUpdate, SpeakPolicy, SpeechPreroll, Subscription,
    limits::{
        MAX_AUDIO_SLOTS, MAX_ROOM_TIMEOUT, MAX_SPEECH_PREROLL, MAX_SUBSCRIPTION_NAMES,
        MIN_ROOM_TIMEOUT,
    },
};

use super::{Fields, MAX_DISPLAY_NAME_BYTES, Member, member};
use crate::{config::RoomDefaults, errors::Failure};

/// What UpdateParticipant can change.
const PARTICIPANT_PATHS: [&str; 3] = ["display_name", "metadata", "audio_mode"];
/// What UpdateRoom can change.
const ROOM_PATHS: [&str; 7] = [
    "audio_slots",
    "speak_policy",
    "max_participants",
    "metadata",
    "speech_preroll",
    "empty_timeout",
    "idle_timeout",
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

    /// What a microphone carries; none means speech.
    pub(super) fn audio_mode(&mut self, field: &'static str, mode: i32) -> Option<AudioMode> {
        match v1::AudioMode::try_from(mode) {
            Ok(v1::AudioMode::Unspecified | v1::AudioMode::Speech) => Some(AudioMode::Speech),
            Ok(v1::AudioMode::Music) => Some(AudioMode::Music),
            Err(_) => {
                self.wrong(field, format!("{mode} is no mode that this node knows"));
                None
            }
        }
    }

    /// Whom a participant wants to hear; none means everybody.
    pub(super) fn subscription(
        &mut self,
        subscription: Option<&v1::Subscription>,
    ) -> Option<Subscription> {
        let Some(subscription) = subscription else {
            return Some(Subscription::EVERYBODY);
        };
        let field = "subscription.participant_ids";
        let ids = &subscription.participant_ids;
        if ids.len() > MAX_SUBSCRIPTION_NAMES {
            let count = ids.len();
            let why = format!("names {count} participants; it may name {MAX_SUBSCRIPTION_NAMES}");
            self.wrong(field, why);
            return None;
        }
        let ids: Result<_, _> = ids.iter().map(|id| ParticipantId::new(id)).collect();
        let ids = self.take(field, ids)?;
        match v1::SubscriptionMode::try_from(subscription.mode) {
            Ok(v1::SubscriptionMode::Unspecified | v1::SubscriptionMode::AllExcept) => {
                self.take(field, Subscription::all_except(ids))
            }
            Ok(v1::SubscriptionMode::Only) => self.take(field, Subscription::only(ids)),
            Err(_) => {
                let mode = subscription.mode;
                let why = format!("{mode} is no mode that this node knows");
                self.wrong("subscription.mode", why);
                None
            }
        }
    }

    /// How much is sent along of what was said before a slot was taken; none means the usual.
    fn preroll(&mut self, preroll: Option<&Duration>) -> Option<SpeechPreroll> {
        let Some(preroll) = preroll else {
            return Some(SpeechPreroll::default());
        };
        let preroll = std::time::Duration::try_from(*preroll).ok();
        let wrong = || format!("must be 0 to {} ms", MAX_SPEECH_PREROLL.as_millis());
        let preroll = preroll.and_then(SpeechPreroll::new).ok_or_else(wrong);
        self.take("room.speech_preroll", preroll)
    }

    /// How long a room waits before it ends by itself; none means as the node is configured.
    fn timeout(
        &mut self,
        field: &'static str,
        timeout: Option<&Duration>,
        default: Option<RoomTimeout>,
    ) -> Option<Option<RoomTimeout>> {
        let Some(timeout) = timeout else {
            return Some(default);
        };
        let timeout = std::time::Duration::try_from(*timeout).ok();
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Some(None);
        }
        let (least, days) = (
            MIN_ROOM_TIMEOUT.as_secs(),
            MAX_ROOM_TIMEOUT.as_secs() / 86_400,
        );
        let wrong = || format!("must be 0, or {least} s to {days} days");
        let timeout = timeout.and_then(RoomTimeout::new).ok_or_else(wrong);
        self.take(field, timeout).map(Some)
    }

    fn empty_timeout(
        &mut self,
        room: &v1::Room,
        defaults: &RoomDefaults,
    ) -> Option<Option<RoomTimeout>> {
        let timeout = room.empty_timeout.as_ref();
        self.timeout("room.empty_timeout", timeout, defaults.empty_timeout)
    }

    fn idle_timeout(
        &mut self,
        room: &v1::Room,
        defaults: &RoomDefaults,
    ) -> Option<Option<RoomTimeout>> {
        let timeout = room.idle_timeout.as_ref();
        self.timeout("room.idle_timeout", timeout, defaults.idle_timeout)
    }

    /// The settings that a new room shall have.
    pub(super) fn settings(
        &mut self,
        room: &v1::Room,
        defaults: &RoomDefaults,
    ) -> Option<RoomSettings> {
        let audio_slots = self.audio_slots(room.audio_slots);
        let speak_policy = self.speak_policy(room.speak_policy);
        let metadata = self.metadata("room.metadata", &room.metadata);
        let speech_preroll = self.preroll(room.speech_preroll.as_ref());
        let empty_timeout = self.empty_timeout(room, defaults);
        let idle_timeout = self.idle_timeout(room, defaults);
        Some(RoomSettings {
            audio_slots: audio_slots?,
            speak_policy: speak_policy?,
            max_participants: participants(room.max_participants),
            metadata: metadata?,
            speech_preroll: speech_preroll?,
            empty_timeout: empty_timeout?,
            idle_timeout: idle_timeout?,
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

pub(crate) fn subscription(
    request: &v1::UpdateSubscriptionsRequest,
) -> Result<(Member, ParticipantChange), Failure> {
    let mut fields = Fields::default();
    let (room, who, session) = (
        &request.room_id,
        &request.participant_id,
        &request.session_id,
    );
    let member = member(&mut fields, room, who, session);
    let subscription = fields.subscription(request.subscription.as_ref());
    fields.finish(member.zip(subscription.map(ParticipantChange::Subscription)))
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
    let audio_mode = paths
        .contains(&"audio_mode")
        .then(|| fields.audio_mode("participant.audio_mode", described.audio_mode));
    let change = ParticipantChange::Description {
        display_name,
        metadata: metadata.flatten(),
        audio_mode: audio_mode.flatten(),
    };
    fields.finish(member.map(|member| (member, change)))
}

pub(crate) fn room_update(
    request: &v1::UpdateRoomRequest,
    defaults: &RoomDefaults,
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
            "speech_preroll" => {
                update.speech_preroll = fields.preroll(room.speech_preroll.as_ref());
            }
            "empty_timeout" => update.empty_timeout = fields.empty_timeout(room, defaults),
            "idle_timeout" => update.idle_timeout = fields.idle_timeout(room, defaults),
            // Named above as a path that cannot be changed.
            _ => {}
        }
    }
    fields.finish(id.map(|id| (id, update)))
}

#[cfg(test)]
mod tests;
