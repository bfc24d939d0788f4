//! The threads of the media side. Nobody does without one of them, so each that ends before its time is told of.

use std::{fmt, io, thread::JoinHandle};

use tokio::sync::watch;

/// One of the threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The media worker of this number, in the order of the ports.
    Worker(usize),
    /// The lobby of this number, where sessions are set up.
    Lobby(usize),
    /// The thread of those who come by TCP.
    Tcp,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(number) => write!(f, "media worker {number}"),
            Self::Lobby(number) => write!(f, "lobby {number}"),
            Self::Tcp => f.write_str("the thread for media over TCP"),
        }
    }
}

impl Part {
    fn thread_name(self) -> String {
        match self {
            Self::Worker(number) => format!("media-{number}"),
            Self::Lobby(number) => format!("lobby-{number}"),
            Self::Tcp => "tcp".to_owned(),
        }
    }
}

/// Whoever is told of the first that has failed.
pub(crate) type Failure = watch::Sender<Option<Part>>;

/// Tells of the end of a part unless it was a proper one: a panic unwinds through here.
struct Tell {
    part: Part,
    failure: Failure,
    is_proper: bool,
}

impl Tell {
    /// Runs the part. It is told of while what it owned is gone already.
    fn run(mut self, work: impl FnOnce() -> io::Result<()>) {
        match work() {
            Ok(()) => self.is_proper = true,
            Err(error) => tracing::error!(part = %self.part, %error, "a part has failed"),
        }
    }
}

impl Drop for Tell {
    fn drop(&mut self) {
        if !self.is_proper {
            self.failure.send_if_modified(|told| {
                let is_first = told.is_none();
                *told = told.or(Some(self.part));
                is_first
            });
        }
    }
}

/// Starts the thread of a part. What it returns is its proper end, an error is none.
///
/// # Errors
/// When there can be no thread.
pub(crate) fn start(
    part: Part,
    failure: &Failure,
    work: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let tell = Tell {
        part,
        failure: failure.clone(),
        is_proper: false,
    };
    std::thread::Builder::new()
        .name(part.thread_name())
        .spawn(move || tell.run(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a part that does this.
    fn told(part: Part, work: fn() -> io::Result<()>) -> Option<Part> {
        let (failure, told) = watch::channel(None);
        let thread = start(part, &failure, work).expect("a thread");
        // What it ended with is what is asked here.
        let _ = thread.join();
        *told.borrow()
    }

    #[test]
    fn a_panic_and_an_error_are_told_of_and_a_proper_end_is_not() {
        for part in [Part::Worker(1), Part::Lobby(0), Part::Tcp] {
            assert_eq!(told(part, || panic!("a fault")), Some(part));
            let failed = told(part, || Err(io::Error::other("a fault")));
            assert_eq!(failed, Some(part));
            assert_eq!(told(part, || Ok(())), None);
        }
    }

    #[test]
    fn the_first_is_told_of() {
        let (failure, told) = watch::channel(Some(Part::Tcp));
        let thread = start(Part::Worker(0), &failure, || panic!("a fault")).expect("a thread");
        assert!(thread.join().is_err());
        assert_eq!(*told.borrow(), Some(Part::Tcp));
    }
}
