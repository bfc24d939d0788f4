//! A ring of one producer and one consumer, so that neither waits for the other, with word of how much of what
//! went in has left at the other end.
//!
//! An answer may have to wait until something has left. Whoever waits says so ([`Entrance::hurry`]), and is told
//! when it is time ([`Exit::pass`]): each such word is answered once, whether what it was about had left before
//! or leaves later, since whoever waits may have looked just before it left.

use crate::{
    doorbell::Doorbell,
    primitives::{Arc, AtomicU64, Consumer, Ordering, Producer, PushError, RingBuffer},
};

/// Where things go in.
pub(crate) struct Entrance<T> {
    ring: Producer<T>,
    /// Behind the ring: who is woken by its end finds that given up.
    bell: RungAtTheEnd,
    /// Whether something went in since the bell was rung.
    is_due: bool,
    pushed: u64,
    progress: Arc<Progress>,
}

/// Where they come out.
pub(crate) struct Exit<T> {
    ring: Consumer<T>,
    popped: u64,
    /// The last word that was answered.
    answered: u64,
    progress: Arc<Progress>,
}

/// What both ends know, in things that went in since the start.
struct Progress {
    /// How many have left.
    passed: AtomicU64,
    /// How many have to have left because an answer waits for it.
    awaited: AtomicU64,
}

/// There was no room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Wakes the other thread when this one has ended.
struct RungAtTheEnd(Arc<Doorbell>);

impl Drop for RungAtTheEnd {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// Both ends, where so many may be under way; the bell is that of who takes them out.
pub(crate) fn passage<T>(capacity: usize, bell: Arc<Doorbell>) -> (Entrance<T>, Exit<T>) {
    let (producer, consumer) = RingBuffer::new(capacity);
    let progress = Arc::new(Progress {
        passed: AtomicU64::new(0),
        awaited: AtomicU64::new(0),
    });
    let entrance = Entrance {
        ring: producer,
        bell: RungAtTheEnd(bell),
        is_due: false,
        pushed: 0,
        progress: Arc::clone(&progress),
    };
    let exit = Exit {
        ring: consumer,
        popped: 0,
        answered: 0,
        progress,
    };
    (entrance, exit)
}

impl<T> Entrance<T> {
    /// Puts one in. The bell is rung when [`Entrance::ring`] is called.
    pub(crate) fn push(&mut self, item: T) -> Result<(), Full> {
        match self.ring.push(item) {
            Ok(()) => {
                self.pushed += 1;
                self.is_due = true;
                Ok(())
            }
            Err(PushError::Full(_)) => Err(Full),
        }
    }

    /// Something else has come for the other thread: [`Entrance::ring`] will wake it.
    pub(crate) fn owe_a_ring(&mut self) {
        self.is_due = true;
    }

    /// Wakes the other thread, if something has gone in.
    pub(crate) fn ring(&mut self) {
        if std::mem::take(&mut self.is_due) {
            self.bell.0.ring();
        }
    }

    /// How many have gone in.
    pub(crate) fn fence(&self) -> u64 {
        self.pushed
    }

    /// Whether that many have left. A thread that has ended lets nothing leave any more.
    pub(crate) fn has_passed(&self, fence: u64) -> bool {
        self.progress.passed.load(Ordering::Acquire) >= fence || self.ring.is_abandoned()
    }

    /// An answer waits until that many have left.
    pub(crate) fn hurry(&self, fence: u64) {
        if self.progress.awaited.fetch_max(fence, Ordering::AcqRel) < fence {
            self.bell.0.ring();
        }
    }
}

impl<T> Exit<T> {
    /// The next one, if one has come.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.ring.pop().ok()?;
        self.popped += 1;
        Some(item)
    }

    /// Whether more have come.
    pub(crate) fn has_more(&self) -> bool {
        !self.ring.is_empty()
    }

    /// Whether the other thread has ended, and all that it put in was taken out.
    pub(crate) fn is_over(&self) -> bool {
        // In this order: what went in last is seen by whoever sees the end.
        self.ring.is_abandoned() && self.ring.is_empty()
    }

    /// How many have been taken out.
    pub(crate) fn popped(&self) -> u64 {
        self.popped
    }

    /// Whether an answer waits for more than has left.
    pub(crate) fn is_awaited(&self) -> bool {
        let passed = self.progress.passed.load(Ordering::Relaxed);
        self.progress.awaited.load(Ordering::Acquire) > passed
    }

    /// So many have left. Returns whether somebody who waits for that has to be woken.
    pub(crate) fn pass(&mut self, popped: u64) -> bool {
        self.progress.passed.store(popped, Ordering::Release);
        let awaited = self.progress.awaited.load(Ordering::Acquire);
        let is_news = (self.answered + 1..=popped).contains(&awaited);
        if is_news {
            self.answered = awaited;
        }
        is_news
    }
}
