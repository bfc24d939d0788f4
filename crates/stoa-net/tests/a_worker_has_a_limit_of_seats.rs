//! A worker seats as many as it may, and whoever is one too many is refused by name before anything is
//! done for them. The others stay.

mod support;

use stoa_core::{Error, LimitScope, RoomSettings};
use stoa_net::{MediaError, Started, start};
use support::{Client, config, room, until};

#[tokio::test]
async fn whoever_is_one_too_many_is_refused_by_name() {
    let mut config = config(&["127.0.0.1"]);
    config.limits.participants = 2;
    let Started { workers, media, .. } = start(&config).unwrap();
    let settings = RoomSettings::default();
    media.create_room(room("r"), settings).await.unwrap();
    let ip = "127.0.0.1".parse().unwrap();
    let mut one = Client::join(&media, ip, "r", "one").await.unwrap();
    let mut two = Client::join(&media, ip, "r", "two").await.unwrap();
    until(&mut [&mut one, &mut two], |clients| {
        clients.iter().all(|client| client.connected)
    });
    // The lobby tells its figures a moment after its sessions have moved.
    until(&mut [&mut one, &mut two], |_| {
        media.lobby_stats()[0].sessions == 0
    });

    let refused = Client::join(&media, ip, "r", "three").await.err();
    let (scope, limit) = (LimitScope::Worker, 2);
    let expected = MediaError::Refused(Error::ParticipantLimit { scope, limit });
    assert_eq!(refused, Some(expected));

    until(&mut [&mut one, &mut two], |clients| {
        clients[0].speak(b"still here");
        clients[1].heard.len() >= 3
    });
    assert_eq!(
        media.lobby_stats()[0].prepared,
        2,
        "nothing was done for them"
    );
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}
