//! How full everything is that has a limit. Nothing changes by it.

use super::Node;
use crate::{
    limits::{
        MAX_ADDRESSES_PER_PARTICIPANT, MAX_FORMER_CREDENTIALS, MAX_MODERATOR_MUTES,
        MAX_POOLED_BUFFERS, MAX_PREROLL_PACKETS, MAX_REMOTE_CANDIDATES, MAX_SUBSCRIPTIONS_PER_ROOM,
    },
    room::Room,
    seat::Seat,
};

/// What a seat may have timers for: its session, its liveness, its reports.
const TIMERS_PER_SEAT: usize = 3;

/// What a room may have timers for: its ranking, being empty, being idle.
const TIMERS_PER_ROOM: usize = 3;

/// A table, queue or count of a node, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// What it is, for people.
    pub what: &'static str,
    /// How much is in it; where there is one for each room or participant, in the fullest.
    pub count: usize,
    /// How much there may be.
    pub limit: usize,
}

impl Node {
    /// How full everything of the node is that has a limit: rule 6 of what must always hold. It looks at all
    /// rooms and seats, so it is for simulations and not for the packet path.
    pub fn fill(&self) -> Vec<Fill> {
        let limits = &self.limits;
        let (rooms, seats) = (self.rooms.len(), self.seats.len());
        let in_rooms = |count: fn(&Room) -> usize| fullest(self.rooms.values().map(count));
        let in_seats = |count: fn(&Seat) -> usize| fullest(self.seats.values().map(count));
        let candidates = self.participants.values().map(|one| one.candidates());
        let fill = |what, count, limit| Fill { what, count, limit };
        let credentials = (1 + MAX_FORMER_CREDENTIALS) * seats;
        let timers = TIMERS_PER_SEAT * seats + TIMERS_PER_ROOM * rooms;
        vec![
            fill("rooms", rooms, limits.rooms),
            fill("participants", self.participants.len(), limits.participants),
            fill("seats", seats, limits.participants),
            fill(
                "participants of a room",
                in_rooms(|room| room.members.len()),
                limits.participants_per_room,
            ),
            fill(
                "moderator's mutes of a room",
                in_rooms(Room::moderator_mutes),
                MAX_MODERATOR_MUTES,
            ),
            fill(
                "choices of a room's listeners",
                in_rooms(|room| room.stage.choices()),
                MAX_SUBSCRIPTIONS_PER_ROOM,
            ),
            fill(
                "packets kept of a speaker",
                in_rooms(|room| room.stage.longest_preroll()),
                MAX_PREROLL_PACKETS,
            ),
            fill(
                "remote candidates of a participant",
                fullest(candidates),
                MAX_REMOTE_CANDIDATES,
            ),
            fill(
                "addresses of a seat",
                in_seats(|seat| seat.addresses.len()),
                MAX_ADDRESSES_PER_PARTICIPANT,
            ),
            fill(
                "former credentials of a seat",
                in_seats(|seat| seat.former_ufrags.len()),
                MAX_FORMER_CREDENTIALS,
            ),
            fill(
                "known addresses",
                self.demux.addresses(),
                MAX_ADDRESSES_PER_PARTICIPANT * seats,
            ),
            fill("known credentials", self.demux.credentials(), credentials),
            fill("timers", self.timers.count(), timers),
            fill(
                "pooled buffers",
                self.direct.pooled_buffers(),
                MAX_POOLED_BUFFERS,
            ),
        ]
    }
}

fn fullest(counts: impl Iterator<Item = usize>) -> usize {
    counts.max().unwrap_or_default()
}
