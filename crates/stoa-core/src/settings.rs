//! What the signalling service sets and may change later: a room's settings, a participant's
//! metadata.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    limits::{
        DEFAULT_AUDIO_SLOTS, DEFAULT_SPEECH_PREROLL, MAX_AUDIO_SLOTS, MAX_METADATA_BYTES,
        MAX_METADATA_ENTRIES, MAX_METADATA_KEY_BYTES, MAX_ROOM_TIMEOUT, MAX_SPEECH_PREROLL,
        MIN_ROOM_TIMEOUT,
    },
    rights::{MuteSource, Role, SpeakPolicy},
    subscription::Subscription,
};

/// Keys and values that the signalling service attaches to a room or a participant. Stoa hands them
/// to watchers and does not interpret them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata(Arc<BTreeMap<String, String>>);

/// Why a map is not metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// There are more than [`MAX_METADATA_ENTRIES`] entries.
    #[error("has {0} entries; at most {MAX_METADATA_ENTRIES} are kept")]
    Entries(usize),
    /// A key is empty or longer than [`MAX_METADATA_KEY_BYTES`].
    #[error("has a key of {0} bytes; keys have 1 to {MAX_METADATA_KEY_BYTES}")]
    Key(usize),
    /// Keys and values together are longer than [`MAX_METADATA_BYTES`].
    #[error("has {0} bytes in all; at most {MAX_METADATA_BYTES} are kept")]
    Bytes(usize),
}

impl Metadata {
    /// Takes the entries if they are within the limits.
    ///
    /// # Errors
    /// [`InvalidMetadata`] says which limit is exceeded.
    pub fn new(entries: BTreeMap<String, String>) -> Result<Self, InvalidMetadata> {
        if entries.len() > MAX_METADATA_ENTRIES {
            return Err(InvalidMetadata::Entries(entries.len()));
        }
        let unfit = |key: &&String| key.is_empty() || key.len() > MAX_METADATA_KEY_BYTES;
        if let Some(key) = entries.keys().find(unfit) {
            return Err(InvalidMetadata::Key(key.len()));
        }
        let bytes = entries
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        if bytes > MAX_METADATA_BYTES {
            return Err(InvalidMetadata::Bytes(bytes));
        }
        Ok(Self(Arc::new(entries)))
    }

