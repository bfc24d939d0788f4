//! The end of a life: everything heals, everybody who may speak is heard, and then nothing is left.

use std::time::Duration;

use super::Life;
use crate::{
    FRAME,
    oracle::{
        Violation, all_hear,
        leftovers::{Leftovers, nothing_is_left},
    },
};

/// Longer than a client takes to notice that its NAT has changed: checks come at least every 6 s
/// (RFC 7675, section 5.1). And longer than a silent speaker keeps a slot.
const RECOVERY: Duration = Duration::from_secs(8);

/// How long somebody talks whom all have to hear.
const SPEECH_FRAMES: u32 = 25;

/// Longer than a silent speaker keeps a slot.
const SILENCE: Duration = Duration::from_secs(2);

/// Longer than the last packet is under way.
const ARRIVAL: Duration = Duration::from_millis(100);

/// How loud they talk.
const LEVEL: u8 = 15;

impl Life {
    /// Everything heals, and one after the other talks. Whoever may is heard by all who want to hear
    /// them, with every packet; about the others there is an oracle.
    pub(super) fn finale(&mut self) -> Vec<Violation> {
        self.heal();
        self.net.run_for(RECOVERY);
        let mut violations = Vec::new();
        for index in 0..self.people.len() {
            let Some(id) = self.present(index) else {
                continue;
            };
            let first = self.net.clients[id].next_number();
            let at = self.net.elapsed();
            self.net.speak(&[(id, LEVEL)], FRAME * SPEECH_FRAMES);
            self.net.run_for(ARRIVAL);
            if self.net.may_speak(id) {
                let numbers = first..first + SPEECH_FRAMES;
                let listeners = self.listeners_of(index);
                let history = self.net.history();
                violations.extend(all_hear(&history, id, numbers, &listeners, at));
            }
            self.net.run_for(SILENCE);
        }
        violations
    }

    /// The rooms are closed, and nothing is left.
    pub(super) fn close(&mut self) -> Vec<Violation> {
        self.end_rooms();
        self.net.run_for(ARRIVAL);
        nothing_is_left(&Leftovers::of(&mut self.net))
    }
}
