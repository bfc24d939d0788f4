//! A running control server with rooms in memory behind it, and clients of both transports.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test uses its own part of this"
)]

pub mod catalogue;
pub mod churn;
pub mod clock;
pub mod known;
pub mod media;
pub mod pki;
pub mod quotas;
pub mod raw;
pub mod relay;
pub mod tokens;
pub mod wire;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stoa_api::v1::{
    ErrorReason, WatchResponse, WatchRoomsResponse, bans_client::BansClient,
    node_client::NodeClient, rooms_client::RoomsClient, *,
};
use stoa_control::{
    ApiKeyHash, CertificateHash, ControlConfig, ControlHandle, ControlServer, Tenant,
};
use stoa_core::TenantId;
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};
use tonic::{Code, Status, Streaming};

use media::MemoryMedia;
use pki::Pki;
pub use wire::{Identity, Service, Wire};

/// The key of the caller that tests are by default, and another one's of the same tenant.
pub const KEY: &str = "the-key-of-the-first-caller";
pub const OTHER_KEY: &str = "the-key-of-the-second-caller";

/// The key of another tenant's only caller.
pub const FOREIGN_KEY: &str = "the-key-of-the-other-tenant";

/// No test takes longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub type Rooms = RoomsClient<Service>;
pub type Bans = BansClient<Service>;

/// Runs the test's body once over each transport.
#[allow(unused_macros, reason = "some tests need one transport only")]
macro_rules! on_both_transports {
    ($body:ident) => {
        mod $body {
            use crate::support::{PATIENCE, Wire};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn over_http2() {
                let body = super::$body(Wire::Http2);
                tokio::time::timeout(PATIENCE, body).await.expect("in time");
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn over_http3() {
                let body = super::$body(Wire::Http3);
                tokio::time::timeout(PATIENCE, body).await.expect("in time");
            }
        }
    };
}
#[allow(unused_imports, reason = "some tests need one transport only")]
pub(crate) use on_both_transports;

/// A tenant of this name that nobody speaks for.
pub fn tenant(name: &str) -> Tenant {
    Tenant::new(TenantId::new(name).expect("an identifier"))
}

/// A running server.
pub struct Rig {
    pub media: Arc<MemoryMedia>,
    pub handle: ControlHandle,
    pub address: SocketAddr,
    pub pki: Pki,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with another configuration.
    pub async fn with(change: impl FnOnce(&mut ControlConfig)) -> Self {
        let pki = Pki::new();
        let local = "127.0.0.1:0".parse().expect("an address");
        let mut config = ControlConfig::new(vec![local], pki.server());
        config.client_ca = Some(pki.roots());
        config.tenants = vec![
            Tenant {
                api_keys: vec![
                    ApiKeyHash::of("first", KEY),
                    ApiKeyHash::of("second", OTHER_KEY),
                ],
                certificates: vec![CertificateHash::of("client", &pki.client().0[0])],
                is_operator: true,
                ..tenant("home")
            },
            Tenant {
                api_keys: vec![ApiKeyHash::of("only", FOREIGN_KEY)],
                ..tenant("foreign")
            },
        ];
        config.version = "1.2.3".into();
        change(&mut config);
        let server = ControlServer::bind(config).expect("a free port");
        let (address, handle) = (server.addresses()[0], server.handle());
        let (media, notices) = MemoryMedia::new();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.serve(media.clone(), notices, async {
            let _ = stopped.await;
        }));
        Self {
            media,
            handle,
            address,
            pki,
            stop: Some(stop),
            served,
        }
    }

    pub fn service(&self, wire: Wire, identity: Identity) -> Service {
        wire::stock(wire, self.address, &self.pki, identity)
    }

    /// The stub of somebody with the first key.
    pub fn rooms(&self, wire: Wire) -> Rooms {
        self.rooms_of(wire, Identity::Key(KEY))
    }

    pub fn rooms_of(&self, wire: Wire, identity: Identity) -> Rooms {
        RoomsClient::new(self.service(wire, identity))
    }

    pub fn bans(&self, wire: Wire) -> Bans {
        self.bans_of(wire, Identity::Key(KEY))
    }

    pub fn bans_of(&self, wire: Wire, identity: Identity) -> Bans {
        BansClient::new(self.service(wire, identity))
    }

    pub fn node(&self, wire: Wire) -> NodeClient<Service> {
        NodeClient::new(self.service(wire, Identity::Key(KEY)))
    }

    /// Tells the server to end.
    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has ended.
    pub async fn stopped(self) {
        self.served.await.expect("it does not panic");
    }
}

