//! What is on its way between the nodes and the lobby of a house.
//!
//! Whoever says something to another is heard up to [`BETWEEN_WORKERS`] later: threads wake each other, and
//! not at once. What one says to another comes in order, messages and media each for themselves.
//!
//! How long a letter takes is drawn from the seed, its channel and the moment, and not from how many were
//! sent before: how often a session turns to its lobby, DTLS decides for itself.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use stoa_core::{Message, Relayed};

use crate::random::Random;

/// The longest that a letter takes.
pub const BETWEEN_WORKERS: Duration = Duration::from_millis(3);

/// What is carried.
pub(super) enum Letter {
    Message(Message),
    Packet(Relayed),
}

/// From whom and to whom: workers by their numbers, and the lobby after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A way, and whether it is that of media.
type Channel = (Way, bool);

/// The last letter of a channel.
#[derive(Debug, Clone, Copy)]
struct Last {
    sent: Instant,
    arrives: Instant,
    /// How many were sent at the same moment before.
    number: u64,
}

/// Everything that is on its way.
pub(super) struct Post {
    random: Random,
    start: Instant,
    /// The share of media that is lost.
    pub(super) loss: f64,
    channels: BTreeMap<Channel, Last>,
    /// By when it arrives; at the same moment, by when it was sent.
    on_the_way: BTreeMap<(Instant, u64), (Way, Letter)>,
    sent: u64,
}

impl Post {
    pub(super) fn new(start: Instant, random: Random) -> Self {
        Self {
            random,
            start,
            loss: 0.0,
            channels: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Takes a letter.
    pub(super) fn send(&mut self, now: Instant, way: Way, letter: Letter) {
        let is_media = matches!(letter, Letter::Packet(_));
        let channel = (way, is_media);
        let last = self.channels.get(&channel).copied();
        let number = match last {
            Some(last) if last.sent == now => last.number + 1,
            _ => 0,
        };
        let mut random = self.draw(now, channel, number);
        let takes = random.time_below(BETWEEN_WORKERS);
        let is_lost = random.happens(self.loss) && is_media;
        let arrives = last.map_or(now, |last| last.arrives).max(now + takes);
        let last = Last {
            sent: now,
            arrives,
            number,
        };
        self.channels.insert(channel, last);
        if !is_lost {
            self.sent += 1;
            self.on_the_way.insert((arrives, self.sent), (way, letter));
        }
    }

    fn draw(&self, now: Instant, (way, is_media): Channel, number: u64) -> Random {
        let channel = (way.from as u64) << 16 | (way.to as u64) << 1 | u64::from(is_media);
        let moment = now.saturating_duration_since(self.start).as_nanos() as u64;
        self.random.child(channel).child(moment).child(number)
    }

    /// When the next one arrives.
    pub(super) fn next(&self) -> Option<Instant> {
        let (&(arrives, _), _) = self.on_the_way.first_key_value()?;
        Some(arrives)
    }

    /// The next one, if it has arrived.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Way, Letter)> {
        let (_, arrived) = match self.next()? <= now {
            true => self.on_the_way.pop_first()?,
            false => return None,
        };
        Some(arrived)
    }

    /// All media from a worker, before their time.
    pub(super) fn take_media_from(&mut self, from: usize) -> Vec<(Way, Letter)> {
        let letters = self.on_the_way.iter();
        let theirs = letters
            .filter(|(_, (way, letter))| way.from == from && matches!(letter, Letter::Packet(_)));
        let theirs: Vec<_> = theirs.map(|(&place, _)| place).collect();
        let take = |place| self.on_the_way.remove(&place);
        theirs.into_iter().filter_map(take).collect()
    }

    /// How many are on their way.
    pub(super) fn count(&self) -> usize {
        self.on_the_way.len()
    }
}
