//! Links: as what they let in, for how many, and until when.

use crate::{house, support};

use crate::house::{House, with_token, without_token};
use serde_json::{Value, json};
use stoa_talk::{Database, Options};

fn role(guest: &house::Guest) -> Value {
    let people = guest.joined["participants"].as_array().expect("a list");
    let own = people.iter().find(|p| p["id"] == guest.id.as_str());
    own.expect("they are in")["role"].clone()
}

#[tokio::test]
async fn each_kind_lets_in_as_its_role_and_nothing_does_without() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    for name in ["listener", "speaker", "moderator"] {
        let guest = house.guest(&mut host, name, name).await;
        assert_eq!(role(&guest), name);
    }
    assert_eq!(
        house.refused(without_token("Nobody")).await,
        "INVITATION_REQUIRED"
    );
    let guessed = with_token("Nobody", "abcdefghijkmnpqrstuvwxyz23");
    assert_eq!(house.refused(guessed).await, "INVITATION_INVALID");
    let links = host.links().await;
    assert_eq!(links.len(), 3);
    assert!(links.iter().all(|link| link["uses"] == 1), "{links:?}");
}

#[tokio::test]
async fn a_revoked_link_lets_nobody_new_in() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (id, token) = host.new_link("listener", false).await;
    let early = house.enter(with_token("Early", &token)).await;
    let revoke = json!({"type": "revoke_link", "id": id});
    host.send(revoke.clone()).await;
    assert_eq!(host.browser.next_of("links").await["links"], json!([]));
    assert_eq!(
        house.refused(with_token("Late", &token)).await,
        "INVITATION_INVALID"
    );
    assert_eq!(host.refused(revoke).await, "LINK_NOT_FOUND");
    early.leave().await;
    let again = house.enter(with_token("Early", &token)).await;
    assert_eq!(role(&again), "listener", "who is known needs no link");
}

#[tokio::test]
async fn a_link_for_one_person_is_theirs() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("speaker", true).await;
    let first = house.enter(with_token("First", &token)).await;
    assert_eq!(
        house.refused(with_token("Second", &token)).await,
        "INVITATION_USED"
    );
    first.leave().await;
    assert_eq!(
        role(&house.enter(with_token("First", &token)).await),
        "speaker"
    );
}

#[tokio::test]
async fn a_better_link_raises_and_a_lesser_one_does_not_lower() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, speaker) = host.new_link("speaker", false).await;
    let (_, listener) = host.new_link("listener", false).await;
    let guest = house.guest(&mut host, "Gus", "listener").await;
    guest.leave().await;
    let guest = house.enter(with_token("Gus", &speaker)).await;
    assert_eq!(role(&guest), "speaker");
    guest.leave().await;
    let guest = house.enter(with_token("Gus", &listener)).await;
    assert_eq!(role(&guest), "speaker");
}

#[tokio::test]
async fn a_link_is_for_its_own_room() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("moderator", false).await;
    let mut elsewhere = support::join("cellar", "Host");
    elsewhere["create"] = json!({"title": "Cellar", "open": false, "newcomers": "listener"});
    let _cellar = house.enter(elsewhere).await;
    let mut join = support::join("cellar", "Gus");
    join["token"] = token.into();
    assert_eq!(house.refused(join).await, "INVITATION_INVALID");
}

#[tokio::test]
async fn the_page_is_told_beforehand_and_nothing_comes_of_asking() {
    let house = House::open().await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("listener", true).await;
    let question = |token: Option<&str>| {
        let (secret, window) = (support::secret("Gus"), support::secret("the only window"));
        let mut question = json!({"room": house::ROOM, "secret": secret, "window": window});
        if let Some(token) = token {
            question["token"] = token.into();
        }
        question
    };
    for _ in 0..2 {
        let (status, looked) = house.service.post("/look", &question(Some(&token))).await;
        assert_eq!(status, 200);
        let expected =
            json!({"title": "The Hall", "open": false, "new": false, "role": "listener"});
        assert_eq!(looked["room"], expected, "{looked}");
        assert_eq!(looked["open_rooms"], true);
    }
    let (_, looked) = house.service.post("/look", &question(None)).await;
    assert_eq!(looked["room"], Value::Null);
    assert_eq!(looked["problem"]["reason"], "INVITATION_REQUIRED");
    let mut bad = question(None);
    bad["secret"] = "short".into();
    let (status, problem) = house.service.post("/look", &bad).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("FIELD_INVALID")));
    assert_eq!(
        host.links().await[0]["uses"],
        0,
        "asking is no use of a link"
    );
}

#[tokio::test]
async fn a_service_without_open_rooms_has_none() {
    let house = House::with(Options {
        database: Database::Memory,
        open_rooms: false,
        ..Options::default()
    })
    .await;
    assert_eq!(
        house.refused(without_token("Ada")).await,
        "INVITATION_REQUIRED"
    );
    let mut open = house::create("Ada");
    open["create"]["open"] = true.into();
    assert_eq!(house.refused(open).await, "OPEN_ROOMS_OFF");
    let host = house.host("Ada").await;
    assert_eq!(role(&host), "moderator");
    assert_eq!(house.refused(house::create("Eve")).await, "ROOM_EXISTS");
}
