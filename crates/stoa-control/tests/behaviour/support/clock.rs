//! A time of day that a test sets.

use std::{
    sync::{Arc, Mutex},
    time::SystemTime,
};

use stoa_control::Clock;

/// Stands at the time of its making until it is set.
#[derive(Clone)]
pub struct TestClock(Arc<Mutex<SystemTime>>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(SystemTime::now())))
    }
}

impl TestClock {
    pub fn set(&self, time: SystemTime) {
        *self.0.lock().expect("nobody panics") = time;
    }

    pub fn now(&self) -> SystemTime {
        *self.0.lock().expect("nobody panics")
    }

    /// For a server's configuration.
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}
