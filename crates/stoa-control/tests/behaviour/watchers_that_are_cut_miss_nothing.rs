//! A watcher that is cut and resumes, hundreds of times while everything changes, sees each event once and in
//! order, and knows in the end what is true.

use crate::support;

use std::time::Duration;

use crate::support::{
    KEY, Rig, Rooms, Wire,
    churn::Churn,
    create,
    known::{Known, truth},
    next, next_of_all,
    pki::SERVER_NAME,
    relay::Relay,
    watch, watch_rooms,
};
use stoa_api::v1::*;
use stoa_client::{Client, ClientConfig, Credential, TrustAnchors};

const CUTS: usize = 500;
const ROOMS: &[&str] = &["a", "b", "c"];

/// A server that holds everything.
async fn rig() -> Rig {
    Rig::with(|config| {
        config.service.events_per_room = 1_000_000;
        config.service.events_per_tenant = 1_000_000;
        config.service.bookmark = Duration::from_millis(20);
    })
    .await
}

/// All rooms with their participants.
async fn all(rooms: &mut Rooms) -> Vec<Room> {
    let listed = rooms.list_rooms(ListRoomsRequest::default()).await;
    let mut shown = Vec::new();
    for room in listed.expect("a list").into_inner().rooms {
        let request = GetRoomRequest {
            room_id: room.room_id,
        };
        shown.push(rooms.get_room(request).await.expect("a room").into_inner());
    }
    shown
}

support::on_both_transports!(one_room);
async fn one_room(wire: Wire) {
    let rig = rig().await;
    let mut rooms = rig.rooms(wire);
    create(&mut rooms, "a").await;
    let churn = Churn::begin(&rig, wire, &["a"], false);
    let (mut known, mut from) = (Known::default(), 0);
    for cut in 0..CUTS {
        let mut events = watch(&mut rooms, "a", from).await;
        for _ in 0..=cut % 3 {
            let message = next(&mut events).await;
            // A bookmark may be continued from as anything else.
            from = message.revision;
            known.take("a", message);
        }
    }
    churn.end().await;
    let truly = all(&mut rooms).await;
    let mut events = watch(&mut rooms, "a", from).await;
    while !known.is_up_to(&truly) {
        known.take("a", next(&mut events).await);
    }
    assert_eq!(known.rooms["a"], truly[0]);
    let expected = truth(&rig.media.history());
    assert!(known.seen.len() > CUTS / 2, "{} events", known.seen.len());
    // The snapshot at the beginning has shown what was before it.
    assert!(expected.ends_with(&known.seen));
    let before = expected.len() - known.seen.len();
    assert_eq!(truly[0].revision, known.rooms["a"].revision);
    assert!(before < 20, "{before} events were in the snapshot");
    assert_eq!(rig.handle.stats().resyncs, 0);
}

support::on_both_transports!(all_rooms);
async fn all_rooms(wire: Wire) {
    let rig = rig().await;
    let mut rooms = rig.rooms(wire);
    let mut known = Known::default();
    let mut events = watch_rooms(&mut rooms, 0, true).await;
    while known.from == 0 {
        known.take_all(next_of_all(&mut events).await);
    }
    drop(events);
    let churn = Churn::begin(&rig, wire, ROOMS, true);
    for cut in 0..CUTS {
        let mut events = watch_rooms(&mut rooms, known.from, cut % 2 == 0).await;
        for _ in 0..=cut % 3 {
            known.take_all(next_of_all(&mut events).await);
        }
    }
    churn.end().await;
    let truly = all(&mut rooms).await;
    let expected = truth(&rig.media.history());
    let mut events = watch_rooms(&mut rooms, known.from, false).await;
    while known.seen.len() < expected.len() {
        known.take_all(next_of_all(&mut events).await);
    }
    assert_eq!(known.seen, expected);
    assert!(expected.len() > CUTS / 2, "{} events", expected.len());
    assert!(
        known.rooms.values().eq(&truly),
        "{:?} {truly:?}",
        known.rooms
    );
    assert_eq!((known.begun, rig.handle.stats().resyncs), (1, 0));
}

support::on_both_transports!(snapshots_of_all_rooms_in_the_midst_of_it);
async fn snapshots_of_all_rooms_in_the_midst_of_it(wire: Wire) {
    let rig = rig().await;
    let mut rooms = rig.rooms(wire);
    let churn = Churn::begin(&rig, wire, ROOMS, true);
    for _ in 0..CUTS / 5 {
        let mut known = Known::default();
        let mut events = watch_rooms(&mut rooms, 0, true).await;
        // Into the time after the snapshot: what it has shown is not told again.
        while known.from == 0 || known.seen.len() < 3 {
            known.take_all(next_of_all(&mut events).await);
        }
        assert_eq!(known.begun, 1);
    }
    let mut known = Known::default();
    let mut events = watch_rooms(&mut rooms, 0, true).await;
    while known.from == 0 {
        known.take_all(next_of_all(&mut events).await);
    }
    churn.end().await;
    let truly = all(&mut rooms).await;
    while !known.is_up_to(&truly) {
        known.take_all(next_of_all(&mut events).await);
    }
    assert!(
        known.rooms.values().eq(&truly),
        "{:?} {truly:?}",
        known.rooms
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_goes_on_by_itself_after_its_connection_was_lost() {
    let rig = rig().await;
    let relay = Relay::start(rig.address).await;
    let mut config = ClientConfig::new(
        format!("https://{}", relay.address),
        TrustAnchors::Store(rig.pki.roots()),
        Credential::ApiKey(KEY.to_owned().into()),
    );
    config.server_name = Some(SERVER_NAME.into());
    config.timeouts.idle = Duration::from_millis(400);
    config.timeouts.keep_alive = Duration::from_millis(100);
    config.timeouts.connect = Duration::from_millis(500);
    config.timeouts.max_backoff = Duration::from_millis(100);
    let client = Client::lazy(config).expect("a good configuration");
    let mut rooms = rig.rooms(Wire::Http2);
    create(&mut rooms, "kept").await;

    let mut of_all = client.watch_rooms(0, false);
    let mut of_one = client.watch_room("kept", 0);
    let (mut known, mut known_of_one) = (Known::default(), Known::default());
    while of_all.revision() == 0 {
        known.take_all(of_all.next().await.expect("a message"));
    }
    let at_first = rig.media.history().len();
    let churn = Churn::begin(&rig, Wire::Http2, &["kept", "a", "b"], true);
    for _ in 0..5 {
        relay.cut(Duration::from_millis(700)).await;
        for _ in 0..20 {
            known.take_all(of_all.next().await.expect("a message"));
        }
    }
    churn.end().await;
    let expected = truth(&rig.media.history()[at_first..]);
    while known.seen.len() < expected.len() {
        known.take_all(of_all.next().await.expect("a message"));
    }
    assert_eq!(known.seen, expected);
    let truly = all(&mut rooms).await;
    assert!(known.rooms.values().eq(&truly));

    // The room may have been closed in the meantime; then its watch has ended.
    loop {
        match of_one.next().await {
            Ok(Some(message)) => known_of_one.take("kept", message),
            Ok(None) => break,
            Err(status) => {
                let reason = stoa_client::reason(&status);
                assert_eq!(reason, Some(ErrorReason::RoomNotFound), "{status:?}");
                break;
            }
        }
        if known_of_one.rooms.get("kept") == truly.iter().find(|room| room.room_id == "kept") {
            break;
        }
    }
    // What had arrived before is still told.
    client.close().await;
    while of_all.next().await.is_ok() {}
}
