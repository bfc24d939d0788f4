//! How a panic is told of: one line of log, and no more than one in a while for each place. Those of the control side are
//! counted; those of the media side are where they are contained.
//!
//! What is panicked over and over by somebody's packets (docs/adr/0019) must not fill a disk.

use std::{
    collections::HashMap,
    panic::{self, PanicHookInfo},
    sync::Mutex,
    time::{Duration, Instant},
};

use stoa_ops::Panics;

/// How long nothing is said of a place that has been told of.
const SILENT: Duration = Duration::from_secs(600);

/// The longest text that is repeated, in bytes.
const TEXT_BYTES: usize = 200;

/// A line of the source.
type Place = (String, u32);

/// What was told of each place. There are no more than the source has lines that panic.
#[derive(Default)]
struct Told(HashMap<Place, (Instant, u64)>);

impl Told {
    /// Whether a panic at this place is to be told of, and of how many before nothing was said.
    fn tell(&mut self, now: Instant, place: Place) -> Option<u64> {
        let (at, untold) = self.0.entry(place).or_insert((now, 0));
        let is_first = *at == now && *untold == 0;
        if is_first || now.saturating_duration_since(*at) >= SILENT {
            *at = now;
            // One more than none, so that the next one at this moment is not the first.
            return Some(std::mem::replace(untold, 1).saturating_sub(1));
        }
        *untold += 1;
        None
    }
}

/// The name of the threads of the control side.
pub(crate) const CONTROL_THREAD: &str = "control";

/// Sends every panic of the process to the log instead of to standard error as it is; until then they go there.
pub(crate) fn tell_in_the_log(panics: Panics) {
    panic::set_hook(Box::new(hook(panics)));
}

fn hook(panics: Panics) -> impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static {
    let told = Mutex::new(Told::default());
    move |info| {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or_default();
        if thread == CONTROL_THREAD {
            panics.count();
        }
        let place = info.location();
        let place = place.map_or((String::new(), 0), |at| (at.file().to_owned(), at.line()));
        let mut told = told.lock().unwrap_or_else(|error| error.into_inner());
        let tell = told.tell(Instant::now(), place.clone());
        drop(told);
        if let Some(untold) = tell {
            let (file, line) = place;
            tracing::error!(file, line, thread, untold, text = text(info), "panicked");
        }
    }
}

/// What was said, shortened.
fn text<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("of no text");
    let mut ends = (0..=text.len().min(TEXT_BYTES)).rev();
    let end = ends.find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_told_of_once_in_a_while() {
        let mut told = Told::default();
        let begin = Instant::now();
        let [here, there] = [1, 2].map(|line| ("file".to_owned(), line));
        assert_eq!(told.tell(begin, here.clone()), Some(0));
        assert_eq!(told.tell(begin, here.clone()), None);
        assert_eq!(told.tell(begin + SILENT / 2, here.clone()), None);
        assert_eq!(told.tell(begin, there), Some(0));
        assert_eq!(told.tell(begin + SILENT, here.clone()), Some(2));
        assert_eq!(told.tell(begin + SILENT, here), None);
    }

    #[test]
    fn those_of_the_control_side_are_counted() {
        let panics = Panics::default();
        let before = panic::take_hook();
        panic::set_hook(Box::new(hook(panics.clone())));
        let runtime = crate::commands::runtime().expect("a runtime");
        runtime.block_on(async {
            for what in ["a call", "another one"] {
                let failed = tokio::spawn(async move { panic!("{what}") }).await;
                assert!(failed.is_err());
            }
            let failed = tokio::task::spawn_blocking(|| panic!("a file")).await;
            assert!(failed.is_err());
        });
        let media = std::thread::Builder::new().name("media-0".to_owned());
        let media = media.spawn(|| panic!("counted where it is contained"));
        assert!(media.expect("a thread").join().is_err());
        panic::set_hook(before);
        assert_eq!(panics.total(), 3);
    }
}
