//! The `Bans` service: check the request, change what holds, put out whom it means, answer.

use std::time::{Duration, SystemTime};

use prost_types::Timestamp;
use stoa_api::v1::{self, bans_server::Bans};
use stoa_core::{ParticipantId, RoomId, TenantId};
use tonic::{Request, Response, Status};

use crate::{
    authenticate::caller,
    bans::{Ban, BanKey},
    convert,
    entrance::Entrance,
    errors::Failure,
    idempotency::Requests,
    paging, validate,
};

/// How far in the future a ban may reach: ten years.
const LONGEST_BAN: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The handlers, and what they share.
pub(crate) struct BansService {
    pub(crate) entrance: Entrance,
    pub(crate) requests: Requests,
}

#[tonic::async_trait]
impl Bans for BansService {
    async fn create_ban(
        &self,
        request: Request<v1::CreateBanRequest>,
    ) -> Result<Response<v1::Ban>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let longest = self.entrance.now() + LONGEST_BAN;
        let wanted = validate::ban(&request, longest)?;
        let key = BanKey {
            tenant: caller.tenant().clone(),
            room: wanted.room,
            participant: wanted.participant,
        };
        let entrance = self.entrance.clone();
        let operation = async move {
            let banned = entrance.ban_and_put_out(key.clone(), wanted.issued_before, wanted.note);
            Ok(show(&key, &banned.await?))
        };
        let call = ("CreateBan", &request);
        let ban = self
            .requests
            .once(&caller, &request.request_id, call, operation);
        Ok(Response::new(ban.await?))
    }

    async fn list_bans(
        &self,
        request: Request<v1::ListBansRequest>,
    ) -> Result<Response<v1::ListBansResponse>, Status> {
        let caller = caller(&request)?;
        let v1::ListBansRequest {
            page_size,
            page_token,
        } = request.get_ref();
        let size = paging::size(*page_size)?;
        let last = page_begin(caller.tenant(), page_token)?;
        let bans = &self.entrance.0.bans;
        let (page, more) = bans.page(caller.tenant(), last.as_ref(), size);
        let next = page.last().filter(|_| more);
        let next = next.map(|(key, _)| paging::encode(&page_end(key)));
        Ok(Response::new(v1::ListBansResponse {
            bans: page.iter().map(|(key, ban)| show(key, ban)).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn delete_ban(
        &self,
        request: Request<v1::DeleteBanRequest>,
    ) -> Result<Response<v1::DeleteBanResponse>, Status> {
        let caller = caller(&request)?;
        let v1::DeleteBanRequest {
            room_id,
            participant_id,
        } = request.get_ref();
        let (room, participant) = validate::banned(room_id, participant_id)?;
        let key = BanKey {
            tenant: caller.tenant().clone(),
            room,
            participant,
        };
        self.entrance.0.bans.remove(key).await?;
        Ok(Response::new(v1::DeleteBanResponse {}))
    }
}

/// The last ban of a page, in a form of its own: `/` is in no identifier.
fn page_end(key: &BanKey) -> String {
    format!("{}/{}", key.room, key.participant)
}

fn page_begin(tenant: &TenantId, token: &str) -> Result<Option<BanKey>, Failure> {
    if token.is_empty() {
        return Ok(None);
    }
    let key = paging::decode(token).and_then(|text| {
        let (room, participant) = text.split_once('/')?;
        let is_room = room.is_empty() || RoomId::new(room).is_ok();
        is_room.then_some(BanKey {
            tenant: tenant.clone(),
            room: room.to_owned(),
            participant: ParticipantId::new(participant).ok()?,
        })
    });
    key.map(Some).ok_or_else(|| paging::invalid("ListBans"))
}

fn show(key: &BanKey, ban: &Ban) -> v1::Ban {
    let time = |time: SystemTime| Some::<Timestamp>(convert::timestamp(time));
    v1::Ban {
        room_id: key.room.clone(),
        participant_id: key.participant.to_string(),
        issued_before: time(ban.issued_before),
        create_time: time(ban.created),
        expire_time: time(ban.expires),
        note: ban.note.clone(),
    }
}
