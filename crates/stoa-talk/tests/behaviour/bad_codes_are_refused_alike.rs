//! Nobody learns by trying which codes there are, were or will be; nor may anybody try many.

use crate::{beta, support};

use crate::house::House;
use crate::support::Service;
use serde_json::{Value, json};
use stoa_talk::{AdministratorKey, Options};

const WRONG: &str = "abcdefghijkmnpqrstuvwxyz23";

/// Somebody at this address uses a code.
async fn try_code(service: &Service, whom: &str, name: &str, code: &str) -> (u16, Value) {
    let action = json!({"type": "use_code", "name": name, "code": code});
    let question = json!({"secret": support::secret(name), "action": action});
    service.post_for(whom, "/entrance", &question).await
}

#[tokio::test]
async fn unknown_used_up_revoked_not_open_and_of_a_banned_person_are_one() {
    let house = beta::house().await;
    let service = &house.service;
    let used = beta::invitation(service, 1, 2).await;
    beta::come_in(service, "Ada", &used).await;
    let (id, revoked) = beta::invite(service, "Ada", 1).await;
    beta::ask(service, "Ada", json!({"type": "revoke", "id": id})).await;
    let (_, of_banned) = beta::invite(service, "Ada", 1).await;
    let ada = beta::overview(service).await["people"][0]["id"].clone();
    beta::order(service, json!({"type": "ban", "member": ada})).await;
    let new = json!({"type": "create_wave", "name": "Next", "invitations": 1});
    let (_, not_open) = beta::wave(service, new).await;

    let codes = [WRONG, "x", &used, &revoked, &of_banned, &not_open[0]];
    let mut answers = Vec::new();
    for code in codes {
        answers.push(beta::use_code(service, "Eve", code).await);
    }
    assert_eq!(answers[0].1["reason"], "CODE_INVALID");
    assert!(
        answers.iter().all(|answer| answer == &answers[0]),
        "{answers:?}"
    );
    assert_eq!(beta::standing(service, "Eve").await["you"], "stranger");
}

#[tokio::test]
async fn too_many_from_one_source_are_not_looked_at_and_others_are() {
    let house = beta::house().await;
    let service = &house.service;
    let code = beta::invitation(service, 40, 0).await;
    // Right ones do not count.
    for n in 0..20 {
        let (status, _) = try_code(service, "192.0.2.1", &format!("Staff{n}"), &code).await;
        assert_eq!(status, 200);
    }
    for n in 0..10 {
        let wrong = try_code(service, "192.0.2.1", &format!("Eve{n}"), WRONG).await;
        assert_eq!(beta::refusal(wrong), "CODE_INVALID", "{n}");
    }
    for code in [WRONG, &code] {
        let more = try_code(service, "192.0.2.1", "Eve", code).await;
        assert_eq!(beta::refusal(more), "TOO_MANY_CODES");
    }
    let (status, _) = try_code(service, "192.0.2.2", "Ada", &code).await;
    assert_eq!(status, 200);
    let health = service.health().await;
    assert_eq!(health["messages_refused"]["CODE_INVALID"], 10);
    assert_eq!(health["messages_refused"]["TOO_MANY_CODES"], 2);
}

#[tokio::test]
async fn nor_from_one_that_tries_them_all_at_once() {
    let house = beta::house().await;
    let tries = (0..40).map(|n| {
        let name = format!("Eve{n}");
        let service = &house.service;
        async move { try_code(service, "192.0.2.1", &name, WRONG).await }
    });
    let answers = futures_util::future::join_all(tries).await;
    let looked_at = answers
        .iter()
        .filter(|(_, a)| a["reason"] == "CODE_INVALID");
    assert_eq!(looked_at.count(), 10);
}

#[tokio::test]
async fn without_a_proxy_nobody_says_where_they_come_from() {
    let house = House::with(Options {
        behind_proxy: false,
        ..beta::closed()
    })
    .await;
    for n in 0..10 {
        let whom = format!("192.0.2.{n}");
        let wrong = try_code(&house.service, &whom, "Eve", WRONG).await;
        assert_eq!(beta::refusal(wrong), "CODE_INVALID");
    }
    let more = try_code(&house.service, "192.0.2.99", "Eve", WRONG).await;
    assert_eq!(beta::refusal(more), "TOO_MANY_CODES");
}

#[tokio::test]
async fn the_administrator_s_key_is_not_guessed_either() {
    let house = beta::house().await;
    let service = &house.service;
    for _ in 0..10 {
        let (status, problem) = service.post("/admin", &json!({"key": WRONG})).await;
        assert_eq!(
            (status, &problem["reason"]),
            (400, &json!("NOT_ADMINISTRATOR"))
        );
    }
    let (_, problem) = service.post("/admin", &json!({"key": beta::KEY})).await;
    assert_eq!(problem["reason"], "TOO_MANY_CODES", "from there");
    let (status, _) = service
        .post_for("192.0.2.1", "/admin", &json!({"key": beta::KEY}))
        .await;
    assert_eq!(status, 200);
    assert!(AdministratorKey::new("guessable").is_err());
}

#[tokio::test]
async fn what_makes_no_sense_is_said_to_make_none() {
    let house = beta::house().await;
    let service = &house.service;
    for action in [
        json!({"type": "use_code", "name": "Eve", "code": ""}),
        json!({"type": "use_code", "name": "", "code": WRONG}),
        json!({"type": "wait", "name": "a\u{0}b"}),
        json!({"type": "invite", "places": 0}),
        json!({"type": "invite", "places": 101}),
    ] {
        let refused = beta::ask(service, "Eve", action.clone()).await;
        assert_eq!(beta::refusal(refused), "FIELD_INVALID", "{action}");
    }
    let unknown = beta::ask(service, "Eve", json!({"type": "sing"})).await;
    assert_eq!(beta::refusal(unknown), "MESSAGE_INVALID");
    for action in [
        json!({"type": "create_wave", "name": ""}),
        json!({"type": "create_wave", "name": "Big", "invitations": 501}),
        json!({"type": "create_wave", "name": "Big", "places": 0}),
        json!({"type": "set_invites", "wave": 1, "invites": 101}),
    ] {
        assert_eq!(beta::order_refused(service, action).await, "FIELD_INVALID");
    }
}