/// A status with this reason, the code that the API documents for it, and our domain.
#[track_caller]
pub fn assert_reason<T: std::fmt::Debug>(
    result: Result<T, Status>,
    reason: ErrorReason,
    code: Code,
) -> Status {
    let status = result.expect_err("it must fail");
    assert_eq!(stoa_client::reason(&status), Some(reason), "{status:?}");
    assert_eq!(status.code(), code, "{status:?}");
    assert!(!status.message().is_empty());
    status
}

/// Waits until something is so.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        // bounded: by the two thousand turns of this loop
        sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to be: {what}");
}

pub async fn create(rooms: &mut Rooms, room: &str) -> Room {
    rooms
        .create_room(create_request(room, ""))
        .await
        .expect("a new room")
        .into_inner()
}

pub fn create_request(room: &str, request_id: &str) -> CreateRoomRequest {
    CreateRoomRequest {
        room_id: room.into(),
        request_id: request_id.into(),
        ..Default::default()
    }
}

/// A ban of this name, in this room or in all, of what was issued up to now or to a given time.
pub fn ban_request(
    room: &str,
    participant: &str,
    issued_before: Option<prost_types::Timestamp>,
) -> CreateBanRequest {
    CreateBanRequest {
        ban: Some(Ban {
            room_id: room.into(),
            participant_id: participant.into(),
            issued_before,
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn removal(room: &str, participant: &str) -> RemoveParticipantRequest {
    RemoveParticipantRequest {
        room_id: room.into(),
        participant_id: participant.into(),
        session_id: String::new(),
    }
}

pub async fn room(rooms: &mut Rooms, room_id: &str) -> Room {
    let request = GetRoomRequest {
        room_id: room_id.into(),
    };
    let room = rooms.get_room(request).await;
    room.expect("the room").into_inner()
}

pub fn join_request(room: &str, participant: &str) -> JoinRequest {
    JoinRequest {
        room_id: room.into(),
        participant_id: participant.into(),
        display_name: participant.to_uppercase(),
        sdp_offer: "good".into(),
        request_id: String::new(),
        ..Default::default()
    }
}

pub async fn join(rooms: &mut Rooms, room: &str, participant: &str) -> JoinResponse {
    rooms
        .join(join_request(room, participant))
        .await
        .expect("they are let in")
        .into_inner()
}

pub async fn watch(rooms: &mut Rooms, room: &str, from: u64) -> Streaming<WatchResponse> {
    let request = WatchRequest {
        room_id: room.into(),
        from_revision: from,
    };
    rooms.watch(request).await.expect("a watch").into_inner()
}

pub async fn watch_rooms(
    rooms: &mut Rooms,
    from: u64,
    active_speakers: bool,
) -> Streaming<WatchRoomsResponse> {
    let request = WatchRoomsRequest {
        from_revision: from,
        active_speakers,
    };
    let watch = rooms.watch_rooms(request).await;
    watch.expect("a watch").into_inner()
}

/// The next message of a watch of all rooms, which must come.
pub async fn next_of_all(events: &mut Streaming<WatchRoomsResponse>) -> WatchRoomsResponse {
    let message = events.message().await.expect("no error");
    message.expect("not the end")
}

/// The next message, which must come.
pub async fn next(events: &mut Streaming<WatchResponse>) -> WatchResponse {
    events
        .message()
        .await
        .expect("no error")
        .expect("not the end")
}

/// How the stream ends, if anything but an end comes it is a failure.
pub async fn end(events: &mut Streaming<WatchResponse>) -> Result<(), Status> {
    match events.message().await? {
        None => Ok(()),
        Some(message) => panic!("this is not the end: {message:?}"),
    }
}
