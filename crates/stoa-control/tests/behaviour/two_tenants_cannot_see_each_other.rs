//! Whatever a tenant asks for that is another's, it is answered as if it did not exist; both may use the same names;
//! and what one does changes nothing for the other. All methods there are have a case here.

use crate::support;

use std::collections::BTreeMap;

use crate::support::{
    FOREIGN_KEY, Identity, Rig, Service, Wire, assert_reason, ban_request,
    catalogue::{Named, Names, methods, requests},
    create, create_request, join, join_request,
    known::Known,
    next, next_of_all, raw, removal, room, watch, watch_rooms,
};
use stoa_api::v1::{watch_response::Event, *};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Everything that a caller can see of a refusal, but for the names that it was asked with. Maps have no order of
/// their own.
fn shape(status: &Status, names: Names<'_>) -> String {
    let details = status.get_error_details();
    let info = details.error_info().expect("there is one");
    let metadata: BTreeMap<_, _> = info.metadata.iter().collect();
    let mut bytes = status.details().to_vec();
    bytes.sort_unstable();
    let text = format!(
        "{:?} {} {} {} {metadata:?} {:?} {:?} {bytes:?}",
        status.code(),
        status.message(),
        info.reason,
        info.domain,
        details.bad_request(),
        details.retry_info(),
    );
    let quoted = |name: &str| format!("{name:?}");
    text.replace(&quoted(names.room), "ROOM")
        .replace(&quoted(names.participant), "PARTICIPANT")
}

/// The names of the home tenant's things, and others of the same length that are nobody's.
async fn compare(
    service: &Service,
    there: Names<'_>,
    nowhere: Names<'_>,
    is_asked: impl Fn(Named) -> bool,
) -> usize {
    let mut compared = 0;
    for method in methods() {
        let both = requests(&method, there).into_iter();
        for ((kind, foreign), (_, missing)) in both.zip(requests(&method, nowhere)) {
            if !is_asked(kind) {
                continue;
            }
            let path = format!("/stoa.control.v1.{method}");
            let foreign = raw::call(service, &path, foreign).await;
            let missing = raw::call(service, &path, missing).await;
            let foreign = shape(&foreign.expect_err(&method), there);
            let missing = shape(&missing.expect_err(&method), nowhere);
            assert_eq!(foreign, missing, "{method}");
            compared += 1;
        }
    }
    compared
}

support::on_both_transports!(what_is_anothers_does_not_exist);
async fn what_is_anothers_does_not_exist(wire: Wire) {
    let rig = Rig::start().await;
    let mut home = rig.rooms(wire);
    // Of the same letters, so that sorted bytes are the same.
    create(&mut home, "hall").await;
    let ann = join(&mut home, "hall", "ann").await;
    rig.media.connect("hall", "ann");
    let session = ann.participant.as_ref().expect("who").session_id.clone();
    let mut bans = rig.bans(wire);
    bans.create_ban(ban_request("hall", "eve", None))
        .await
        .expect("a ban");
    let before = loop {
        let now = room(&mut home, "hall").await;
        if now.participants[0].state() == ConnectionState::Connected {
            break now;
        }
    };

    let token: String = ann.resume_token.chars().rev().collect();
    let there = Names {
        room: "hall",
        participant: "ann",
        session: &session,
        resume_token: &ann.resume_token,
    };
    let other_session: String = session.chars().rev().collect();
    let foreign = rig.service(wire, Identity::Key(FOREIGN_KEY));
    let own = &mut rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));

    // Neither room is the caller's.
    let nowhere = Names {
        room: "llah",
        ..there
    };
    let asked = compare(&foreign, there, nowhere, |kind| {
        !matches!(kind, Named::Nothing | Named::Ban)
    });
    assert_eq!(asked.await, 15);
    // The ban, of a room that is there and of one that is not.
    let ban = |room| Names {
        room,
        participant: "eve",
        ..there
    };
    let asked = compare(&foreign, ban("hall"), ban("llah"), |kind| {
        kind == Named::Ban
    });
    assert_eq!(asked.await, 1);
    // The caller has a room of that name, and nobody in it.
    create(own, "hall").await;
    let nobody = Names {
        participant: "nna",
        ..there
    };
    let participants = |kind| matches!(kind, Named::Participant | Named::ResumeToken);
    assert_eq!(compare(&foreign, there, nobody, participants).await, 8);
    // And somebody of that name, by another session.
    join(own, "hall", "ann").await;
    let another = Names {
        session: &other_session,
        resume_token: &token,
        ..there
    };
    assert_eq!(compare(&foreign, there, another, participants).await, 8);

    assert_eq!(room(&mut home, "hall").await, before, "nothing has changed");
    let refused = home.join(join_request("hall", "ann")).await;
    let (reason, code) = (ErrorReason::ParticipantAlreadyExists, Code::AlreadyExists);
    assert_reason(refused, reason, code);
    let again = JoinRequest {
        resume_token: ann.resume_token,
        ..join_request("hall", "ann")
    };
    home.join(again).await.expect("their token is still good");
    let list = bans.list_bans(ListBansRequest::default()).await;
    assert_eq!(list.expect("a list").get_ref().bans.len(), 1);
}

