//! Log lines on their way to standard error: whoever logs never waits for whoever reads.
//!
//! A pipe that nobody reads would stop the thread that writes to it, and then every other one that has something to say,
//! media workers among them. So lines wait in a bounded queue for a thread of their own, and what does not fit, or cannot be
//! written (a full disk, a closed pipe), is lost and counted (docs/adr/0021).

use std::{
    io::{self, Write},
    sync::mpsc::{self, Receiver, SyncSender, TrySendError},
    thread,
    time::{Duration, Instant},
};

use stoa_ops::LogLines;
use tracing_subscriber::fmt::MakeWriter;

/// How many lines wait. At a few hundred bytes each it is about a megabyte, and some seconds of a very talkative level.
const LINES_CAPACITY: usize = 4_096;

/// The longest line that waits, in bytes; what is longer is cut.
const LINE_BYTES: usize = 16 * 1024;

/// How long the end of the process waits for the lines that are left.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How soon it is looked again for room at the end.
const RETRY: Duration = Duration::from_millis(5);

enum Entry {
    Line(Vec<u8>),
    /// Answered when everything before it has been written.
    End(SyncSender<()>),
}

/// Takes lines. All of them end up in one queue.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Entry>,
    counts: LogLines,
}

/// Waits for the lines that are left when it is dropped, for no longer than [`LAST_WORDS`].
#[must_use = "what is still to be written is lost without it"]
pub(crate) struct Flush(SyncSender<Entry>);

/// Starts the thread that writes to `sink`, and counts what is lost.
///
/// # Errors
/// When there can be no thread.
pub(super) fn start(
    sink: impl Write + Send + 'static,
    counts: LogLines,
) -> io::Result<(Lines, Flush)> {
    let (queue, entries) = mpsc::sync_channel(LINES_CAPACITY);
    let lines = Lines {
        queue: queue.clone(),
        counts: counts.clone(),
    };
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || write(&entries, sink, &counts))?;
    Ok((lines, Flush(queue)))
}

fn write(entries: &Receiver<Entry>, mut sink: impl Write, counts: &LogLines) {
    let mut told = 0;
    for entry in entries {
        match entry {
            Entry::Line(line) => match sink.write_all(&line) {
                Ok(()) if counts.lost() > told => {
                    told = counts.lost();
                    tracing::warn!(lost = told, "log lines were lost since the start");
                }
                Ok(()) => {}
                Err(_) => counts.lose(),
            },
            // Fails only if nobody waits any more.
            Entry::End(done) => drop(done.try_send(())),
        }
    }
}

impl Write for Lines {
    /// Takes a whole line, as `tracing_subscriber` gives it. Never fails and never waits.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut taken = line[..line.len().min(LINE_BYTES)].to_vec();
        if taken.len() < line.len() {
            taken.push(b'\n');
        }
        if self.queue.try_send(Entry::Line(taken)).is_err() {
            self.counts.lose();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_WORDS;
        let (done, wait) = mpsc::sync_channel(1);
        let mut entry = Entry::End(done);
        while let Err(TrySendError::Full(again)) = self.0.try_send(entry) {
            if Instant::now() >= deadline {
                return;
            }
            entry = again;
            // bounded: by the deadline above
            thread::sleep(RETRY);
        }
        // What has not been written by then is lost with the process.
        let left = deadline.saturating_duration_since(Instant::now());
        let _ = wait.recv_timeout(left);
    }
}

/// Says a last word on standard error, where the log is over or has never begun. Waits no longer than [`LAST_WORDS`]
/// for whoever reads it.
pub(crate) fn last_word(text: String) {
    let (done, wait) = mpsc::sync_channel(1);
    let write = move || {
        // There is nowhere else to complain.
        let _ = writeln!(io::stderr(), "{text}");
        let _ = done.try_send(());
    };
    if thread::Builder::new().spawn(write).is_ok() {
        let _ = wait.recv_timeout(LAST_WORDS);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    /// Says what it is given, and fails or waits when it is told to.
    struct Sink {
        written: Sender<Vec<u8>>,
        go_on: Receiver<io::Result<()>>,
    }

    impl Write for Sink {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.go_on.recv().unwrap_or(Ok(()))?;
            // Fails only if the test is over.
            let _ = self.written.send(line.to_vec());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_nobody_reads_is_lost_and_counted_and_nobody_waits() {
        let (written, read) = mpsc::channel();
        let (go_on, told) = mpsc::channel();
        let sink = Sink {
            written,
            go_on: told,
        };
        let counts = LogLines::default();
        let (mut lines, flush) = start(sink, counts.clone()).expect("a thread");
        let more = 10;
        // One more than wait may be in the writer's hands.
        for _ in 0..=LINES_CAPACITY + more {
            lines.write_all(b"a line\n").expect("never fails");
        }
        let lost = counts.lost();
        assert!((more as u64..=more as u64 + 1).contains(&lost), "{lost}");
        go_on.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        drop(go_on);
        drop(flush);
        assert_eq!(counts.lost(), lost + 1, "the full disk");
        let count = read.try_iter().count() as u64;
        assert_eq!(count + lost + 1, (LINES_CAPACITY + more + 1) as u64);
    }

    #[test]
    fn a_line_is_no_longer_than_it_may() {
        let (written, read) = mpsc::channel();
        let (_, go_on) = mpsc::channel();
        let (mut lines, flush) =
            start(Sink { written, go_on }, LogLines::default()).expect("a thread");
        lines
            .write_all(&[b'x'; 2 * LINE_BYTES])
            .expect("never fails");
        drop(flush);
        assert_eq!(read.recv().expect("a line").len(), LINE_BYTES + 1);
    }
}
