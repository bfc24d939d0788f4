//! What is played: strict YAML. docs/load-testing.md is for people who write one.

mod ready;

use std::{collections::HashSet, time::Duration};

use serde::Deserialize;

pub(crate) use self::ready::{READY, ready};
use crate::{network::Network, talk::Manner};

/// How many peers, rooms and groups there may be: what one machine could ever be.
pub(crate) const MOST_PEERS: u64 = 200_000;
const MOST_ROOMS: usize = 20_000;
pub(crate) const MOST_GROUPS: usize = 16;

/// The most slots that a room of Stoa has.
pub(crate) const MOST_SLOTS: u32 = 8;

/// How long a run may be: a week.
pub(crate) const LONGEST: u64 = 7 * 24 * 3_600;

/// A whole scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// What it is for, in a line.
    pub(crate) about: String,
    /// For how long is measured.
    pub(crate) seconds: u64,
    /// How long all are in before that begins.
    #[serde(default = "default_settle")]
    pub(crate) settle_seconds: u64,
    /// How many rooms, all alike.
    #[serde(default = "one")]
    pub(crate) rooms: usize,
    /// How each is.
    #[serde(default)]
    pub(crate) room: Room,
    /// Who is in each.
    pub(crate) groups: Vec<Group>,
    /// More and more come until a limit breaks.
    pub(crate) ramp: Option<Ramp>,
    /// Some leave and others come.
    pub(crate) churn: Option<Churn>,
    /// Some come to the stage and go back.
    pub(crate) moderation: Option<Moderation>,
    /// What is still good.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// How a room is.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Room {
    /// How many are audible at once.
    pub(crate) slots: u32,
    /// Whom it lets speak.
    pub(crate) speak_policy: SpeakPolicy,
}

/// Whom a room lets speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SpeakPolicy {
    Everyone,
    SpeakersOnly,
}

/// Some that are alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// How many in each room.
    pub(crate) count: usize,
    pub(crate) role: Role,
    #[serde(default)]
    pub(crate) talk: Talk,
    /// Of `talk: stage`: how many talk at once.
    pub(crate) at_once: Option<usize>,
    /// Of `talk: stage`: how long somebody's turn is, on average.
    pub(crate) turn_seconds: Option<f64>,
    /// How many come each second, in all rooms together.
    #[serde(default = "default_rate")]
    pub(crate) joins_per_second: f64,
    /// When they come.
    #[serde(default)]
    pub(crate) joins: Joins,
    /// What is between them and the server, if it is bad.
    pub(crate) network: Option<Network>,
}

/// What somebody is in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Listener,
    Speaker,
    Moderator,
}

/// How those of a group talk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Talk {
    /// Not at all, and nothing is sent.
    #[default]
    Silent,
    /// Without a pause.
    Always,
    /// With each other, after P.59.
    Conversation,
    /// Some at once, in turns.
    Stage,
}

/// When those of a group come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Joins {
    /// Before it is measured.
    #[default]
    Before,
    /// While it is measured.
    During,
}

/// More and more come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ramp {
    pub(crate) group: String,
    /// How many come at each step, in all rooms together.
    pub(crate) step: usize,
    /// How long a step is measured after they have come.
    pub(crate) hold_seconds: u64,
    /// At how many it ends without a knee.
    pub(crate) most: usize,
}

/// Some leave and others come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Churn {
    pub(crate) group: String,
    /// How many leave each second, each followed by one who comes.
    pub(crate) per_second: f64,
    /// How many of 100 are cut off and come back as who they are, instead of leaving.
    #[serde(default)]
    pub(crate) reconnect_percent: f64,
}

/// Some come to the stage and go back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Moderation {
    pub(crate) group: String,
    /// How many are promoted each second, one after the other.
    pub(crate) per_second: f64,
}

/// What is still good. What is worse breaks a ramp, and is said of any run.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// How many of 100 packets may be lost.
    pub(crate) loss_percent: f64,
    /// What 99 of 100 packets may take.
    pub(crate) latency_p99_ms: f64,
    /// How much audio a listener may miss in each minute.
    pub(crate) gap_ms_per_minute: f64,
    /// How far behind the fastest a packet may be, to be played.
    pub(crate) late_after_ms: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            slots: 3,
            speak_policy: SpeakPolicy::Everyone,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            loss_percent: 0.5,
            latency_p99_ms: 50.0,
            gap_ms_per_minute: 300.0,
            late_after_ms: 100,
        }
    }
}

impl Limits {
    /// From when on a packet is too late to be played.
    pub(crate) fn late_after(&self) -> Duration {
        Duration::from_millis(self.late_after_ms)
    }
}

fn default_settle() -> u64 {
    3
}

fn one() -> usize {
    1
}

fn default_rate() -> f64 {
    50.0
}

/// Why a text is no scenario.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioError {
    #[error("{0}")]
    Yaml(#[from] serde_yaml::Error),
    #[error("{place}: {why}")]
    Value { place: String, why: String },
}

fn wrong(place: impl Into<String>, why: impl Into<String>) -> ScenarioError {
    ScenarioError::Value {
        place: place.into(),
        why: why.into(),
    }
}

