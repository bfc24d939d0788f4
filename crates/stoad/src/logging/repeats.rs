//! How often a place of the code may complain: what somebody outside makes it say over and over must not fill a disk.
//!
//! A warning or an error goes through as long as its place has not had [`BURST`] of them, and one more each [`PERIOD`]
//! after that. What is held back is counted, and told of by a line for each place at the end of its period.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use stoa_ops::LogLines;
use tracing::{
    Event, Level, Metadata,
    callsite::Identifier,
    field::{Field, Visit},
};
use tracing_log::NormalizeEvent as _;

/// So many lines of one place go through at first: what an operator does a few times in a minute is told each time.
const BURST: u32 = 5;

/// After those it is one each, and one that says how many were held back.
const PERIOD: Duration = Duration::from_secs(60);

/// How often one looks what there is to tell.
const LOOK: Duration = Duration::from_secs(10);

/// Places that are kept. Those of the source are fewer; beyond it nothing is held back.
const PLACES: usize = 4_096;

/// Of those, places of libraries that log by the crate `log`. Beyond it they are one place for each level.
const RECORDS: usize = 1_024;

/// What is kept of what a place says, in bytes.
const TEXT_BYTES: usize = 120;

/// Those who limit themselves: panics by where they happen, and this.
const EXEMPT: [&str; 2] = ["stoad::panics", module_path!()];

/// Which lines go through. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Repeats {
    places: Arc<Mutex<Places>>,
    counts: LogLines,
}

/// The places that have complained.
#[derive(Default)]
struct Places {
    all: HashMap<Key, Place>,
    /// How many of them are [`Key::Record`]s.
    records: usize,
}

/// What tells places apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Callsite(Identifier),
    /// Of the crate `log`, all of whose lines of a level have one callsite.
    Record {
        level: Level,
        target: String,
        line: u32,
    },
}

/// One place of the code that complains.
struct Place {
    level: Level,
    /// How it is called.
    name: String,
    /// How many may go through, as of `since`.
    left: u32,
    since: Instant,
    /// Since when lines are held back, how many, and what the first one said.
    held: Option<(Instant, u64, String)>,
}

/// What was held back of one place.
struct Told {
    level: Level,
    place: String,
    count: u64,
    text: String,
}

impl Repeats {
    /// What is held back is counted there.
    pub(super) fn new(counts: LogLines) -> Self {
        Self {
            counts,
            ..Self::default()
        }
    }

    /// Whether this line goes through.
    pub(super) fn pass(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || EXEMPT.contains(&metadata.target()) {
            return true;
        }
        let record = event.normalized_metadata();
        // Before the table is locked: what formats itself may be anybody's code.
        let passes = self.take(metadata, record.as_ref(), Instant::now(), text(event));
        if !passes {
            self.counts.hold_back(*metadata.level() == Level::ERROR);
        }
        passes
    }

    /// `record` is what a line by the crate `log` says of its place.
    fn take(
        &self,
        metadata: &'static Metadata<'static>,
        record: Option<&Metadata<'_>>,
        now: Instant,
        text: String,
    ) -> bool {
        let mut places = self.lock();
        let Some(place) = places.of(metadata, record, now) else {
            return true;
        };
        place.refill(now);
        if place.left > 0 {
            place.left -= 1;
            return true;
        }
        match &mut place.held {
            Some((_, count, _)) => *count += 1,
            held => *held = Some((now, 1, text)),
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was held back for a whole period by now, or for however long.
    fn due(&self, now: Instant, all: bool) -> Vec<Told> {
        let mut told = Vec::new();
        for place in self.lock().all.values_mut() {
            let is_due = |since| all || now.saturating_duration_since(since) >= PERIOD;
            let held = place.held.take_if(|(since, ..)| is_due(*since));
            if let Some((_, count, text)) = held {
                told.push(Told {
                    level: place.level,
                    place: place.name.clone(),
                    count,
                    text,
                });
            }
        }
        told
    }

    /// Tells of what was held back, period by period, until it is dropped.
    pub(crate) async fn tell(self) {
        let mut turn = tokio::time::interval(LOOK);
        loop {
            turn.tick().await;
            self.tell_of(self.due(Instant::now(), false));
        }
    }

    /// Tells of all that was held back and not told of yet.
    pub(crate) fn tell_the_rest(&self) {
        self.tell_of(self.due(Instant::now(), true));
    }

    // The table is not locked here: to write a line asks it.
    fn tell_of(&self, told: Vec<Told>) {
        for Told {
            level,
            place,
            count,
            text,
        } in told
        {
            let level = level.as_str();
            tracing::warn!(count, level, place, text, "lines were held back, all alike");
        }
    }
}

impl Places {
    /// The one of this line. `None`: there is no room for it.
    fn of(
        &mut self,
        metadata: &'static Metadata<'static>,
        record: Option<&Metadata<'_>>,
        now: Instant,
    ) -> Option<&mut Place> {
        let level = *metadata.level();
        let record = record.map(|record| Key::Record {
            level,
            target: record.target().to_owned(),
            line: record.line().unwrap_or_default(),
        });
        let has_room = self.records < RECORDS;
        let record = record.filter(|key| has_room || self.all.contains_key(key));
        let key = record.unwrap_or_else(|| Key::Callsite(metadata.callsite()));
        if self.all.len() >= PLACES && !self.all.contains_key(&key) {
            return None;
        }
        Some(match self.all.entry(key) {
            Entry::Occupied(place) => place.into_mut(),
            Entry::Vacant(free) => {
                let name = match free.key() {
                    Key::Record { target, line, .. } => {
                        self.records += 1;
                        format!("{target}:{line}")
                    }
                    Key::Callsite(_) => format!(
                        "{}:{}",
                        metadata.file().unwrap_or_else(|| metadata.target()),
                        metadata.line().unwrap_or_default()
                    ),
                };
                free.insert(Place::new(level, name, now))
            }
        })
    }
}

impl Place {
    fn new(level: Level, name: String, now: Instant) -> Self {
        Self {
            level,
            name,
            left: BURST,
            since: now,
            held: None,
        }
    }

    /// One more for each period that has passed, and never more than at first.
    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        let periods = u32::try_from(passed.as_secs() / PERIOD.as_secs()).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(periods).min(BURST);
        self.since += PERIOD.saturating_mul(periods);
    }
}

/// What the line says, without its fields, shortened.
fn text(event: &Event<'_>) -> String {
    struct Text(String);
    impl Visit for Text {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if field.name() == "message" {
                // To write into a text cannot fail.
                let _ = write!(self.0, "{value:?}");
            }
        }
    }
    let mut text = Text(String::new());
    event.record(&mut text);
    let mut ends = (0..=text.0.len().min(TEXT_BYTES)).rev();
    let end = ends.find(|&end| text.0.is_char_boundary(end));
    text.0.truncate(end.unwrap_or_default());
    text.0
}

#[cfg(test)]
mod tests;
