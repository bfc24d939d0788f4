//! The port of the control service, served from memory.

use std::collections::BTreeMap;

use stoa_control::{BoxFuture, Media, MediaError, WorkerStatus};
use stoa_core::{
    CloseReason, ConnectionState, Error, Join, Joined, LeaveReason, ParticipantChange,
    ParticipantId, ParticipantInfo, Revision, RoomEventKind, RoomId, RoomSettings, RoomSnapshot,
    RoomUpdate, SessionId,
};

use super::MemoryMedia;

impl Media for MemoryMedia {
    fn create_room(
        &self,
        room: RoomId,
        settings: RoomSettings,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            let mut state = self.state();
            if state.rooms.contains_key(&room) {
                return Err(Error::RoomExists.into());
            }
            state.rooms.insert(room.clone(), Vec::new());
            state.revisions.insert(room.clone(), 0);
            state.settings.insert(room.clone(), settings.clone());
            Ok(self.tell(&mut state, &room, RoomEventKind::Created(settings)))
        })
    }

    fn update_room(
        &self,
        room: RoomId,
        update: RoomUpdate,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            let mut state = self.state();
            let settings = state.settings.get_mut(&room).ok_or(Error::RoomNotFound)?;
            let after = settings.updated(update);
            if *settings == after {
                return Ok(Revision(state.revisions[&room]));
            }
            *settings = after.clone();
            Ok(self.tell(&mut state, &room, RoomEventKind::RoomUpdated(after)))
        })
    }

    fn change_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        change: ParticipantChange,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            Ok(self.change(&room, &participant, session, change)?)
        })
    }

    fn close_room(&self, room: RoomId) -> BoxFuture<'_, Result<(), MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            let mut state = self.state();
            let here = state.rooms.get(&room).ok_or(Error::RoomNotFound)?.clone();
            for info in here {
                let reason = LeaveReason::RoomClosed;
                self.take(&mut state, &room, &info.participant, None, reason)?;
            }
            state.rooms.remove(&room);
            state.settings.remove(&room);
            self.tell(
                &mut state,
                &room,
                RoomEventKind::Closed(CloseReason::Closed),
            );
            Ok(())
        })
    }

    fn join(&self, join: Join) -> BoxFuture<'_, Result<Joined, MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            self.admit(join)
        })
    }

    fn add_ice_candidate(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        candidate: String,
    ) -> BoxFuture<'_, Result<(), MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            let state = self.state();
            let here = state.rooms.get(&room).ok_or(Error::RoomNotFound)?;
            let known = here.iter().find(|p| p.participant == participant);
            let known = known.ok_or(Error::ParticipantNotFound)?;
            if session.is_some_and(|session| session != known.session) {
                return Err(Error::SessionMismatch.into());
            }
            match candidate.as_str() {
                "malformed" => Err(Error::CandidateMalformed("word 1".into()).into()),
                "one too many" => Err(Error::CandidateLimit.into()),
                _ => Ok(()),
            }
        })
    }

    fn restart_ice(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        offer: String,
    ) -> BoxFuture<'_, Result<String, MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            let state = self.state();
            let here = state.rooms.get(&room).ok_or(Error::RoomNotFound)?;
            let known = here.iter().find(|p| p.participant == participant);
            let known = known.ok_or(Error::ParticipantNotFound)?;
            if session.is_some_and(|session| session != known.session) {
                return Err(Error::SessionMismatch.into());
            }
            if known.state == ConnectionState::Connecting {
                return Err(Error::SessionConnecting.into());
            }
            super::judge(&offer).map_err(Error::from)?;
            Ok(format!("another answer to {offer}"))
        })
    }

    fn remove_participant(
        &self,
        room: RoomId,
        participant: ParticipantId,
        session: Option<SessionId>,
        reason: LeaveReason,
    ) -> BoxFuture<'_, Result<Revision, MediaError>> {
        Box::pin(async move {
            self.begin().await?;
            Ok(self.take(&mut self.state(), &room, &participant, session, reason)?)
        })
    }

    fn snapshots(&self) -> BoxFuture<'_, Result<Vec<RoomSnapshot>, MediaError>> {
        let state = self.state();
        let show = |(room, here): (&RoomId, &Vec<ParticipantInfo>)| RoomSnapshot {
            room: room.clone(),
            revision: Revision(state.revisions[room]),
            settings: state.settings[room].clone(),
            participants: here.clone(),
        };
        let all: Vec<_> = state.rooms.iter().map(show).collect();
        Box::pin(async { Ok(all) })
    }

    fn home(&self, _room: &RoomId) -> usize {
        0
    }

    fn status(&self) -> Vec<WorkerStatus> {
        let dropped = BTreeMap::from([("unknown".to_owned(), 3)]);
        vec![WorkerStatus {
            seats: 0,
            port: 40_000,
            datagrams_dropped: dropped,
            ..WorkerStatus::default()
        }]
    }
}
