//! Levels and gates: when something is refused, and when it is taken again.

use super::{
    CapacitySettings,
    load::{Loads, Resource},
};

/// How far saturation has to fall below a limit before what was refused is taken again.
pub(super) const HYSTERESIS: f64 = 0.05;

/// How full a node or a worker is, and so what is still taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything is taken.
    #[default]
    Normal,
    /// No new rooms.
    Soft,
    /// No new rooms and listeners.
    Hard,
    /// No new rooms and participants.
    Full,
}

impl Level {
    /// As in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Soft => "soft",
            Self::Hard => "hard",
            Self::Full => "full",
        }
    }
}

/// The limits of saturation at which levels begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) soft: f64,
    pub(super) hard: f64,
}

impl Limits {
    pub(super) fn of(settings: &CapacitySettings) -> Self {
        Self {
            soft: settings.soft_ratio,
            hard: settings.hard_ratio,
        }
    }

    /// Half of what the hard limit leaves is for those who speak.
    pub(super) fn full(self) -> f64 {
        self.hard.midpoint(1.0)
    }

    fn begin(self, level: Level) -> f64 {
        match level {
            Level::Normal => 0.0,
            Level::Soft => self.soft,
            Level::Hard => self.hard,
            Level::Full => self.full(),
        }
    }

    /// The level of something that is saturated so much. It goes up at once and down when saturation has
    /// fallen clearly below where the level begins.
    pub(super) fn level(self, before: Level, ratio: f64) -> Level {
        let levels = [Level::Full, Level::Hard, Level::Soft];
        let is_at = |level: &Level| {
            let begin = self.begin(*level);
            let is_left = *level <= before && ratio < begin - HYSTERESIS;
            ratio >= begin || (*level <= before && !is_left)
        };
        levels.into_iter().find(is_at).unwrap_or_default()
    }
}

/// Through it go those of one kind who are new, as long as there is room for them below a limit of saturation.
#[derive(Debug)]
pub(super) struct Gate {
    limit: f64,
    pub(super) is_closed: bool,
    /// How many people there may be on the node.
    pub(super) allowed: usize,
    /// What there is least of.
    pub(super) resource: Resource,
}

impl Gate {
    pub(super) fn new(limit: f64) -> Self {
        Self {
            limit,
            is_closed: false,
            allowed: usize::MAX,
            resource: Resource::Workers,
        }
    }

    /// Another limit, from the next measurement on.
    pub(super) fn set_limit(&mut self, limit: f64) {
        self.limit = limit;
    }

    /// While it is closed one may come for one who leaves, and no more: the noise of a measurement lets
    /// nobody in.
    pub(super) fn measure(&mut self, people: usize, loads: &Loads) {
        let (room, resource) = loads.room(self.limit);
        self.resource = resource;
        let allowed = people.saturating_add(room);
        let is_clear = loads.room(self.limit - HYSTERESIS).0 > 0;
        self.allowed = match self.is_closed && !is_clear {
            true => self.allowed.min(allowed),
            false => allowed,
        };
        self.is_closed = room == 0 || (self.is_closed && !is_clear);
    }
}