support::on_both_transports!(the_same_names_are_each_tenants_own);
async fn the_same_names_are_each_tenants_own(wire: Wire) {
    let rig = Rig::start().await;
    let mut home = rig.rooms(wire);
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    let mut all = watch_rooms(&mut foreign, 0, true).await;
    let mut known = Known::default();
    create(&mut home, "only-home").await;
    create(&mut home, "hall").await;
    create(&mut foreign, "hall").await;
    let mut events = watch(&mut foreign, "hall", 0).await;
    next(&mut events).await;
    for name in ["ann", "ben"] {
        join(&mut home, "hall", name).await;
    }
    rig.media.connect("hall", "ann");
    rig.media.speak("hall", "ann", 20);
    join(&mut foreign, "hall", "ann").await;

    // A watch of either kind has the foreign tenant's own events and nothing before them.
    let event = next(&mut events).await.event;
    assert!(
        matches!(&event, Some(Event::ParticipantJoined(joined))
            if joined.participant.as_ref().is_some_and(|who| who.participant_id == "ann")),
        "{event:?}"
    );
    while known.seen.len() < 2 {
        known.take_all(next_of_all(&mut all).await);
    }
    let hall = "hall".to_owned();
    assert_eq!(known.seen, [(hall.clone(), "created"), (hall, "joined")]);

    let of = |list: ListRoomsResponse| -> Vec<(String, u32)> {
        let rooms = list.rooms.into_iter();
        rooms
            .map(|room| (room.room_id, room.participant_count))
            .collect()
    };
    let list = foreign.list_rooms(ListRoomsRequest::default()).await;
    let list = list.expect("a list").into_inner();
    assert_eq!(of(list), [("hall".to_owned(), 1)]);
    let status = |identity| {
        let mut node = node_client::NodeClient::new(rig.service(wire, identity));
        async move { node.get_status(GetStatusRequest {}).await }
    };
    let theirs = status(Identity::Key(FOREIGN_KEY)).await;
    let theirs = theirs.expect("a status").into_inner();
    let seen = (theirs.room_count, theirs.participant_count);
    assert_eq!((seen, theirs.workers.len()), ((1, 1), 0));
    let operator = status(Identity::Key(support::KEY)).await;
    let operator = operator.expect("a status").into_inner();
    let seen = (operator.room_count, operator.participant_count);
    assert_eq!((seen, operator.workers.len()), ((3, 3), 1));

    let closing = CloseRoomRequest {
        room_id: "hall".into(),
    };
    foreign.close_room(closing).await.expect("their own");
    assert_eq!(room(&mut home, "hall").await.participant_count, 2);
}

