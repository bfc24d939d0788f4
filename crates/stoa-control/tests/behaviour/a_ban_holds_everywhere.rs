//! Once a ban is answered, its subject is out, and no way leads in for what was issued before. The same goes for
//! somebody who was removed, for that room.

use crate::support;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use crate::support::{
    Bans, Rig, Rooms, Wire, assert_reason, ban_request, create, join, join_request,
    media::Delivery, next, removal, room, until, watch,
};
use prost_types::Timestamp;
use stoa_api::v1::{watch_response::Event, *};
use stoa_control::MediaError;
use stoa_core::LeaveReason as Reason;
use tokio::task::JoinSet;
use tonic::{Code, Status};

const BANNED: (ErrorReason, Code) = (ErrorReason::SubjectBanned, Code::PermissionDenied);
const NOT_THERE: (ErrorReason, Code) = (ErrorReason::ParticipantNotFound, Code::NotFound);

/// The time, some seconds from now.
fn seconds_from_now(seconds: i64) -> Option<Timestamp> {
    let mut time = Timestamp::from(SystemTime::now());
    time.seconds += seconds;
    Some(time)
}

/// A join that was decided then.
fn issued(room: &str, participant: &str, issue_time: Option<Timestamp>) -> JoinRequest {
    JoinRequest {
        issue_time,
        ..join_request(room, participant)
    }
}

async fn ban(bans: &mut Bans, room: &str, participant: &str, before: Option<Timestamp>) -> Ban {
    let banned = bans.create_ban(ban_request(room, participant, before));
    banned.await.expect("a ban").into_inner()
}

async fn renegotiate(rooms: &mut Rooms, room: &str, participant: &str) -> Result<(), Status> {
    let request = RenegotiateRequest {
        room_id: room.into(),
        participant_id: participant.into(),
        session_id: String::new(),
        sdp_offer: "good".into(),
    };
    rooms.renegotiate(request).await.map(drop)
}

async fn add_candidate(rooms: &mut Rooms, room: &str, participant: &str) -> Result<(), Status> {
    let request = AddIceCandidateRequest {
        room_id: room.into(),
        participant_id: participant.into(),
        session_id: String::new(),
        candidate: String::new(),
    };
    rooms.add_ice_candidate(request).await.map(drop)
}

support::on_both_transports!(whoever_is_in_is_put_out_and_stays_out);
async fn whoever_is_in_is_put_out_and_stays_out(wire: Wire) {
    let rig = Rig::start().await;
    let (mut rooms, mut bans) = (rig.rooms(wire), rig.bans(wire));
    // One ban of a room, and one of all.
    for (banned_from, other_stays) in [("r", true), ("", false)] {
        for name in ["r", "s"] {
            create(&mut rooms, name).await;
            join(&mut rooms, name, "ann").await;
        }
        let token = join(&mut rooms, "r", "eve").await.resume_token;
        join(&mut rooms, "s", "eve").await;
        rig.media.connect("r", "eve");
        let before = seconds_from_now(0);
        let mut events = watch(&mut rooms, "r", 0).await;
        next(&mut events).await;

        let made = ban(&mut bans, banned_from, "eve", None).await;
        let left = loop {
            match next(&mut events).await.event {
                Some(Event::ParticipantLeft(left)) => break left,
                // The snapshot may have been too early for it.
                Some(Event::ParticipantConnected(_)) => {}
                other => panic!("nobody has done that: {other:?}"),
            }
        };
        let why = (left.reason(), left.return_advice());
        assert_eq!(why, (LeaveReason::Banned, ReturnAdvice::None));
        let in_r = room(&mut rooms, "r").await.participant_count;
        let in_s = room(&mut rooms, "s").await.participant_count;
        assert_eq!((in_r, in_s), (1, 1 + u32::from(other_stays)));

        for time in [before, made.issued_before] {
            let refused = rooms.join(issued("r", "eve", time)).await;
            assert_reason(refused, BANNED.0, BANNED.1);
        }
        let again = JoinRequest {
            resume_token: token,
            ..join_request("r", "eve")
        };
        let old = JoinRequest {
            issue_time: before,
            ..again.clone()
        };
        for request in [again, old] {
            let refused = rooms.join(request).await;
            assert_reason(refused, ErrorReason::ResumeTokenInvalid, Code::NotFound);
        }
        let refused = renegotiate(&mut rooms, "r", "eve").await;
        assert_reason(refused, NOT_THERE.0, NOT_THERE.1);
        let refused = add_candidate(&mut rooms, "r", "eve").await;
        assert_reason(refused, NOT_THERE.0, NOT_THERE.1);
        let elsewhere = rooms.join(issued("s", "eve", before)).await;
        match other_stays {
            true => assert_reason(
                elsewhere,
                ErrorReason::ParticipantAlreadyExists,
                Code::AlreadyExists,
            ),
            false => assert_reason(elsewhere, BANNED.0, BANNED.1),
        };
        // Others are not meant; and a later decision lets them in.
        rooms.join(issued("r", "ben", before)).await.expect("in");
        rooms.join(join_request("r", "eve")).await.expect("in");
        for name in ["r", "s"] {
            let room_id = name.into();
            rooms
                .close_room(CloseRoomRequest { room_id })
                .await
                .expect("closed");
        }
    }
}

