//! One browser is one person in a room by invitation; in an open room each of its windows is one.

use crate::support;

use crate::house::{House, without_token};
use serde_json::{Value, json};

fn from_window(mut join: Value, window: &str) -> Value {
    join["window"] = support::secret(window).into();
    join
}

#[tokio::test]
async fn the_newer_window_is_in_and_the_older_is_told() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let mut older = house.guest(&mut host, "Gus", "speaker").await;
    let newer = house
        .enter(from_window(without_token("Gus"), "newer"))
        .await;
    assert_eq!(newer.id, older.id);
    assert_eq!(older.closed().await, "taken_over");
    let people = newer.joined["participants"].as_array().expect("a list");
    assert_eq!(people.len(), 2, "{people:?}");
    // The older socket's end does not take the newer one's participant out.
    while older.browser.next().await.is_some() {}
    let in_stoa = house.in_stoa(&newer.id).await.expect("still in");
    assert_eq!(
        Some(in_stoa.csrc.into()),
        newer.joined["you"]["csrc"].as_u64()
    );
    let mut newer = newer;
    newer.send(json!({"type": "mute", "muted": true})).await;
    let id = newer.id.clone();
    host.sees(&id, "muted", json!(true)).await;
}

#[tokio::test]
async fn two_windows_in_an_open_room_are_two_people() {
    let house = House::open().await;
    let kitchen = |window| from_window(support::join("kitchen", "Ada"), window);
    let one = house.enter(kitchen("one")).await;
    let two = house.enter(kitchen("two")).await;
    assert_ne!(one.id, two.id);
    let roles: Vec<_> = two.joined["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    assert_eq!(roles.len(), 2);
    assert!(
        roles.iter().all(|p| p["role"] != "listener"),
        "newcomers speak at once"
    );

    // Reloading is the same window; a new one is whoever of this browser is away.
    let again = house.enter(kitchen("two")).await;
    assert_eq!(again.id, two.id);
    let moderator = one.id.clone();
    one.leave().await;
    let back = house.enter(kitchen("three")).await;
    assert_eq!(
        back.id, moderator,
        "who made the room is not locked out of it"
    );
}

#[tokio::test]
async fn somebody_elses_browser_is_somebody_else() {
    let house = House::open().await;
    let host = house.host("Host").await;
    let mut impostor = without_token("Host");
    impostor["secret"] = support::secret("impostor").into();
    assert_eq!(house.refused(impostor).await, "INVITATION_REQUIRED");
    assert!(house.in_stoa(&host.id).await.is_some());
}
