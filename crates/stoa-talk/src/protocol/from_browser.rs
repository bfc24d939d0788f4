//! What a browser says.

use serde::Deserialize;

use super::check;
use crate::{limits, problem::Problem, role::Role};

/// A message from a browser. Unknown types and unknown fields are errors.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FromBrowser {
    /// Let me in. Once for each socket that succeeds with it.
    Join(Box<Join>),
    /// An ICE candidate found after the offer; empty when there are no more.
    Candidate {
        /// `RTCIceCandidate.candidate`.
        candidate: String,
    },
    /// I have switched my own microphone off or on.
    Mute {
        /// Whether it is off now.
        muted: bool,
    },
    /// I want to speak, or do not any more.
    RaiseHand {
        /// Whether my hand is up now.
        raised: bool,
    },
    /// What I say to an invitation to speak.
    AnswerInvitation {
        /// Whether I come to the stage.
        accepted: bool,
    },
    /// I go back to the audience.
    StepDown {},
    /// I do not want to hear this person, or do again.
    Silence {
        /// Who.
        id: String,
        /// Whether I do not.
        silenced: bool,
    },
    /// A moderator invites a listener to speak, or takes that back.
    Invite {
        /// Who.
        id: String,
        /// Whether the invitation holds.
        invited: bool,
    },
    /// A moderator lowers somebody's hand.
    LowerHand {
        /// Whose.
        id: String,
    },
    /// A moderator gives somebody on the stage another role.
    SetRole {
        /// Who.
        id: String,
        /// Which.
        role: Role,
    },
    /// A moderator mutes somebody, or ends that.
    MutePerson {
        /// Who.
        id: String,
        /// Whether they are muted.
        muted: bool,
    },
    /// A moderator removes somebody.
    Remove {
        /// Who.
        id: String,
        /// Whether the link is revoked by which they came.
        revoke_link: bool,
    },
    /// A moderator asks who has been removed.
    ListRemoved {},
    /// A moderator lets somebody come back.
    LiftRemoval {
        /// Who.
        id: String,
    },
    /// A moderator asks for the links.
    ListLinks {},
    /// A moderator makes a link.
    CreateLink(NewLinkFields),
    /// A moderator revokes a link.
    RevokeLink {
        /// Its number.
        id: i64,
    },
    /// A moderator ends the room for everybody.
    EndRoom {},
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
    /// The browser's secret, by which it is known again.
    pub(crate) secret: String,
    /// The window's secret, by which it is told from the browser's other windows.
    pub(crate) window: String,
    /// The secret of the link that was followed.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// The room that is to be made.
    #[serde(default)]
    pub(crate) create: Option<NewRoomFields>,
    /// The SDP offer.
    pub(crate) sdp: String,
}

/// What a new room is to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoomFields {
    /// What people see: 1 to 80 characters, no control characters.
    pub(crate) title: String,
    /// Whether the name alone lets people in.
    pub(crate) open: bool,
    /// What those are who come in by the name alone: `listener` or `speaker`.
    pub(crate) newcomers: Role,
}

/// What a new link is to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLinkFields {
    /// What it makes of who comes in by it.
    pub(crate) role: Role,
    /// What the moderator calls it: at most 60 characters.
    pub(crate) label: String,
    /// Whether it is for the first who uses it alone.
    pub(crate) one_person: bool,
}

/// The question, over HTTP, what would come of a join.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Look {
    /// As in `Join`.
    pub(crate) room: String,
    /// As in `Join`.
    pub(crate) secret: String,
    /// As in `Join`.
    pub(crate) window: String,
    /// As in `Join`.
    #[serde(default)]
    pub(crate) token: Option<String>,
}

const TYPES: [&str; 19] = [
    "join",
    "candidate",
    "mute",
    "raise_hand",
    "answer_invitation",
    "step_down",
    "silence",
    "invite",
    "lower_hand",
    "set_role",
    "mute_person",
    "remove",
    "list_removed",
    "lift_removal",
    "list_links",
    "create_link",
    "revoke_link",
    "end_room",
    "leave",
];

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
            Self::Candidate { candidate } => check::candidate(candidate),
            Self::Silence { id, .. }
            | Self::Invite { id, .. }
            | Self::LowerHand { id }
            | Self::SetRole { id, .. }
            | Self::MutePerson { id, .. }
            | Self::Remove { id, .. }
            | Self::LiftRemoval { id } => check::id(id),
            Self::CreateLink(link) => check::text("label", &link.label, 0, limits::MAX_LABEL_CHARS),
            Self::Mute { .. }
            | Self::RaiseHand { .. }
            | Self::AnswerInvitation { .. }
            | Self::StepDown {}
            | Self::ListRemoved {}
            | Self::ListLinks {}
            | Self::RevokeLink { .. }
            | Self::EndRoom {}
            | Self::Leave {} => Ok(()),
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
        check::room(&self.room)?;
        check::text("name", &self.name, 1, limits::MAX_NAME_CHARS)?;
        check::secret("secret", &self.secret)?;
        check::secret("window", &self.window)?;
        check::token(self.token.as_deref())?;
        if let Some(create) = &self.create {
            check::text("create.title", &create.title, 1, limits::MAX_TITLE_CHARS)?;
            if create.newcomers == Role::Moderator {
                return Err(check::field("create.newcomers", "listener or speaker"));
            }
        }
        if !(1..=limits::MAX_SDP_BYTES).contains(&self.sdp.len()) {
            let rule = format!("1 to {} bytes", limits::MAX_SDP_BYTES);
            return Err(check::field("sdp", rule));
        }
        Ok(())
    }
}

impl Look {
    /// Whether all of it is as it should be.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        check::room(&self.room)?;
        check::secret("secret", &self.secret)?;
        check::secret("window", &self.window)?;
        check::token(self.token.as_deref())
    }
}
