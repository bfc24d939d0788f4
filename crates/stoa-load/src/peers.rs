//! A Stoa beside another server: the same played against both on one machine, in turns.
//!
//! Each round has a server of its own, started for it, so that memory is what this round took, and nothing of the
//! other one is in the way. The order turns with each round (S J, J S, S J, ...): what changes with time on a
//! machine meets both alike.

pub(crate) mod figures;
pub(crate) mod html;
pub(crate) mod table;

use serde::Serialize;

use crate::{failure::Failure, play::Options, report::Report};

/// The form of the file. Another number, another form.
const FORMAT: u32 = 1;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Stoa,
    Janus,
}

/// Both.
pub(crate) const SERVERS: [Side; 2] = [Side::Stoa, Side::Janus];

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stoa => "Stoa",
            Self::Janus => "Janus",
        }
    }
}

/// All that was played.
#[derive(Debug, Serialize)]
pub(crate) struct Comparisons {
    format: u32,
    pub(crate) all: Vec<Comparison>,
}

impl Default for Comparisons {
    fn default() -> Self {
        Self {
            format: FORMAT,
            all: Vec::new(),
        }
    }
}

/// One scenario, played by both.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Comparison {
    pub(crate) scenario: String,
    pub(crate) changes: Vec<String>,
    pub(crate) rounds: Vec<Round>,
}

/// One server's turn.
#[derive(Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) side: Side,
    pub(crate) report: Report,
}

impl Comparison {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            scenario: options.name.clone(),
            changes: options.changes.clone(),
            rounds: Vec::new(),
        }
    }

    /// The reports of one server.
    pub(crate) fn of(&self, side: Side) -> Vec<&Report> {
        let rounds = self.rounds.iter().filter(|round| round.side == side);
        rounds.map(|round| &round.report).collect()
    }
}

impl Comparisons {
    fn reports(&self) -> impl Iterator<Item = &Report> {
        let rounds = self.all.iter().flat_map(|comparison| &comparison.rounds);
        rounds.map(|round| &round.report)
    }

    /// Whether all of it is good to compare.
    ///
    /// # Errors
    /// [`Failure::Partial`], [`Failure::NotValid`].
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        let partial = self
            .reports()
            .find_map(|report| report.partial_because.clone());
        if let Some(why) = partial {
            return Err(Failure::Partial(why));
        }
        let invalid = self.reports().filter(|report| !report.valid).count();
        match invalid {
            0 => Ok(()),
            count => Err(Failure::NotValid(format!(
                "{count} of {} rounds: the tester was the bottleneck there",
                self.reports().count()
            ))),
        }
    }
}

/// Whose turn it is, in how many rounds, with the round's number.
pub(crate) fn order(rounds: u32) -> impl Iterator<Item = (u32, Side)> {
    (1..=rounds).flat_map(|round| {
        let [first, second] = SERVERS;
        match round % 2 {
            1 => [(round, first), (round, second)],
            _ => [(round, second), (round, first)],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_take_turns() {
        let sides: Vec<&str> = order(3).map(|(_, side)| side.name()).collect();
        assert_eq!(sides, ["Stoa", "Janus", "Janus", "Stoa", "Stoa", "Janus"]);
    }

    #[test]
    fn a_round_that_is_not_valid_spoils_all() {
        let round = |side, valid| Round {
            side,
            report: Report {
                valid,
                complete: true,
                ..Report::default()
            },
        };
        let comparisons = |valid| Comparisons {
            all: vec![Comparison {
                rounds: vec![round(Side::Stoa, true), round(Side::Janus, valid)],
                ..Comparison::default()
            }],
            ..Comparisons::default()
        };
        assert!(comparisons(true).verdict().is_ok());
        let failure = comparisons(false).verdict().expect_err("one is not");
        assert!(failure.to_string().contains("1 of 2 rounds"), "{failure}");
    }
}
