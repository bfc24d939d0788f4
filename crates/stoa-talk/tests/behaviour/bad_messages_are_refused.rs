//! What a browser should not have said is answered with a reason, and the socket goes on.

use crate::support;

use crate::support::Service;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Message};

#[tokio::test]
async fn each_gets_its_reason_on_a_socket_that_stays_open() {
    let service = Service::without_stoa().await;
    let mut browser = service.browser().await;
    let text = |text: &str| Message::text(text.to_owned());
    let oversized = format!(r#"{{"type":"join","room":"{}"}}"#, "r".repeat(128 * 1024));
    let control = support::join("r", "a\u{0}b");
    let path = support::join("a/b", "n");
    let mut short = support::join("r", "n");
    short["secret"] = "guessable".into();
    let cases = [
        (text("hello"), "MESSAGE_MALFORMED"),
        (text(""), "MESSAGE_MALFORMED"),
        (text(&"[".repeat(10_000)), "MESSAGE_MALFORMED"),
        (text("null"), "MESSAGE_INVALID"),
        (text(r#"{"type":"sing"}"#), "MESSAGE_UNKNOWN"),
        (text(r#"{"type":"join","room":"r"}"#), "MESSAGE_INVALID"),
        (
            text(r#"{"type":"mute","muted":true,"extra":1}"#),
            "MESSAGE_INVALID",
        ),
        (text(&path.to_string()), "FIELD_INVALID"),
        (text(&short.to_string()), "FIELD_INVALID"),
        (
            text(r#"{"type":"set_role","id":"x","role":"king"}"#),
            "MESSAGE_INVALID",
        ),
        (
            text(r#"{"type":"remove","id":"","revoke_link":false}"#),
            "FIELD_INVALID",
        ),
        (text(&control.to_string()), "FIELD_INVALID"),
        (text(r#"{"type":"candidate","candidate":""}"#), "NOT_JOINED"),
        (text(r#"{"type":"mute","muted":true}"#), "NOT_JOINED"),
        (text(r#"{"type":"end_room"}"#), "NOT_JOINED"),
        (text(&oversized), "MESSAGE_TOO_LARGE"),
        (
            Message::Binary(Bytes::from_static(b"{}")),
            "MESSAGE_MALFORMED",
        ),
        (
            Message::Binary(vec![0; 129 * 1024].into()),
            "MESSAGE_TOO_LARGE",
        ),
    ];
    for (message, reason) in cases {
        let shown: String = format!("{message:?}").chars().take(80).collect();
        browser.send_raw(message).await;
        assert_eq!(browser.next_error().await, reason, "{shown}");
    }
    let health = service.health().await;
    assert_eq!(
        health["messages_refused"]["MESSAGE_TOO_LARGE"], 2,
        "{health}"
    );
    assert_eq!(health["sockets"], 1, "{health}");
}

#[tokio::test]
async fn a_message_beyond_what_is_read_ends_the_socket() {
    let service = Service::without_stoa().await;
    let mut browser = service.browser().await;
    browser
        .send_raw(Message::Binary(vec![0; 300 * 1024].into()))
        .await;
    assert_eq!(browser.next().await, None);
    let mut other = service.browser().await;
    other.send(json!({"type": "sing"})).await;
    assert_eq!(
        other.next_error().await,
        "MESSAGE_UNKNOWN",
        "others are not concerned"
    );
}

#[tokio::test]
async fn a_flood_is_not_looked_at() {
    let service = Service::without_stoa().await;
    let mut browser = service.browser().await;
    for _ in 0..100 {
        browser.send(json!({"type": "sing"})).await;
    }
    let mut reasons = Vec::new();
    for _ in 0..100 {
        reasons.push(browser.next_error().await);
    }
    assert!(
        reasons[..60].iter().all(|r| r == "MESSAGE_UNKNOWN"),
        "the burst is answered"
    );
    assert!(
        reasons[60..].iter().any(|r| r == "TOO_MANY_MESSAGES"),
        "the rest is too much"
    );
}

#[tokio::test]
async fn leaving_is_answered_and_ends_the_socket() {
    let service = Service::without_stoa().await;
    let mut browser = service.browser().await;
    browser.send(json!({"type": "leave"})).await;
    assert_eq!(
        browser.next().await,
        Some(json!({"type": "closed", "reason": "left"}))
    );
    assert_eq!(browser.next().await, None);
}
