//! What browsers and this service say to each other: JSON text messages over one WebSocket. The
//! same is told for readers of the page's code in `docs/talk-protocol.md`.

use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};

use crate::{limits, problem::Problem};

/// A message from a browser. Unknown types and unknown fields are errors.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FromBrowser {
    /// Let me in. Once for each socket that succeeds with it.
    Join(Join),
    /// An ICE candidate found after the offer; empty when there are no more.
    Candidate {
        /// `RTCIceCandidate.candidate`.
        candidate: String,
    },
    /// I have switched my own microphone off or on. Only told to the others: what keeps the room
    /// from hearing is the browser's disabled track.
    Mute {
        /// Whether it is off now.
        muted: bool,
    },
    /// Goodbye.
    Leave {},
}

/// Everything a newcomer has to say.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {
    /// The room's name: 1 to 64 of `[A-Za-z0-9._~-]`. Stoa's room id is the same.
    pub(crate) room: String,
    /// The name to show: 1 to 64 characters, no control characters.
    pub(crate) name: String,
    /// The SDP offer.
    pub(crate) sdp: String,
}

const TYPES: [&str; 4] = ["join", "candidate", "mute", "leave"];

impl FromBrowser {
    /// Reads one text message and checks all of it.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > limits::MAX_MESSAGE_BYTES {
            return Err(too_large(text.len()));
        }
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|e| Problem::invalid("MESSAGE_MALFORMED", format!("not JSON: {e}")))?;
        let kind = value
            .get("type")
            .and_then(serde_json::Value::as_str)
            .ok_or_else(|| {
                Problem::invalid("MESSAGE_INVALID", "not an object with a string \"type\"")
            })?;
        if !TYPES.contains(&kind) {
            let known = TYPES.join(", ");
            let text = format!("the type is none of {known}");
            return Err(Problem::invalid("MESSAGE_UNKNOWN", text));
        }
        let message: Self = serde_json::from_value(value)
            .map_err(|e| Problem::invalid("MESSAGE_INVALID", e.to_string()))?;
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Join(join) => join.check(),
            Self::Candidate { candidate } => check_line(candidate),
            Self::Mute { .. } | Self::Leave {} => Ok(()),
        }
    }
}

/// The problem with a message of this many bytes.
pub(crate) fn too_large(bytes: usize) -> Problem {
    let most = limits::MAX_MESSAGE_BYTES;
    let text = format!("the message has {bytes} bytes; {most} are allowed");
    Problem::invalid("MESSAGE_TOO_LARGE", text)
}

impl Join {
    fn check(&self) -> Result<(), Problem> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._~-".contains(c);
        if !(1..=limits::MAX_ROOM_CHARS).contains(&self.room.len()) || !self.room.chars().all(plain)
        {
            let most = limits::MAX_ROOM_CHARS;
            return Err(field(
                "room",
                format!("1 to {most} of the characters A-Z a-z 0-9 . _ ~ -"),
            ));
        }
        let most = limits::MAX_NAME_CHARS;
        if !(1..=most).contains(&self.name.chars().count())
            || self.name.trim().is_empty()
            || self.name.chars().any(char::is_control)
        {
            let text = format!("1 to {most} characters, not all of them blank, none a control");
            return Err(field("name", text));
        }
        if !(1..=limits::MAX_SDP_BYTES).contains(&self.sdp.len()) {
            return Err(field(
                "sdp",
                format!("1 to {} bytes", limits::MAX_SDP_BYTES),
            ));
        }
        Ok(())
    }
}

fn check_line(candidate: &str) -> Result<(), Problem> {
    let most = limits::MAX_CANDIDATE_BYTES;
    if candidate.len() > most || candidate.chars().any(char::is_control) {
        return Err(field(
            "candidate",
            format!("one line of at most {most} bytes"),
        ));
    }
    Ok(())
}

fn field(name: &str, rule: String) -> Problem {
    Problem::invalid("FIELD_INVALID", format!("{name}: {rule}"))
}

/// A message to a browser.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToBrowser<'a> {
    /// You are in. The first message after a successful join.
    Joined {
        /// The final SDP answer.
        answer: &'a str,
        /// Who the browser is in the room.
        you: You<'a>,
        /// The room's name.
        room: &'a str,
        /// Everybody in the room, the browser itself included.
        participants: Vec<Person>,
    },
    /// Somebody was admitted.
    ParticipantJoined {
        /// Who.
        participant: &'a Person,
    },
    /// Somebody's audio is up.
    ParticipantConnected {
        /// Who.
        id: &'a str,
    },
    /// Somebody is gone.
    ParticipantLeft {
        /// Who.
        id: &'a str,
        /// Why: Stoa's `LeaveReason` in small letters, such as `removed` or `ice_timeout`.
        reason: &'a str,
    },
    /// Somebody has switched their microphone off or on.
    Muted {
        /// Who.
        id: &'a str,
        /// Whether it is off now.
        muted: bool,
    },
    /// Who is heard now, loudest first.
    Speaking {
        /// The speakers.
        speakers: Vec<Speaker>,
    },
    /// What the browser asked for was not done. The socket stays open.
    Error(&'a Problem),
    /// The last message of a socket that this service closes.
    Closed {
        /// Why.
        reason: &'static str,
    },
}

impl ToBrowser<'_> {
    /// The message as it is sent.
    pub(crate) fn encode(&self) -> Utf8Bytes {
        // Strings, numbers and lists of them: there is nothing in here that JSON cannot express.
        serde_json::to_string(self)
            .expect("plain data always has a JSON form")
            .into()
    }
}

/// Who a browser is in its room.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct You<'a> {
    /// Its participant id.
    pub(crate) id: &'a str,
    /// The CSRC under which others hear it.
    pub(crate) csrc: u32,
}

/// Somebody in a room, as browsers see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Person {
    /// The participant id.
    pub(crate) id: String,
    /// The name to show. People's own text.
    pub(crate) name: String,
    /// The CSRC of the RTP packets that carry this voice.
    pub(crate) csrc: u32,
    /// Whether their audio is up.
    pub(crate) connected: bool,
    /// Whether they have switched their microphone off.
    pub(crate) muted: bool,
}

/// Somebody who is heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Speaker {
    /// The participant id.
    pub(crate) id: String,
    /// The level in -dBov: 0 is the loudest, 127 is silence.
    pub(crate) level_dbov: u32,
}

#[cfg(test)]
mod tests;
