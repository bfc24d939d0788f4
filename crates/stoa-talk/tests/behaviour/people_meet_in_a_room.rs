//! Two browsers in one room: who is told what, and what becomes of the room.

use crate::support;

use crate::stoa::{Pki, Stoa};
use crate::support::{Browser, Service, within};
use serde_json::{Value, json};
use stoa_client::{Client, reason, v1::ErrorReason, v1::GetRoomRequest};

fn join(name: &str) -> Value {
    support::join("kitchen", name)
}

struct House {
    pki: Pki,
    stoa: Stoa,
    service: Service,
    client: Client,
}

impl House {
    async fn open() -> Self {
        let pki = Pki::new();
        let stoa = Stoa::start(&pki);
        let client = stoa.client(&pki);
        let service = Service::start(client.clone()).await;
        Self {
            pki,
            stoa,
            service,
            client,
        }
    }

    async fn enter(&self, name: &str) -> (Browser, Value) {
        let mut browser = self.service.browser().await;
        browser.send(join(name)).await;
        let joined = browser.next().await.expect("an answer");
        assert_eq!(joined["type"], "joined", "{joined}");
        (browser, joined)
    }

    async fn room_exists(&self) -> bool {
        let request = GetRoomRequest {
            room_id: "kitchen".into(),
        };
        match within(self.client.rooms().get_room(request)).await {
            Ok(_) => true,
            Err(status) => {
                assert_eq!(reason(&status), Some(ErrorReason::RoomNotFound), "{status}");
                false
            }
        }
    }

