//! The answers of a connection that its client has not taken.
//!
//! Whoever gives a call no window keeps its answer here for as long as they answer pings, and hyper does not say so: what
//! it has taken of a body is its own, and so is a whole body that waits. But it drops the bytes when they have left, or
//! when the stream is reset; so each answer is known here until its last bytes are dropped.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use stoa_h3::TakenBy;
use tokio::time::{Instant, sleep_until};
use tonic::{Status, body::Body};

use crate::connections::CallPlace;

/// The answers of one connection that have to be taken by some time. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    next: u64,
    by: BTreeSet<(Instant, u64)>,
}

/// An answer, until all of it is taken or given up.
struct Answer {
    unread: Unread,
    key: Option<(Instant, u64)>,
    /// Counts its call.
    _place: Option<CallPlace>,
}

impl Unread {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Knows the answer until it is taken.
    pub(super) fn watch(&self, mut response: Response<Body>) -> Response<Body> {
        let by = response.extensions_mut().remove::<TakenBy>();
        let place = response.extensions_mut().remove::<CallPlace>();
        // Trailers alone need no window.
        if http_body::Body::is_end_stream(response.body()) || by.is_none() && place.is_none() {
            return response;
        }
        let key = by.map(|TakenBy(at)| {
            let mut waiting = self.waiting();
            let key = (at, waiting.next);
            waiting.next += 1;
            waiting.by.insert(key);
            key
        });
        let answer = Arc::new(Answer {
            unread: self.clone(),
            key,
            _place: place,
        });
        response.map(|body| Body::new(Watched { body, answer }))
    }

    /// Completes when an answer has not been taken by its time; it is looked so often.
    pub(super) async fn overdue(&self, often: Duration) {
        loop {
            let first = self.waiting().by.first().map(|(at, _)| *at);
            let now = Instant::now();
            if first.is_some_and(|first| first <= now) {
                return;
            }
            let next = now + often;
            sleep_until(first.map_or(next, |first| first.min(next))).await;
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.unread.waiting().by.remove(key);
        }
    }
}

/// A body whose bytes know to which answer they belong.
struct Watched {
    body: Body,
    answer: Arc<Answer>,
}

/// Bytes of an answer.
struct Piece {
    bytes: Bytes,
    _answer: Arc<Answer>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let own = |bytes| {
            Bytes::from_owner(Piece {
                bytes,
                _answer: Arc::clone(&self.answer),
            })
        };
        frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(own))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
