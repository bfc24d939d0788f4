//! The service is closed, then open to everyone, when the administrator says so.

use crate::{beta, support};

use crate::house::{House, create};
use crate::support::Service;
use serde_json::{Value, json};
use stoa_talk::{Admission, Database, Options};

fn set(admission: &str) -> Value {
    json!({"type": "set_admission", "admission": admission})
}

#[tokio::test]
async fn then_everyone_comes_in_and_who_came_stays_when_it_is_closed_again() {
    let house = beta::house().await;
    let service = &house.service;
    beta::wait(service, "Wil").await;
    assert_eq!(house.refused(create("Ada")).await, "ADMISSION_REQUIRED");
    beta::order(service, set("open")).await;
    let ada = house.host("Ada").await;
    let _wil = house.enter(support::join("kitchen", "Wil")).await;
    beta::order(service, set("closed")).await;
    assert_eq!(
        house.refused(support::join("kitchen", "Eve")).await,
        "ADMISSION_REQUIRED"
    );
    ada.leave().await;
    let _ada = house.enter(support::join("kitchen", "Ada")).await;
    let seen = beta::overview(service).await;
    assert_eq!(seen["counts"], json!({"in": 2, "waiting": 0, "banned": 0}));
}

#[tokio::test]
async fn what_the_administrator_has_said_outlasts_the_program_whatever_it_is_started_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        database: Database::File(folder.path().join("talk.sqlite")),
        ..beta::closed()
    };
    let mut house = House::with(options.clone()).await;
    beta::order(&house.service, set("open")).await;
    house.service.stop().await.expect("a clean end");
    house.service = Service::start_with(house.client.clone(), options.clone()).await;
    let _ada = house.host("Ada").await;
    beta::order(&house.service, set("closed")).await;
    house.service.stop().await.expect("a clean end");
    let options = Options {
        admission: Admission::Open,
        ..options
    };
    house.service = Service::start_with(house.client.clone(), options).await;
    assert_eq!(
        house.refused(support::join("kitchen", "Eve")).await,
        "ADMISSION_REQUIRED"
    );
}

#[tokio::test]
async fn without_being_told_otherwise_a_service_is_open_and_has_no_administrator() {
    let house = House::open().await;
    let _ada = house.host("Ada").await;
    for key in ["", beta::KEY] {
        let question = json!({"key": key, "action": set("closed")});
        let (status, problem) = house.service.post("/admin", &question).await;
        assert_eq!(
            (status, &problem["reason"]),
            (400, &json!("NOT_ADMINISTRATOR"))
        );
    }
    let (status, head, _) = house.service.get("/admin").await;
    assert_eq!(status, 200);
    assert!(head.contains("text/html"), "{head}");
}
