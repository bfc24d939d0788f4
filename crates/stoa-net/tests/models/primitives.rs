//! What `src/primitives.rs` names, in loom's world. The queues are the libraries' in earnest; here they are as weak as
//! they promise to be (what was sent is seen by whoever receives it, and nothing else is), so that nothing of ours
//! leans on more. What lies in them is behind locks that loom does not see, and that nobody ever waits for.

pub(crate) use loom::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};
pub(crate) use rtrb::PushError;
pub(crate) use std::sync::{PoisonError, TryLockError, mpsc::TrySendError};

use std::{collections::VecDeque, convert::Infallible};

/// What a sleeping thread is woken by: it stays set until somebody has slept on it, as an eventfd does.
#[derive(Clone)]
pub(crate) struct Waker(Arc<(loom::sync::Mutex<bool>, loom::sync::Condvar)>);

impl Waker {
    pub(crate) fn new() -> Self {
        Self(Arc::new((
            loom::sync::Mutex::new(false),
            loom::sync::Condvar::new(),
        )))
    }

    pub(crate) fn wake(&self) -> Result<(), Infallible> {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_one();
        Ok(())
    }

    /// Sleeps until woken, without a timeout: who is not woken sleeps for ever, and loom says so.
    pub(crate) fn wait(&self) {
        let mut is_set = self.0.0.lock().unwrap();
        while !*is_set {
            is_set = self.0.1.wait(is_set).unwrap();
        }
        *is_set = false;
    }
}

/// The ring of rtrb, as to what one end sees of the other.
pub(crate) struct RingBuffer<T>(std::marker::PhantomData<T>);

struct Ring<T> {
    slots: std::sync::Mutex<VecDeque<T>>,
    capacity: usize,
    head: AtomicUsize,
    tail: AtomicUsize,
    is_abandoned: AtomicBool,
}

pub(crate) struct Producer<T>(Arc<Ring<T>>, usize);

pub(crate) struct Consumer<T>(Arc<Ring<T>>, usize);

impl<T> RingBuffer<T> {
    #[allow(clippy::new_ret_no_self, reason = "as in rtrb")]
    pub(crate) fn new(capacity: usize) -> (Producer<T>, Consumer<T>) {
        let ring = Arc::new(Ring {
            slots: std::sync::Mutex::default(),
            capacity,
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
            is_abandoned: AtomicBool::new(false),
        });
        (Producer(Arc::clone(&ring), 0), Consumer(ring, 0))
    }
}

impl<T> Producer<T> {
    pub(crate) fn push(&mut self, item: T) -> Result<(), PushError<T>> {
        let Self(ring, tail) = self;
        if *tail - ring.head.load(Ordering::Acquire) == ring.capacity {
            return Err(PushError::Full(item));
        }
        ring.slots.lock().unwrap().push_back(item);
        *tail += 1;
        ring.tail.store(*tail, Ordering::Release);
        Ok(())
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_abandoned.load(Ordering::Acquire)
    }
}

impl<T> Consumer<T> {
    pub(crate) fn pop(&mut self) -> Result<T, rtrb::PopError> {
        if self.is_empty() {
            return Err(rtrb::PopError::Empty);
        }
        let Self(ring, head) = self;
        let item = ring.slots.lock().unwrap().pop_front();
        *head += 1;
        ring.head.store(*head, Ordering::Release);
        item.ok_or(rtrb::PopError::Empty)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.tail.load(Ordering::Acquire) == self.1
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.is_abandoned.load(Ordering::Acquire)
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.0.is_abandoned.swap(true, Ordering::AcqRel);
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.0.is_abandoned.swap(true, Ordering::AcqRel);
    }
}

/// The standard library's bounded queue, in the same way.
struct Queue<T> {
    items: std::sync::Mutex<VecDeque<T>>,
    waiting: AtomicUsize,
    capacity: usize,
}

pub(crate) struct SyncSender<T>(Arc<Queue<T>>);

pub(crate) struct Receiver<T>(Arc<Queue<T>>);

pub(crate) fn sync_channel<T>(capacity: usize) -> (SyncSender<T>, Receiver<T>) {
    let queue = Arc::new(Queue {
        items: std::sync::Mutex::default(),
        waiting: AtomicUsize::new(0),
        capacity,
    });
    (SyncSender(Arc::clone(&queue)), Receiver(queue))
}

impl<T> SyncSender<T> {
    pub(crate) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        let Self(queue) = self;
        if queue.waiting.load(Ordering::Acquire) >= queue.capacity {
            return Err(TrySendError::Full(item));
        }
        queue.items.lock().unwrap().push_back(item);
        queue.waiting.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Receiver<T> {
    pub(crate) fn try_recv(&self) -> Option<T> {
        let Self(queue) = self;
        if queue.waiting.load(Ordering::Acquire) == 0 {
            return None;
        }
        queue.waiting.fetch_sub(1, Ordering::AcqRel);
        queue.items.lock().unwrap().pop_front()
    }
}
