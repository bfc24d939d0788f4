//! The entrance: through it goes everybody who comes into a room, whoever lets them in.
//!
//! A signalling service lets people in by calls of its own; a join token lets its holder in by gRPC, or by
//! whatever else takes tokens. All of them meet the same rates, quotas, limits of what the node
//! can bear (`capacity`) and bans here, in this order, and then the media workers.

mod guests;
mod leaving;
mod negotiation;
mod pending;
mod quotas;
mod returning;
mod sources;

use std::{
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use stoa_api::v1::{self, ErrorReason};
use stoa_core::{AudioMode, Join, LeaveReason, Metadata, Role, SessionId, Subscription, TenantId};
use stoa_redact::Hidden;
use stoa_token::{Grant, Verifier};

pub(crate) use quotas::{Entrant, Ledger, WatchPlace};
pub(crate) use sources::Sources;

use crate::{
    bans::Bans,
    capacity::Capacity,
    connections::Connections,
    convert,
    directory::Directory,
    errors::Failure,
    lifecycle::{Lifecycle, Phase},
    media::Media,
    resume::ResumeTokens,
    to_its_end::to_its_end,
};

/// The way into the rooms of a node. Clones are the same.
#[derive(Clone)]
pub struct Entrance(pub(crate) Arc<Inside>);

/// What the entrance knows.
pub(crate) struct Inside {
    pub(crate) media: Arc<dyn Media>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) capacity: Capacity,
    pub(crate) bans: Bans,
    pub(crate) resume: ResumeTokens,
    pub(crate) ledger: Ledger,
    pub(crate) sources: Sources,
    pub(crate) whip_connections: Connections,
    pub(crate) tokens: Verifier,
}

/// How somebody with a token wants to come in.
#[derive(Clone)]
pub struct Entry {
    /// The client's SDP offer.
    pub offer: String,
    /// What they want to be. `None`: what the token grants.
    pub role: Option<Role>,
    /// What their microphone is to carry.
    pub audio_mode: AudioMode,
    /// Whom they want to hear.
    pub subscription: Subscription,
    /// The caller's own.
    pub metadata: Metadata,
    /// The name to show. `None`: the token's.
    pub display_name: Option<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("offer", &Hidden(&self.offer))
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Entry {
    /// Somebody who comes in as their token says.
    pub fn new(offer: String) -> Self {
        Self {
            offer,
            role: None,
            audio_mode: AudioMode::default(),
            subscription: Subscription::EVERYBODY,
            metadata: Metadata::default(),
            display_name: None,
        }
    }
}

impl Entrance {
    /// The connections of WHIP and WHEP, which are counted with those of the control API.
    pub fn whip_connections(&self) -> &Connections {
        &self.0.whip_connections
    }

    /// Admits whom a token lets in.
    ///
    /// # Errors
    /// Those of `Rooms.Join`; TOKEN_NOT_SUFFICIENT for more than the token grants.
    pub async fn enter(&self, grant: &Grant, entry: Entry) -> Result<v1::JoinResponse, Failure> {
        let role = entry.role.unwrap_or(grant.role);
        if role > grant.role {
            return Err(Failure::not_sufficient(
                "the token does not grant this role",
            ));
        }
        if entry.audio_mode == AudioMode::Music && !grant.publish.music {
            return Err(Failure::not_sufficient("the token does not grant music"));
        }
        let display_name = entry
            .display_name
            .unwrap_or_else(|| grant.display_name.clone());
        let join = Join {
            room: grant.room.clone(),
            participant: grant.participant.clone(),
            display_name: display_name.into(),
            offer: entry.offer,
            role,
            metadata: entry.metadata,
            audio_mode: entry.audio_mode,
            subscription: entry.subscription,
            resume: None,
            may_publish: !grant.publish.is_nothing(),
        };
        self.admit_guest(grant.clone(), join).await
    }

