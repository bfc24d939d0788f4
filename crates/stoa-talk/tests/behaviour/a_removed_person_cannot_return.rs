//! Who was removed stays out until a moderator lifts it.

use crate::support;

use crate::house::{House, with_token, without_token};
use serde_json::json;

#[tokio::test]
async fn not_by_the_link_nor_by_reloading_until_it_is_lifted() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("speaker", false).await;
    let mut guest = house.enter(with_token("Gus", &token)).await;
    let id = guest.id.clone();
    host.send(json!({"type": "remove", "id": id, "revoke_link": false}))
        .await;
    assert_eq!(guest.closed().await, "removed_by_moderator");
    let left = host.browser.next_of("participant_left").await;
    assert_eq!(left["id"], id.as_str());
    assert!(house.in_stoa(&id).await.is_none());

    let (_, fresh) = host.new_link("moderator", false).await;
    for join in [
        without_token("Gus"),
        with_token("Gus", &token),
        with_token("Gus", &fresh),
    ] {
        assert_eq!(house.refused(join).await, "REMOVED");
    }
    assert!(house.in_stoa(&id).await.is_none());
    let _other = house.enter(with_token("Other", &token)).await;

    host.send(json!({"type": "list_removed"})).await;
    let removed = host.browser.next_of("removed_people").await;
    assert_eq!(removed["people"][0]["name"], "Gus");
    host.send(json!({"type": "lift_removal", "id": id})).await;
    let removed = host.browser.next_of("removed_people").await;
    assert_eq!(removed["people"], json!([]));
    let again = house.enter(without_token("Gus")).await;
    assert_eq!(again.id, id);
    let people = again.joined["participants"].as_array().expect("a list");
    let own = people.iter().find(|p| p["id"] == id.as_str()).expect("in");
    assert_eq!(own["role"], "listener", "what they were is gone");
}

#[tokio::test]
async fn their_link_may_go_with_them() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, theirs) = host.new_link("listener", false).await;
    let (_, another) = host.new_link("listener", false).await;
    let mut guest = house.enter(with_token("Gus", &theirs)).await;
    host.send(json!({"type": "remove", "id": guest.id, "revoke_link": true}))
        .await;
    assert_eq!(guest.closed().await, "removed_by_moderator");
    let join = with_token("Gus with another browser", &theirs);
    assert_eq!(house.refused(join).await, "INVITATION_INVALID");
    let _other = house.enter(with_token("Other", &another)).await;
}

#[tokio::test]
async fn nor_by_another_window_of_an_open_room() {
    let house = House::open().await;
    let mut host = house.enter(support::join("kitchen", "Host")).await;
    let mut guest = house.enter(support::join("kitchen", "Gus")).await;
    host.send(json!({"type": "remove", "id": guest.id, "revoke_link": false}))
        .await;
    assert_eq!(guest.closed().await, "removed_by_moderator");
    let mut join = support::join("kitchen", "Gus");
    join["window"] = support::secret("another window").into();
    assert_eq!(house.refused(join).await, "REMOVED");
}
