//! A ban from the service: at once, everywhere, over restarts, until it is lifted.

use crate::{beta, house, support};

use crate::house::{House, create, with_token, without_token};
use crate::support::{Service, within};
use serde_json::{Value, json};
use stoa_client::v1::GetRoomRequest;
use stoa_talk::{Database, Options};

async fn id_of(service: &Service, list: &str, name: &str) -> Value {
    beta::named(&beta::overview(service).await, list, name)["id"].clone()
}

async fn ban(service: &Service, name: &str) -> Value {
    let member = id_of(service, "people", name).await;
    beta::order(service, json!({"type": "ban", "member": member})).await
}

#[tokio::test]
async fn who_is_banned_is_put_out_of_every_room_and_kept_out() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 3, 0).await;
    for name in ["Host", "Gus"] {
        beta::come_in(service, name, &code).await;
    }
    let mut host = house.host("Host").await;
    let mut guest = house.guest(&mut host, "Gus", "moderator").await;
    let mut elsewhere = support::join("kitchen", "Gus");
    elsewhere["window"] = support::secret("another window").into();
    let mut elsewhere = house.enter(elsewhere).await;
    let (_, token) = host.new_link("speaker", false).await;

    let seen = ban(service, "Gus").await;
    assert_eq!(beta::names(&seen, "banned"), ["Gus"]);
    assert_eq!(guest.closed().await, "banned");
    assert_eq!(elsewhere.closed().await, "banned");
    assert_eq!(
        host.browser.next_of("participant_left").await["id"],
        guest.id.as_str()
    );
    assert!(house.in_stoa(&guest.id).await.is_none());
    let kitchen = GetRoomRequest {
        room_id: "kitchen".into(),
    };
    let kitchen = within(house.client.rooms().get_room(kitchen)).await;
    let people = kitchen.map(|room| room.into_inner().participants);
    assert!(people.unwrap_or_default().is_empty());

    for join in [
        without_token("Gus"),
        with_token("Gus", &token),
        support::join("kitchen", "Gus"),
        support::join("another", "Gus"),
    ] {
        assert_eq!(house.refused(join).await, "BANNED");
    }
    for action in [
        json!({"type": "use_code", "name": "Gus", "code": code}),
        json!({"type": "wait", "name": "Gus"}),
        json!({"type": "invite", "places": 1}),
    ] {
        assert_eq!(
            beta::refusal(beta::ask(service, "Gus", action).await),
            "BANNED"
        );
    }
    assert_eq!(beta::standing(service, "Gus").await["you"], "banned");
    let question = json!({
        "room": house::ROOM, "token": token,
        "secret": support::secret("Gus"), "window": support::secret("the only window"),
    });
    let (_, looked) = service.post("/look", &question).await;
    assert_eq!(looked["room"], Value::Null);
    assert_eq!(
        looked["problem"]["reason"], "BANNED",
        "the page is told beforehand"
    );
    assert!(house.in_stoa(&host.id).await.is_some(), "nobody else is");
}

#[tokio::test]
async fn their_links_and_unused_invitations_end_with_them_and_others_stay() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 3, 3).await;
    for name in ["Host", "Gus"] {
        beta::come_in(service, name, &code).await;
    }
    let mut host = house.host("Host").await;
    let mut guest = house.guest(&mut host, "Gus", "moderator").await;
    let (_, of_host) = host.new_link("listener", false).await;
    let (_, of_guest) = guest.new_link("listener", false).await;
    let (_, shared) = beta::invite(service, "Gus", 2).await;
    let (_, unused) = beta::invite(service, "Gus", 1).await;
    beta::come_in(service, "Early", &shared).await;

    ban(service, "Gus").await;
    for code in [shared, unused] {
        let late = beta::use_code(service, "Late", &code).await;
        assert_eq!(beta::refusal(late), "CODE_INVALID");
    }
    beta::come_in(service, "Other", &code).await;
    let join = with_token("Other", &of_guest);
    assert_eq!(house.refused(join).await, "INVITATION_INVALID");
    let _other = house.enter(with_token("Other", &of_host)).await;
    let seen = beta::overview(service).await;
    let early = beta::named(&seen, "people", "Early");
    assert_eq!(early["inviter"]["name"], "Gus", "the tree stays");

    let member = id_of(service, "banned", "Gus").await;
    beta::order(service, json!({"type": "lift_ban", "member": member})).await;
    let gus = beta::standing(service, "Gus").await;
    assert_eq!(
        (&gus["you"], &gus["invitations"]["left"]),
        (&json!("in"), &json!(2))
    );
    let again = house.enter(without_token("Gus")).await;
    assert_eq!(again.id, guest.id);
    assert_eq!(beta::overview(service).await["banned"], json!([]));
}

