//! What Janus says, and what may be wrong with it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::target::Refusal;

/// Its codes for a session, a handle and a room that are gone.
const NO_SESSION: i64 = 458;
const NO_HANDLE: i64 = 459;
const NO_ROOM: i64 = 426;

/// What it is counted as that a feed is not there.
pub(super) const NO_FEED: &str = "JANUS_428";

/// A description of a session (JSEP).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description {
    #[serde(rename = "type")]
    kind: String,
    sdp: String,
}

impl Description {
    pub(super) fn new(kind: &str, sdp: String) -> Self {
        Self {
            kind: kind.to_owned(),
            sdp,
        }
    }
}

/// Anything that Janus says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    /// What it is: `success`, `ack`, `event`, `error`, `keepalive`, ...
    pub(super) janus: String,
    pub(super) transaction: Option<String>,
    data: Option<Named>,
    plugindata: Option<PluginData>,
    jsep: Option<Description>,
    error: Option<ApiError>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Named {
    id: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct PluginData {
    data: Value,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct ApiError {
    code: i64,
    reason: String,
}

/// What the plugin says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plugin {
    data: Value,
    jsep: Option<Description>,
}

/// Something that it should not have said.
fn odd(what: impl Into<String>) -> Refusal {
    Refusal::new("UNEXPECTED", what)
}

fn refusal(code: i64, reason: &str) -> Refusal {
    let refusal = Refusal::new(format!("JANUS_{code}"), reason);
    match code {
        NO_SESSION | NO_HANDLE | NO_ROOM => refusal.gone(),
        _ => refusal,
    }
}

impl Message {
    /// Reads one.
    pub(super) fn read(text: &[u8]) -> Result<Self, Refusal> {
        let read = serde_json::from_slice(text);
        read.map_err(|error| odd(format!("its answer is none of Janus's: {error}")))
    }

    /// Reads what a long poll brings: one or several.
    pub(super) fn read_many(text: &[u8]) -> Result<Vec<Self>, Refusal> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Several {
            Many(Vec<Message>),
            One(Box<Message>),
        }
        match serde_json::from_slice(text) {
            Ok(Several::Many(messages)) => Ok(messages),
            Ok(Several::One(message)) => Ok(vec![*message]),
            Err(error) => Err(odd(format!("its events are none of Janus's: {error}"))),
        }
    }

    /// The same, if it is no error.
    pub(super) fn good(self) -> Result<Self, Refusal> {
        match (&self.error, self.janus.as_str()) {
            (Some(error), _) => Err(refusal(error.code, &error.reason)),
            (None, "error") => Err(odd("an error without a reason")),
            _ => Ok(self),
        }
    }

    /// The identifier of what was made.
    pub(super) fn made(self) -> Result<u64, Refusal> {
        let data = self.good()?.data;
        data.map(|data| data.id)
            .ok_or_else(|| odd("it does not say what it has made"))
    }

    /// What the plugin says in it.
    pub(super) fn plugin(self) -> Result<Plugin, Refusal> {
        let message = self.good()?;
        let data = message.plugindata.map(|plugin| plugin.data);
        let data =
            data.ok_or_else(|| odd(format!("{:?} without the plugin's word", message.janus)))?;
        if let Some(code) = data.get("error_code").and_then(Value::as_i64) {
            let reason = data.get("error").and_then(Value::as_str);
            return Err(refusal(code, reason.unwrap_or_default()));
        }
        Ok(Plugin {
            data,
            jsep: message.jsep,
        })
    }
}

impl Plugin {
    /// A number in it.
    pub(super) fn number(&self, name: &str) -> Result<u64, Refusal> {
        let number = self.data.get(name).and_then(Value::as_u64);
        number.ok_or_else(|| odd(format!("the plugin gives no number {name:?}")))
    }

