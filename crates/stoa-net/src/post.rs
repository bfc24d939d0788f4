//! A bounded queue of many senders to a worker, who is woken for what comes.

use crate::{
    doorbell::Doorbell,
    primitives::{Arc, Receiver, SyncSender, TrySendError, sync_channel},
};

/// The sending end.
pub(crate) struct Post<T> {
    queue: SyncSender<T>,
    bell: Arc<Doorbell>,
}

/// Both ends, where so many may wait; the bell is that of who reads.
pub(crate) fn post<T>(capacity: usize, bell: Arc<Doorbell>) -> (Post<T>, Receiver<T>) {
    let (queue, received) = sync_channel(capacity);
    (Post { queue, bell }, received)
}

impl<T> Post<T> {
    /// Hands it in and wakes the reader, or gives it back.
    pub(crate) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        self.queue.try_send(item)?;
        self.bell.ring();
        Ok(())
    }
}

/// Whatever is sent need not be cloned for it.
impl<T> Clone for Post<T> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            bell: Arc::clone(&self.bell),
        }
    }
}