#[tokio::test]
async fn a_restart_does_not_forget_it_nor_does_opening_to_everyone() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        database: Database::File(folder.path().join("talk.sqlite")),
        ..beta::closed()
    };
    let mut house = House::with(options.clone()).await;
    let code = beta::invitation(&house.service, 1, 0).await;
    beta::come_in(&house.service, "Gus", &code).await;
    let mut guest = house.host("Gus").await;
    ban(&house.service, "Gus").await;
    assert_eq!(guest.closed().await, "banned");
    house.service.stop().await.expect("a clean end");
    house.service = Service::start_with(house.client.clone(), options).await;
    let everyone = json!({"type": "set_admission", "admission": "open"});
    let seen = beta::order(&house.service, everyone).await;
    assert_eq!(beta::names(&seen, "banned"), ["Gus"]);
    assert_eq!(house.refused(without_token("Gus")).await, "BANNED");
    let _other = house.enter(support::join("kitchen", "Other")).await;

    let member = id_of(&house.service, "banned", "Gus").await;
    let lift = json!({"type": "lift_ban", "member": member});
    beta::order(&house.service, lift.clone()).await;
    let _guest = house.enter(without_token("Gus")).await;
    assert_eq!(
        beta::order_refused(&house.service, lift).await,
        "MEMBER_NOT_FOUND"
    );
}

#[tokio::test]
async fn one_who_is_banned_while_waiting_comes_with_no_wave() {
    let house = beta::house().await;
    let service = &house.service;
    beta::wait(service, "Wil").await;
    let new = json!({"type": "create_wave", "name": "Next", "from_list": 1});
    let (wave, _) = beta::wave(service, new).await;
    let member = id_of(service, "waiting", "Wil").await;
    beta::order(service, json!({"type": "ban", "member": member})).await;
    beta::order(service, json!({"type": "open_wave", "wave": wave})).await;
    assert_eq!(house.refused(create("Wil")).await, "BANNED");
    beta::order(service, json!({"type": "lift_ban", "member": member})).await;
    assert_eq!(beta::standing(service, "Wil").await["you"], "waiting");
}

#[tokio::test]
async fn one_who_is_banned_on_the_way_in_does_not_stay() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 100, 0).await;
    beta::come_in(service, "Host", &code).await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("speaker", false).await;
    for n in 0..16 {
        let name = format!("Gus{n}");
        beta::come_in(service, &name, &code).await;
        let member = id_of(service, "people", &name).await;
        let mut browser = service.browser().await;
        browser.send(with_token(&name, &token)).await;
        // Some of these come before the join, some into the middle of it, some after it.
        for _ in 0..n * 8 {
            tokio::task::yield_now().await;
        }
        beta::order(service, json!({"type": "ban", "member": member})).await;
        loop {
            let message = browser.next().await.expect("a last word");
            match message["type"].as_str() {
                Some("error") => assert_eq!(message["reason"], "BANNED"),
                Some("closed") => assert_eq!(message["reason"], "banned"),
                _ => continue,
            }
            break;
        }
        let request = GetRoomRequest {
            room_id: house::ROOM.into(),
        };
        // Where the join was refused last, leaving Stoa comes right after it.
        within(async {
            loop {
                let room = house.client.rooms().get_room(request.clone()).await;
                let people = room.expect("the host is in it").into_inner().participants;
                if people.iter().all(|person| person.display_name != name) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(house.refused(with_token(&name, &token)).await, "BANNED");
    }
}