impl Scenario {
    /// Reads one.
    ///
    /// # Errors
    /// [`ScenarioError`] with the place.
    pub(crate) fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = serde_yaml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Looks whether it can be played.
    pub(crate) fn check(&self) -> Result<(), ScenarioError> {
        if !(1..=LONGEST).contains(&self.seconds) || self.settle_seconds > LONGEST {
            return Err(wrong("seconds", format!("must be 1 to {LONGEST}")));
        }
        if !(1..=MOST_ROOMS).contains(&self.rooms) {
            return Err(wrong("rooms", format!("must be 1 to {MOST_ROOMS}")));
        }
        if !(1..=MOST_SLOTS).contains(&self.room.slots) {
            return Err(wrong("room.slots", format!("must be 1 to {MOST_SLOTS}")));
        }
        if !(1..=MOST_GROUPS).contains(&self.groups.len()) {
            return Err(wrong("groups", format!("must be 1 to {MOST_GROUPS}")));
        }
        let mut names = HashSet::new();
        for (index, group) in self.groups.iter().enumerate() {
            group.check(&format!("groups[{index}]"))?;
            if !names.insert(&group.name) {
                let why = format!("there is another group {:?}", group.name);
                return Err(wrong(format!("groups[{index}].name"), why));
            }
        }
        let each: u64 = self.groups.iter().map(|group| group.count as u64).sum();
        let ramped = self.ramp.as_ref().map_or(0, |ramp| ramp.most as u64);
        if each * self.rooms as u64 + ramped > MOST_PEERS {
            return Err(wrong(
                "groups",
                format!("more than {MOST_PEERS} peers in all"),
            ));
        }
        self.check_deeds()
    }

    fn check_deeds(&self) -> Result<(), ScenarioError> {
        if let Some(ramp) = &self.ramp {
            self.group("ramp.group", &ramp.group)?;
            if ramp.step == 0 || ramp.hold_seconds == 0 || ramp.most == 0 {
                return Err(wrong(
                    "ramp",
                    "step, hold_seconds and most must be at least 1",
                ));
            }
        }
        if let Some(churn) = &self.churn {
            self.group("churn.group", &churn.group)?;
            rate("churn.per_second", churn.per_second)?;
            if !(0.0..=100.0).contains(&churn.reconnect_percent) {
                return Err(wrong("churn.reconnect_percent", "must be 0 to 100"));
            }
        }
        if let Some(moderation) = &self.moderation {
            let group = self.group("moderation.group", &moderation.group)?;
            rate("moderation.per_second", moderation.per_second)?;
            let place = "moderation.group";
            if self.groups[group].talk == Talk::Silent {
                return Err(wrong(
                    place,
                    "those who are promoted must talk, or nobody would hear them",
                ));
            }
            if self.groups[group].role != Role::Listener {
                return Err(wrong(place, "those who are promoted must be listeners"));
            }
            if self.room.speak_policy != SpeakPolicy::SpeakersOnly {
                let why = "with `moderation`, it must be speakers_only: else all are heard anyway";
                return Err(wrong("room.speak_policy", why));
            }
        }
        Ok(())
    }

    /// The number of a group that another key names.
    fn group(&self, place: &str, name: &str) -> Result<usize, ScenarioError> {
        let found = self.group_named(name);
        found.ok_or_else(|| wrong(place, format!("there is no group {name:?}")))
    }

    /// The number of a group.
    pub(crate) fn group_named(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name == name)
    }
}

impl Group {
    fn check(&self, place: &str) -> Result<(), ScenarioError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if self.name.is_empty() || self.name.len() > 32 || !self.name.chars().all(plain) {
            let why = "must be 1 to 32 of the characters A-Z, a-z, 0-9, _ and -";
            return Err(wrong(format!("{place}.name"), why));
        }
        rate(&format!("{place}.joins_per_second"), self.joins_per_second)?;
        let is_stage = self.talk == Talk::Stage;
        if !is_stage && (self.at_once.is_some() || self.turn_seconds.is_some()) {
            let why = "at_once and turn_seconds belong to `talk: stage`";
            return Err(wrong(place, why));
        }
        if self.at_once == Some(0) {
            return Err(wrong(format!("{place}.at_once"), "must be at least 1"));
        }
        if self
            .turn_seconds
            .is_some_and(|turn| !(0.1..=86_400.0).contains(&turn))
        {
            return Err(wrong(
                format!("{place}.turn_seconds"),
                "must be 0.1 to 86400",
            ));
        }
        if let Some(network) = &self.network {
            let checked = network.check();
            checked.map_err(|why| wrong(format!("{place}.network"), why))?;
        }
        Ok(())
    }

    /// How they talk, if they do.
    pub(crate) fn manner(&self) -> Option<Manner> {
        match self.talk {
            Talk::Silent => None,
            Talk::Always => Some(Manner::Always),
            Talk::Conversation => Some(Manner::Conversation),
            Talk::Stage => Some(Manner::Stage {
                floors: self.at_once.unwrap_or(3),
                turn: self.turn_seconds.unwrap_or(8.0),
            }),
        }
    }
}

fn rate(place: &str, value: f64) -> Result<(), ScenarioError> {
    match (0.001..=100_000.0).contains(&value) {
        true => Ok(()),
        false => Err(wrong(place, "must be 0.001 to 100000")),
    }
}

#[cfg(test)]
mod tests;
