//! What the network does to the datagrams of one client in one direction.
//!
//! A [`Link`] is a description; a [`Wire`] is a link in operation, with its randomness. It does not
//! carry anything itself: it says when a datagram that is sent now arrives, if it does.
//!
//! Each protocol on a wire draws from a source of its own. RTCP reports leave at moments that are not
//! a function of the seed; so they must not decide which RTP packet is lost.

use std::time::Duration;

use crate::{datagram::Protocol, random::Random};

/// Which way, as a client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the node.
    Up,
    /// From the node to the client.
    Down,
}

/// What the network does to datagrams. The default does nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Link {
    /// Which datagrams do not arrive.
    pub loss: Loss,
    /// How much longer than the network's latency a datagram takes at least.
    pub delay: Duration,
    /// Up to how much longer than that it takes, each one its own time, all equally likely. What was
    /// sent first still arrives first.
    pub jitter: Duration,
    /// Datagrams that are overtaken by others.
    pub reordering: Reordering,
    /// The share of datagrams that arrive twice, 0 to 1.
    pub duplication: f64,
}

/// Which datagrams do not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// All arrive.
    #[default]
    None,
    /// Each is lost with the same probability, 0 to 1, whatever became of others.
    Independent(f64),
    /// Losses come in bursts.
    Bursts(Bursts),
}

/// The Gilbert-Elliott model of bursts: a link that is good and bad in turns, each for a random time
/// that has no memory. The turns are a function of time alone, not of what is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bursts {
    /// How long it stays good on average.
    pub good: Duration,
    /// How long it stays bad on average.
    pub bad: Duration,
    /// The share of datagrams that is lost while it is good, 0 to 1.
    pub loss_while_good: f64,
    /// The share of datagrams that is lost while it is bad, 0 to 1.
    pub loss_while_bad: f64,
}

/// Datagrams that are held back somewhere, so that later ones overtake them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reordering {
    /// The share of datagrams that is held back, 0 to 1.
    pub share: f64,
    /// For how long.
    pub held_back: Duration,
}

impl Link {
    /// The share of datagrams that is lost in the long run, 0 to 1.
    pub fn mean_loss(&self) -> f64 {
        match self.loss {
            Loss::None => 0.0,
            Loss::Independent(share) => share,
            Loss::Bursts(bursts) => {
                let (good, bad) = (bursts.good.as_secs_f64(), bursts.bad.as_secs_f64());
                (good * bursts.loss_while_good + bad * bursts.loss_while_bad) / (good + bad)
            }
        }
    }

    /// By how much the arrival of datagrams differs at most from how they were sent.
    pub fn spread(&self) -> Duration {
        let held_back = match self.reordering.share > 0.0 {
            true => self.reordering.held_back,
            false => Duration::ZERO,
        };
        self.jitter + held_back
    }
}

/// When a datagram arrives, counted from when it was sent and on top of the network's latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// Never.
    Lost,
    /// After this time.
    Once(Duration),
    /// After each of these times.
    Twice(Duration, Duration),
}

/// A link in operation.
#[derive(Debug, Clone)]
pub struct Wire {
    link: Link,
    turns: Turns,
    lanes: [Lane; Protocol::COUNT],
}

/// The datagrams of one protocol.
#[derive(Debug, Clone)]
struct Lane {
    random: Random,
    /// When the last of those arrives that nothing overtakes.
    last: Duration,
}

/// Whether the link is good or bad, and until when.
#[derive(Debug, Clone)]
struct Turns {
    random: Random,
    is_bad: bool,
    until: Duration,
}

impl Wire {
    /// A wire whose datagrams all arrive.
    pub fn new(random: &Random) -> Self {
        let lane = |number: u64| Lane {
            random: random.child(number),
            last: Duration::ZERO,
        };
        Self {
            link: Link::default(),
            turns: Turns {
                random: random.child(4),
                is_bad: false,
                until: Duration::ZERO,
            },
            lanes: [lane(0), lane(1), lane(2), lane(3)],
        }
    }

    /// Makes the link another one from now on; datagrams under way are not concerned. `now` is
    /// counted from any moment, but always from the same.
    pub fn set(&mut self, now: Duration, link: Link) {
        self.link = link;
        self.turns.is_bad = false;
        self.turns.until = now;
        if let Loss::Bursts(bursts) = link.loss {
            self.turns.until += self.turns.random.time_until(bursts.good);
        }
    }

    /// The link as it is now.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// What becomes of a datagram that is sent now, if the link has the right to lose it.
    pub fn carry(&mut self, now: Duration, protocol: Protocol, may_be_lost: bool) -> Carried {
        let loss = match self.link.loss {
            Loss::None => 0.0,
            Loss::Independent(share) => share,
            Loss::Bursts(bursts) => match self.turns.is_bad_at(now, &bursts) {
                true => bursts.loss_while_bad,
                false => bursts.loss_while_good,
            },
        };
        let Link {
            delay,
            jitter,
            reordering,
            duplication,
            ..
        } = self.link;
        let lane = &mut self.lanes[protocol as usize];
        // Always the same number of draws, so that one property of a link does not change another.
        let is_lost = lane.random.happens(loss) && may_be_lost;
        let takes = delay + lane.random.time_below(jitter);
        let copy_takes = delay + lane.random.time_below(jitter);
        let is_held_back = lane.random.happens(reordering.share);
        let is_doubled = lane.random.happens(duplication);
        if is_lost {
            return Carried::Lost;
        }
        let in_order = takes.max(lane.last.saturating_sub(now));
        let first = if is_held_back {
            in_order + reordering.held_back
        } else {
            lane.last = now + in_order;
            in_order
        };
        match is_doubled {
            true => Carried::Twice(first, first.max(copy_takes)),
            false => Carried::Once(first),
        }
    }
}

impl Turns {
    fn is_bad_at(&mut self, now: Duration, bursts: &Bursts) -> bool {
        while self.until <= now {
            self.is_bad = !self.is_bad;
            let mean = if self.is_bad { bursts.bad } else { bursts.good };
            // Never nothing at all, or a link that is never bad would turn for ever.
            self.until += self.random.time_until(mean).max(Duration::from_micros(1));
        }
        self.is_bad
    }
}

#[cfg(test)]
mod tests;
