//! Who talks when.
//!
//! **A conversation** follows ITU-T Recommendation P.59 (Artificial conversational speech, 1993): one talks
//! alone, two talk at once, or nobody talks, each for a time that is distributed exponentially with the means
//! below; after one alone comes double talk in 40 of 100 cases and silence otherwise, and each of the two
//! parties is as likely to go on after that. P.59 is of two parties. Here are two or more: whoever comes in,
//! into silence or into somebody's words, is any one of the others.
//!
//! **On a stage** there are so many floors. Whoever has one talks with the pauses of a monologue, P.59's times
//! alone and of silence, for a turn, and somebody else has it then.

use std::time::Duration;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// P.59's mean times, in seconds: one alone, two at once, nobody.
const ALONE: f64 = 0.854;
const BOTH: f64 = 0.226;
const NOBODY: f64 = 0.456;

/// How often somebody else comes in before one has ended.
const DOUBLE_TALK: f64 = 0.40;

/// How a room's talkers share the time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Manner {
    /// All talk, without a pause.
    Always,
    /// P.59.
    Conversation,
    /// So many at once, in turns of this mean length in seconds.
    Stage { floors: usize, turn: f64 },
}

/// Who talks in one room. The same seed gives the same talk, so each of the talkers has their own copy and
/// nobody has to be told.
#[derive(Debug)]
pub(crate) struct Talk {
    random: StdRng,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Always,
    Conversation(Conversation),
    Stage {
        talkers: usize,
        turn: f64,
        floors: Vec<Floor>,
    },
}

#[derive(Debug)]
struct Conversation {
    talkers: usize,
    /// One, two or none.
    talking: Vec<usize>,
    /// Who talked last.
    last: usize,
    until: f64,
}

#[derive(Debug)]
struct Floor {
    holder: usize,
    talks: bool,
    until: f64,
    turn_ends: f64,
}

impl Talk {
    /// The talk of so many, from its beginning on.
    pub(crate) fn new(manner: Manner, talkers: usize, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let kind = match manner {
            Manner::Always => Kind::Always,
            Manner::Conversation if talkers < 2 => Kind::Stage {
                talkers,
                turn: f64::INFINITY,
                floors: floors(1.min(talkers), f64::INFINITY, &mut random),
            },
            Manner::Conversation => Kind::Conversation(Conversation {
                talkers,
                talking: Vec::new(),
                last: random.random_range(0..talkers),
                until: 0.0,
            }),
            Manner::Stage {
                floors: count,
                turn,
            } => Kind::Stage {
                talkers,
                turn,
                floors: floors(count.min(talkers), turn, &mut random),
            },
        };
        Self { random, kind }
    }

    /// Whether it has talk-spurts, with a beginning that can be missed.
    pub(crate) fn has_spurts(&self) -> bool {
        !matches!(self.kind, Kind::Always)
    }

    /// Whether one of them talks at this time since the beginning, which never goes back.
    pub(crate) fn talks(&mut self, who: usize, at: Duration) -> bool {
        let at = at.as_secs_f64();
        match &mut self.kind {
            Kind::Always => true,
            Kind::Conversation(conversation) => {
                while conversation.until <= at {
                    conversation.step(&mut self.random);
                }
                conversation.talking.contains(&who)
            }
            Kind::Stage {
                talkers,
                turn,
                floors,
            } => {
                // One step after the other over all floors, so that every copy draws in the same order.
                while let Some(next) = earliest(floors, at) {
                    step(floors, next, *talkers, *turn, &mut self.random);
                }
                let mut floors = floors.iter();
                floors.any(|floor| floor.talks && floor.holder == who)
            }
        }
    }
}

impl Conversation {
    fn step(&mut self, random: &mut StdRng) {
        let mean = match self.talking[..] {
            [] => {
                let next = match random.random_bool(0.5) {
                    true => self.last,
                    false => self.other(random),
                };
                self.talking.push(next);
                ALONE
            }
            [one] => {
                self.last = one;
                match random.random_bool(DOUBLE_TALK) {
                    true => {
                        let other = self.other(random);
                        self.talking.push(other);
                        BOTH
                    }
                    false => {
                        self.talking.clear();
                        NOBODY
                    }
                }
            }
            _ => {
                let ends = usize::from(random.random_bool(0.5));
                self.talking.remove(ends);
                ALONE
            }
        };
        self.until += exponential(mean, random);
    }

