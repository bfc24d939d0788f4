//! What moderators do is decided by the service, whatever a page sends, and done in Stoa.

use crate::house;

use crate::house::{House, ROOM};
use serde_json::{Value, json};
use stoa_client::v1::{GetRoomRequest, Role, SpeakPolicy};

#[tokio::test]
async fn the_room_is_for_speakers_and_roles_are_stoas() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    assert_eq!(host.joined["title"], "The Hall");
    assert_eq!(host.joined["open"], false);
    let listener = house.guest(&mut host, "Lis", "listener").await;
    let speaker = house.guest(&mut host, "Spe", "speaker").await;
    let request = GetRoomRequest {
        room_id: ROOM.into(),
    };
    let room = house.client.rooms().get_room(request).await;
    let policy = room.expect("it is there").into_inner().speak_policy();
    assert_eq!(policy, SpeakPolicy::SpeakersOnly);
    for (id, role) in [
        (&host.id, Role::Moderator),
        (&listener.id, Role::Listener),
        (&speaker.id, Role::Speaker),
    ] {
        assert_eq!(house.in_stoa(id).await.expect("in").role(), role);
    }
}

#[tokio::test]
async fn whoever_is_no_moderator_is_refused_and_changes_nothing() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let mut listener = house.guest(&mut host, "Lis", "listener").await;
    let mut speaker = house.guest(&mut host, "Spe", "speaker").await;
    let target = speaker.id.clone();
    let messages = |id: &str| -> Vec<Value> {
        vec![
            json!({"type": "invite", "id": id, "invited": true}),
            json!({"type": "lower_hand", "id": id}),
            json!({"type": "set_role", "id": id, "role": "listener"}),
            json!({"type": "mute_person", "id": id, "muted": true}),
            json!({"type": "remove", "id": id, "revoke_link": true}),
            json!({"type": "list_removed"}),
            json!({"type": "lift_removal", "id": id}),
            json!({"type": "list_links"}),
            json!({"type": "create_link", "role": "moderator", "label": "", "one_person": false}),
            json!({"type": "revoke_link", "id": 1}),
            json!({"type": "end_room"}),
        ]
    };
    for message in messages(&target) {
        assert_eq!(
            listener.refused(message.clone()).await,
            "NOT_MODERATOR",
            "{message}"
        );
    }
    for message in messages(&listener.id) {
        assert_eq!(
            speaker.refused(message.clone()).await,
            "NOT_MODERATOR",
            "{message}"
        );
    }
    let unchanged = house.in_stoa(&target).await.expect("still in");
    assert_eq!(unchanged.role(), Role::Speaker);
    assert!(!unchanged.muted_by_moderator);
    assert_eq!(host.links().await.len(), 2, "the two that let them in");
}

#[tokio::test]
async fn a_moderators_mute_is_stoas_and_outlasts_a_reload() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let mut speaker = house.guest(&mut host, "Spe", "speaker").await;
    let id = speaker.id.clone();
    host.send(json!({"type": "mute_person", "id": id, "muted": true}))
        .await;
    speaker.sees(&id, "muted_by_moderator", json!(true)).await;
    // One's own microphone is one's own, and changes nothing about it.
    speaker.send(json!({"type": "mute", "muted": true})).await;
    speaker.sees(&id, "muted", json!(true)).await;
    speaker.send(json!({"type": "mute", "muted": false})).await;
    let now = speaker.sees(&id, "muted", json!(false)).await;
    assert_eq!(now["muted_by_moderator"], true);
    let message = json!({"type": "mute_person", "id": id, "muted": false});
    assert_eq!(speaker.refused(message).await, "NOT_MODERATOR");

    speaker.leave().await;
    let mut again = house.enter(house::without_token("Spe")).await;
    assert_eq!(again.id, id, "the same person");
    assert!(house.in_stoa(&id).await.expect("in").muted_by_moderator);
    host.send(json!({"type": "mute_person", "id": id, "muted": false}))
        .await;
    again.sees(&id, "muted_by_moderator", json!(false)).await;
    assert!(!house.in_stoa(&id).await.expect("in").muted_by_moderator);
}

#[tokio::test]
async fn who_is_moved_to_the_audience_is_not_heard_and_stays_there() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("speaker", false).await;
    let mut speaker = house.enter(house::with_token("Spe", &token)).await;
    let id = speaker.id.clone();
    host.send(json!({"type": "set_role", "id": id, "role": "listener"}))
        .await;
    speaker.sees(&id, "role", json!("listener")).await;
    assert_eq!(house.in_stoa(&id).await.expect("in").role(), Role::Listener);
    speaker.leave().await;
    let again = house.enter(house::with_token("Spe", &token)).await;
    assert_eq!(again.id, id);
    let role = house.in_stoa(&id).await.expect("in").role();
    assert_eq!(role, Role::Listener, "a link gives its role once");
}

#[tokio::test]
async fn moderators_are_equals_but_for_who_made_the_room() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let mut other = house.guest(&mut host, "Oth", "speaker").await;
    let id = other.id.clone();
    assert_eq!(
        host.refused(json!({"type": "step_down"})).await,
        "ONLY_MODERATOR"
    );
    host.send(json!({"type": "set_role", "id": id, "role": "moderator"}))
        .await;
    other.sees(&id, "role", json!("moderator")).await;
    for message in [
        json!({"type": "set_role", "id": host.id, "role": "listener"}),
        json!({"type": "mute_person", "id": host.id, "muted": true}),
        json!({"type": "remove", "id": host.id, "revoke_link": false}),
    ] {
        assert_eq!(other.refused(message).await, "TARGET_IS_CREATOR");
    }
    host.send(json!({"type": "step_down"})).await;
    let host_id = host.id.clone();
    host.sees(&host_id, "role", json!("listener")).await;
    let message = json!({"type": "list_links"});
    assert_eq!(host.refused(message).await, "NOT_MODERATOR");
    assert_eq!(
        other.refused(json!({"type": "step_down"})).await,
        "ONLY_MODERATOR"
    );
}

#[tokio::test]
async fn ending_the_room_sends_everybody_away_and_forgets_it() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("listener", false).await;
    let mut listener = house.enter(house::with_token("Lis", &token)).await;
    host.send(json!({"type": "end_room"})).await;
    assert_eq!(listener.closed().await, "room_ended");
    assert_eq!(host.closed().await, "room_ended");
    let refused = house.refused(house::with_token("Lis", &token)).await;
    assert_eq!(refused, "INVITATION_INVALID");
    let new_host = house.host("Somebody").await;
    assert_eq!(
        new_host.joined["participants"].as_array().map(Vec::len),
        Some(1)
    );
}
