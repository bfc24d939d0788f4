//! What a child process says, line by line.

use std::{
    io::{BufRead as _, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    open: usize,
}

/// Lines as they come; clones are the same.
#[derive(Clone, Default)]
pub(super) struct Capture(Arc<(Mutex<Lines>, Condvar)>);

impl Capture {
    /// Takes lines from one more stream, until it ends.
    pub(super) fn read(&self, stream: impl Read + Send + 'static) {
        self.lock().open += 1;
        let capture = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                capture.lock().lines.push(line);
                capture.0.1.notify_all();
            }
            capture.lock().open -= 1;
            capture.0.1.notify_all();
        });
    }

    /// Everything until now.
    pub(super) fn text(&self) -> String {
        self.lock().lines.join("\n")
    }

    /// Everything, once all streams have ended or the time is up.
    pub(super) fn text_to_the_end(&self, within: Duration) -> String {
        let _ended = self.wait(within, |lines| (lines.open == 0).then_some(()));
        self.text()
    }

    /// What `find` makes of the first line of which it makes something; `None` once all streams
    /// have ended or the time is up.
    pub(super) fn find<T>(&self, within: Duration, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.wait(within, |lines| {
            let found = lines.lines.iter().find_map(|line| find(line));
            (found.is_some() || lines.open == 0).then_some(found)
        })?
    }

    fn wait<T>(&self, within: Duration, done: impl Fn(&Lines) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + within;
        let mut lines = self.lock();
        loop {
            if let Some(value) = done(&lines) {
                return Some(value);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.0.1.wait_timeout(lines, left);
            lines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
