use std::sync::atomic::{AtomicUsize, Ordering};

use stoa_api::v1::{CreateRoomRequest, Room};
use stoa_core::TenantId;
use tokio::sync::Notify;

use super::*;
use crate::{
    authenticate::Authenticator,
    tenants::{ApiKeyHash, Tenant},
};

const MINUTE: Duration = Duration::from_secs(60);

fn caller(name: &str) -> Caller {
    caller_of("home", name)
}

fn caller_of(tenant: &str, name: &str) -> Caller {
    let mut headers = http::HeaderMap::new();
    headers.insert(
        "authorization",
        http::HeaderValue::from_static("Bearer key"),
    );
    let tenant = Tenant {
        api_keys: vec![ApiKeyHash::of(name, "key")],
        ..Tenant::new(TenantId::new(tenant).expect("an identifier"))
    };
    Authenticator::new(&[tenant])
        .caller("/", &headers, None)
        .expect("it is known")
        .expect("it has a key")
}

fn request(room: &str) -> CreateRoomRequest {
    CreateRoomRequest {
        room_id: room.into(),
        request_id: "1".into(),
        ..Default::default()
    }
}

/// Calls with an operation that counts how often it ran.
async fn call(
    requests: &Requests,
    who: &str,
    room: &str,
    runs: &Arc<AtomicUsize>,
) -> Result<Room, Failure> {
    let runs = Arc::clone(runs);
    let operation = async move {
        let revision = 1 + runs.fetch_add(1, Ordering::SeqCst) as u64;
        Ok(Room {
            revision,
            ..Default::default()
        })
    };
    requests
        .once(&caller(who), "1", ("CreateRoom", &request(room)), operation)
        .await
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer() {
    let (requests, runs) = (Requests::new(8, MINUTE), Arc::default());
    for _ in 0..3 {
        let room = call(&requests, "a", "r", &runs).await.expect("a room");
        assert_eq!(room.revision, 1);
    }
    let failure = call(&requests, "a", "other", &runs)
        .await
        .expect_err("it is reused");
    assert_eq!(failure.reason, ErrorReason::RequestIdReused);
    let room = call(&requests, "b", "other", &runs)
        .await
        .expect("another caller's id");
    assert_eq!(room.revision, 2);
}

#[tokio::test]
async fn an_id_is_forgotten_after_its_lifetime() {
    let (requests, runs) = (Requests::new(8, Duration::ZERO), Arc::default());
    assert!(call(&requests, "a", "r", &runs).await.is_ok());
    assert!(call(&requests, "a", "other", &runs).await.is_ok());
    assert_eq!(requests.table().entries.len(), 1);
    assert_eq!(requests.table().ages.len(), 1);
}

#[tokio::test]
async fn a_full_table_says_when_to_come_back() {
    let (requests, runs) = (Requests::new(1, MINUTE), Arc::default());
    assert!(call(&requests, "a", "r", &runs).await.is_ok());
    let failure = call(&requests, "b", "r", &runs)
        .await
        .expect_err("it is full");
    assert_eq!(failure, full(LONGEST_RETRY));
    assert!(
        call(&requests, "a", "r", &runs).await.is_ok(),
        "what is remembered still answers"
    );
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let (requests, runs) = (Requests::new(8, MINUTE), Arc::default());
    let refuse = async { Err::<Room, _>(Failure::room_not_found("r")) };
    let refused = requests
        .once(&caller("a"), "1", ("CreateRoom", &request("r")), refuse)
        .await;
    assert!(refused.is_err());
    assert!(requests.table().ages.is_empty() && requests.table().entries.is_empty());
    assert!(call(&requests, "a", "other", &runs).await.is_ok());
}

#[tokio::test]
async fn a_panic_is_a_fault_and_not_remembered() {
    let requests = Requests::new(8, MINUTE);
    let broken = async { panic!("as the test wants") };
    let answer: Result<Room, _> = requests
        .once(&caller("a"), "1", ("CreateRoom", &request("r")), broken)
        .await;
    assert_eq!(answer, Err(Failure::internal()));
    assert!(requests.table().entries.is_empty());
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_call_running() {
    let requests = Requests::new(8, MINUTE);
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let operation = {
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        async move {
            begun.notify_one();
            go.notified().await;
            Ok(Room {
                revision: 7,
                ..Default::default()
            })
        }
    };
    let first = tokio::spawn({
        let requests = requests.clone();
        async move {
            let request = request("r");
            requests
                .once(&caller("a"), "1", ("CreateRoom", &request), operation)
                .await
        }
    });
    begun.notified().await;
    first.abort();
    assert!(first.await.is_err());
    go.notify_one();
    let room = call(&requests, "a", "r", &Arc::default())
        .await
        .expect("the first one's");
    assert_eq!(room.revision, 7);
}

#[tokio::test]
async fn no_tenant_fills_the_table_for_others() {
    let requests = Requests::new(8, MINUTE).shared_by(Tenants::Fixed(2));
    let call = async |tenant: &str, number: usize| {
        let (id, request) = (number.to_string(), request("a"));
        let operation = async { Ok(Room::default()) };
        let call = ("CreateRoom", &request);
        let caller = caller_of(tenant, "main");
        requests.once(&caller, &id, call, operation).await
    };
    for number in 0..4 {
        assert!(call("hog", number).await.is_ok(), "{number}");
    }
    let refused = call("hog", 4).await.map_err(|failure| failure.reason);
    assert_eq!(refused, Err(ErrorReason::NodeOverloaded));
    assert!(call("other", 0).await.is_ok());
    assert!(call("other", 1).await.is_ok());
    assert!(call("hog", 3).await.is_ok(), "what is known is answered");
}
