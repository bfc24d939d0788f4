//! Feeds the mirror from the stream of notices.

use std::{sync::Arc, time::Duration};

use stoa_core::RoomEventKind;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    directory::Directory,
    media::{Media, MediaError, Notice},
    resume::ResumeTokens,
};

/// The first pause before snapshots are asked for again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Runs until the media workers have stopped.
pub(crate) async fn pump(
    directory: Arc<Directory>,
    resume: ResumeTokens,
    media: Arc<dyn Media>,
    mut notices: mpsc::Receiver<Notice>,
) {
    while let Some(notice) = notices.recv().await {
        let complete = match notice {
            Notice::Event(event) => {
                let is_end = matches!(
                    event.kind,
                    RoomEventKind::Left { .. } | RoomEventKind::Closed(_)
                );
                let end = is_end.then(|| event.clone());
                let complete = directory.apply(event);
                end.into_iter().for_each(|event| resume.told(&event));
                complete
            }
            Notice::Lost => false,
        };
        if !complete {
            tracing::warn!("events were lost; the rooms are read anew");
            let Some(snapshots) = snapshots(&*media).await else {
                break;
            };
            directory.replace(snapshots);
            resume.told_anew(&directory);
        }
    }
    tracing::debug!("there are no more events");
}

async fn snapshots(media: &dyn Media) -> Option<Vec<stoa_core::RoomSnapshot>> {
    let mut pause = FIRST_PAUSE;
    loop {
        match media.snapshots().await {
            Ok(snapshots) => return Some(snapshots),
            Err(MediaError::Stopped) => return None,
            Err(error) => tracing::debug!(%error, ?pause, "no snapshots"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