    /// The entries, in the order of their keys.
    pub fn entries(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

/// How many speakers a room carries at the same time: 1 to [`MAX_AUDIO_SLOTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AudioSlots(u8);

impl AudioSlots {
    /// Takes the number if it is 1 to [`MAX_AUDIO_SLOTS`].
    pub fn new(count: u32) -> Option<Self> {
        let count = u8::try_from(count).ok()?;
        (1..=MAX_AUDIO_SLOTS)
            .contains(&usize::from(count))
            .then_some(Self(count))
    }

    /// The number.
    pub fn count(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for AudioSlots {
    fn default() -> Self {
        Self(DEFAULT_AUDIO_SLOTS)
    }
}

/// How much of what somebody said before they took a slot is sent along when they take it: up to
/// [`MAX_SPEECH_PREROLL`]. More of their first syllable is heard, and the listeners' jitter buffers absorb
/// the burst, at the price of some delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpeechPreroll(Duration);

impl SpeechPreroll {
    /// Nothing is sent along.
    pub const NONE: Self = Self(Duration::ZERO);

    /// Takes the duration if it is at most [`MAX_SPEECH_PREROLL`].
    pub fn new(duration: Duration) -> Option<Self> {
        (duration <= MAX_SPEECH_PREROLL).then_some(Self(duration))
    }

    /// The duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl Default for SpeechPreroll {
    fn default() -> Self {
        Self(DEFAULT_SPEECH_PREROLL)
    }
}

/// How long a room waits before it is closed because nothing happens in it: [`MIN_ROOM_TIMEOUT`] to
/// [`MAX_ROOM_TIMEOUT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoomTimeout(Duration);

impl RoomTimeout {
    /// Takes the duration if it is [`MIN_ROOM_TIMEOUT`] to [`MAX_ROOM_TIMEOUT`].
    pub fn new(duration: Duration) -> Option<Self> {
        (MIN_ROOM_TIMEOUT..=MAX_ROOM_TIMEOUT)
            .contains(&duration)
            .then_some(Self(duration))
    }

    /// The duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

/// What a participant's microphone carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AudioMode {
    /// A voice: mono, discontinuous transmission, heard when it is among the loudest.
    #[default]
    Speech,
    /// Music: stereo, transmitted without pause. While it is sent and the participant may speak, it
    /// keeps its slot whatever the levels are. Stereo is a matter of the SDP answer and follows the
    /// mode at the join.
    Music,
}

/// What the signalling service decides for a room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomSettings {
    /// How many speakers are audible at the same time.
    pub audio_slots: AudioSlots,
    /// Whom the room lets speak.
    pub speak_policy: SpeakPolicy,
    /// How many participants the room takes, if fewer than the node would. Those who are in when it is
    /// lowered stay.
    pub max_participants: Option<usize>,
    /// The signalling service's own.
    pub metadata: Metadata,
    /// How much of what somebody said before they took a slot is sent along.
    pub speech_preroll: SpeechPreroll,
    /// After how long without anybody in it the room is closed; `None`: it stays.
    pub empty_timeout: Option<RoomTimeout>,
    /// After how long without anybody who is heard the room is closed, whoever is in it; `None`: it stays.
    pub idle_timeout: Option<RoomTimeout>,
}

/// A change of a room's settings; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomUpdate {
    /// [`RoomSettings::audio_slots`].
    pub audio_slots: Option<AudioSlots>,
    /// [`RoomSettings::speak_policy`].
    pub speak_policy: Option<SpeakPolicy>,
    /// [`RoomSettings::max_participants`]; `Some(None)` takes the room's own limit away.
    pub max_participants: Option<Option<usize>>,
    /// [`RoomSettings::metadata`], all of it.
    pub metadata: Option<Metadata>,
    /// [`RoomSettings::speech_preroll`].
    pub speech_preroll: Option<SpeechPreroll>,
    /// [`RoomSettings::empty_timeout`]; `Some(None)` lets the room stay. It counts from when the room
    /// became empty, also where that was before.
    pub empty_timeout: Option<Option<RoomTimeout>>,
    /// [`RoomSettings::idle_timeout`]; `Some(None)` lets the room stay. It counts from when somebody was
    /// last heard, also where that was before.
    pub idle_timeout: Option<Option<RoomTimeout>>,
}

impl RoomSettings {
    /// The settings after the change.
    pub fn updated(&self, update: RoomUpdate) -> Self {
        Self {
            audio_slots: update.audio_slots.unwrap_or(self.audio_slots),
            speak_policy: update.speak_policy.unwrap_or(self.speak_policy),
            max_participants: update.max_participants.unwrap_or(self.max_participants),
            metadata: update.metadata.unwrap_or_else(|| self.metadata.clone()),
            speech_preroll: update.speech_preroll.unwrap_or(self.speech_preroll),
            empty_timeout: update.empty_timeout.unwrap_or(self.empty_timeout),
            idle_timeout: update.idle_timeout.unwrap_or(self.idle_timeout),
        }
    }
}

/// One change of a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParticipantChange {
    /// Another role.
    Role(Role),
    /// A mute, or its end.
    Muted {
        /// Whose mute it is.
        source: MuteSource,
        /// Whether it holds.
        muted: bool,
    },
    /// Another description; what is `None` stays.
    Description {
        /// The name to show.
        display_name: Option<Arc<str>>,
        /// The signalling service's own, all of it.
        metadata: Option<Metadata>,
        /// What their microphone carries. Stereo stays as it was negotiated.
        audio_mode: Option<AudioMode>,
    },
    /// Another choice of whom they hear. It is their own business, and no event.
    Subscription(Subscription),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: usize, key: usize, value: usize) -> BTreeMap<String, String> {
        (0..count)
            .map(|i| (format!("{i:0key$}"), "v".repeat(value)))
            .collect()
    }

    #[test]
    fn metadata_has_limits() {
        assert!(Metadata::new(entries(MAX_METADATA_ENTRIES, 4, 4)).is_ok());
        assert_eq!(
            Metadata::new(entries(MAX_METADATA_ENTRIES + 1, 4, 4)),
            Err(InvalidMetadata::Entries(MAX_METADATA_ENTRIES + 1))
        );
        assert_eq!(
            Metadata::new(entries(1, MAX_METADATA_KEY_BYTES + 1, 0)),
            Err(InvalidMetadata::Key(MAX_METADATA_KEY_BYTES + 1))
        );
        let empty_key = BTreeMap::from([(String::new(), String::new())]);
        assert_eq!(Metadata::new(empty_key), Err(InvalidMetadata::Key(0)));
        assert_eq!(
            Metadata::new(entries(1, 1, MAX_METADATA_BYTES)),
            Err(InvalidMetadata::Bytes(MAX_METADATA_BYTES + 1))
        );
    }

    #[test]
    fn slots_are_one_to_eight() {
        assert_eq!(AudioSlots::new(0), None);
        assert_eq!(AudioSlots::new(8).map(AudioSlots::count), Some(8));
        assert_eq!(AudioSlots::new(9), None);
        assert_eq!(AudioSlots::new(256 + 3), None);
    }

    #[test]
    fn a_room_waits_for_a_second_to_a_week() {
        let tick = Duration::from_nanos(1);
        for (duration, fits) in [
            (MIN_ROOM_TIMEOUT - tick, false),
            (MIN_ROOM_TIMEOUT, true),
            (MAX_ROOM_TIMEOUT, true),
            (MAX_ROOM_TIMEOUT + tick, false),
        ] {
            assert_eq!(RoomTimeout::new(duration).is_some(), fits, "{duration:?}");
        }
    }

    #[test]
    fn a_preroll_is_short() {
        assert!(SpeechPreroll::new(MAX_SPEECH_PREROLL).is_some());
        let longer = MAX_SPEECH_PREROLL + Duration::from_millis(1);
        assert_eq!(SpeechPreroll::new(longer), None);
    }
}
