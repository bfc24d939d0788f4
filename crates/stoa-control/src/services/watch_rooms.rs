//! The stream of one watcher of all rooms.
//!
//! As a watcher of one room it reads from a log at its own pace, and nothing is queued for it. Fallen behind,
//! it gets a snapshot of all rooms again, room by room.

use std::{sync::Arc, time::Duration};

use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use stoa_api::v1::{self, ErrorReason, WatchRoomsResponse, watch_rooms_response::Event};
use stoa_core::RoomId;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tonic::Status;

use super::news::NodeNews;
use crate::{
    directory::{Directory, Next, Piece, Survey, TenantLog},
    entrance::WatchPlace,
    errors::Failure,
    gauge::Tally,
};

/// One watcher of all rooms of a tenant.
pub(crate) struct RoomsWatcher {
    directory: Arc<Directory>,
    tenant: Arc<str>,
    log: Arc<TenantLog>,
    changes: watch::Receiver<()>,
    position: Position,
    /// How many reports of who is heard it has seen, if it wants to know.
    reports: Option<u64>,
    news: NodeNews,
    quiet: Duration,
    resyncs: Tally,
    _counted: WatchPlace,
}

/// What a watcher has seen.
enum Position {
    /// Nothing that would be of use.
    Nowhere,
    /// Everything up to this revision, and nobody has told it so yet.
    Resumed(u64),
    /// Everything up to this revision.
    At(u64),
    /// A part of a survey.
    Within(Survey),
}

impl RoomsWatcher {
    /// A watcher that knows everything up to the revision `from`; 0: nothing. After `quiet` without a message
    /// there is a bookmark.
    ///
    /// # Errors
    /// REVISION_IN_FUTURE.
    pub(crate) fn new(
        directory: Arc<Directory>,
        tenant: &str,
        request: &v1::WatchRoomsRequest,
        news: NodeNews,
        quiet: Duration,
        resyncs: Tally,
        counted: WatchPlace,
    ) -> Result<Self, Failure> {
        let log = directory.tenant(tenant);
        let (from, revision) = (request.from_revision, log.revision());
        if from > revision {
            let why = format!("the rooms are at revision {revision}; watch from 0 to begin anew");
            return Err(Failure::new(ErrorReason::RevisionInFuture, why).with("revision", revision));
        }
        let is_held = from > 0 && !matches!(log.after(from, None), Next::Forgotten);
        Ok(Self {
            changes: log.changes(request.active_speakers),
            directory,
            tenant: tenant.into(),
            log,
            position: match is_held {
                true => Position::Resumed(from),
                false => Position::Nowhere,
            },
            reports: request.active_speakers.then_some(0),
            news,
            quiet,
            resyncs,
            _counted: counted,
        })
    }

    /// The messages; they have no end of their own. Deadlines and the node's end are the gate's.
    pub(crate) fn into_stream(self) -> BoxStream<'static, Result<WatchRoomsResponse, Status>> {
        unfold(self, |mut watcher| async {
            let message = watcher.next().await;
            Some((Ok(message), watcher))
        })
        .boxed()
    }

    async fn next(&mut self) -> WatchRoomsResponse {
        let quiet_until = Instant::now() + self.quiet;
        loop {
            // Before the look at the log, so that a change in between wakes this again.
            self.changes.mark_unchanged();
            if let Position::At(revision) = self.position
                && let Some(news) = self.news.next()
            {
                return self.message(revision, Event::NodeUpdated(news));
            }
            if let Some(message) = self.step() {
                return message;
            }
            // The log is held, so its sender lives: only the time can run out.
            tokio::select! {
                _ = self.changes.changed() => {}
                () = self.news.changed() => {}
                () = sleep_until(quiet_until) => {
                    if let Position::At(revision) = self.position {
                        return self.message(revision, Event::Bookmark(v1::Bookmark {}));
                    }
                }
            }
        }
    }

    /// What comes next, if there is anything.
    fn step(&mut self) -> Option<WatchRoomsResponse> {
        match &mut self.position {
            Position::Nowhere => Some(self.begin()),
            Position::Resumed(revision) => {
                let revision = *revision;
                self.position = Position::At(revision);
                Some(self.message(revision, Event::Bookmark(v1::Bookmark {})))
            }
            Position::Within(survey) => {
                let now = self.directory.now();
                let piece = survey.next(&self.directory, &self.log, now);
                let revision = survey.revision();
                Some(match piece {
                    Piece::Room(room) => self.message(revision, Event::SnapshotRoom(room)),
                    Piece::Event(entry) => {
                        let event = v1::WatchResponse::clone(&entry.event);
                        self.happened(revision, &entry.room, event)
                    }
                    Piece::End => {
                        self.position = Position::At(revision);
                        self.message(revision, Event::SnapshotEnd(v1::SnapshotEnd {}))
                    }
                    Piece::Forgotten => self.begin_anew(),
                })
            }
            Position::At(revision) => {
                let known = *revision;
                match self.log.after(known, self.reports) {
                    Next::Event(entry) => {
                        *revision += 1;
                        let event = v1::WatchResponse::clone(&entry.event);
                        Some(self.happened(known + 1, &entry.room, event))
                    }
                    Next::Heard(number, room_revision, entry) => {
                        self.reports = Some(number);
                        let event = v1::WatchResponse {
                            revision: room_revision,
                            ..v1::WatchResponse::clone(&entry.event)
                        };
                        Some(self.happened(known, &entry.room, event))
                    }
                    Next::Nothing => None,
                    Next::Forgotten => Some(self.begin_anew()),
                }
            }
        }
    }

    /// Tells a watcher that has fallen behind to begin anew.
    fn begin_anew(&mut self) -> WatchRoomsResponse {
        self.resyncs.count();
        self.begin()
    }

    fn begin(&mut self) -> WatchRoomsResponse {
        // Who is heard is told anew, too.
        self.reports = self.reports.map(|_| 0);
        let survey = self.directory.survey(&self.tenant, &self.log);
        let begin = v1::SnapshotBegin {
            room_count: crate::convert::count(survey.room_count()),
        };
        let revision = survey.revision();
        self.position = Position::Within(survey);
        self.message(revision, Event::SnapshotBegin(begin))
    }

    fn happened(
        &self,
        revision: u64,
        room: &RoomId,
        event: v1::WatchResponse,
    ) -> WatchRoomsResponse {
        let event = v1::RoomEvent {
            room_id: room.name().to_owned(),
            event: Some(event),
        };
        self.message(revision, Event::RoomEvent(event))
    }

    fn message(&self, revision: u64, event: Event) -> WatchRoomsResponse {
        WatchRoomsResponse {
            revision,
            time: Some(self.directory.now()),
            event: Some(event),
        }
    }
}
