//! What must hold in every run, whatever happened in it.
//!
//! An oracle looks at a [`History`] and says what is wrong with it. It may be asked at any moment of
//! a run, and again later. It knows nothing of how the node works: what it is told is what the
//! clients heard, what the network did, and what the signalling service had decided.

pub mod endings;
pub mod events;
pub mod leftovers;
pub mod limits;
mod nonces;
mod slots;
mod streams;
mod voices;

use std::{fmt, time::Duration};

use crate::{Net, history::History};

pub use self::{
    nonces::no_nonce_is_used_twice,
    slots::no_more_voices_than_slots,
    streams::{changes_of_voice, lines_are_continuous_streams},
    voices::{
        all_hear, nobody_hears_after_leaving, nobody_hears_another_room,
        nobody_hears_anything_twice, nobody_hears_themselves, nobody_hears_who_may_not_speak,
        nobody_hears_whom_they_do_not_want, packets_name_their_speaker, what_arrives_is_heard,
    },
};

/// A rule that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Nobody hears somebody who may not speak, from the moment at which the call returns that takes
    /// the right away. What the node had sent before is still under way.
    MaySpeak,
    /// Nobody hears themselves.
    OwnVoice,
    /// Nobody hears somebody in another room.
    OwnRoom,
    /// Nobody hears somebody whom they do not want to hear, from the moment at which the call returns
    /// that says so.
    Choice,
    /// Nobody hears the same packet twice.
    Once,
    /// Nobody is sent anything after they have left.
    Presence,
    /// A packet that arrives can be decrypted and heard.
    Intact,
    /// Each packet names its speaker, and nobody else, as contributing source.
    Speaker,
    /// Each line of a listener is one RTP stream: one SSRC, numbers without a gap but for what the
    /// network lost, times that follow the wall clock, and a marker at a change of voice.
    Stream,
    /// A listener hears no more voices at one time than the room has slots.
    Slots,
    /// No table, queue or count of a node is beyond its limit.
    Limits,
    /// For one key, no SSRC and index are used twice (RFC 3711, section 9.1).
    Nonce,
    /// The events of a room are numbered without a gap, and tell what a snapshot tells.
    Events,
    /// A room that is empty ends when its time is over, and none ends by itself without such a time.
    Endings,
    /// Of those who have left, and of rooms that are closed, nothing stays.
    Leftovers,
    /// Whoever may speak, and is not out of reach, is heard.
    Heard,
    /// Nothing panics and nothing stands still.
    Alive,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaySpeak => "nobody hears who may not speak",
            Self::OwnVoice => "nobody hears themselves",
            Self::OwnRoom => "rooms never mix",
            Self::Choice => "nobody hears whom they do not want",
            Self::Once => "nobody hears anything twice",
            Self::Presence => "nobody hears after leaving",
            Self::Intact => "what arrives is heard",
            Self::Speaker => "packets name their speaker",
            Self::Stream => "a line is one continuous stream",
            Self::Slots => "no more voices than slots",
            Self::Limits => "everything has its limit",
            Self::Nonce => "no nonce is used twice",
            Self::Events => "events tell the whole story",
            Self::Endings => "rooms end in time",
            Self::Leftovers => "nothing is left",
            Self::Heard => "who may speak is heard",
            Self::Alive => "the run goes on",
        })
    }
}

/// A rule was broken, when and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// When, since the beginning of the run.
    pub at: Duration,
    /// How, for people.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at.as_secs_f64();
        write!(f, "at {seconds:.4} s: {}: {}", self.rule, self.what)
    }
}

/// One oracle.
pub type Oracle = fn(&History) -> Vec<Violation>;

/// All oracles that judge a history.
pub const ALL: [Oracle; 11] = [
    nobody_hears_who_may_not_speak,
    nobody_hears_themselves,
    nobody_hears_another_room,
    nobody_hears_whom_they_do_not_want,
    nobody_hears_anything_twice,
    nobody_hears_after_leaving,
    what_arrives_is_heard,
    packets_name_their_speaker,
    lines_are_continuous_streams,
    no_more_voices_than_slots,
    no_nonce_is_used_twice,
];

/// Asks all oracles, also about the events of the node. What was forgotten
/// ([`Net::forget_heard`](crate::Net::forget_heard)) is not judged.
pub fn judge(net: &Net) -> Vec<Violation> {
    let history = net.history();
    let mut violations: Vec<_> = ALL.iter().flat_map(|oracle| oracle(&history)).collect();
    violations.extend(events::tell_all(&net.events, net.node.snapshots()));
    violations.extend(endings::in_time(&net.events));
    violations.sort_by_key(|violation| violation.at);
    violations
}

/// Fails if any oracle finds anything.
///
/// # Panics
/// With what they found.
pub fn assert_holds(net: &Net) {
    assert_none(&judge(net));
}

/// Fails if there is a violation.
///
/// # Panics
/// With the first few of them.
pub fn assert_none(violations: &[Violation]) {
    let first: Vec<String> = violations.iter().take(8).map(ToString::to_string).collect();
    assert!(
        violations.is_empty(),
        "{} violations:\n{}",
        violations.len(),
        first.join("\n")
    );
}

#[cfg(test)]
mod tests;