support::on_both_transports!(a_ban_is_of_one_tenant);
async fn a_ban_is_of_one_tenant(wire: Wire) {
    let rig = Rig::start().await;
    let mut home = rig.rooms(wire);
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    let mut foreign_bans = rig.bans_of(wire, Identity::Key(FOREIGN_KEY));
    for rooms in [&mut home, &mut foreign] {
        create(rooms, "hall").await;
    }
    join(&mut home, "hall", "ann").await;
    for room_id in ["", "hall"] {
        let banned = foreign_bans.create_ban(ban_request(room_id, "ann", None));
        banned.await.expect("a ban");
    }
    let removed = foreign.remove_participant(removal("hall", "ann")).await;
    assert_reason(removed, ErrorReason::ParticipantNotFound, Code::NotFound);
    assert_eq!(room(&mut home, "hall").await.participant_count, 1);
    let old = join_request("hall", "ben");
    home.join(old).await.expect("they are not banned here");
    let list = rig.bans(wire).list_bans(ListBansRequest::default()).await;
    assert_eq!(list.expect("a list").get_ref().bans, []);
}

support::on_both_transports!(tokens_and_request_ids_are_of_no_use_to_others);
async fn tokens_and_request_ids_are_of_no_use_to_others(wire: Wire) {
    let rig = Rig::start().await;
    let mut home = rig.rooms(wire);
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    let (mut bans, mut foreign_bans) = (
        rig.bans(wire),
        rig.bans_of(wire, Identity::Key(FOREIGN_KEY)),
    );
    for name in ["a", "c", "e"] {
        create(&mut home, name).await;
        let banned = bans.create_ban(ban_request("", name, None)).await;
        banned.expect("a ban");
    }
    for name in ["b", "d"] {
        create(&mut foreign, name).await;
        let banned = foreign_bans.create_ban(ban_request("", name, None)).await;
        banned.expect("a ban");
    }
    let first = ListRoomsRequest {
        page_size: 2,
        page_token: String::new(),
    };
    let page = home.list_rooms(first).await.expect("a page").into_inner();
    let with_it = ListRoomsRequest {
        page_size: 0,
        page_token: page.next_page_token.clone(),
    };
    let theirs = foreign.list_rooms(with_it).await.expect("a position");
    let theirs: Vec<_> = theirs
        .get_ref()
        .rooms
        .iter()
        .map(|room| &room.room_id)
        .collect();
    assert_eq!(theirs, ["d"], "what is their own after that name");
    let first = ListBansRequest {
        page_size: 2,
        page_token: String::new(),
    };
    let page_of_bans = bans.list_bans(first).await.expect("a page").into_inner();
    let with_it = ListBansRequest {
        page_size: 0,
        page_token: page_of_bans.next_page_token,
    };
    let theirs = foreign_bans.list_bans(with_it).await.expect("a position");
    let theirs: Vec<_> = theirs
        .get_ref()
        .bans
        .iter()
        .map(|ban| &ban.participant_id)
        .collect();
    assert_eq!(theirs, ["d"]);
    let mixed = ListBansRequest {
        page_size: 0,
        page_token: page.next_page_token,
    };
    let refused = foreign_bans.list_bans(mixed).await;
    assert_reason(
        refused,
        ErrorReason::PageTokenInvalid,
        Code::InvalidArgument,
    );

    let (first, second) = (create_request("same", "1"), create_request("other", "1"));
    let made = home
        .create_room(first.clone())
        .await
        .expect("a room")
        .into_inner();
    let theirs = foreign
        .create_room(first)
        .await
        .expect("another")
        .into_inner();
    assert_ne!(
        made.revision, theirs.revision,
        "it is no answer of the other's"
    );
    let reused = foreign.create_room(second.clone()).await;
    assert_reason(reused, ErrorReason::RequestIdReused, Code::AlreadyExists);
    let unused = create_request("other", "2");
    home.create_room(unused.clone()).await.expect("a room");
    foreign.create_room(unused).await.expect("it is not known");
}
