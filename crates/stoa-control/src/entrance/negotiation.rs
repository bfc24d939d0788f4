//! What goes on between a client's ICE agent and ours after somebody was let in: candidates and restarts.

use stoa_core::{ParticipantId, RoomId, SessionId};
use stoa_token::Grant;

use super::{Entrance, Entrant};
use crate::{authenticate::Caller, errors::Failure};

impl Entrance {
    /// Takes a candidate of somebody with a token.
    ///
    /// # Errors
    /// Those of `Rooms.AddIceCandidate`.
    pub async fn add_candidate(
        &self,
        grant: &Grant,
        session: SessionId,
        candidate: String,
    ) -> Result<(), Failure> {
        let entrant = self.entrant(grant)?;
        self.take_candidate(entrant, Some(session), candidate).await
    }

    /// Restarts ICE for somebody with a token: their client's new offer in, the answer out.
    ///
    /// # Errors
    /// Those of `Rooms.Renegotiate`.
    pub async fn renegotiate(
        &self,
        grant: &Grant,
        session: SessionId,
        offer: String,
    ) -> Result<String, Failure> {
        let entrant = self.entrant(grant)?;
        self.restart_ice(entrant, Some(session), offer).await
    }

    /// Whom a token is for, unless a ban is newer than it.
    fn entrant(&self, grant: &Grant) -> Result<Entrant, Failure> {
        let (room, who) = (grant.room.clone(), grant.participant.clone());
        self.0.bans.check(&room, &who, grant.issued)?;
        Ok((room, who))
    }

    /// Whether the caller may still act for somebody's media session: what a ban ended is gone, and one that reaches
    /// into the future keeps out whoever would be let in.
    ///
    /// # Errors
    /// TOKEN_NOT_SUFFICIENT, SUBJECT_BANNED.
    pub(crate) fn may_negotiate(
        &self,
        caller: &Caller,
        room: &RoomId,
        who: &ParticipantId,
    ) -> Result<(), Failure> {
        self.acts_for(caller, room, who)?;
        self.0.bans.check(room, who, self.now())
    }

    /// Hands a candidate to a media session, for a caller who has shown they may.
    pub(crate) async fn take_candidate(
        &self,
        (room, who): Entrant,
        session: Option<SessionId>,
        candidate: String,
    ) -> Result<(), Failure> {
        let media = &self.0.media;
        let added = media.add_ice_candidate(room.clone(), who.clone(), session, candidate);
        let added = added.await;
        added.map_err(|error| Failure::refused(error, room.name(), Some(who.as_str())))
    }

    /// Restarts ICE of a media session, for a caller who has shown they may.
    pub(crate) async fn restart_ice(
        &self,
        (room, who): Entrant,
        session: Option<SessionId>,
        offer: String,
    ) -> Result<String, Failure> {
        let media = &self.0.media;
        let restarted = media.restart_ice(room.clone(), who.clone(), session, offer);
        let restarted = restarted.await;
        restarted.map_err(|error| Failure::refused(error, room.name(), Some(who.as_str())))
    }
}
