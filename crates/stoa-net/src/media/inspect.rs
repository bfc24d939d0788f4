//! A room as whoever looks after the node wants to see it.

use std::collections::BTreeMap;

use stoa_core::{RoomId, RoomInspection, SeatInspection};

use super::Media;
use crate::{error::MediaError, mailbox::Command};

impl Media {
    /// A room, and of each participant who is shown what the worker of their seat knows of them: nothing, if
    /// they have left meanwhile. It costs its workers as much as a few packets, and there is no limit to how long they
    /// may take.
    ///
    /// # Errors
    /// [`MediaError`], with [`stoa_core::Error::RoomNotFound`].
    pub async fn inspect(
        &self,
        room: RoomId,
    ) -> Result<(RoomInspection, Vec<Option<SeatInspection>>), MediaError> {
        let home = self.home(&room);
        let inspected = self.ask(home, |reply| Command::InspectRoom { room, reply });
        let inspected = inspected.await?.map_err(MediaError::from)?;
        let mut by_worker: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, participant) in inspected.participants.iter().enumerate() {
            // The number of a worker that this process has.
            let worker = usize::from(participant.seat.worker().0);
            by_worker.entry(worker).or_default().push(index);
        }
        let mut seats = vec![None; inspected.participants.len()];
        for (worker, indices) in by_worker {
            let those = indices
                .iter()
                .map(|&index| inspected.participants[index].seat);
            let those = those.collect();
            let found = self.ask(worker, |reply| Command::InspectSeats {
                seats: those,
                reply,
            });
            for (index, seat) in indices.into_iter().zip(found.await?) {
                seats[index] = seat;
            }
        }
        Ok((inspected, seats))
    }
}