support::on_both_transports!(a_moment_in_the_future_keeps_out_until_then);
async fn a_moment_in_the_future_keeps_out_until_then(wire: Wire) {
    let rig = Rig::start().await;
    let (mut rooms, mut bans) = (rig.rooms(wire), rig.bans(wire));
    create(&mut rooms, "r").await;
    join(&mut rooms, "r", "eve").await;
    let until = seconds_from_now(3600);
    let made = ban(&mut bans, "", "eve", until).await;
    assert_eq!(made.issued_before, until);
    // A clock that is ahead does not help.
    for time in [None, seconds_from_now(0), seconds_from_now(7200)] {
        let refused = rooms.join(issued("r", "eve", time)).await;
        assert_reason(refused, BANNED.0, BANNED.1);
    }
    let refused = renegotiate(&mut rooms, "r", "eve").await;
    assert_reason(refused, BANNED.0, BANNED.1);
    let refused = add_candidate(&mut rooms, "r", "eve").await;
    assert_reason(refused, BANNED.0, BANNED.1);
    // One that reaches less far changes nothing.
    assert_eq!(ban(&mut bans, "", "eve", None).await, made);
    let refused = rooms.join(join_request("r", "eve")).await;
    assert_reason(refused, BANNED.0, BANNED.1);
}

