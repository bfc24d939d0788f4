//! A value that is replaced now and then, for threads that look in each of their turns whether there is another one.

use crate::{
    doorbell::Doorbell,
    primitives::{Arc, AtomicU64, Mutex, MutexGuard, Ordering, PoisonError, TryLockError},
};

/// What the threads have in common.
pub(crate) struct Latest<T> {
    value: Mutex<Arc<T>>,
    /// How often it has been replaced.
    generation: AtomicU64,
    /// Those of the threads.
    bells: Vec<Arc<Doorbell>>,
}

/// What one thread has of it.
pub(crate) struct Seen<T> {
    latest: Arc<Latest<T>>,
    value: Arc<T>,
    generation: u64,
}

impl<T> Latest<T> {
    /// The first value, for threads with these bells.
    pub(crate) fn new(value: T, bells: Vec<Arc<Doorbell>>) -> Self {
        Self {
            value: Mutex::new(Arc::new(value)),
            generation: AtomicU64::new(0),
            bells,
        }
    }

    /// Puts what `another` makes of the value in its place, if that is anything, and wakes the threads.
    pub(crate) fn replace(&self, another: impl FnOnce(&T) -> Option<T>) {
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(next) = another(&value) else {
            return;
        };
        *value = Arc::new(next);
        // Before the lock is free again: whoever has it finds the number of what they find.
        self.generation.fetch_add(1, Ordering::Release);
        drop(value);
        for bell in &self.bells {
            bell.ring();
        }
    }

    /// Nobody waits for a lock on the way of packets.
    fn try_lock(&self) -> Option<MutexGuard<'_, Arc<T>>> {
        match self.value.try_lock() {
            Ok(value) => Some(value),
            Err(TryLockError::Poisoned(value)) => Some(value.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<T> Seen<T> {
    /// For a thread that has the value of now.
    pub(crate) fn new(latest: Arc<Latest<T>>) -> Self {
        let guard = latest.value.lock().unwrap_or_else(PoisonError::into_inner);
        let value = Arc::clone(&guard);
        let generation = latest.generation.load(Ordering::Relaxed);
        drop(guard);
        Self {
            latest,
            value,
            generation,
        }
    }

    /// The value that this thread goes by.
    pub(crate) fn value(&self) -> &T {
        &self.value
    }

    /// Whether there is another one. Whoever goes to sleep while there is looks again soon.
    pub(crate) fn is_old(&self) -> bool {
        self.latest.generation.load(Ordering::Acquire) != self.generation
    }

    /// Takes the newest one, unless somebody is at it just now. Returns whether it did.
    pub(crate) fn renew(&mut self) -> bool {
        let Some(value) = self.latest.try_lock() else {
            return false;
        };
        self.value = Arc::clone(&value);
        self.generation = self.latest.generation.load(Ordering::Relaxed);
        true
    }
}
