//! Invitations to a closed service: for how many, who may pass on how many, and who invited whom.

use crate::{beta, house, support};

use crate::house::{House, create, with_token, without_token};
use futures_util::future::join_all;
use serde_json::{Value, json};
use stoa_talk::{Database, Options};

#[tokio::test]
async fn without_one_nobody_comes_in_by_a_room_s_link_neither() {
    let house = beta::house().await;
    let code = beta::invitation(&house.service, 1, 0).await;
    beta::come_in(&house.service, "Host", &code).await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("speaker", false).await;
    for join in [
        without_token("Eve"),
        with_token("Eve", &token),
        support::join("an-open-room", "Eve"),
        create("Eve"),
    ] {
        assert_eq!(house.refused(join).await, "ADMISSION_REQUIRED");
    }
    let question = json!({
        "room": house::ROOM, "token": token,
        "secret": support::secret("Eve"), "window": support::secret("the only window"),
    });
    let (_, looked) = house.service.post("/look", &question).await;
    assert_eq!(looked["room"], Value::Null, "a title is told to nobody");
    assert_eq!(looked["problem"]["reason"], "ADMISSION_REQUIRED");
    let eve = beta::standing(&house.service, "Eve").await;
    assert_eq!(eve["you"], "stranger");
    assert_eq!(eve["admission"], "closed");
    assert_eq!(eve["invitations"], Value::Null);
}

#[tokio::test]
async fn each_has_its_places_and_gives_who_takes_one_some_to_pass_on() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 2, 2).await;
    beta::come_in(service, "Ada", &code).await;
    beta::come_in(service, "Ada", &code).await; // again, which takes no place
    beta::come_in(service, "Bob", &code).await;
    let late = beta::use_code(service, "Cy", &code).await;
    assert_eq!(beta::refusal(late), "CODE_INVALID");
    let _ada = house.host("Ada").await;

    let (_, from_ada) = beta::invite(service, "Ada", 1).await;
    let ada = beta::standing(service, "Ada").await;
    assert_eq!(ada["invitations"]["left"], 1);
    assert_eq!(ada["created"], Value::Null, "a code is told once");
    let too_many = beta::ask(service, "Ada", json!({"type": "invite", "places": 2})).await;
    assert_eq!(beta::refusal(too_many), "NO_INVITES_LEFT");
    beta::come_in(service, "Cy", &from_ada).await;
    let late = beta::use_code(service, "Di", &from_ada).await;
    assert_eq!(beta::refusal(late), "CODE_INVALID");
    let (_, from_cy) = beta::invite(service, "Cy", 2).await;
    beta::come_in(service, "Di", &from_cy).await;

    let seen = beta::overview(service).await;
    let inviter = |name: &str| beta::named(&seen, "people", name)["inviter"]["name"].clone();
    assert_eq!(inviter("Ada"), Value::Null, "the administrator");
    assert_eq!(inviter("Cy"), "Ada");
    assert_eq!(inviter("Di"), "Cy");
    assert_eq!(beta::named(&seen, "people", "Cy")["invited"], 1);
    assert_eq!(seen["counts"]["in"], 4);
    assert_eq!(
        seen["waves"][0]["members"], 4,
        "with those whom they let in"
    );
}

#[tokio::test]
async fn a_last_place_that_many_want_at_the_same_moment_is_given_once() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 3, 1).await;
    let names: Vec<String> = (0..24).map(|n| format!("Visitor{n}")).collect();
    let tries = names
        .iter()
        .map(|name| beta::use_code(service, name, &code));
    let outcomes = join_all(tries).await;
    let admitted = outcomes.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(admitted, 3, "{outcomes:?}");
    let seen = beta::overview(service).await;
    assert_eq!(seen["counts"]["in"], 3);
    assert_eq!(
        (&seen["waves"][0]["taken"], &seen["waves"][0]["places"]),
        (&json!(3), &json!(3))
    );

    let guest = names
        .iter()
        .zip(&outcomes)
        .find(|(_, (status, _))| *status == 200);
    let (guest, _) = guest.expect("three are in");
    let wish = json!({"type": "invite", "places": 1});
    let made = join_all((0..8).map(|_| beta::ask(service, guest, wish.clone()))).await;
    let made = made.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(made, 1, "they may invite one");
}

#[tokio::test]
async fn a_revoked_one_lets_nobody_new_in_and_can_be_given_anew() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 5, 3).await;
    beta::come_in(service, "Ada", &code).await;
    let (id, from_ada) = beta::invite(service, "Ada", 3).await;
    beta::come_in(service, "Bob", &from_ada).await;
    let foreign = beta::ask(service, "Bob", json!({"type": "revoke", "id": id})).await;
    assert_eq!(beta::refusal(foreign), "INVITATION_NOT_FOUND");
    let (_, ada) = beta::ask(service, "Ada", json!({"type": "revoke", "id": id})).await;
    assert_eq!(ada["invitations"]["left"], 2, "one place was taken");
    let late = beta::use_code(service, "Cy", &from_ada).await;
    assert_eq!(beta::refusal(late), "CODE_INVALID");

    let (unused, _) = beta::invite(service, "Ada", 2).await;
    beta::order(service, json!({"type": "revoke", "invitation": unused})).await;
    let ada = beta::standing(service, "Ada").await;
    assert_eq!(ada["invitations"]["left"], 2);
    assert_eq!(ada["invitations"]["made"].as_array().map(Vec::len), Some(1));

    let question = json!({"key": beta::KEY, "wave": 1});
    let (_, seen) = service.post("/admin", &question).await;
    let first = seen["invitations"][0]["id"].clone();
    beta::order(service, json!({"type": "revoke", "invitation": first})).await;
    let late = beta::use_code(service, "Cy", &code).await;
    assert_eq!(beta::refusal(late), "CODE_INVALID");
    let bob = beta::standing(service, "Bob").await;
    assert_eq!(bob["you"], "in", "who is in stays in");
}

#[tokio::test]
async fn the_administrator_may_end_inviting_for_those_who_come_later() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 5, 2).await;
    beta::come_in(service, "Ada", &code).await;
    let stop = json!({"type": "set_invites", "wave": 1, "invites": 0});
    beta::order(service, stop).await;
    beta::come_in(service, "Bob", &code).await;
    let left = |standing: &Value| standing["invitations"]["left"].clone();
    assert_eq!(left(&beta::standing(service, "Ada").await), 2);
    assert_eq!(left(&beta::standing(service, "Bob").await), 0);
    let none = beta::ask(service, "Bob", json!({"type": "invite", "places": 1})).await;
    assert_eq!(beta::refusal(none), "NO_INVITES_LEFT");
}

#[tokio::test]
async fn the_file_has_no_code_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::with(Options {
        database: Database::File(folder.path().join("talk.sqlite")),
        ..beta::closed()
    })
    .await;
    let code = beta::invitation(&house.service, 2, 1).await;
    beta::come_in(&house.service, "Ada-who-is-invited", &code).await;
    let (_, own) = beta::invite(&house.service, "Ada-who-is-invited", 1).await;
    house.service.stop().await.expect("a clean end");
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        bytes.extend(std::fs::read(entry.expect("a file").path()).expect("it can be read"));
    }
    let contains = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(contains("Ada-who-is-invited"), "it is written");
    for secret in [code.as_str(), own.as_str(), beta::KEY] {
        assert!(!contains(secret));
    }
}
