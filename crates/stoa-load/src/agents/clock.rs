//! By how much an agent's clock is ahead of ours, and how well that is known.
//!
//! A question and its answer carry four times (RFC 5905, section 8): asked and returned by our clock, received
//! and answered by the agent's. If both ways took equally long, the offset is the mean of the two differences.
//! They need not have: one way may have taken all of the round trip and the other one nothing. So the offset is
//! within half of the round trip, whatever the ways are like, and the exchange with the shortest one tells most.
//! What it tells ages: clocks drift apart.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How fast two clocks drift apart at most, in parts of a million: two crystals of 50 each.
const DRIFT: i128 = 100;

/// How many exchanges are kept.
const MOST_EXCHANGES: usize = 32;

/// The four times of an exchange, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exchange {
    /// By our clock.
    pub(crate) asked: i64,
    /// By the other one.
    pub(crate) received: i64,
    pub(crate) answered: i64,
    /// By ours again.
    pub(crate) returned: i64,
}

/// How far another clock is ahead, in nanoseconds: by this much, give or take so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Offset {
    pub(crate) ahead: i64,
    pub(crate) within: i64,
}

impl Exchange {
    /// What it tells at this time of our clock.
    fn tells(&self, now: i64) -> Offset {
        let [asked, received, answered, returned] =
            [self.asked, self.received, self.answered, self.returned].map(i128::from);
        let ahead = ((received - asked) + (answered - returned)) / 2;
        let round_trip = ((returned - asked) - (answered - received)).max(0);
        // From its beginning: clocks drift apart meanwhile, too.
        let age = (i128::from(now) - asked).max(0);
        Offset {
            ahead: narrow(ahead),
            // One more for what the halving cuts off.
            within: narrow(round_trip / 2 + age * DRIFT / 1_000_000 + 1),
        }
    }
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// What these exchanges tell at this time of our clock: what the best of them does.
pub(crate) fn offset<'a>(
    exchanges: impl IntoIterator<Item = &'a Exchange>,
    now: i64,
) -> Option<Offset> {
    let offsets = exchanges.into_iter().map(|exchange| exchange.tells(now));
    offsets.min_by_key(|offset| offset.within)
}

/// The latest exchanges with an agent.
#[derive(Debug, Default)]
pub(crate) struct Exchanges(VecDeque<Exchange>);

impl Exchanges {
    /// Takes one more. Those that contradict it are of a time before one of the clocks was set.
    pub(crate) fn take(&mut self, exchange: Exchange) {
        let newest = exchange.tells(exchange.returned);
        self.0.retain(|older| {
            let older = older.tells(exchange.returned);
            let apart = i128::from(older.ahead) - i128::from(newest.ahead);
            apart.abs() <= i128::from(older.within) + i128::from(newest.within)
        });
        if self.0.len() == MOST_EXCHANGES {
            self.0.pop_front();
        }
        self.0.push_back(exchange);
    }

    /// What they tell at this time of our clock.
    pub(crate) fn offset(&self, now: i64) -> Option<Offset> {
        offset(&self.0, now)
    }
}

#[cfg(test)]
mod tests;
