//! The `Rooms` service: check the request, command the media workers, wait for the mirror, answer.

use std::{sync::Arc, time::Duration};

use futures_util::stream::BoxStream;
use stoa_api::v1::{self, ErrorReason, rooms_server::Rooms};
use stoa_core::{Join, ParticipantChange, RoomId, RoomSettings};
use tonic::{Request, Response, Status};

use crate::{
    authenticate::Caller,
    config::RoomDefaults,
    convert,
    directory::{CannotWatch, Directory, Room},
    errors::Failure,
    idempotency::Requests,
    lifecycle::{Counted, Gauge, Lifecycle, Phase, Tally},
    media::Media,
    paging,
    resume::ResumeTokens,
    validate,
    watch::Watcher,
    watch_rooms::{RoomsWatcher, tenant_of},
};

/// The handlers, and what they share. Clones are the same.
#[derive(Clone)]
pub(crate) struct RoomsService {
    pub(crate) media: Arc<dyn Media>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) requests: Requests,
    pub(crate) resume: ResumeTokens,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) defaults: RoomDefaults,
    pub(crate) watchers: Gauge,
    pub(crate) resyncs: Tally,
    pub(crate) watch_limit: usize,
    pub(crate) bookmark: Duration,
}

impl RoomsService {
    fn must_serve(&self) -> Result<(), Failure> {
        match self.lifecycle.phase() {
            Phase::Serving => Ok(()),
            Phase::Draining | Phase::Stopping => Err(Failure::draining()),
        }
    }

    fn room(&self, id: &RoomId) -> Result<Arc<Room>, Failure> {
        self.directory.get(id).ok_or_else(|| not_found(id))
    }

    async fn create(self, id: RoomId, settings: RoomSettings) -> Result<v1::Room, Failure> {
        self.must_serve()?;
        let follow = self.directory.follow(&id);
        let created = self.media.create_room(id.clone(), settings.clone()).await;
        let revision = created.map_err(|error| Failure::refused(error, id.as_str(), None))?;
        if let Some(room) = follow.created().await {
            return Ok(room.show(true));
        }
        // Created, and closed again by somebody else, all while events were lost.
        Ok(v1::Room {
            room_id: id.to_string(),
            revision: self.directory.shown_once(revision),
            create_time: Some(self.directory.now()),
            ..convert::settings(&settings)
        })
    }

    pub(crate) async fn admit(self, request: Join) -> Result<v1::JoinResponse, Failure> {
        self.must_serve()?;
        let (id, who) = (request.room.clone(), request.participant.clone());
        let follow = self.directory.follow(&id);
        let joined = self.media.join(request).await;
        let joined =
            joined.map_err(|error| Failure::refused(error, id.as_str(), Some(who.as_str())))?;
        let room_revision = follow.reached(joined.revision).await;
        let session = &joined.participant.session;
        let resume_token = self.resume.issue(&self.directory, &id, &who, session)?;
        let room = self.directory.get(&id);
        let shown = room.and_then(|room| room.participant(&who, &joined.participant.session));
        // Where the mirror does not know them any more, they have left already.
        let participant = shown
            .unwrap_or_else(|| convert::participant(&joined.participant, self.directory.now()));
        Ok(v1::JoinResponse {
            sdp_answer: joined.answer,
            participant: Some(participant),
            room_revision,
            resume_token,
        })
    }

    /// Changes a participant and waits until everybody can see it.
    async fn change(
        &self,
        (room, who, session): validate::Member,
        change: ParticipantChange,
    ) -> Result<u64, Failure> {
        let follow = self.directory.follow(&room);
        let changed = self
            .media
            .change_participant(room.clone(), who.clone(), session, change);
        let changed = changed.await;
        let revision =
            changed.map_err(|error| Failure::refused(error, room.as_str(), Some(who.as_str())))?;
        Ok(follow.reached(revision).await)
    }

    /// Counts one more watch.
    fn count_watch(&self) -> Result<Counted, Failure> {
        self.watchers.enter(self.watch_limit).ok_or_else(|| {
            let limit = self.watch_limit;
            let why = format!("the node serves {limit} watches, the most it may");
            Failure::new(ErrorReason::WatchLimitReached, why).with("limit", limit)
        })
    }

