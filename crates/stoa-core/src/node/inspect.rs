//! What whoever looks after the node wants to see of a room. Nothing changes by it.

use std::time::Instant;

use super::{Node, resume::SeatAt};
use crate::{
    error::Error,
    ids::{ParticipantId, RoomId},
    inspection::{ParticipantInspection, RoomInspection, SeatInspection},
    keys::ParticipantKey,
    limits::MAX_INSPECTED,
    rights::Role,
    room::Room,
    seat::Seat,
};

impl Node {
    /// A room that is at home here.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`].
    pub fn inspect_room(&self, now: Instant, room: &RoomId) -> Result<RoomInspection, Error> {
        let room = &self.rooms[self.find_room(room)?];
        let is_on_stage = |key: &&ParticipantKey| {
            let participant = self.participants.get(**key);
            participant.is_some_and(|participant| {
                participant.is_on_stage || participant.info.role != Role::Listener
            })
        };
        let stage = room.members.values().filter(is_on_stage);
        let audience = room.members.values().filter(|key| !is_on_stage(key));
        let shown = stage.chain(audience).take(MAX_INSPECTED);
        let name = |key: ParticipantKey| -> Option<ParticipantId> {
            let participant = self.participants.get(key)?;
            Some(participant.info.participant.clone())
        };
        let slots = room.stage.slots().map(|holder| {
            let (key, since) = holder?;
            Some((name(key)?, now.saturating_duration_since(since)))
        });
        Ok(RoomInspection {
            revision: room.revision(),
            settings: room.settings.clone(),
            participant_count: room.members.len(),
            participants: shown
                .filter_map(|key| self.inspect_participant(room, *key))
                .collect(),
            slots: slots.collect(),
            understudy: room.stage.understudy().and_then(name),
            over_quota: room.over_quota,
        })
    }

    fn inspect_participant(
        &self,
        room: &Room,
        key: ParticipantKey,
    ) -> Option<ParticipantInspection> {
        let participant = self.participants.get(key)?;
        let who = &participant.info.participant;
        Some(ParticipantInspection {
            info: participant.info.clone(),
            may_speak: participant.may_speak(room.settings.speak_policy),
            level: room.stage.level_of(key),
            lines: participant.lines,
            hears_everybody: participant.choice.is_everybody(),
            seat: self.seat_of(&room.id, who, None).ok()?,
        })
    }

    /// Those who have their seats here, of whatever room; nothing for whoever has left meanwhile.
    pub fn inspect_seats(&self, now: Instant, seats: &[SeatAt]) -> Vec<Option<SeatInspection>> {
        let inspect = |at: &SeatAt| {
            let key = self.seats_by_member.get(&at.member())?;
            let seat = self.seats.get(*key)?;
            Some(SeatInspection {
                reception: self.direct.reception(*key),
                ..of_seat(now, seat)
            })
        };
        seats.iter().map(inspect).collect()
    }
}

fn of_seat(now: Instant, seat: &Seat) -> SeatInspection {
    let since = |at: Instant| now.saturating_duration_since(at);
    SeatInspection {
        endpoint: seat.address(),
        is_connected: seat.is_connected,
        silent_for: since(seat.last_heard),
        away_for: seat.away_since.map(since),
        uplink_loss: seat.measured.uplink_loss,
        downlink_loss: seat.measured.downlink_loss,
        round_trip: seat.measured.round_trip,
        reception: None,
        dropped: seat.dropped().collect(),
    }
}
