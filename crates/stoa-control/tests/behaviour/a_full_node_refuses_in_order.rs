//! A node that runs full refuses new rooms first, then new listeners, then those who come to speak, whichever way
//! they come; whoever is in stays, and whoever was cut off comes back.

use crate::support;

use std::time::{Duration, Instant, SystemTime};

use crate::support::{
    Rig, Rooms, Wire, assert_reason, create, create_request, join_request, tokens,
};
use stoa_api::v1::*;
use stoa_control::{Figures, WorkerFigures};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// At a node that may send 4 Mbit a second, each counts for 150 packets of 160 bytes a second until it is measured
/// what they get: 0.048 of it. So 15 are above 0.7, 18 below 0.9, and 19 below 0.95.
const BANDWIDTH: u64 = 4_000_000;
const SOFT: usize = 15;
const HARD: usize = 18;

struct Node {
    rig: Rig,
    begun: Instant,
    seconds: u64,
}

impl Node {
    async fn start(change: impl FnOnce(&mut stoa_control::ControlConfig)) -> Self {
        let rig = Rig::with(|config| {
            config.capacity.bandwidth = Some(BANDWIDTH);
            change(config);
        });
        let mut node = Self {
            rig: rig.await,
            begun: Instant::now(),
            seconds: 0,
        };
        node.measure();
        node
    }

    /// A second has passed, in which nobody said anything.
    fn measure(&mut self) {
        self.seconds += 1;
        let at = self.begun + Duration::from_secs(self.seconds);
        let worker = WorkerFigures {
            at,
            seats: 0,
            busy: Duration::ZERO,
            datagrams_sent: 0,
            bytes_sent: 0,
            datagrams_unsent: 0,
            send_queue: Default::default(),
        };
        self.rig.handle.measure(&Figures {
            at,
            workers: vec![worker],
            lobbies: Vec::new(),
            memory: None,
        });
    }
}

async fn come(rooms: &mut Rooms, who: &str, role: Role) -> Result<JoinResponse, Status> {
    let request = JoinRequest {
        role: role.into(),
        ..join_request("r", who)
    };
    rooms.join(request).await.map(tonic::Response::into_inner)
}

/// NODE_SATURATED, with what is refused and when to come back.
#[track_caller]
fn assert_saturated<T: std::fmt::Debug>(result: Result<T, Status>, refused: &str, level: &str) {
    let (reason, code) = (ErrorReason::NodeSaturated, Code::ResourceExhausted);
    let status = assert_reason(result, reason, code);
    let info = status.get_details_error_info().expect("there is one");
    assert_eq!(info.metadata["refused"], refused);
    assert_eq!(info.metadata["level"], level);
    assert_eq!(info.metadata["resource"], "bandwidth");
    let retry = status.get_details_retry_info().expect("there is one");
    assert!(retry.retry_delay.is_some_and(|delay| !delay.is_zero()));
}

async fn saturation(node: &Node, wire: Wire) -> Saturation {
    let status = node.rig.node(wire).get_status(GetStatusRequest {}).await;
    let status = status.expect("a status").into_inner();
    status.saturation.expect("it was measured")
}

