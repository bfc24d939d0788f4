//! The stream of one watcher.
//!
//! A watcher reads from its room's log at its own pace; nothing is queued for it. Fallen behind, it
//! gets a snapshot.

use std::{sync::Arc, time::Duration};

use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use stoa_api::v1::{WatchResponse, watch_response::Event};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tonic::Status;

use super::news::NodeNews;
use crate::{
    directory::{Cursor, Directory, Room, Step, bookmark, response},
    entrance::WatchPlace,
    gauge::Tally,
};

/// One watcher of one room.
pub(crate) struct Watcher {
    directory: Arc<Directory>,
    room: Arc<Room>,
    changes: watch::Receiver<()>,
    cursor: Cursor,
    first: Option<Arc<WatchResponse>>,
    news: NodeNews,
    quiet: Duration,
    resyncs: Tally,
    _counted: WatchPlace,
}

impl Watcher {
    /// `first` and `cursor` are what [`Room::watch`] returned; after `quiet` without a message there
    /// is a bookmark.
    pub(crate) fn new(
        directory: Arc<Directory>,
        room: Arc<Room>,
        (first, cursor): (Arc<WatchResponse>, Cursor),
        news: NodeNews,
        quiet: Duration,
        resyncs: Tally,
        counted: WatchPlace,
    ) -> Self {
        let changes = room.changes();
        Self {
            directory,
            room,
            changes,
            cursor,
            first: Some(first),
            news,
            quiet,
            resyncs,
            _counted: counted,
        }
    }

    /// The messages, until the room is closed. Deadlines and the node's end are the gate's.
    pub(crate) fn into_stream(self) -> BoxStream<'static, Result<WatchResponse, Status>> {
        unfold(self, |mut watcher| async {
            let message = watcher.next().await?;
            Some((Ok(message), watcher))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<WatchResponse> {
        if let Some(first) = self.first.take() {
            return Some(Arc::unwrap_or_clone(first));
        }
        let quiet_until = Instant::now() + self.quiet;
        loop {
            // Before the look at the room, so that a change in between wakes this again.
            self.changes.mark_unchanged();
            if let Some(news) = self.news.next() {
                let event = Event::NodeUpdated(news);
                return Some(response(
                    self.cursor.revision(),
                    self.directory.now(),
                    event,
                ));
            }
            match self.room.step(&mut self.cursor, self.directory.now()) {
                Step::Send(message) => return Some(Arc::unwrap_or_clone(message)),
                Step::Anew(snapshot) => {
                    self.resyncs.count();
                    return Some(Arc::unwrap_or_clone(snapshot));
                }
                Step::End => return None,
                Step::Wait => {}
            }
            // The room is held, so its sender lives: only the time can run out.
            tokio::select! {
                _ = self.changes.changed() => {}
                () = self.news.changed() => {}
                () = sleep_until(quiet_until) => {
                    return Some(bookmark(self.cursor.revision(), self.directory.now()));
                }
            }
        }
    }
}
