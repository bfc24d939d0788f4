//! Who is heard in a room: told apart from its changes, because only the latest counts.

use std::sync::Arc;

use prost_types::Timestamp;
use stoa_api::v1::{WatchResponse, watch_response::Event as ApiEvent};

use super::{Applied, Cursor, State, Step, response};
use crate::convert;

impl State {
    pub(super) fn hear(
        &mut self,
        revision: u64,
        speakers: stoa_core::ActiveSpeakers,
        now: Timestamp,
    ) -> Applied {
        if revision > self.revision {
            return Applied::Gap;
        }
        let event = ApiEvent::ActiveSpeakers(convert::active_speakers(speakers));
        self.speakers = Some(Arc::new(response(self.revision, now, event)));
        self.speaker_reports += 1;
        Applied::Done
    }

    /// The speakers for a watcher that has seen everything else.
    pub(super) fn speakers_for(&self, cursor: &mut Cursor) -> Step {
        match &self.speakers {
            Some(speakers) if cursor.speaker_reports < self.speaker_reports => {
                cursor.speaker_reports = self.speaker_reports;
                let mut speakers = WatchResponse::clone(speakers);
                // Who talks does not change the room: for this watcher it is where it was.
                speakers.revision = self.revision;
                Step::Send(Arc::new(speakers))
            }
            _ => Step::Wait,
        }
    }
}
