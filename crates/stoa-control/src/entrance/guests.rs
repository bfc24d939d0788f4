//! Those who come with a join token.

use std::{net::IpAddr, time::SystemTime};

use stoa_api::v1::{self, ErrorReason};
use stoa_core::{Join, LeaveReason, ParticipantId, RoomId, SessionId};
use stoa_token::{Grant, Reason, Refused};

use super::{Entrance, Entry};
use crate::{authenticate::Caller, errors::Failure, to_its_end::to_its_end};

impl Entrance {
    /// Whether there is a key that a token could be checked with.
    pub(crate) fn takes_tokens(&self) -> bool {
        !self.0.tokens.keys().is_empty()
    }

    /// What a token grants. A source of which too many bad ones came is not looked at.
    ///
    /// # Errors
    /// TOKEN_INVALID, the same whatever is wrong with it; RATE_EXCEEDED.
    pub fn grant(&self, token: &str, source: Option<IpAddr>) -> Result<Grant, Failure> {
        if let Some(source) = source {
            self.blocked(source)?;
        }
        self.0.tokens.verify(token, self.now()).map_err(|refused| {
            if let Some(source) = source {
                self.refused_from(source);
            }
            refusal(refused)
        })
    }

    /// Whether this media session of somebody with a token is still there.
    pub fn is_in(&self, grant: &Grant, session: &SessionId) -> bool {
        let room = self.0.directory.get(&grant.room);
        room.is_some_and(|room| room.participant(&grant.participant, session).is_some())
    }

    /// Admits the holder of a token, and uses the token up if it is good once. To its end, also if nobody
    /// waits for it any more: a token is used exactly if somebody came in with it.
    pub(super) async fn admit_guest(
        &self,
        grant: Grant,
        join: Join,
    ) -> Result<v1::JoinResponse, Failure> {
        let once = self.0.tokens.admit(&grant, self.now()).map_err(refusal)?;
        let entrance = self.clone();
        let admission = async move {
            let joined = entrance.admit(&grant.tenant, join, grant.issued).await?;
            once.keep();
            Ok(joined)
        };
        to_its_end("an admission", admission).await
    }

    /// Whether the caller may act for this participant: a signalling service may for each of its own, the
    /// holder of a token for themselves, unless a ban is newer than the token.
    ///
    /// # Errors
    /// TOKEN_NOT_SUFFICIENT, SUBJECT_BANNED.
    pub(crate) fn acts_for(
        &self,
        caller: &Caller,
        room: &RoomId,
        who: &ParticipantId,
    ) -> Result<(), Failure> {
        let Some(grant) = caller.grant() else {
            return Ok(());
        };
        if grant.room != *room || grant.participant != *who {
            let why = "the token is for another room or participant";
            return Err(Failure::not_sufficient(why));
        }
        self.0.bans.check(room, who, grant.issued)
    }

    /// Lets in, or back in, as a caller asks who has shown they may act for the participant: the holder of a
    /// token as the token says, whom a service lets in as it says.
    pub(crate) async fn join_for(
        self,
        caller: Caller,
        request: v1::JoinRequest,
        mut join: Join,
        issued: SystemTime,
    ) -> Result<v1::JoinResponse, Failure> {
        let token = request.resume_token.clone();
        match (caller.grant(), token.is_empty()) {
            (None, true) => self.admit(caller.tenant(), join, issued).await,
            (None, false) => self.come_back(caller.tenant(), join, issued, token).await,
            (Some(grant), true) => self.enter(grant, entry(grant, &request, join)?).await,
            // They are who they were, whatever the call says; and a token that is good once and was used
            // is enough, because the resume token shows that it was used by them.
            (Some(grant), false) => {
                join.may_publish = !grant.publish.is_nothing();
                self.come_back(&grant.tenant, join, grant.issued, token)
                    .await
            }
        }
    }

    /// Ends the media session of a caller who has shown they may: the holder of a token leaves, whom a
    /// service removes is removed.
    pub(crate) async fn remove_for(
        &self,
        caller: &Caller,
        (room, who): (RoomId, ParticipantId),
        session: Option<SessionId>,
    ) -> Result<u64, Failure> {
        self.acts_for(caller, &room, &who)?;
        match caller.grant() {
            Some(_) => {
                let reason = LeaveReason::ClientClosed;
                self.take_out((room, who), session, reason).await
            }
            None => self.remove(caller.tenant(), (room, who), session).await,
        }
    }
}

/// A call to Join by the holder of a token: what it may say, and what follows from the token.
///
/// # Errors
/// TOKEN_NOT_SUFFICIENT.
fn entry(grant: &Grant, request: &v1::JoinRequest, join: Join) -> Result<Entry, Failure> {
    let name = &request.display_name;
    if !name.is_empty() && *name != grant.display_name {
        return Err(Failure::not_sufficient("the name to show is the token's"));
    }
    if !request.metadata.is_empty() {
        let why = "metadata is the signalling service's to give";
        return Err(Failure::not_sufficient(why));
    }
    if request.issue_time.is_some() {
        let why = "when it was decided to let them in is in the token";
        return Err(Failure::not_sufficient(why));
    }
    // Who says nothing of a role takes what the token grants.
    let role = (request.role != i32::from(v1::Role::Unspecified)).then_some(join.role);
    Ok(Entry {
        role,
        audio_mode: join.audio_mode,
        subscription: join.subscription,
        ..Entry::new(join.offer)
    })
}

/// What the holder of a token hears of it: whether it is good.
fn refusal(refused: Refused) -> Failure {
    tracing::debug!(reason = refused.reason.name(), "a join token was refused");
    match refused.reason {
        // Its signature was good, so that there is nothing to hide.
        Reason::OnceTableFull => Failure::new(
            ErrorReason::NodeOverloaded,
            "as many tokens that are good once were used as may be remembered",
        ),
        _ => Failure::new(ErrorReason::TokenInvalid, refused.to_string()),
    }
}