support::on_both_transports!(rooms_then_listeners_then_speakers);
async fn rooms_then_listeners_then_speakers(wire: Wire) {
    let mut node = Node::start(|_| {}).await;
    let mut rooms = node.rig.rooms(wire);
    create(&mut rooms, "r").await;
    let empty = saturation(&node, wire).await;
    assert_eq!(empty.level(), SaturationLevel::Normal);
    assert_eq!(empty.fitting_listener_count as usize, HARD);

    let first = come(&mut rooms, "0", Role::Listener)
        .await
        .expect("the first");
    node.rig.media.connect("r", "0");
    for number in 1..SOFT {
        let name = number.to_string();
        come(&mut rooms, &name, Role::Listener)
            .await
            .expect("below the limit");
    }
    node.measure();
    let soft = saturation(&node, wire).await;
    assert_eq!(soft.level(), SaturationLevel::Soft);
    assert_eq!(soft.limiting_resource, "bandwidth");
    assert!(soft.saturation_ratio > 0.7 && soft.saturation_ratios["bandwidth"] > 0.7);
    assert_eq!(soft.fitting_listener_count as usize, HARD - SOFT);
    let refused = rooms.create_room(create_request("new", "")).await;
    assert_saturated(refused, "room", "soft");

    // Nothing is measured between them: a storm does not go past the limit.
    for number in SOFT..HARD {
        let name = number.to_string();
        come(&mut rooms, &name, Role::Listener)
            .await
            .expect("below the limit");
    }
    assert_eq!(saturation(&node, wire).await.fitting_listener_count, 0);
    let refused = come(&mut rooms, "late", Role::Listener).await;
    assert_saturated(refused, "listener", "soft");
    node.measure();
    assert_eq!(saturation(&node, wire).await.level(), SaturationLevel::Hard);
    let refused = come(&mut rooms, "late", Role::Listener).await;
    assert_saturated(refused, "listener", "hard");
    come(&mut rooms, "speaker", Role::Speaker)
        .await
        .expect("a place is kept");
    node.measure();
    let refused = come(&mut rooms, "moderator", Role::Moderator).await;
    assert_saturated(refused, "stage", "full");

    // Whoever was cut off comes back.
    node.rig.media.lose("r", "0");
    let again = JoinRequest {
        resume_token: first.resume_token,
        ..join_request("r", "0")
    };
    rooms.join(again).await.expect("they are in");
    // Two go, one may come, without a measurement.
    for who in ["1", "speaker"] {
        let removal = support::removal("r", who);
        rooms.remove_participant(removal).await.expect("they go");
    }
    come(&mut rooms, "next", Role::Listener)
        .await
        .expect("a place is free");
    let refused = come(&mut rooms, "late", Role::Listener).await;
    assert_saturated(refused, "listener", "full");
    assert_eq!(
        node.rig.handle.refused_for_capacity().values().sum::<u64>(),
        5
    );
}

support::on_both_transports!(tokens_lead_past_no_limit);
async fn tokens_lead_past_no_limit(wire: Wire) {
    let tokens = tokens::Tokens::new();
    let mut node = Node::start(|config| config.tokens = tokens.verifier.clone()).await;
    let mut rooms = node.rig.rooms(wire);
    create(&mut rooms, "r").await;
    for number in 0..=HARD {
        let name = number.to_string();
        come(&mut rooms, &name, Role::Speaker)
            .await
            .expect("below the limit");
    }
    node.measure();
    let claims = tokens::claims("guest", SystemTime::now());
    let mut guest = node.rig.rooms_of(wire, tokens.holder(&claims));
    let request = JoinRequest {
        display_name: String::new(),
        ..join_request("r", "guest")
    };
    assert_saturated(guest.join(request.clone()).await, "stage", "full");
    let removal = support::removal("r", "0");
    rooms.remove_participant(removal).await.expect("they go");
    guest.join(request).await.expect("a place is free");
}

support::on_both_transports!(where_nothing_is_enforced_nothing_is_refused);
async fn where_nothing_is_enforced_nothing_is_refused(wire: Wire) {
    let mut node = Node::start(|config| config.capacity.enforce = false).await;
    let mut rooms = node.rig.rooms(wire);
    create(&mut rooms, "r").await;
    for number in 0..=HARD + 2 {
        let name = number.to_string();
        come(&mut rooms, &name, Role::Listener)
            .await
            .expect("nothing is refused");
        node.measure();
    }
    create(&mut rooms, "new").await;
    let told = saturation(&node, wire).await;
    assert_eq!(told.level(), SaturationLevel::Full);
    assert_eq!(told.fitting_listener_count, 0);
}