    fn begin_watch(&self, id: &RoomId, from: u64) -> Result<Watcher, Failure> {
        let room = self.room(id)?;
        let counted = self.count_watch()?;
        let begin = room
            .watch(from, self.directory.now())
            .map_err(|why| match why {
                CannotWatch::Closed => not_found(id),
                CannotWatch::InFuture(revision) => Failure::new(
                    ErrorReason::RevisionInFuture,
                    format!(
                        "the room {id:?} is at revision {revision}; watch from 0 to begin anew"
                    ),
                )
                .with("room_id", id)
                .with("revision", revision),
            })?;
        Ok(Watcher::new(
            Arc::clone(&self.directory),
            room,
            begin,
            self.bookmark,
            self.resyncs.clone(),
            counted,
        ))
    }
}

fn not_found(id: &RoomId) -> Failure {
    Failure::room_not_found(id.as_str()).with("room_id", id)
}

/// Who calls; the gate lets nobody pass to this service without a name.
fn caller<T>(request: &Request<T>) -> Result<Caller, Failure> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(Failure::internal)
}

#[tonic::async_trait]
impl Rooms for RoomsService {
    type WatchStream = BoxStream<'static, Result<v1::WatchResponse, Status>>;
    type WatchRoomsStream = BoxStream<'static, Result<v1::WatchRoomsResponse, Status>>;

    async fn renegotiate(
        &self,
        request: Request<v1::RenegotiateRequest>,
    ) -> Result<Response<v1::RenegotiateResponse>, Status> {
        let restarted = self.restart(request.into_inner()).await?;
        Ok(Response::new(restarted))
    }

    async fn watch_rooms(
        &self,
        request: Request<v1::WatchRoomsRequest>,
    ) -> Result<Response<Self::WatchRoomsStream>, Status> {
        let caller = caller(&request)?;
        let watcher = RoomsWatcher::new(
            Arc::clone(&self.directory),
            tenant_of(&caller),
            request.get_ref(),
            self.bookmark,
            self.resyncs.clone(),
            self.count_watch()?,
        )?;
        Ok(Response::new(watcher.into_stream()))
    }

