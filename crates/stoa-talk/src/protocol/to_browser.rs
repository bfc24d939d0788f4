//! What this service says.

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;

use crate::{
    problem::Problem,
    role::Role,
    store::{links::Link, moderation::Removed},
};

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
        /// The room's title.
        title: &'a str,
        /// Whether the name alone lets people in.
        open: bool,
        /// Whom the browser's person does not want to hear.
        silenced: &'a [String],
        /// Everybody in the room, the browser itself included.
        participants: Vec<Person>,
    },
    /// Somebody was admitted.
    ParticipantJoined {
        /// Who.
        participant: &'a Person,
    },
    /// Something about somebody is different now.
    ParticipantUpdated {
        /// Who, as they are now.
        participant: &'a Person,
    },
    /// Somebody is gone.
    ParticipantLeft {
        /// Who.
        id: &'a str,
        /// Why: Stoa's `LeaveReason` in small letters, such as `removed` or `ice_timeout`.
        reason: &'a str,
    },
    /// Who is heard now, loudest first.
    Speaking {
        /// The speakers.
        speakers: Vec<Speaker>,
        /// The id of who leads the conversation, if anybody does.
        dominant: Option<String>,
    },
    /// Whether the media server that has the room is about to restart has changed.
    Restart {
        /// Whether it is.
        expected: bool,
        /// When, in milliseconds since 1970, if it is known.
        at: Option<u64>,
    },
    /// Whom you do not want to hear, after a change.
    Silenced {
        /// Their ids.
        ids: &'a [String],
    },
    /// The room's links.
    Links {
        /// All of them.
        links: &'a [Link],
        /// The one that you have just made: its secret is told this once.
        #[serde(skip_serializing_if = "Option::is_none")]
        created: Option<CreatedLink<'a>>,
    },
    /// Who has been removed.
    RemovedPeople {
        /// The latest first.
        people: &'a [Removed],
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

/// A link's secret.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct CreatedLink<'a> {
    /// The link's number.
    pub(crate) id: i64,
    /// What opens the room.
    pub(crate) token: &'a str,
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
    /// What they are in the room.
    pub(crate) role: Role,
    /// Whether they made the room.
    pub(crate) creator: bool,
    /// Whether they have switched their microphone off.
    pub(crate) muted: bool,
    /// Whether a moderator has muted them.
    pub(crate) muted_by_moderator: bool,
    /// When they raised their hand, in milliseconds since 1970, if it is up.
    pub(crate) hand_raised_at: Option<u64>,
    /// Whether they are invited to speak and have not answered.
    pub(crate) invited: bool,
    /// How well packets get through: `good`, `fair` or `poor`, once it is known.
    pub(crate) quality: Option<&'static str>,
    /// Whether Stoa does not believe the levels that their client claims.
    pub(crate) level_distrusted: bool,
}

/// Somebody who is heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Speaker {
    /// The participant id.
    pub(crate) id: String,
    /// The level in -dBov: 0 is the loudest, 127 is silence.
    pub(crate) level_dbov: u32,
}
