//! A scenario that the load tester plays against a daemon while the test goes on.

use std::{fs, path::PathBuf, thread::JoinHandle};

use stoa_load::Failure;

use super::{Daemon, load_beside, report_without_loss};

/// One that is played.
pub(crate) struct Play {
    playing: JoinHandle<Result<(), Failure>>,
    report: PathBuf,
}

impl Play {
    /// Begins to play this text, with more on the tester's command line.
    pub(crate) fn begin(daemon: &Daemon, scenario: &str, more: &[&str]) -> Self {
        let file = daemon.file("scenario.yaml");
        fs::write(&file, scenario).expect("the folder is ours");
        let report = daemon.file("report.json");
        let written = report.to_str().expect("a plain name");
        let more = [more, &["--json", written]].concat();
        Self {
            playing: load_beside(daemon, file, &more),
            report,
        }
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.playing.is_finished()
    }

    /// Waits for its end, before which so many came, of whom none missed a packet.
    ///
    /// # Panics
    /// If one did, if not all came, or if it failed.
    #[track_caller]
    pub(crate) fn ends_without_loss(self, people: u64) {
        // Whether this machine was fast enough for the tester's own sake is not what is asked here.
        match self.playing.join().expect("no panic") {
            Ok(()) | Err(Failure::NotValid(_)) => {}
            Err(failure) => panic!("{failure}"),
        }
        report_without_loss(&self.report, people);
    }
}
