//! Somebody on IPv4 and somebody on IPv6 in the same room hear each other.

mod support;

use stoa_core::{LeaveReason, RoomEventKind, RoomSettings};
use stoa_net::{Notice, Started, start};
use support::{Client, config, room, until};

#[tokio::test]
async fn over_ipv4_and_ipv6() {
    let Started {
        workers,
        media,
        mut notices,
    } = start(&config(&["127.0.0.1", "::1"])).unwrap();
    media
        .create_room(room("r"), RoomSettings::default())
        .await
        .unwrap();
    let mut four = Client::join(&media, "127.0.0.1".parse().unwrap(), "r", "four")
        .await
        .unwrap();
    let mut six = Client::join(&media, "::1".parse().unwrap(), "r", "six")
        .await
        .unwrap();

    until(&mut [&mut four, &mut six], |clients| {
        clients.iter().all(|client| client.connected)
    });
    until(&mut [&mut four, &mut six], |clients| {
        clients[0].speak(b"from four");
        clients[1].speak(b"from six");
        clients.iter().all(|client| client.heard.len() >= 10)
    });
    assert!(
        four.heard
            .iter()
            .all(|packet| *packet.payload == *b"from six")
    );
    assert!(
        six.heard
            .iter()
            .all(|packet| *packet.payload == *b"from four")
    );

    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
    until(&mut [&mut four, &mut six], |clients| {
        clients.iter().all(|client| client.closed)
    });
    let mut left = 0;
    while let Some(Notice::Event(event)) = notices.recv().await {
        if let RoomEventKind::Left { reason, .. } = event.kind {
            assert_eq!(reason, LeaveReason::NodeShutdown);
            left += 1;
        }
        if left == 2 {
            return;
        }
    }
    panic!("both must be seen to leave");
}