    /// The offer or the answer that comes with it.
    pub(super) fn description(self, kind: &str) -> Result<String, Refusal> {
        match self.jsep {
            Some(description) if description.kind == kind => Ok(description.sdp),
            _ => Err(odd(format!("the plugin gives no {kind}"))),
        }
    }
}

/// What it says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    version_string: String,
    #[serde(default, rename = "local-ip")]
    local_ip: String,
}

impl Info {
    /// Reads it.
    pub(super) fn read(text: &[u8]) -> Result<Self, Refusal> {
        let read = serde_json::from_slice(text);
        read.map_err(|error| odd(format!("it does not say who it is: {error}")))
    }

    /// Its version.
    pub(super) fn version(&self) -> String {
        format!("Janus {}", self.version_string)
    }

    /// The address that it has for media, if it says one.
    pub(super) fn media_address(&self) -> Option<IpAddr> {
        self.local_ip.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Message {
        Message::read(text.as_bytes()).expect("it is one")
    }

    #[test]
    fn what_was_made_has_an_identifier() {
        let made = read(r#"{"janus":"success","transaction":"1","data":{"id":7052842218304373}}"#);
        assert_eq!(made.transaction.as_deref(), Some("1"));
        assert_eq!(made.made().ok(), Some(7_052_842_218_304_373));
        assert!(read(r#"{"janus":"success"}"#).made().is_err());
    }

    #[test]
    fn an_offer_comes_with_an_event() {
        let attached = r#"{"janus":"event","sender":2,"transaction":"t","plugindata":{
            "plugin":"janus.plugin.videoroom","data":{"videoroom":"attached","room":5}},
            "jsep":{"type":"offer","sdp":"v=0\r\n"}}"#;
        let plugin = read(attached).plugin().expect("good");
        assert_eq!(plugin.number("room").ok(), Some(5));
        assert!(plugin.number("id").is_err());
        assert!(plugin.clone().description("answer").is_err());
        assert_eq!(plugin.description("offer").ok().as_deref(), Some("v=0\r\n"));
    }

    #[test]
    fn errors_are_refusals_with_their_codes() {
        let gone = r#"{"janus":"error","error":{"code":458,"reason":"No such session"}}"#;
        let refusal = read(gone).good().expect_err("an error");
        assert_eq!(refusal.to_string(), "JANUS_458: No such session");
        assert!(refusal.is_gone());
        let full = r#"{"janus":"event","plugindata":{"data":{"error_code":432,"error":"Full"}}}"#;
        let refusal = read(full).plugin().expect_err("an error");
        assert_eq!(refusal.to_string(), "JANUS_432: Full");
        assert!(!refusal.is_gone());
        assert!(read(r#"{"janus":"error"}"#).good().is_err());
    }

    #[test]
    fn what_is_not_janus_is_named() {
        for bad in [
            "",
            "null",
            "<html>",
            r#"{"janus":5}"#,
            r#"{"data":{"id":-1}}"#,
            r#"{"jsep":{"type":"offer"}}"#,
        ] {
            assert!(Message::read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(r#"{"janus":"event"}"#).plugin().is_err());
        for (text, count) in [
            ("[]", 0),
            (r#"[{"janus":"event"},{"janus":"media"}]"#, 2),
            (r#"{"janus":"keepalive"}"#, 1),
        ] {
            let many = Message::read_many(text.as_bytes());
            assert_eq!(many.expect("good").len(), count);
        }
        assert!(Message::read_many(b"[1]").is_err());
        assert!(Info::read(b"{}").is_err());
        let info = br#"{"version_string":"1.1.2","local-ip":"192.0.2.7"}"#;
        let info = Info::read(info).expect("good");
        assert_eq!(info.version(), "Janus 1.1.2");
        assert_eq!(info.media_address(), Some([192, 0, 2, 7].into()));
        let info = Info::read(br#"{"version_string":"1","local-ip":"x"}"#).expect("good");
        assert_eq!(info.media_address(), None);
    }
}