    async fn create_room(
        &self,
        request: Request<v1::CreateRoomRequest>,
    ) -> Result<Response<v1::Room>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (id, settings) = validate::create_room(&request, &self.defaults)?;
        let operation = self.clone().create(id, settings);
        let call = ("CreateRoom", &request);
        let room = self
            .requests
            .once(&caller, &request.request_id, call, operation)
            .await?;
        Ok(Response::new(room))
    }

    async fn get_room(
        &self,
        request: Request<v1::GetRoomRequest>,
    ) -> Result<Response<v1::Room>, Status> {
        let id = validate::room(&request.get_ref().room_id)?;
        Ok(Response::new(self.room(&id)?.show(true)))
    }

    async fn list_rooms(
        &self,
        request: Request<v1::ListRoomsRequest>,
    ) -> Result<Response<v1::ListRoomsResponse>, Status> {
        let v1::ListRoomsRequest {
            page_size,
            page_token,
        } = request.get_ref();
        let size = paging::size(*page_size)?;
        let last = paging::parse(page_token)?;
        let (page, more) = self.directory.page(last.as_ref(), size);
        let next = page
            .last()
            .filter(|_| more)
            .map(|room| paging::token(room.id()));
        Ok(Response::new(v1::ListRoomsResponse {
            rooms: page.iter().map(|room| room.show(false)).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn close_room(
        &self,
        request: Request<v1::CloseRoomRequest>,
    ) -> Result<Response<v1::CloseRoomResponse>, Status> {
        let id = validate::room(&request.get_ref().room_id)?;
        let follow = self.directory.follow(&id);
        let closed = self.media.close_room(id.clone()).await;
        closed.map_err(|error| Failure::refused(error, id.as_str(), None))?;
        follow.closed().await;
        Ok(Response::new(v1::CloseRoomResponse {}))
    }

    async fn join(
        &self,
        request: Request<v1::JoinRequest>,
    ) -> Result<Response<v1::JoinResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (service, join) = (self.clone(), validate::join(&request)?);
        let token = request.resume_token.clone();
        let operation = async move {
            match token.is_empty() {
                true => service.admit(join).await,
                false => service.come_back(join, token).await,
            }
        };
        let call = ("Join", &request);
        let joined = self
            .requests
            .once(&caller, &request.request_id, call, operation)
            .await?;
        Ok(Response::new(joined))
    }

    async fn add_ice_candidate(
        &self,
        request: Request<v1::AddIceCandidateRequest>,
    ) -> Result<Response<v1::AddIceCandidateResponse>, Status> {
        let request = request.into_inner();
        let (room, who, session) = validate::candidate(&request)?;
        let added = self
            .media
            .add_ice_candidate(room, who, session, request.candidate)
            .await;
        added.map_err(|error| {
            Failure::refused(error, &request.room_id, Some(&request.participant_id))
        })?;
        Ok(Response::new(v1::AddIceCandidateResponse {}))
    }

    async fn set_role(
        &self,
        request: Request<v1::SetRoleRequest>,
    ) -> Result<Response<v1::SetRoleResponse>, Status> {
        let (member, change) = validate::set_role(request.get_ref())?;
        let room_revision = self.change(member, change).await?;
        Ok(Response::new(v1::SetRoleResponse { room_revision }))
    }

    async fn set_muted(
        &self,
        request: Request<v1::SetMutedRequest>,
    ) -> Result<Response<v1::SetMutedResponse>, Status> {
        let (member, change) = validate::set_muted(request.get_ref())?;
        let room_revision = self.change(member, change).await?;
        Ok(Response::new(v1::SetMutedResponse { room_revision }))
    }

    async fn update_participant(
        &self,
        request: Request<v1::UpdateParticipantRequest>,
    ) -> Result<Response<v1::UpdateParticipantResponse>, Status> {
        let (member, change) = validate::update_participant(request.get_ref())?;
        let room_revision = self.change(member, change).await?;
        Ok(Response::new(v1::UpdateParticipantResponse {
            room_revision,
        }))
    }

    async fn update_subscriptions(
        &self,
        request: Request<v1::UpdateSubscriptionsRequest>,
    ) -> Result<Response<v1::UpdateSubscriptionsResponse>, Status> {
        let (member, change) = validate::subscription(request.get_ref())?;
        self.change(member, change).await?;
        Ok(Response::new(v1::UpdateSubscriptionsResponse {}))
    }

    async fn update_room(
        &self,
        request: Request<v1::UpdateRoomRequest>,
    ) -> Result<Response<v1::Room>, Status> {
        let (id, update) = validate::room_update(request.get_ref(), &self.defaults)?;
        let follow = self.directory.follow(&id);
        let updated = self.media.update_room(id.clone(), update).await;
        let revision = updated.map_err(|error| Failure::refused(error, id.as_str(), None))?;
        let _seen = follow.reached(revision).await;
        Ok(Response::new(self.room(&id)?.show(true)))
    }

    async fn remove_participant(
        &self,
        request: Request<v1::RemoveParticipantRequest>,
    ) -> Result<Response<v1::RemoveParticipantResponse>, Status> {
        let request = request.into_inner();
        let (room, who, session) = validate::removal(&request)?;
        let follow = self.directory.follow(&room);
        let reason = stoa_core::LeaveReason::Removed;
        let removed = self.media.remove_participant(room, who, session, reason);
        let removed = removed.await;
        let revision = removed.map_err(|error| {
            Failure::refused(error, &request.room_id, Some(&request.participant_id))
        })?;
        let room_revision = follow.reached(revision).await;
        Ok(Response::new(v1::RemoveParticipantResponse {
            room_revision,
        }))
    }

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let v1::WatchRequest {
            room_id,
            from_revision,
        } = request.get_ref();
        let id = validate::room(room_id)?;
        let watcher = self.begin_watch(&id, *from_revision)?;
        Ok(Response::new(watcher.into_stream()))
    }
}
