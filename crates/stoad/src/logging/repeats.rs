//! How often a place of the code may complain: what somebody outside makes it say over and over must not fill a disk.
//!
//! A warning or an error goes through as long as its place has not had [`BURST`] of them, and one more each [`PERIOD`]
//! after that. What is held back is counted, and told of by a line for each place at the end of its period.

use std::{
    collections::HashMap,
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

/// So many lines of one place go through at first: what an operator does a few times in a minute is told each time.
const BURST: u32 = 5;

/// After those it is one each, and one that says how many were held back.
const PERIOD: Duration = Duration::from_secs(60);

/// How often one looks what there is to tell.
const LOOK: Duration = Duration::from_secs(10);

/// Places that are kept. Those of the source are fewer; beyond it nothing is held back.
const PLACES: usize = 4_096;

/// What is kept of what a place says, in bytes.
const TEXT_BYTES: usize = 120;

/// Those who limit themselves: panics by where they happen, and this.
const EXEMPT: [&str; 2] = ["stoad::panics", module_path!()];

/// Which lines go through. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Repeats {
    places: Arc<Mutex<HashMap<Identifier, Place>>>,
    counts: LogLines,
}

/// One place of the code that complains.
struct Place {
    metadata: &'static Metadata<'static>,
    /// How many may go through, as of `since`.
    left: u32,
    since: Instant,
    /// Since when lines are held back, how many, and what the first one said.
    held: Option<(Instant, u64, String)>,
}

/// What was held back of one place.
struct Told {
    metadata: &'static Metadata<'static>,
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
        // Before the table is locked: what formats itself may be anybody's code.
        let passes = self.take(metadata, Instant::now(), text(event));
        if !passes {
            self.counts.hold_back(*metadata.level() == Level::ERROR);
        }
        passes
    }

    fn take(&self, metadata: &'static Metadata<'static>, now: Instant, text: String) -> bool {
        let mut places = self.lock();
        let key = metadata.callsite();
        if places.len() >= PLACES && !places.contains_key(&key) {
            return true;
        }
        let place = places.entry(key).or_insert_with(|| Place {
            metadata,
            left: BURST,
            since: now,
            held: None,
        });
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

    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was held back for a whole period by now, or for however long.
    fn due(&self, now: Instant, all: bool) -> Vec<Told> {
        let mut told = Vec::new();
        for place in self.lock().values_mut() {
            let is_due = |since| all || now.saturating_duration_since(since) >= PERIOD;
            let held = place.held.take_if(|(since, ..)| is_due(*since));
            if let Some((_, count, text)) = held {
                let metadata = place.metadata;
                told.push(Told {
                    metadata,
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
            metadata,
            count,
            text,
        } in told
        {
            let level = metadata.level().as_str();
            let place = format!(
                "{}:{}",
                metadata.file().unwrap_or_else(|| metadata.target()),
                metadata.line().unwrap_or_default()
            );
            tracing::warn!(count, level, place, text, "lines were held back, all alike");
        }
    }
}

impl Place {
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
mod tests {
    use tracing::{Callsite as _, callsite::DefaultCallsite, field::FieldSet, metadata::Kind};

    use super::*;

    static HERE: DefaultCallsite = DefaultCallsite::new(&OF_HERE);
    static OF_HERE: Metadata<'static> = Metadata::new(
        "here",
        "a::here",
        Level::WARN,
        Some("here.rs"),
        Some(7),
        None,
        FieldSet::new(&[], Identifier(&HERE)),
        Kind::EVENT,
    );
    static THERE: DefaultCallsite = DefaultCallsite::new(&OF_THERE);
    static OF_THERE: Metadata<'static> = Metadata::new(
        "there",
        "a::there",
        Level::ERROR,
        Some("there.rs"),
        Some(7),
        None,
        FieldSet::new(&[], Identifier(&THERE)),
        Kind::EVENT,
    );

    fn taken(repeats: &Repeats, of: &'static DefaultCallsite, now: Instant) -> bool {
        repeats.take(of.metadata(), now, "a text".to_owned())
    }

    #[test]
    fn a_place_says_a_few_lines_and_then_one_a_period() {
        let repeats = Repeats::default();
        let begin = Instant::now();
        let passed = (0..100).filter(|_| taken(&repeats, &HERE, begin)).count();
        assert_eq!(passed, BURST as usize);
        assert!(taken(&repeats, &THERE, begin), "it is another place");
        for period in 1..=3 {
            let now = begin + PERIOD * period;
            // Whoever asks within a period does not put the next line off.
            assert!(!taken(&repeats, &HERE, now - PERIOD / 2));
            let passed = (0..100).filter(|_| taken(&repeats, &HERE, now)).count();
            assert_eq!(passed, 1, "in period {period}");
        }
        // Whoever was silent for long has no more than at first.
        let late = begin + PERIOD * 100;
        let passed = (0..100).filter(|_| taken(&repeats, &HERE, late)).count();
        assert_eq!(passed, BURST as usize);
    }

    #[test]
    fn what_was_held_back_is_told_of_once_a_period() {
        let repeats = Repeats::default();
        let begin = Instant::now();
        for _ in 0..BURST + 3 {
            taken(&repeats, &HERE, begin);
        }
        assert!(repeats.due(begin + PERIOD / 2, false).is_empty());
        let told = repeats.due(begin + PERIOD, false);
        let [told] = &told[..] else {
            panic!("one place has something to tell");
        };
        assert_eq!((told.count, told.text.as_str()), (3, "a text"));
        assert!(repeats.due(begin + PERIOD * 2, false).is_empty(), "told");
        // At the end nothing is kept back.
        let later = begin + PERIOD;
        assert!(taken(&repeats, &HERE, later) && !taken(&repeats, &HERE, later));
        assert_eq!(repeats.due(later, true).len(), 1);
    }
}
