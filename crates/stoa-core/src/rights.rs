//! Who may be heard: a role, the room's policy, and two kinds of mute.

/// What somebody is in a room. Stoa enforces who may speak; what else a moderator may do is for the
/// signalling service, which makes the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Role {
    /// Listens. Heard only where the room lets everyone speak.
    #[default]
    Listener,
    /// Speaks.
    Speaker,
    /// Speaks, and is shown to others as who leads the room.
    Moderator,
}

/// Whom a room lets speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SpeakPolicy {
    /// Everyone, whatever their role.
    #[default]
    Everyone,
    /// Speakers and moderators.
    SpeakersOnly,
}

/// Whose mute it is. The two are independent: each is taken back only by who set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MuteSource {
    /// A moderator's: it stays with the participant's name for as long as the room exists, through
    /// leaving and joining again.
    Moderator,
    /// The participant's own: it ends when they leave, and stays with them when they come back by another
    /// session ([`Join::resume`](crate::Join::resume)).
    Participant,
}

/// The mutes of one participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mutes {
    /// [`MuteSource::Moderator`].
    pub by_moderator: bool,
    /// [`MuteSource::Participant`].
    pub by_participant: bool,
}

impl Mutes {
    /// Whether any holds.
    pub fn any(self) -> bool {
        self.by_moderator || self.by_participant
    }

    /// The one that the source speaks of.
    pub(crate) fn of(&mut self, source: MuteSource) -> &mut bool {
        match source {
            MuteSource::Moderator => &mut self.by_moderator,
            MuteSource::Participant => &mut self.by_participant,
        }
    }
}

/// Whether somebody is to be heard.
pub(crate) fn may_speak(policy: SpeakPolicy, role: Role, mutes: Mutes) -> bool {
    !mutes.any() && (policy == SpeakPolicy::Everyone || role >= Role::Speaker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_of_either_kind_silences_and_a_role_does_not_undo_it() {
        let (free, moderated) = (
            Mutes::default(),
            Mutes {
                by_moderator: true,
                by_participant: false,
            },
        );
        assert!(may_speak(SpeakPolicy::Everyone, Role::Listener, free));
        assert!(!may_speak(SpeakPolicy::SpeakersOnly, Role::Listener, free));
        assert!(may_speak(SpeakPolicy::SpeakersOnly, Role::Speaker, free));
        for role in [Role::Listener, Role::Speaker, Role::Moderator] {
            assert!(!may_speak(SpeakPolicy::Everyone, role, moderated));
        }
    }
}
