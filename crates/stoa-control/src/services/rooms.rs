//! The `Rooms` service: check the request, command the media workers, wait for the mirror, answer.

use std::{sync::Arc, time::Duration};

use futures_util::stream::BoxStream;
use stoa_api::v1::{self, ErrorReason, rooms_server::Rooms};
use stoa_core::{ParticipantChange, RoomId, RoomSettings, TenantId};
use tonic::{Request, Response, Status};

use super::{news::NodeNews, watch::Watcher, watch_rooms::RoomsWatcher};
use crate::{
    authenticate::{Caller, caller},
    convert,
    directory::{CannotWatch, Directory, Room},
    entrance::{Entrance, WatchPlace},
    errors::Failure,
    gauge::{Gauge, Tally},
    idempotency::Requests,
    lifecycle::Lifecycle,
    media::Media,
    paging,
    settings::Current,
    validate,
};

/// The handlers, and what they share. Clones are the same.
#[derive(Clone)]
pub(crate) struct RoomsService {
    pub(crate) entrance: Entrance,
    pub(crate) media: Arc<dyn Media>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) requests: Requests,
    pub(crate) current: Current,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) watchers: Gauge,
    pub(crate) resyncs: Tally,
    pub(crate) watch_limit: usize,
    pub(crate) bookmark: Duration,
}

impl RoomsService {
    fn room(&self, id: &RoomId) -> Result<Arc<Room>, Failure> {
        self.directory.get(id).ok_or_else(|| not_found(id))
    }

    /// Creates a room. It runs to its end also if nobody waits for it any more: until everybody can see the room,
    /// it is here that it counts.
    async fn create(
        self,
        tenant: TenantId,
        id: RoomId,
        settings: RoomSettings,
    ) -> Result<v1::Room, Failure> {
        let creation = self.try_create(tenant, id, settings);
        tokio::spawn(creation).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a creation failed");
            Err(Failure::internal())
        })
    }

    async fn try_create(
        self,
        tenant: TenantId,
        id: RoomId,
        settings: RoomSettings,
    ) -> Result<v1::Room, Failure> {
        self.entrance.must_serve()?;
        self.entrance.0.capacity.may_create(self.media.home(&id))?;
        let _under_way = self.entrance.0.ledger.create(&tenant, &id)?;
        let follow = self.directory.follow(&id);
        let created = self.media.create_room(id.clone(), settings.clone()).await;
        let revision = created.map_err(|error| Failure::refused(error, id.name(), None))?;
        if let Some(room) = follow.created().await {
            return Ok(room.show(true));
        }
        // Created, and closed again by somebody else, all while events were lost.
        Ok(v1::Room {
            room_id: id.name().to_owned(),
            revision: self.directory.shown_once(revision),
            create_time: Some(self.directory.now()),
            ..convert::settings(&settings)
        })
    }

    /// Changes a participant and waits until everybody can see it.
    async fn change(
        &self,
        caller: &Caller,
        (room, who, session): validate::Member,
        change: ParticipantChange,
    ) -> Result<u64, Failure> {
        let room = caller.own(&room);
        let follow = self.directory.follow(&room);
        let changed = self
            .media
            .change_participant(room.clone(), who.clone(), session, change);
        let changed = changed.await;
        let revision =
            changed.map_err(|error| Failure::refused(error, room.name(), Some(who.as_str())))?;
        Ok(follow.reached(revision).await)
    }

    /// Counts one more watch.
    fn count_watch(&self, caller: &Caller) -> Result<WatchPlace, Failure> {
        let ledger = &self.entrance.0.ledger;
        let place = ledger.watch(caller.tenant(), self.watch_limit)?;
        Ok((place, self.watchers.count_in()))
    }

    fn begin_watch(&self, caller: &Caller, id: &RoomId, from: u64) -> Result<Watcher, Failure> {
        let room = self.room(id)?;
        let counted = self.count_watch(caller)?;
        let begin = room
            .watch(from, self.directory.now())
            .map_err(|why| match why {
                CannotWatch::Closed => not_found(id),
                CannotWatch::InFuture(revision) => Failure::new(
                    ErrorReason::RevisionInFuture,
                    format!(
                        "the room {:?} is at revision {revision}; watch from 0 to begin anew",
                        id.name()
                    ),
                )
                .with("room_id", id.name())
                .with("revision", revision),
            })?;
        Ok(Watcher::new(
            Arc::clone(&self.directory),
            room,
            begin,
            NodeNews::new(&self.lifecycle),
            self.bookmark,
            self.resyncs.clone(),
            counted,
        ))
    }
}

fn not_found(id: &RoomId) -> Failure {
    Failure::room_not_found(id.name()).with("room_id", id.name())
}

#[tonic::async_trait]
impl Rooms for RoomsService {
    type WatchStream = BoxStream<'static, Result<v1::WatchResponse, Status>>;
    type WatchRoomsStream = BoxStream<'static, Result<v1::WatchRoomsResponse, Status>>;

