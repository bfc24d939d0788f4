//! `/debug/rooms/{id}`: one room with everybody who may be heard in it, as JSON.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use stoa_core::{
    ConnectionState, ParticipantInspection, Role, RoomId, RoomInspection, SeatInspection,
    SpeakPolicy, TenantId, Transport,
};
use stoa_net::{Media, MediaError};

/// How long the media workers may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a room is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotShown {
    #[error("there are several tenants: say whose room it is with ?tenant=NAME")]
    WhichTenant,
    #[error("there is no such room; it may have been closed")]
    NotFound,
    #[error("the media workers have not answered within 2 s")]
    Busy,
}

/// The room of this name, of this tenant or the only one there is.
pub(crate) fn room_of(
    tenants: &[TenantId],
    tenant: Option<&str>,
    name: &str,
) -> Result<RoomId, NotShown> {
    let tenant = match (tenant, tenants) {
        (Some(name), _) => tenants.iter().find(|tenant| tenant.as_str() == name),
        (None, [only]) => Some(only),
        (None, _) => return Err(NotShown::WhichTenant),
    };
    let room = tenant.and_then(|tenant| RoomId::of_tenant(tenant, name).ok());
    room.ok_or(NotShown::NotFound)
}

/// Asks the workers.
pub(crate) async fn show(media: &Media, id: RoomId) -> Result<Room, NotShown> {
    let asked = tokio::time::timeout(PATIENCE, media.inspect(id.clone())).await;
    match asked {
        Ok(Ok((room, seats))) => Ok(Room::new(&id, room, seats, media.home(&id))),
        Ok(Err(MediaError::Refused(_))) => Err(NotShown::NotFound),
        Ok(Err(MediaError::Overloaded | MediaError::Stopped)) | Err(_) => Err(NotShown::Busy),
    }
}

/// A room. Times are in seconds, levels in dBov (RFC 6464), losses in parts of 1.
#[derive(Debug, Serialize)]
pub(crate) struct Room {
    room_id: String,
    tenant: String,
    /// The number of the worker that is its home.
    home_worker: usize,
    revision: u64,
    speak_policy: &'static str,
    audio_slots: usize,
    slots: Vec<Option<Holder>>,
    understudy: Option<String>,
    packets_over_quota: u64,
    participant_count: usize,
    /// Fewer, in a large room.
    participants_shown: usize,
    participants: Vec<Participant>,
}

#[derive(Debug, Serialize)]
struct Holder {
    participant_id: String,
    held_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Participant {
    participant_id: String,
    session_id: String,
    role: &'static str,
    state: &'static str,
    csrc: u32,
    muted_by_moderator: bool,
    muted_by_participant: bool,
    may_speak: bool,
    level_dbov: Option<i16>,
    level_distrusted: bool,
    lines: usize,
    hears_everybody: bool,
    seat_worker: u16,
    seat: Option<Seat>,
}

#[derive(Debug, Serialize)]
struct Seat {
    address: Option<String>,
    transport: Option<&'static str>,
    connected: bool,
    silent_seconds: f64,
    away_seconds: Option<f64>,
    uplink_loss: Option<f32>,
    downlink_loss: Option<f32>,
    packets_lost: Option<i64>,
    jitter_seconds: Option<f64>,
    round_trip_seconds: Option<f64>,
    dropped: BTreeMap<&'static str, u32>,
}

impl Room {
    fn new(
        id: &RoomId,
        room: RoomInspection,
        seats: Vec<Option<SeatInspection>>,
        home: usize,
    ) -> Self {
        let holder = |(who, held): (stoa_core::ParticipantId, Duration)| Holder {
            participant_id: who.as_str().to_owned(),
            held_seconds: held.as_secs_f64(),
        };
        let people = room.participants.into_iter().zip(seats);
        let participants: Vec<_> = people
            .map(|(participant, seat)| Participant::new(participant, seat))
            .collect();
        Self {
            room_id: id.name().to_owned(),
            tenant: id.tenant().to_owned(),
            home_worker: home,
            revision: room.revision.0,
            speak_policy: match room.settings.speak_policy {
                SpeakPolicy::Everyone => "everyone",
                SpeakPolicy::SpeakersOnly => "speakers_only",
            },
            audio_slots: room.settings.audio_slots.count(),
            slots: room
                .slots
                .into_iter()
                .map(|slot| slot.map(holder))
                .collect(),
            understudy: room.understudy.map(|who| who.as_str().to_owned()),
            packets_over_quota: room.over_quota,
            participant_count: room.participant_count,
            participants_shown: participants.len(),
            participants,
        }
    }
}

impl Participant {
    fn new(participant: ParticipantInspection, seat: Option<SeatInspection>) -> Self {
        let info = participant.info;
        Self {
            participant_id: info.participant.as_str().to_owned(),
            session_id: info.session.as_str().to_owned(),
            role: match info.role {
                Role::Listener => "listener",
                Role::Speaker => "speaker",
                Role::Moderator => "moderator",
            },
            state: match info.state {
                ConnectionState::Connecting => "connecting",
                ConnectionState::Connected => "connected",
                ConnectionState::Reconnecting => "reconnecting",
            },
            csrc: info.csrc.0,
            muted_by_moderator: info.mutes.by_moderator,
            muted_by_participant: info.mutes.by_participant,
            may_speak: participant.may_speak,
            level_dbov: participant
                .level
                .map(|level| -i16::from(level.minus_dbov())),
            level_distrusted: info.level_distrusted,
            lines: participant.lines,
            hears_everybody: participant.hears_everybody,
            seat_worker: participant.seat.worker().0,
            seat: seat.map(Seat::new),
        }
    }
}

impl Seat {
    fn new(seat: SeatInspection) -> Self {
        let seconds = |time: Duration| time.as_secs_f64();
        let dropped = seat.dropped.into_iter();
        Self {
            address: seat.endpoint.map(|endpoint| endpoint.address.to_string()),
            transport: seat.endpoint.map(|endpoint| match endpoint.transport {
                Transport::Udp => "udp",
                Transport::Tcp => "tcp",
            }),
            connected: seat.is_connected,
            silent_seconds: seconds(seat.silent_for),
            away_seconds: seat.away_for.map(seconds),
            uplink_loss: seat.uplink_loss,
            downlink_loss: seat.downlink_loss,
            packets_lost: seat.reception.map(|reception| reception.packets_lost),
            jitter_seconds: seat.reception.map(|reception| seconds(reception.jitter)),
            round_trip_seconds: seat
                .round_trip
                .or(seat.reception.and_then(|reception| reception.round_trip))
                .map(seconds),
            dropped: dropped
                .map(|(reason, count)| (reason.name(), count))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_needed_where_there_are_several() {
        let tenants = ["one", "two"].map(|name| TenantId::new(name).expect("a name"));
        let found = room_of(&tenants[..1], None, "hall").expect("there is only one");
        assert_eq!((found.tenant(), found.name()), ("one", "hall"));
        let found = room_of(&tenants, Some("two"), "hall").expect("it was said");
        assert_eq!(found.tenant(), "two");
        assert_eq!(room_of(&tenants, None, "hall"), Err(NotShown::WhichTenant));
        assert_eq!(
            room_of(&tenants, Some("three"), "hall"),
            Err(NotShown::NotFound)
        );
        assert_eq!(room_of(&tenants[..1], None, "a b"), Err(NotShown::NotFound));
    }
}
