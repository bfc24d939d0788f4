//! How people are put out: by a removal, by a ban, or because they leave.

use std::time::SystemTime;

use stoa_api::v1::ErrorReason;
use stoa_core::{LeaveReason, ParticipantId, RoomId, SessionId, TenantId};

use super::{Entrance, Entrant};
use crate::{
    bans::{Ban, BanKey, Cause},
    errors::Failure,
    to_its_end::to_its_end,
};

impl Entrance {
    /// Ends a media session, and returns the room's revision when everybody can see it.
    pub(crate) async fn take_out(
        &self,
        (room, who): Entrant,
        session: Option<SessionId>,
        reason: LeaveReason,
    ) -> Result<u64, Failure> {
        let follow = self.0.directory.follow(&room);
        let removed = self
            .0
            .media
            .remove_participant(room.clone(), who.clone(), session, reason);
        let removed = removed.await;
        let revision =
            removed.map_err(|error| Failure::refused(error, room.name(), Some(who.as_str())))?;
        Ok(follow.reached(revision).await)
    }

    /// Removes somebody, and refuses from now on what was issued to them for this room before. It runs to its
    /// end also if nobody waits for it any more.
    pub(crate) async fn remove(
        &self,
        tenant: &TenantId,
        entrant: Entrant,
        session: Option<SessionId>,
    ) -> Result<u64, Failure> {
        let (entrance, tenant) = (self.clone(), tenant.clone());
        let removal = async move { entrance.try_remove(tenant, entrant, session).await };
        to_its_end("a removal", removal).await
    }

    async fn try_remove(
        &self,
        tenant: TenantId,
        (room, who): Entrant,
        session: Option<SessionId>,
    ) -> Result<u64, Failure> {
        let entrant = (room.clone(), who.clone());
        let take_out = || self.take_out(entrant.clone(), session.clone(), LeaveReason::Removed);
        // Whoever is not to be seen is asked for first: names of nobody are not to keep the disk busy.
        let gone = match self.is_seen(&room, &who, session.as_ref()) {
            true => None,
            false => Some(take_out().await?),
        };
        let bans = &self.0.bans;
        let key = BanKey::of_room(tenant, &room, who.clone());
        let removal = self.ban(Cause::Removal, None, "removed");
        let (ours, before) = bans.put(key.clone(), removal, 0).await?;
        let removed = match (take_out().await, gone) {
            (Err(_), Some(revision)) => Ok(revision),
            (removed, _) => removed,
        };
        if removed.is_err() {
            bans.restore(key, &ours, before).await?;
            return removed;
        }
        let entrants = &self.0.ledger.entrants;
        entrants
            .over(|(where_to, entrant)| *where_to == room && *entrant == who)
            .await;
        removed
    }

    /// Whether the mirror shows somebody, by this session if there is one given.
    fn is_seen(&self, room: &RoomId, who: &ParticipantId, session: Option<&SessionId>) -> bool {
        let room = self.0.directory.get(room);
        room.is_some_and(|room| match session {
            Some(session) => room.participant(who, session).is_some(),
            None => room.has(who),
        })
    }

    fn ban(&self, cause: Cause, issued_before: Option<SystemTime>, note: &str) -> Ban {
        let created = self.now();
        let issued_before = issued_before.unwrap_or(created);
        Ban {
            issued_before,
            created,
            expires: self.0.bans.expiry(issued_before.max(created)),
            note: note.to_owned(),
            cause,
        }
    }

    /// Bans somebody and puts them out of the rooms that the ban names. It runs to its end also if nobody
    /// waits for it any more.
    pub(crate) async fn ban_and_put_out(
        &self,
        key: BanKey,
        issued_before: Option<SystemTime>,
        note: String,
    ) -> Result<Ban, Failure> {
        let entrance = self.clone();
        let banning = async move {
            let limit = entrance.0.ledger.bans(&key.tenant)?;
            let ban = entrance.ban(Cause::Call, issued_before, &note);
            let (ban, _) = entrance.0.bans.put(key.clone(), ban, limit).await?;
            entrance.put_out(&key).await?;
            Ok(ban)
        };
        to_its_end("a ban", banning).await
    }

    /// Puts somebody out of every room that their ban means.
    async fn put_out(
        &self,
        BanKey {
            tenant,
            room,
            participant,
        }: &BanKey,
    ) -> Result<(), Failure> {
        let means =
            |id: &RoomId| id.tenant() == tenant.as_str() && (room.is_empty() || id.name() == room);
        let entrants = &self.0.ledger.entrants;
        entrants
            .over(|(id, who)| who == participant && means(id))
            .await;
        let rooms = match RoomId::of_tenant(tenant, room) {
            Ok(one) => self.0.directory.get(&one).into_iter().collect(),
            // All of them: no room has an empty name.
            Err(_) => self.0.directory.rooms_of(tenant),
        };
        let mut put_out = Ok(());
        for room in rooms.iter().filter(|room| room.has(participant)) {
            let who = (room.id().clone(), participant.clone());
            match self.take_out(who, None, LeaveReason::Banned).await {
                Ok(_) => {}
                Err(gone)
                    if matches!(
                        gone.reason,
                        ErrorReason::ParticipantNotFound | ErrorReason::RoomNotFound
                    ) => {}
                // Out of the others they go all the same.
                Err(failure) => put_out = Err(failure),
            }
        }
        put_out
    }
}
