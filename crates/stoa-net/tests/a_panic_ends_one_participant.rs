//! A panic while one participant is served ends that participant; the worker's thread and the room go on.

mod support;

use stoa_core::{LeaveReason, RoomEventKind, RoomSettings, planted::FATAL_DATAGRAM};
use stoa_net::{Notice, Started, start};
use support::{Client, config, room, until};

#[tokio::test]
async fn a_panic_ends_one_participant() {
    let Started {
        workers,
        media,
        mut notices,
    } = start(&config(&["127.0.0.1"])).unwrap();
    let ip = "127.0.0.1".parse().unwrap();
    media
        .create_room(room("r"), RoomSettings::default())
        .await
        .unwrap();
    let [mut ann, mut ben, mut eve] = {
        let join = |name| Client::join(&media, ip, "r", name);
        [join("ann").await, join("ben").await, join("eve").await].map(Result::unwrap)
    };
    until(&mut [&mut ann, &mut ben, &mut eve], |clients| {
        clients.iter().all(|client| client.connected)
    });
    eve.send_raw(FATAL_DATAGRAM);
    // Whoever is served next is served by the same thread.
    until(&mut [&mut ann, &mut ben], |clients| {
        let panics: u64 = media.status().iter().map(|worker| worker.panics).sum();
        clients[0].speak(b"from ann");
        clients[1].speak(b"from ben");
        panics == 1
    });
    ann.heard.clear();
    ben.heard.clear();
    until(&mut [&mut ann, &mut ben], |clients| {
        clients[0].speak(b"from ann");
        clients[1].speak(b"from ben");
        clients.iter().all(|client| client.heard.len() >= 10)
    });
    let reason = loop {
        if let Some(Notice::Event(event)) = notices.recv().await
            && let RoomEventKind::Left { reason, .. } = event.kind
        {
            break reason;
        }
    };
    assert_eq!(reason, LeaveReason::InternalFault);
    let mut eve = Client::join(&media, ip, "r", "eve").await.unwrap();
    until(&mut [&mut ann, &mut eve], |clients| clients[1].connected);
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}