    /// Ends the media session of somebody with a token, who leaves of their own will: the token stays good.
    ///
    /// # Errors
    /// Those of `Rooms.RemoveParticipant`.
    pub async fn leave(&self, grant: &Grant, session: SessionId) -> Result<(), Failure> {
        let (room, who) = (grant.room.clone(), grant.participant.clone());
        let session = Some(session);
        self.take_out((room, who), session, LeaveReason::ClientClosed)
            .await
            .map(drop)
    }

    /// The node's time of day.
    pub fn now(&self) -> SystemTime {
        self.0.bans.now()
    }

    /// Whether so many bad credentials have come from there that no more are looked at.
    ///
    /// # Errors
    /// RATE_EXCEEDED.
    pub fn blocked(&self, source: IpAddr) -> Result<(), Failure> {
        self.0.sources.check(source)
    }

    /// Counts a bad credential.
    pub fn refused_from(&self, source: IpAddr) {
        self.0.sources.count(source);
    }

    /// Admits somebody who was let in at this time. It runs to its end also if nobody waits for it any more:
    /// whether they are let in must not depend on who listens.
    pub(crate) async fn admit(
        &self,
        tenant: &TenantId,
        join: Join,
        issued: SystemTime,
    ) -> Result<v1::JoinResponse, Failure> {
        let (entrance, tenant) = (self.clone(), tenant.clone());
        let admission = async move { entrance.try_admit(&tenant, join, issued).await };
        to_its_end("an admission", admission).await
    }

    async fn try_admit(
        &self,
        tenant: &TenantId,
        join: Join,
        issued: SystemTime,
    ) -> Result<v1::JoinResponse, Failure> {
        self.must_serve()?;
        let Inside {
            media,
            directory,
            bans,
            capacity,
            ledger,
            resume,
            ..
        } = &*self.0;
        let (id, who) = (join.room.clone(), join.participant.clone());
        ledger.attempt(tenant, &who)?;
        // Before the bans are asked, so that one that comes now knows of whom to wait for.
        let (role, home) = (join.role, media.home(&id));
        let fits = |people| capacity.may_join(role, home, people);
        let under_way = ledger.admit(tenant, (id.clone(), who.clone()), fits)?;
        bans.check(&id, &who, issued)?;
        let follow = directory.follow(&id);
        let joined = media.join(join).await;
        let joined =
            joined.map_err(|error| Failure::refused(error, id.name(), Some(who.as_str())))?;
        let room_revision = follow.reached(joined.revision).await;
        let session = &joined.participant.session;
        let resume_token = resume.issue(directory, &id, &who, session)?;
        // A ban may have come meanwhile; it waits for this to be over.
        if let Err(banned) = bans.check(&id, &who, issued) {
            let session = joined.participant.session.clone();
            let put_out = self
                .take_out((id, who), Some(session), LeaveReason::Banned)
                .await;
            if let Err(failure) = put_out
                && failure.reason == ErrorReason::InternalFault
            {
                return Err(failure);
            }
            return Err(banned);
        }
        drop(under_way);
        let room = directory.get(&id);
        let shown = room.and_then(|room| room.participant(&who, &joined.participant.session));
        // Where the mirror does not know them any more, they have left already.
        let participant =
            shown.unwrap_or_else(|| convert::participant(&joined.participant, directory.now()));
        Ok(v1::JoinResponse {
            sdp_answer: joined.answer,
            participant: Some(participant),
            room_revision,
            resume_token,
        })
    }

    pub(crate) fn must_serve(&self) -> Result<(), Failure> {
        match self.0.lifecycle.phase() {
            Phase::Serving => Ok(()),
            Phase::Draining | Phase::Stopping => Err(Failure::draining()),
        }
    }
}

impl Failure {
    /// A good token, for something that it does not grant.
    pub(crate) fn not_sufficient(why: &str) -> Self {
        Self::new(ErrorReason::TokenNotSufficient, why)
    }
}

/// How long what a tenant's service has decided, or a token of its, can be good at most: bans have to be
/// remembered for as long.
pub(crate) const LONGEST_VALIDITY: Duration =
    stoa_token::LONGEST_LIFETIME.saturating_add(stoa_token::LEEWAY.saturating_mul(2));