    async fn until_closed(&self) {
        within(async {
            while self.room_exists().await {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn names(joined: &Value) -> Vec<&str> {
    let people = joined["participants"].as_array().expect("a list");
    people
        .iter()
        .map(|p| p["name"].as_str().expect("a name"))
        .collect()
}

#[tokio::test]
async fn each_hears_of_the_other_once() {
    let house = House::open().await;
    let (mut ada, joined) = house.enter("Ada").await;
    assert_eq!(joined["answer"], "answer to offer");
    assert_eq!(joined["room"], "kitchen");
    assert_eq!(names(&joined), ["Ada"]);
    let me = &joined["participants"][0];
    assert_eq!(
        (&me["id"], &me["csrc"]),
        (&joined["you"]["id"], &joined["you"]["csrc"])
    );
    let ada_id = me["id"].as_str().expect("an id").to_owned();

    let (mut grace, joined) = house.enter("Grace").await;
    let mut both = names(&joined);
    both.sort_unstable();
    assert_eq!(both, ["Ada", "Grace"]);
    let news = ada.next().await.expect("open");
    assert_eq!(news["type"], "participant_joined");
    assert_eq!(news["participant"]["name"], "Grace");
    assert_eq!(news["participant"]["csrc"], joined["you"]["csrc"]);

    house.stoa.media.connect("kitchen", &ada_id);
    let told = ada.next().await.expect("open");
    assert_eq!(
        told["type"], "participant_updated",
        "Grace's coming is told once"
    );
    assert_eq!(told["participant"]["id"], ada_id.as_str());
    assert_eq!(told["participant"]["connected"], true);
    assert_eq!(grace.next().await, Some(told));

    house.stoa.media.speak("kitchen", &ada_id, 20);
    let speaking = json!({
        "type": "speaking", "speakers": [{"id": ada_id, "level_dbov": 20}], "dominant": ada_id,
    });
    assert_eq!(grace.next().await, Some(speaking));
}

#[tokio::test]
async fn muting_is_told_to_the_others_and_to_newcomers() {
    let house = House::open().await;
    let (mut ada, joined) = house.enter("Ada").await;
    let ada_id = joined["you"]["id"].clone();
    let (mut grace, _) = house.enter("Grace").await;
    for muted in [true, true, false, true] {
        ada.send(json!({"type": "mute", "muted": muted})).await;
    }
    for muted in [true, false, true] {
        let told = grace.next_of("participant_updated").await;
        assert_eq!(told["participant"]["id"], ada_id);
        assert_eq!(told["participant"]["muted"], muted);
    }
    let (_hedy, joined) = house.enter("Hedy").await;
    let people = joined["participants"].as_array().expect("a list");
    let ada_seen = people
        .iter()
        .find(|p| p["id"] == ada_id)
        .expect("she is here");
    assert_eq!(ada_seen["muted"], true);
}

#[tokio::test]
async fn leaving_and_vanishing_are_seen_and_the_last_one_closes_the_room() {
    let house = House::open().await;
    let (mut ada, _) = house.enter("Ada").await;
    let (mut grace, joined) = house.enter("Grace").await;
    let grace_id = joined["you"]["id"].clone();
    let (hedy, joined) = house.enter("Hedy").await;
    let hedy_id = joined["you"]["id"].clone();

    drop(hedy);
    let left = ada.next_of("participant_left").await;
    assert_eq!(
        left,
        json!({"type": "participant_left", "id": hedy_id, "reason": "removed"})
    );
    grace.send(json!({"type": "leave"})).await;
    assert_eq!(ada.next_of("participant_left").await["id"], grace_id);
    assert!(house.room_exists().await, "Ada is still in it");

    drop(ada);
    house.until_closed().await;
    let (_again, joined) = house.enter("Ada").await;
    assert_eq!(names(&joined), ["Ada"], "the room is made anew");
}

#[tokio::test]
async fn whoever_stoa_takes_out_is_told_why() {
    let house = House::open().await;
    let (mut ada, joined) = house.enter("Ada").await;
    let (mut grace, _) = house.enter("Grace").await;
    let ada_id = joined["you"]["id"].as_str().expect("an id");
    house
        .stoa
        .media
        .leave("kitchen", ada_id, stoa_core::LeaveReason::IceTimeout);
    let left = grace.next_of("participant_left").await;
    assert_eq!(
        left,
        json!({"type": "participant_left", "id": ada_id, "reason": "ice_timeout"})
    );
    assert_eq!(ada.next_of("closed").await["reason"], "ice_timeout");
    assert_eq!(ada.next().await, None);
}

#[tokio::test]
async fn a_refusal_of_stoa_is_passed_on_and_another_try_may_do() {
    let house = House::open().await;
    let mut browser = house.service.browser().await;
    let mut bad = join("Ada");
    bad["sdp"] = "no audio".into();
    browser.send(bad).await;
    assert_eq!(browser.next_error().await, "SDP_NO_AUDIO");
    browser.send(join("Ada")).await;
    assert_eq!(browser.next().await.expect("open")["type"], "joined");
    browser.send(join("Ada")).await;
    assert_eq!(browser.next_error().await, "ALREADY_JOINED");
    browser
        .send(json!({"type": "candidate", "candidate": "malformed"}))
        .await;
    assert_eq!(browser.next_error().await, "ICE_CANDIDATE_MALFORMED");
}

#[tokio::test]
async fn the_end_of_the_service_empties_and_closes_the_rooms() {
    let house = House::open().await;
    let (mut ada, _) = house.enter("Ada").await;
    let House {
        service,
        client,
        stoa,
        pki,
    } = house;
    service.stop().await.expect("a clean end");
    assert_eq!(ada.next_of("closed").await["reason"], "shutting_down");
    let request = GetRoomRequest {
        room_id: "kitchen".into(),
    };
    let gone = client
        .rooms()
        .get_room(request)
        .await
        .expect_err("it is closed");
    assert_eq!(reason(&gone), Some(ErrorReason::RoomNotFound));
    drop((stoa, pki));
}

#[tokio::test]
async fn a_stoa_that_comes_back_without_the_room_ends_it() {
    let house = House::open().await;
    let (mut ada, _) = house.enter("Ada").await;
    let House {
        service, pki, stoa, ..
    } = house;
    let address = stoa.address;
    stoa.stop().await;
    let _stoa = Stoa::start_on(&pki, address);
    assert_eq!(ada.next_of("closed").await["reason"], "room_closed");
    let mut again = service.browser().await;
    again.send(join("Ada")).await;
    assert_eq!(again.next().await.expect("open")["type"], "joined");
}
