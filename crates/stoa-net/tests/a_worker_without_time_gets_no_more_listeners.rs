//! Listeners of a room whose home has no time for more are seated at another worker, and hear as if they sat at
//! home.

mod support;

use stoa_core::{Role, RoomSettings};
use stoa_net::{Started, start};
use support::{Client, config, room, until};

#[tokio::test]
async fn a_worker_without_time_gets_no_more_listeners() {
    let mut config = config(&["127.0.0.1"]);
    config.workers = 2;
    let Started { workers, media, .. } = start(&config).unwrap();
    media
        .create_room(room("r"), RoomSettings::default())
        .await
        .unwrap();
    let home = media.home(&room("r"));
    let ip = "127.0.0.1".parse().unwrap();
    let join = |name, role| Client::join_as(&media, ip, "r", name, role);
    media.shun([0, 1].map(|worker| worker == home));
    let mut speaker = join("speaker", Role::Speaker).await.unwrap();
    let mut away = join("away", Role::Listener).await.unwrap();
    // Where all have none it is as ever.
    media.shun([true, true]);
    let mut still = join("still", Role::Listener).await.unwrap();
    media.shun([false, false]);
    let mut at_home = join("at-home", Role::Listener).await.unwrap();
    let mut all = [&mut speaker, &mut away, &mut still, &mut at_home];
    until(&mut all, |clients| {
        clients[0].speak(b"hello");
        clients[1..].iter().all(|client| client.heard.len() >= 3)
    });
    until(&mut all, |_| {
        let status = media.status();
        (status[home].seats, status[1 - home].seats) == (3, 1)
    });
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}