    async fn renegotiate(
        &self,
        request: Request<v1::RenegotiateRequest>,
    ) -> Result<Response<v1::RenegotiateResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (room, who, session) = validate::renegotiation(&request)?;
        let room = caller.own(&room);
        self.entrance.may_negotiate(&caller, &room, &who)?;
        let restarted = self
            .entrance
            .restart_ice((room, who), session, request.sdp_offer)
            .await?;
        Ok(Response::new(v1::RenegotiateResponse {
            sdp_answer: restarted,
        }))
    }

    async fn watch_rooms(
        &self,
        request: Request<v1::WatchRoomsRequest>,
    ) -> Result<Response<Self::WatchRoomsStream>, Status> {
        let caller = caller(&request)?;
        let watcher = RoomsWatcher::new(
            Arc::clone(&self.directory),
            caller.tenant().as_str(),
            request.get_ref(),
            NodeNews::new(&self.lifecycle),
            self.bookmark,
            self.resyncs.clone(),
            self.count_watch(&caller)?,
        )?;
        Ok(Response::new(watcher.into_stream()))
    }

    async fn create_room(
        &self,
        request: Request<v1::CreateRoomRequest>,
    ) -> Result<Response<v1::Room>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (id, settings) = validate::create_room(&request, &self.current.get().rooms)?;
        let (tenant, id) = (caller.tenant().clone(), caller.own(&id));
        let operation = self.clone().create(tenant, id, settings);
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
        let caller = caller(&request)?;
        let id = caller.own(&validate::room(&request.get_ref().room_id)?);
        Ok(Response::new(self.room(&id)?.show(true)))
    }

    async fn list_rooms(
        &self,
        request: Request<v1::ListRoomsRequest>,
    ) -> Result<Response<v1::ListRoomsResponse>, Status> {
        let caller = caller(&request)?;
        let v1::ListRoomsRequest {
            page_size,
            page_token,
        } = request.get_ref();
        let size = paging::size(*page_size)?;
        let last = paging::parse(page_token)?;
        let last = last.map(|last| caller.own(&last));
        let (page, more) = self.directory.page(caller.tenant(), last.as_ref(), size);
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
        let caller = caller(&request)?;
        let id = caller.own(&validate::room(&request.get_ref().room_id)?);
        let follow = self.directory.follow(&id);
        let closed = self.media.close_room(id.clone()).await;
        closed.map_err(|error| Failure::refused(error, id.name(), None))?;
        follow.closed().await;
        Ok(Response::new(v1::CloseRoomResponse {}))
    }

    async fn join(
        &self,
        request: Request<v1::JoinRequest>,
    ) -> Result<Response<v1::JoinResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (mut join, issued) = validate::join(
            &request,
            self.entrance.now(),
            self.entrance.0.bans.longest_validity(),
        )?;
        join.room = caller.own(&join.room);
        self.entrance
            .acts_for(&caller, &join.room, &join.participant)?;
        let entrance = self.entrance.clone();
        let operation = entrance.join_for(caller.clone(), request.clone(), join, issued);
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
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (room, who, session) = validate::candidate(&request)?;
        let room = caller.own(&room);
        self.entrance.may_negotiate(&caller, &room, &who)?;
        self.entrance
            .take_candidate((room, who), session, request.candidate)
            .await?;
        Ok(Response::new(v1::AddIceCandidateResponse {}))
    }

    async fn set_role(
        &self,
        request: Request<v1::SetRoleRequest>,
    ) -> Result<Response<v1::SetRoleResponse>, Status> {
        let caller = caller(&request)?;
        let (member, change) = validate::set_role(request.get_ref())?;
        let room_revision = self.change(&caller, member, change).await?;
        Ok(Response::new(v1::SetRoleResponse { room_revision }))
    }

    async fn set_muted(
        &self,
        request: Request<v1::SetMutedRequest>,
    ) -> Result<Response<v1::SetMutedResponse>, Status> {
        let caller = caller(&request)?;
        let (member, change) = validate::set_muted(request.get_ref())?;
        let room_revision = self.change(&caller, member, change).await?;
        Ok(Response::new(v1::SetMutedResponse { room_revision }))
    }

    async fn update_participant(
        &self,
        request: Request<v1::UpdateParticipantRequest>,
    ) -> Result<Response<v1::UpdateParticipantResponse>, Status> {
        let caller = caller(&request)?;
        let (member, change) = validate::update_participant(request.get_ref())?;
        let room_revision = self.change(&caller, member, change).await?;
        Ok(Response::new(v1::UpdateParticipantResponse {
            room_revision,
        }))
    }

    async fn update_subscriptions(
        &self,
        request: Request<v1::UpdateSubscriptionsRequest>,
    ) -> Result<Response<v1::UpdateSubscriptionsResponse>, Status> {
        let caller = caller(&request)?;
        let (member, change) = validate::subscription(request.get_ref())?;
        self.change(&caller, member, change).await?;
        Ok(Response::new(v1::UpdateSubscriptionsResponse {}))
    }

    async fn update_room(
        &self,
        request: Request<v1::UpdateRoomRequest>,
    ) -> Result<Response<v1::Room>, Status> {
        let caller = caller(&request)?;
        let (id, update) = validate::room_update(request.get_ref(), &self.current.get().rooms)?;
        let id = caller.own(&id);
        let follow = self.directory.follow(&id);
        let updated = self.media.update_room(id.clone(), update).await;
        let revision = updated.map_err(|error| Failure::refused(error, id.name(), None))?;
        let _seen = follow.reached(revision).await;
        Ok(Response::new(self.room(&id)?.show(true)))
    }

    async fn remove_participant(
        &self,
        request: Request<v1::RemoveParticipantRequest>,
    ) -> Result<Response<v1::RemoveParticipantResponse>, Status> {
        let caller = caller(&request)?;
        let (room, who, session) = validate::removal(request.get_ref())?;
        let entrant = (caller.own(&room), who);
        let removed = self.entrance.remove_for(&caller, entrant, session);
        let room_revision = removed.await?;
        Ok(Response::new(v1::RemoveParticipantResponse {
            room_revision,
        }))
    }

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let caller = caller(&request)?;
        let v1::WatchRequest {
            room_id,
            from_revision,
        } = request.get_ref();
        let id = caller.own(&validate::room(room_id)?);
        let watcher = self.begin_watch(&caller, &id, *from_revision)?;
        Ok(Response::new(watcher.into_stream()))
    }
}
