//! From a raised hand to the stage and back, by the listener's own will at every step.

use crate::house;

use crate::house::House;
use serde_json::json;
use stoa_client::v1::Role;

#[tokio::test]
async fn the_order_of_hands_is_kept_and_seen_by_all() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let mut first = house.guest(&mut host, "First", "listener").await;
    let mut second = house.guest(&mut host, "Second", "listener").await;
    let up = json!({"type": "raise_hand", "raised": true});
    let raised_at =
        |person: serde_json::Value| person["hand_raised_at"].as_u64().expect("it is up");
    let mut raised = Vec::new();
    for guest in [&mut first, &mut second] {
        guest.send(up.clone()).await;
        loop {
            let update = host.browser.next_of("participant_updated").await;
            if update["participant"]["id"] == guest.id.as_str() {
                raised.push(raised_at(update["participant"].clone()));
                break;
            }
        }
    }
    assert!(raised[0] <= raised[1]);

    // Raising it again, and reloading, keep the place.
    first.send(up).await;
    let id = first.id.clone();
    first.leave().await;
    let mut first = house.enter(house::without_token("First")).await;
    let people = first.joined["participants"].as_array().expect("a list");
    let own = people.iter().find(|p| p["id"] == id.as_str()).expect("in");
    assert_eq!(raised_at(own.clone()), raised[0]);

    first
        .send(json!({"type": "raise_hand", "raised": false}))
        .await;
    first.sees(&id, "hand_raised_at", json!(null)).await;
    host.send(json!({"type": "lower_hand", "id": second.id}))
        .await;
    let id = second.id.clone();
    second.sees(&id, "hand_raised_at", json!(null)).await;
}

#[tokio::test]
async fn only_who_is_invited_and_accepts_comes_to_the_stage() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let mut guest = house.guest(&mut host, "Gus", "listener").await;
    let id = guest.id.clone();
    let accept = json!({"type": "answer_invitation", "accepted": true});
    assert_eq!(guest.refused(accept.clone()).await, "NOT_INVITED");
    for role in ["speaker", "moderator"] {
        let promote = json!({"type": "set_role", "id": id, "role": role});
        assert_eq!(
            host.refused(promote).await,
            "NOT_ON_STAGE",
            "not against their will"
        );
    }

    let invite = json!({"type": "invite", "id": id, "invited": true});
    host.send(invite.clone()).await;
    guest.sees(&id, "invited", json!(true)).await;
    guest
        .send(json!({"type": "answer_invitation", "accepted": false}))
        .await;
    guest.sees(&id, "invited", json!(false)).await;
    assert_eq!(house.in_stoa(&id).await.expect("in").role(), Role::Listener);

    host.send(invite.clone()).await;
    guest.sees(&id, "invited", json!(true)).await;
    host.send(json!({"type": "invite", "id": id, "invited": false}))
        .await;
    guest.sees(&id, "invited", json!(false)).await;
    assert_eq!(guest.refused(accept.clone()).await, "NOT_INVITED");

    guest
        .send(json!({"type": "raise_hand", "raised": true}))
        .await;
    host.send(invite.clone()).await;
    guest.sees(&id, "invited", json!(true)).await;
    guest.send(accept).await;
    let now = host.sees(&id, "role", json!("speaker")).await;
    assert_eq!(now["role"], "speaker");
    let last = guest.sees(&id, "invited", json!(false)).await;
    assert_eq!(
        last["hand_raised_at"],
        json!(null),
        "who speaks needs no hand"
    );
    assert_eq!(house.in_stoa(&id).await.expect("in").role(), Role::Speaker);
    assert_eq!(host.refused(invite).await, "ON_STAGE");
    let up = json!({"type": "raise_hand", "raised": true});
    assert_eq!(guest.refused(up).await, "ON_STAGE");

    guest.send(json!({"type": "step_down"})).await;
    guest.sees(&id, "role", json!("listener")).await;
    assert_eq!(house.in_stoa(&id).await.expect("in").role(), Role::Listener);
}
