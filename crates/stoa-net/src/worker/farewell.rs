//! How a worker ends.

use std::{
    io,
    time::{Duration, Instant},
};

use mio::Events;

use super::{RETRY, Worker};

/// How long a worker that ends waits for the others to say goodbye to those who have seats here.
const LONGEST_FAREWELL: Duration = Duration::from_secs(2);

impl Worker {
    /// All rooms of this worker are closed. Those who have seats here may be in rooms of other workers that
    /// are about to close, too; they are said goodbye to.
    pub(super) fn say_goodbye(mut self, events: &mut Events) -> io::Result<()> {
        let until = Instant::now() + LONGEST_FAREWELL;
        let mut has_closed = false;
        loop {
            self.flush();
            if !has_closed && !self.is_behind() {
                has_closed = true;
                self.goodbyes.say();
            }
            // Looked at before the letters: what others had to say is among them then.
            let all_closed = self.goodbyes.are_said_by(self.ways.len());
            let letters_wait = self.take_letters();
            self.take_relayed();
            self.pass();
            let now = Instant::now();
            if (all_closed && !letters_wait && !self.is_blocked()) || now >= until {
                self.publish();
                return Ok(());
            }
            if !letters_wait {
                self.wait(events, now + RETRY, None)?;
            }
        }
    }
}
