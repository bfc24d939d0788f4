//! A closed beta: what the administrator and people at the entrance ask, as their pages would.

use serde_json::{Value, json};
use stoa_talk::{AdministratorKey, Admission, Database, Options};

use crate::{
    house::House,
    support::{self, Service},
};

/// The administrator's key.
pub(crate) const KEY: &str = "the-key-of-the-administrator";

/// A service that begins closed, in memory, behind a proxy.
pub(crate) fn closed() -> Options {
    Options {
        database: Database::Memory,
        open_rooms: true,
        admission: Admission::Closed,
        administrator: Some(AdministratorKey::new(KEY).expect("long enough")),
        behind_proxy: true,
    }
}

/// Such a service.
pub(crate) async fn house() -> House {
    House::with(closed()).await
}

/// What the administrator does, which must succeed: how everything stands then.
pub(crate) async fn order(service: &Service, action: Value) -> Value {
    let (status, answer) = try_order(service, action).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// What the administrator tries.
pub(crate) async fn try_order(service: &Service, action: Value) -> (u16, Value) {
    let question = json!({"key": KEY, "action": action});
    service.post("/admin", &question).await
}

/// The reason for which the administrator is refused this.
pub(crate) async fn order_refused(service: &Service, action: Value) -> String {
    let (status, problem) = try_order(service, action).await;
    assert_eq!(status, 400, "{problem}");
    problem["reason"].as_str().expect("a reason").to_owned()
}

/// How everything stands.
pub(crate) async fn overview(service: &Service) -> Value {
    order(service, Value::Null).await
}

/// Makes a wave; its number and codes.
pub(crate) async fn wave(service: &Service, action: Value) -> (i64, Vec<String>) {
    let created = order(service, action).await["created"].clone();
    let codes = created["codes"].as_array().expect("a list").iter();
    let codes = codes.map(|code| code.as_str().expect("a code").to_owned());
    (created["wave"].as_i64().expect("a number"), codes.collect())
}

/// A wave that is open, with one invitation for this many, each of whom may invite; its code.
pub(crate) async fn invitation(service: &Service, places: u32, invites: u32) -> String {
    let new = json!({
        "type": "create_wave", "name": "for tests",
        "invitations": 1, "places": places, "invites": invites,
    });
    let (wave, codes) = wave(service, new).await;
    order(service, json!({"type": "open_wave", "wave": wave})).await;
    codes[0].clone()
}

/// What somebody asks at the entrance. Everybody comes from an address of their own.
pub(crate) async fn ask(service: &Service, name: &str, action: Value) -> (u16, Value) {
    let question = json!({"secret": support::secret(name), "action": action});
    service
        .post_for(&address(name), "/entrance", &question)
        .await
}

/// An address such as nobody else has.
fn address(name: &str) -> String {
    let number = name.bytes().fold(7_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    std::net::Ipv4Addr::from(number).to_string()
}

/// How somebody stands.
pub(crate) async fn standing(service: &Service, name: &str) -> Value {
    let (status, answer) = ask(service, name, Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Somebody uses a code.
pub(crate) async fn use_code(service: &Service, name: &str, code: &str) -> (u16, Value) {
    let action = json!({"type": "use_code", "name": name, "code": code});
    ask(service, name, action).await
}

/// Somebody comes in by a code, which must succeed.
pub(crate) async fn come_in(service: &Service, name: &str, code: &str) {
    let (status, answer) = use_code(service, name, code).await;
    assert_eq!((status, &answer["you"]), (200, &json!("in")), "{answer}");
}

/// Somebody is put on the waiting list.
pub(crate) async fn wait(service: &Service, name: &str) {
    let (status, answer) = ask(service, name, json!({"type": "wait", "name": name})).await;
    assert_eq!(
        (status, &answer["you"]),
        (200, &json!("waiting")),
        "{answer}"
    );
}

/// Somebody makes an invitation, which must succeed: its number and code.
pub(crate) async fn invite(service: &Service, name: &str, places: u32) -> (i64, String) {
    let (status, answer) = ask(service, name, json!({"type": "invite", "places": places})).await;
    assert_eq!(status, 200, "{answer}");
    let created = &answer["created"];
    let code = created["code"].as_str().expect("a code").to_owned();
    (created["id"].as_i64().expect("a number"), code)
}

/// The reason of a refusal.
pub(crate) fn refusal((status, answer): (u16, Value)) -> String {
    assert_eq!(status, 400, "{answer}");
    answer["reason"].as_str().expect("a reason").to_owned()
}

/// The one of this name in a list of an overview.
pub(crate) fn named<'a>(overview: &'a Value, list: &str, name: &str) -> &'a Value {
    let people = overview[list].as_array().expect("a list");
    let found = people.iter().find(|person| person["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {list}: {overview}"))
}

/// The names in a list of an overview.
pub(crate) fn names(overview: &Value, list: &str) -> Vec<String> {
    let people = overview[list].as_array().expect("a list").iter();
    let names = people.map(|person| person["name"].as_str().expect("a name").to_owned());
    names.collect()
}
