use tracing::{
    Callsite as _, Subscriber, callsite::DefaultCallsite, field::FieldSet, metadata::Kind,
    subscriber::with_default,
};
use tracing_log::{format_trace, log};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

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
    repeats.take(of.metadata(), None, now, "a text".to_owned())
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

/// Asks of each line whether it goes through.
struct Asks {
    repeats: Repeats,
    passed: Arc<Mutex<Vec<bool>>>,
}

impl<S: Subscriber> Layer<S> for Asks {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let passed = self.repeats.pass(event);
        self.passed.lock().expect("no panic").push(passed);
    }
}

/// How many of so many lines go through, which are said by their numbers.
fn passed(repeats: &Repeats, lines: u32, say: impl Fn(u32)) -> usize {
    let passed = Arc::<Mutex<Vec<bool>>>::default();
    let asks = Asks {
        repeats: repeats.clone(),
        passed: Arc::clone(&passed),
    };
    with_default(tracing_subscriber::registry().with(asks), || {
        (0..lines).for_each(say);
    });
    let passed = passed.lock().expect("no panic");
    assert_eq!(passed.len(), lines as usize, "each was asked of");
    passed.iter().filter(|passed| **passed).count()
}

/// A line by the crate `log`.
fn record(level: log::Level, target: &str, line: u32) {
    let mut record = log::Record::builder();
    let record = record.level(level).target(target).line(Some(line));
    format_trace(&record.args(format_args!("a text")).build()).expect("it never fails");
}

#[test]
fn a_noisy_library_takes_nothing_from_the_lines_of_others() {
    use log::Level::{Error, Warn};
    let repeats = Repeats::default();
    let burst = BURST as usize;
    assert_eq!(passed(&repeats, 100, |_| record(Warn, "noisy", 1)), burst);
    // Another library, another line and another level are other places.
    assert_eq!(passed(&repeats, 100, |_| record(Warn, "quiet", 1)), burst);
    assert_eq!(passed(&repeats, 100, |_| record(Warn, "noisy", 2)), burst);
    assert_eq!(passed(&repeats, 100, |_| record(Error, "noisy", 1)), burst);
    let mut told = repeats.due(Instant::now(), true);
    told.sort_by(|a, b| (&a.place, a.level).cmp(&(&b.place, b.level)));
    let told: Vec<_> = told
        .iter()
        .map(|told| (told.place.as_str(), told.level, told.count))
        .collect();
    let held = u64::from(100 - BURST);
    let expected = [
        ("noisy:1", Level::ERROR, held),
        ("noisy:1", Level::WARN, held),
        ("noisy:2", Level::WARN, held),
        ("quiet:1", Level::WARN, held),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_library_that_invents_places_has_one_in_the_end() {
    let repeats = Repeats::default();
    let invents = |line| record(log::Level::Warn, "inventive", line);
    let lines = 2 * RECORDS as u32;
    let passed_all = passed(&repeats, lines, invents);
    assert_eq!(passed_all, RECORDS + BURST as usize);
    assert_eq!(repeats.lock().all.len(), RECORDS + 1);
    // Those that it had before are its own still, and the rest of the code has room.
    assert_eq!(passed(&repeats, 1, |_| invents(0)), 1);
    assert!(taken(&repeats, &HERE, Instant::now()));
}
