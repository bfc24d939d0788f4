//! What threads have in common, in one place: `tests/nothing_is_lost_between_threads.rs` reads `doorbell.rs`,
//! `post.rs`, `passage.rs`, `latest.rs` and `goodbyes.rs` a second time and puts loom's in the place of these.

pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, TryLockError,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

pub(crate) use mio::Waker;
pub(crate) use rtrb::{Consumer, Producer, PushError, RingBuffer};

/// One that wakes nobody.
#[cfg(test)]
pub(crate) fn waker_of_nobody() -> Waker {
    let poll = mio::Poll::new().unwrap();
    Waker::new(poll.registry(), mio::Token(0)).unwrap()
}
