//! Nobody reads the notices for a while: the worker does not wait, and says so later.

mod support;

use stoa_core::RoomSettings;
use stoa_net::{Notice, Started, start};
use support::{config, room};

#[tokio::test]
async fn lost_comes_after_what_was_held() {
    let Started {
        workers,
        media,
        mut notices,
    } = start(&config(&["127.0.0.1"])).unwrap();
    for index in 0..10_000 {
        let room = room(&format!("room-{index}"));
        media
            .create_room(room.clone(), RoomSettings::default())
            .await
            .unwrap();
        media.close_room(room).await.unwrap();
    }
    media
        .create_room(room("last"), RoomSettings::default())
        .await
        .unwrap();

    let mut held = 0;
    while let Some(Notice::Event(_)) = notices.recv().await {
        held += 1;
    }
    assert!(held < 20_000, "{held} were held");
    // The loop ended with `Lost`; what comes now is whole again.
    let snapshots = media.snapshots().await.unwrap();
    assert_eq!(snapshots.len(), 1);
    media.close_room(room("last")).await.unwrap();
    assert!(matches!(notices.recv().await, Some(Notice::Event(_))));
    workers.shut_down();
}
