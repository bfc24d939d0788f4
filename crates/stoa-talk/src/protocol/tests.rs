//! What is read, and what is refused and how.

use super::*;
use crate::{limits, problem::Problem};

/// Every type that a browser may send, each in its smallest form.
const ALL: [&str; 18] = [
    r#"{"type":"candidate","candidate":""}"#,
    r#"{"type":"mute","muted":true}"#,
    r#"{"type":"raise_hand","raised":true}"#,
    r#"{"type":"answer_invitation","accepted":true}"#,
    r#"{"type":"step_down"}"#,
    r#"{"type":"silence","id":"x","silenced":true}"#,
    r#"{"type":"invite","id":"x","invited":true}"#,
    r#"{"type":"lower_hand","id":"x"}"#,
    r#"{"type":"set_role","id":"x","role":"moderator"}"#,
    r#"{"type":"mute_person","id":"x","muted":true}"#,
    r#"{"type":"remove","id":"x","revoke_link":false}"#,
    r#"{"type":"list_removed"}"#,
    r#"{"type":"lift_removal","id":"x"}"#,
    r#"{"type":"list_links"}"#,
    r#"{"type":"create_link","role":"speaker","label":"","one_person":true}"#,
    r#"{"type":"revoke_link","id":7}"#,
    r#"{"type":"end_room"}"#,
    r#"{"type":"leave"}"#,
];

#[test]
fn every_type_is_read() {
    for text in ALL {
        assert!(FromBrowser::parse(text).is_ok(), "{text}");
        let more = text.replacen('{', r#"{"more":1,"#, 1);
        assert_eq!(refused(&more).0, "MESSAGE_INVALID", "{more}");
    }
}

fn join(room: &str, name: &str, sdp: &str) -> String {
    let (secret, window) = ("s".repeat(22), "w".repeat(22));
    serde_json::json!({
        "type": "join", "room": room, "name": name, "sdp": sdp, "secret": secret, "window": window,
    })
    .to_string()
}

fn refused(text: &str) -> (String, String) {
    let problem = FromBrowser::parse(text).expect_err("this must be refused");
    (problem.reason().to_owned(), problem.message().to_owned())
}

#[test]
fn good_messages_are_read() {
    let expected = Join {
        room: "a.b_c~d-E9".into(),
        name: "Zoë 🎧".into(),
        secret: "s".repeat(22),
        window: "w".repeat(22),
        token: None,
        create: None,
        sdp: "v=0".into(),
    };
    let read = FromBrowser::parse(&join("a.b_c~d-E9", "Zoë 🎧", "v=0"));
    assert_eq!(read.unwrap(), FromBrowser::Join(Box::new(expected)));
    let mute = FromBrowser::parse(r#"{"muted":true,"type":"mute"}"#);
    assert_eq!(mute.unwrap(), FromBrowser::Mute { muted: true });
    assert_eq!(
        FromBrowser::parse(r#"{"type":"leave"}"#).unwrap(),
        FromBrowser::Leave {}
    );
    let end = FromBrowser::parse(r#"{"type":"candidate","candidate":""}"#);
    assert_eq!(
        end.unwrap(),
        FromBrowser::Candidate {
            candidate: String::new()
        }
    );
}

#[test]
fn the_reason_says_what_is_wrong() {
    assert_eq!(refused("{").0, "MESSAGE_MALFORMED");
    assert_eq!(refused("[]").0, "MESSAGE_INVALID");
    assert_eq!(refused(r#"{"type":7}"#).0, "MESSAGE_INVALID");
    assert_eq!(refused(r#"{"type":"dance"}"#).0, "MESSAGE_UNKNOWN");
    assert_eq!(refused(r#"{"type":"mute"}"#).0, "MESSAGE_INVALID");
    assert_eq!(
        refused(r#"{"type":"mute","muted":"yes"}"#).0,
        "MESSAGE_INVALID"
    );
    assert_eq!(
        refused(r#"{"type":"leave","why":"tired"}"#).0,
        "MESSAGE_INVALID"
    );
    assert_eq!(
        refused(&" ".repeat(limits::MAX_MESSAGE_BYTES + 1)).0,
        "MESSAGE_TOO_LARGE"
    );
}

#[test]
fn a_refused_field_is_named() {
    let field = |text: &str| {
        let (reason, message) = refused(text);
        assert_eq!(reason, "FIELD_INVALID", "{message}");
        message.split(':').next().unwrap().to_owned()
    };
    for room in ["", "a b", "a/b", "é", &"r".repeat(65)] {
        assert_eq!(field(&join(room, "Ada", "v=0")), "room", "{room:?}");
    }
    for name in ["", "   ", "a\nb", "\u{7}", &"n".repeat(65)] {
        assert_eq!(field(&join("r", name, "v=0")), "name", "{name:?}");
    }
    assert_eq!(field(&join("r", "Ada", "")), "sdp");
    assert_eq!(field(&join("r", "Ada", &"s".repeat(64 * 1024 + 1))), "sdp");
    let long = format!(
        r#"{{"type":"candidate","candidate":"{}"}}"#,
        "c".repeat(1025)
    );
    assert_eq!(field(&long), "candidate");
}

#[test]
fn an_offer_of_full_size_fits_into_a_message() {
    let line = "a=candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host\r\n";
    let sdp = line.repeat(limits::MAX_SDP_BYTES / line.len());
    assert!(FromBrowser::parse(&join("r", "Ada", &sdp)).is_ok());
}

#[test]
fn messages_to_browsers_have_their_type_in_them() {
    let ids = ["x".to_owned()];
    let text = ToBrowser::Silenced { ids: &ids }.encode();
    assert_eq!(text.as_str(), r#"{"type":"silenced","ids":["x"]}"#);
    let problem = Problem::invalid("FIELD_INVALID", "room: no");
    let text = ToBrowser::Error(&problem).encode();
    assert_eq!(
        text.as_str(),
        r#"{"type":"error","code":"INVALID_ARGUMENT","reason":"FIELD_INVALID","message":"room: no"}"#
    );
}