support::on_both_transports!(a_ban_is_taken_back_and_listed);
async fn a_ban_is_taken_back_and_listed(wire: Wire) {
    let rig = Rig::start().await;
    let (mut rooms, mut bans) = (rig.rooms(wire), rig.bans(wire));
    create(&mut rooms, "r").await;
    let before = seconds_from_now(-1);
    let mut made = Vec::new();
    for (name, who) in [("s", "a"), ("r", "b"), ("r", "a"), ("", "z")] {
        made.push(ban(&mut bans, name, who, None).await);
    }
    // In the order of room and participant.
    made.reverse();
    let mut request = ListBansRequest {
        page_size: 3,
        ..Default::default()
    };
    let (mut seen, mut pages) = (Vec::new(), Vec::new());
    loop {
        let page = bans.list_bans(request.clone()).await.expect("a page");
        let page = page.into_inner();
        pages.push(page.bans.len());
        seen.extend(page.bans);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((seen, pages), (made, vec![3, 1]));

    let refused = rooms.join(issued("r", "a", before)).await;
    assert_reason(refused, BANNED.0, BANNED.1);
    let taken_back = |room_id: &str, participant_id: &str| DeleteBanRequest {
        room_id: room_id.into(),
        participant_id: participant_id.into(),
    };
    bans.delete_ban(taken_back("r", "a")).await.expect("there");
    rooms
        .join(issued("r", "a", before))
        .await
        .expect("good again");
    for gone in [
        taken_back("r", "a"),
        taken_back("", "a"),
        taken_back("r", "z"),
    ] {
        let refused = bans.delete_ban(gone).await;
        assert_reason(refused, ErrorReason::BanNotFound, Code::NotFound);
    }
    let refused = rooms.join(issued("r", "b", before)).await;
    assert_reason(refused, BANNED.0, BANNED.1);
}

support::on_both_transports!(nobody_gets_in_beside_a_ban);
async fn nobody_gets_in_beside_a_ban(wire: Wire) {
    const ROOMS: usize = 100;
    let rig = Arc::new(Rig::start().await);
    let (mut rooms, mut bans) = (rig.rooms(wire), rig.bans(wire));
    for number in 0..ROOMS {
        create(&mut rooms, &format!("r{number}")).await;
    }
    let time = seconds_from_now(0);
    rig.media.set_open(false);
    let begun = rig.media.commands.load(Ordering::SeqCst);
    let mut joins = JoinSet::new();
    for number in 0..ROOMS {
        let mut rooms = rooms.clone();
        joins.spawn(async move {
            let request = issued(&format!("r{number}"), "eve", time);
            rooms.join(request).await
        });
    }
    // Half of them at least are at the media workers when the ban comes.
    let half = begun + ROOMS / 2;
    let media = &rig.media;
    until("joins are under way", || {
        media.commands.load(Ordering::SeqCst) >= half
    })
    .await;
    let banning = tokio::spawn(async move { ban(&mut bans, "", "eve", None).await });
    let mut asked = rig.bans(wire);
    loop {
        let list = asked.list_bans(ListBansRequest::default()).await;
        if list.expect("a list").get_ref().bans.len() == 1 {
            break;
        }
    }
    assert!(
        !banning.is_finished(),
        "it waits for those who are under way"
    );
    rig.media.set_open(true);
    banning.await.expect("no panic");
    let count = node_count(&rig, wire).await;
    assert_eq!(count, 0, "when it is answered nobody is in");
    while let Some(joined) = joins.join_next().await {
        let joined = joined.expect("no panic");
        assert_reason(joined, BANNED.0, BANNED.1);
    }
    assert_eq!(node_count(&rig, wire).await, 0);
}

async fn node_count(rig: &Rig, wire: Wire) -> u32 {
    let status = rig.node(wire).get_status(GetStatusRequest {}).await;
    status.expect("a status").get_ref().participant_count
}

support::on_both_transports!(whoever_was_removed_does_not_come_back_with_what_they_had);
async fn whoever_was_removed_does_not_come_back_with_what_they_had(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    for name in ["r", "s"] {
        create(&mut rooms, name).await;
    }
    let before = seconds_from_now(0);
    let token = join(&mut rooms, "r", "eve").await.resume_token;
    rooms
        .remove_participant(removal("r", "eve"))
        .await
        .expect("removed");
    let refused = rooms.join(issued("r", "eve", before)).await;
    assert_reason(refused, BANNED.0, BANNED.1);
    let again = JoinRequest {
        resume_token: token,
        ..join_request("r", "eve")
    };
    let refused = rooms.join(again).await;
    assert_reason(refused, ErrorReason::ResumeTokenInvalid, Code::NotFound);
    rooms
        .join(issued("s", "eve", before))
        .await
        .expect("elsewhere");
    rooms
        .join(join_request("r", "eve"))
        .await
        .expect("let in anew");

    // A removal that is refused changes nothing.
    let refused = rooms.remove_participant(removal("r", "ann")).await;
    assert_reason(refused, NOT_THERE.0, NOT_THERE.1);
    rooms.join(issued("r", "ann", before)).await.expect("in");
}

support::on_both_transports!(a_removal_that_comes_to_nothing_takes_no_ban_back);
async fn a_removal_that_comes_to_nothing_takes_no_ban_back(wire: Wire) {
    let rig = Rig::start().await;
    let (mut rooms, bans) = (rig.rooms(wire), rig.bans(wire));
    create(&mut rooms, "r").await;
    // A ban of an earlier moment, and one of now.
    for (who, before) in [("ann", seconds_from_now(-60)), ("ben", None)] {
        join(&mut rooms, "r", who).await;
        // They are gone, and it cannot be seen yet.
        rig.media.set_delivery(Delivery::Held);
        rig.media.leave("r", who, Reason::IceTimeout);
        rig.media.set_open(false);
        let begun = rig.media.commands.load(Ordering::SeqCst);
        let commands = |count: usize| {
            let media = Arc::clone(&rig.media);
            move || media.commands.load(Ordering::SeqCst) >= begun + count
        };
        let mut removing = rooms.clone();
        let removing =
            tokio::spawn(async move { removing.remove_participant(removal("r", who)).await });
        until("the removal is under way", commands(1)).await;
        let mut banning = bans.clone();
        let banning = tokio::spawn(async move { ban(&mut banning, "r", who, before).await });
        until("the ban holds, and puts them out", commands(2)).await;
        rig.media.set_open(true);
        let refused = removing.await.expect("no panic");
        assert_reason(refused, NOT_THERE.0, NOT_THERE.1);
        banning.await.expect("no panic");
        rig.media.deliver();
        let refused = rooms.join(issued("r", who, seconds_from_now(-61))).await;
        assert_reason(refused, BANNED.0, BANNED.1);
    }
}

support::on_both_transports!(a_ban_that_could_not_put_somebody_out_holds_all_the_same);
async fn a_ban_that_could_not_put_somebody_out_holds_all_the_same(wire: Wire) {
    let rig = Rig::start().await;
    let (mut rooms, mut bans) = (rig.rooms(wire), rig.bans(wire));
    create(&mut rooms, "r").await;
    join(&mut rooms, "r", "eve").await;
    let before = seconds_from_now(0);
    rig.media.refuse_with(Some(MediaError::Overloaded));
    let refused = bans.create_ban(ban_request("", "eve", None)).await;
    assert_reason(refused, ErrorReason::NodeOverloaded, Code::Unavailable);
    rig.media.refuse_with(None);
    let refused = rooms.join(issued("r", "eve", before)).await;
    assert_reason(refused, BANNED.0, BANNED.1);
    ban(&mut bans, "", "eve", None).await;
    assert_eq!(room(&mut rooms, "r").await.participant_count, 0);
}

support::on_both_transports!(a_ban_is_forgotten_when_it_could_refuse_nothing_any_more);
async fn a_ban_is_forgotten_when_it_could_refuse_nothing_any_more(wire: Wire) {
    let clock = support::clock::TestClock::default();
    let rig = Rig::with(|config| config.clock = clock.clock()).await;
    let (mut rooms, mut bans) = (rig.rooms(wire), rig.bans(wire));
    create(&mut rooms, "r").await;
    let made = ban(&mut bans, "r", "eve", None).await;
    let expires = SystemTime::try_from(made.expire_time.expect("a time")).expect("after 1970");
    clock.set(expires - Duration::from_nanos(1));
    let refused = rooms.join(issued("r", "eve", made.issued_before)).await;
    assert_reason(refused, BANNED.0, BANNED.1);
    // From here on, such a decision is too old by itself.
    clock.set(expires);
    let refused = rooms.join(issued("r", "eve", made.issued_before)).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
    let list = bans.list_bans(ListBansRequest::default()).await;
    assert_eq!(list.expect("a list").get_ref().bans, []);
}
