//! The one beyond a quota is refused with its name and its limit; and what ends, fails or is given up frees its
//! place.

use crate::support;

use std::{
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use crate::support::{
    FOREIGN_KEY, Identity, Rig, Rooms, Wire, assert_reason, ban_request,
    clock::TestClock,
    create, create_request, join, join_request,
    media::Delivery,
    quotas::{assert_quota, rig},
    removal, room,
};
use stoa_api::v1::*;
use stoa_control::{MediaError, Quotas};
use stoa_core::{CloseReason, LeaveReason as Reason};
use tonic::{Code, Request, Status};

/// Long enough that a call reaches the media workers, and it is over soon.
const SHORT: Duration = Duration::from_millis(300);

async fn close(rooms: &mut Rooms, room: &str) {
    let request = CloseRoomRequest {
        room_id: room.into(),
    };
    rooms.close_room(request).await.expect("closed");
}

/// Somebody gives a call up while it is under way.
fn given_up<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(SHORT);
    request
}

support::on_both_transports!(rooms);
async fn rooms(wire: Wire) {
    let rig = rig(Quotas {
        rooms: Some(2),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "a").await;
    create(&mut rooms, "b").await;
    assert_quota(rooms.create_room(create_request("c", "")).await, "rooms", 2);
    // One that is there is answered as ever.
    let there = rooms.create_room(create_request("a", "")).await;
    assert_reason(there, ErrorReason::RoomAlreadyExists, Code::AlreadyExists);
    // Other tenants have quotas of their own.
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    for name in ["a", "b", "c"] {
        create(&mut foreign, name).await;
    }
    close(&mut rooms, "a").await;
    create(&mut rooms, "c").await;
    assert_quota(rooms.create_room(create_request("a", "")).await, "rooms", 2);
    rig.media.expire("b", CloseReason::Empty);
    until_it_is_free(|| {
        let mut rooms = rooms.clone();
        async move { rooms.create_room(create_request("d", "")).await }
    })
    .await;
    // What fails is no room.
    close(&mut rooms, "d").await;
    rig.media.refuse_with(Some(MediaError::Overloaded));
    for _ in 0..3 {
        let failed = rooms.create_room(create_request("d", "")).await;
        assert_reason(failed, ErrorReason::NodeOverloaded, Code::Unavailable);
    }
    rig.media.refuse_with(None);
    create(&mut rooms, "d").await;
}

/// Repeats a call until no quota is in its way any more: nobody waits for what ends by itself.
async fn until_it_is_free<T, F>(call: impl Fn() -> F)
where
    F: Future<Output = Result<T, Status>>,
{
    loop {
        match call().await {
            Ok(_) => return,
            Err(status) => assert_eq!(
                stoa_client::reason(&status),
                Some(ErrorReason::QuotaReached),
                "{status:?}"
            ),
        }
    }
}

support::on_both_transports!(a_room_that_nobody_waits_for_counts);
async fn a_room_that_nobody_waits_for_counts(wire: Wire) {
    let rig = rig(Quotas {
        rooms: Some(1),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    // It is made, and nobody can see it yet.
    rig.media.set_delivery(Delivery::Held);
    let gone = rooms.create_room(given_up(create_request("a", ""))).await;
    assert!(gone.is_err());
    assert_eq!(rig.media.held(), 1);
    assert_quota(rooms.create_room(create_request("b", "")).await, "rooms", 1);
    rig.media.deliver();
    assert_quota(rooms.create_room(create_request("b", "")).await, "rooms", 1);
    close(&mut rooms, "a").await;
    // The call that nobody waits for may end a moment after its room.
    until_it_is_free(|| {
        let mut rooms = rooms.clone();
        async move { rooms.create_room(create_request("b", "")).await }
    })
    .await;
}

support::on_both_transports!(participants_in_all_and_in_a_room);
async fn participants_in_all_and_in_a_room(wire: Wire) {
    let rig = rig(Quotas {
        participants: Some(3),
        participants_per_room: Some(2),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    for name in ["r", "s"] {
        create(&mut rooms, name).await;
    }
    join(&mut rooms, "r", "a").await;
    join(&mut rooms, "r", "b").await;
    let beyond = rooms.join(join_request("r", "c")).await;
    assert_quota(beyond, "participants_per_room", 2);
    join(&mut rooms, "s", "a").await;
    let beyond = rooms.join(join_request("s", "b")).await;
    assert_quota(beyond, "participants", 3);
    // Who is in is refused for that.
    let there = rooms.join(join_request("r", "a")).await;
    let (reason, code) = (ErrorReason::ParticipantAlreadyExists, Code::AlreadyExists);
    assert_reason(there, reason, code);
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    create(&mut foreign, "r").await;
    for name in ["a", "b", "c", "d"] {
        join(&mut foreign, "r", name).await;
    }

    rooms
        .remove_participant(removal("r", "a"))
        .await
        .expect("out");
    join(&mut rooms, "r", "c").await;
    rig.media.leave("r", "b", Reason::IceTimeout);
    until_it_is_free(|| {
        let mut rooms = rooms.clone();
        async move { rooms.join(join_request("s", "b")).await }
    })
    .await;
    close(&mut rooms, "s").await;
    join(&mut rooms, "r", "d").await;
    let beyond = rooms.join(join_request("r", "e")).await;
    assert_quota(beyond, "participants_per_room", 2);
}

support::on_both_transports!(joins_that_come_to_nothing_take_no_place);
async fn joins_that_come_to_nothing_take_no_place(wire: Wire) {
    let rig = rig(Quotas {
        participants: Some(1),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    for _ in 0..3 {
        let request = JoinRequest {
            sdp_offer: "malformed".into(),
            ..join_request("r", "a")
        };
        let failed = rooms.join(request).await;
        assert_reason(failed, ErrorReason::SdpMalformed, Code::InvalidArgument);
        let failed = rooms.join(join_request("none", "a")).await;
        assert_reason(failed, ErrorReason::RoomNotFound, Code::NotFound);
        rig.media.panics.store(true, Ordering::SeqCst);
        let failed = rooms.join(join_request("r", "a")).await;
        assert_reason(failed, ErrorReason::InternalFault, Code::Internal);
        rig.media.panics.store(false, Ordering::SeqCst);
    }
    // One that is given up holds its place as long as it may still come to something.
    rig.media.set_open(false);
    let fails = JoinRequest {
        sdp_offer: "malformed".into(),
        ..join_request("r", "a")
    };
    let gone = rooms.join(given_up(fails)).await;
    assert!(gone.is_err());
    let beyond = rooms.join(join_request("r", "b")).await;
    assert_quota(beyond, "participants", 1);
    rig.media.set_open(true);
    until_it_is_free(|| {
        let mut rooms = rooms.clone();
        async move { rooms.join(join_request("r", "b")).await }
    })
    .await;
}

support::on_both_transports!(whoever_comes_back_takes_no_place);
async fn whoever_comes_back_takes_no_place(wire: Wire) {
    let rig = rig(Quotas {
        participants: Some(1),
        participants_per_room: Some(1),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let mut token = join(&mut rooms, "r", "a").await.resume_token;
    rig.media.connect("r", "a");
    for is_lost in [true, false] {
        if is_lost {
            rig.media.lose("r", "a");
        }
        let again = JoinRequest {
            resume_token: token,
            ..join_request("r", "a")
        };
        token = rooms
            .join(again)
            .await
            .expect("back")
            .into_inner()
            .resume_token;
    }
    let beyond = rooms.join(join_request("r", "b")).await;
    assert_quota(beyond, "participants", 1);
    assert_eq!(room(&mut rooms, "r").await.participant_count, 1);
}

support::on_both_transports!(bans);
async fn bans(wire: Wire) {
    let clock = TestClock::default();
    let rig = Rig::with(|config| {
        config.tenants[0].quotas.bans = 2;
        config.clock = clock.clock();
    })
    .await;
    let (mut rooms, mut bans) = (rig.rooms(wire), rig.bans(wire));
    create(&mut rooms, "r").await;
    let mut expires = SystemTime::UNIX_EPOCH;
    for who in ["a", "b"] {
        let made = bans.create_ban(ban_request("", who, None)).await;
        let made = made.expect("a ban").into_inner().expire_time;
        expires = SystemTime::try_from(made.expect("a time")).expect("after 1970");
    }
    let beyond = ban_request("", "c", None);
    assert_quota(bans.create_ban(beyond.clone()).await, "bans", 2);
    // One in the place of another takes no more, nor does a removal.
    bans.create_ban(ban_request("", "a", None))
        .await
        .expect("a ban");
    join(&mut rooms, "r", "d").await;
    rooms
        .remove_participant(removal("r", "d"))
        .await
        .expect("out");
    assert_quota(bans.create_ban(beyond.clone()).await, "bans", 2);
    let mut foreign = rig.bans_of(wire, Identity::Key(FOREIGN_KEY));
    for who in ["a", "b", "c"] {
        foreign
            .create_ban(ban_request("", who, None))
            .await
            .expect("theirs");
    }
    let taken_back = DeleteBanRequest {
        room_id: String::new(),
        participant_id: "a".into(),
    };
    bans.delete_ban(taken_back).await.expect("there");
    bans.create_ban(beyond).await.expect("a place is free");
    let beyond = ban_request("", "e", None);
    assert_quota(bans.create_ban(beyond.clone()).await, "bans", 2);
    clock.set(expires);
    bans.create_ban(beyond).await.expect("those have expired");
}
