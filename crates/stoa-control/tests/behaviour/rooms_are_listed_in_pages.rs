//! ListRooms.

use crate::support;

use crate::support::{Rig, Wire, assert_reason, create, join};
use stoa_api::v1::*;
use tonic::Code;

support::on_both_transports!(pages_follow_each_other);
async fn pages_follow_each_other(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    for number in [3, 1, 5, 2, 4] {
        create(&mut rooms, &format!("room-{number}")).await;
    }
    join(&mut rooms, "room-3", "a").await;
    let mut seen = Vec::new();
    let mut page_token = String::new();
    let mut sizes = Vec::new();
    loop {
        let request = ListRoomsRequest {
            page_size: 2,
            page_token,
        };
        let page = rooms
            .list_rooms(request)
            .await
            .expect("a page")
            .into_inner();
        sizes.push(page.rooms.len());
        seen.extend(page.rooms);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
        // A room that comes before the page is no reason to show another one twice.
        if sizes.len() == 1 {
            create(&mut rooms, "room-0").await;
        }
    }
    let names: Vec<_> = seen.iter().map(|room| room.room_id.as_str()).collect();
    assert_eq!(names, ["room-1", "room-2", "room-3", "room-4", "room-5"]);
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(seen[2].participant_count, 1);
    assert!(
        seen[2].participants.is_empty(),
        "participants are not listed"
    );
}

support::on_both_transports!(sizes_and_tokens_are_checked);
async fn sizes_and_tokens_are_checked(wire: Wire) {
    let rig = Rig::start().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "r").await;
    let request = ListRoomsRequest {
        page_size: -1,
        page_token: String::new(),
    };
    let refused = rooms.list_rooms(request).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
    let request = ListRoomsRequest {
        page_size: 0,
        page_token: "room-1".into(),
    };
    let refused = rooms.list_rooms(request).await;
    assert_reason(
        refused,
        ErrorReason::PageTokenInvalid,
        Code::InvalidArgument,
    );
    let request = ListRoomsRequest {
        page_size: 5000,
        page_token: String::new(),
    };
    let page = rooms
        .list_rooms(request)
        .await
        .expect("read as 1,000")
        .into_inner();
    assert_eq!((page.rooms.len(), page.next_page_token.as_str()), (1, ""));
}
