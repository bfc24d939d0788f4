//! More joins than may wait for the lobby are refused at once, and it goes on.

mod support;

use futures_util::future::join_all;
use stoa_core::{Role, RoomSettings};
use stoa_net::{MediaError, Started, start};
use support::{Client, config, join, room};

#[tokio::test]
async fn a_full_lobby() {
    let Started { workers, media, .. } = start(&config(&["127.0.0.1"])).unwrap();
    media
        .create_room(room("r"), RoomSettings::default())
        .await
        .unwrap();
    let (_client, offer, _pending) = Client::new("127.0.0.1".parse().unwrap());
    let joins = (0..3000).map(|index| {
        media.join(join(
            "r",
            &format!("p{index}"),
            offer.clone(),
            Role::Speaker,
        ))
    });
    let results = join_all(joins).await;
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(MediaError::Overloaded)))
        .count();
    let joined = results.iter().filter(|result| result.is_ok()).count();
    assert!(refused > 0, "three thousand joins at once do not fit");
    assert_eq!(refused + joined, 3000, "nothing but these two outcomes");
    assert_eq!(
        media.snapshots().await.unwrap()[0].participants.len(),
        joined
    );
    // Nobody shakes hands, so all who were let in are there still.
    // It publishes its figures after it has answered.
    while media.lobby_stats()[0].sessions != joined {
        tokio::task::yield_now().await;
    }
    assert_eq!(media.lobby_stats()[0].refused, 0);
    workers.shut_down();
}