    /// Anybody but the last one.
    fn other(&self, random: &mut StdRng) -> usize {
        (self.last + random.random_range(1..self.talkers)) % self.talkers
    }
}

fn floors(count: usize, turn: f64, random: &mut StdRng) -> Vec<Floor> {
    let floor = |holder| Floor {
        holder,
        talks: false,
        until: 0.0,
        turn_ends: exponential(turn, random),
    };
    (0..count).map(floor).collect()
}

/// The floor whose next change comes first, if that is due.
fn earliest(floors: &[Floor], at: f64) -> Option<usize> {
    let due = floors
        .iter()
        .enumerate()
        .filter(|(_, floor)| floor.until <= at);
    let first = due.min_by(|(_, a), (_, b)| a.until.total_cmp(&b.until));
    first.map(|(index, _)| index)
}

fn step(floors: &mut [Floor], index: usize, talkers: usize, turn: f64, random: &mut StdRng) {
    let now = floors[index].until;
    if floors[index].talks {
        floors[index].talks = false;
        floors[index].until += exponential(NOBODY, random);
        return;
    }
    if floors[index].turn_ends <= now {
        let has_none = |who: &usize| floors.iter().all(|floor| floor.holder != *who);
        let free: Vec<usize> = (0..talkers).filter(has_none).collect();
        if !free.is_empty() {
            floors[index].holder = free[random.random_range(0..free.len())];
        }
        floors[index].turn_ends = now + exponential(turn, random);
    }
    floors[index].talks = true;
    floors[index].until += exponential(ALONE, random);
}

fn exponential(mean: f64, random: &mut StdRng) -> f64 {
    -mean * (1.0 - random.random::<f64>()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of an hour so many talk at once, and how much one of them talks.
    fn shares(manner: Manner, talkers: usize) -> (Vec<f64>, f64) {
        let mut talk = Talk::new(manner, talkers, 5);
        let steps: u32 = 180_000;
        let (mut at_once, mut first) = (vec![0.0; talkers + 1], 0.0);
        for step in 0..steps {
            let at = Duration::from_millis(20) * step;
            let talking = (0..talkers).filter(|who| talk.talks(*who, at)).count();
            at_once[talking] += 1.0 / f64::from(steps);
            first += f64::from(u8::from(talk.talks(0, at))) / f64::from(steps);
        }
        (at_once, first)
    }

    /// What follows from P.59's times and probabilities; what it measured was silence for 22.5 % of the time
    /// and double talk for 6.6 %.
    #[test]
    fn two_talk_as_in_p59() {
        let (at_once, first) = shares(Manner::Conversation, 2);
        let near = |value: f64, expected: f64| (value - expected).abs() < 0.02;
        assert!(near(at_once[0], 0.225), "silence {}", at_once[0]);
        assert!(near(at_once[2], 0.074), "double talk {}", at_once[2]);
        assert!(near(first, 0.425), "talk of one {first}");
    }

    #[test]
    fn four_share_the_time_of_two() {
        let (at_once, first) = shares(Manner::Conversation, 4);
        assert!(at_once[3] == 0.0 && at_once[4] == 0.0);
        assert!((first - 0.19).abs() < 0.03, "talk of one {first}");
    }

    #[test]
    fn a_stage_has_as_many_voices_as_floors_and_all_get_one() {
        let stage = Manner::Stage {
            floors: 3,
            turn: 8.0,
        };
        let (at_once, first) = shares(stage, 10);
        assert!(at_once[3] > 0.2 && at_once[4..].iter().all(|share| *share == 0.0));
        assert!((first - 0.3 * ALONE / (ALONE + NOBODY)).abs() < 0.05);
    }

    #[test]
    fn one_seed_is_one_talk() {
        let manner = Manner::Stage {
            floors: 2,
            turn: 3.0,
        };
        let mut talks = [(); 2].map(|()| Talk::new(manner, 5, 9));
        let mut elsewhere = Talk::new(manner, 5, 10);
        let mut differs = false;
        for step in 0..5_000_u32 {
            let at = Duration::from_millis(20) * step;
            let who = step as usize % 5;
            // One copy is asked less often than the other.
            let one = talks[0].talks(who, at);
            if step % 7 == 0 {
                assert_eq!(one, talks[1].talks(who, at));
            }
            differs |= one != elsewhere.talks(who, at);
        }
        assert!(differs);
    }
}
