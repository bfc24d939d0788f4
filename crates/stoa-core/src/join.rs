//! A request to let somebody in, and what comes of it.

use std::{fmt, sync::Arc};

use stoa_redact::Hidden;
use str0m::IceCreds;

use crate::{
    event::ParticipantInfo,
    ids::{ParticipantId, Revision, RoomId, SessionId, WorkerId},
    rights::Role,
    seat::{Place, Ticket},
    session::negotiate::Negotiated,
    settings::{AudioMode, Metadata},
    subscription::Subscription,
};

/// A request to let somebody in.
#[derive(Clone)]
pub struct Join {
    /// Into which room.
    pub room: RoomId,
    /// Who.
    pub participant: ParticipantId,
    /// The name to show; not interpreted.
    pub display_name: Arc<str>,
    /// The client's SDP offer.
    pub offer: String,
    /// What they are to be in the room.
    pub role: Role,
    /// The signalling service's own.
    pub metadata: Metadata,
    /// What their microphone is to carry.
    pub audio_mode: AudioMode,
    /// Whom they want to hear.
    pub subscription: Subscription,
    /// The session of a participant who comes back instead of coming in, whether or not it is connected.
    /// They are who they were: name, role, mutes, metadata, mode, CSRC and choice are kept, and what this
    /// request says of them is not looked at. The old session ends.
    pub resume: Option<SessionId>,
    /// Whether their microphone is used, if their offer has one. Somebody who may only listen is not heard,
    /// whatever their role becomes.
    pub may_publish: bool,
}

impl Join {
    /// A request of somebody who listens to everybody, and has nothing more to say of themselves.
    pub fn new(room: RoomId, participant: ParticipantId, offer: String) -> Self {
        Self {
            room,
            participant,
            display_name: "".into(),
            offer,
            role: Role::default(),
            metadata: Metadata::default(),
            audio_mode: AudioMode::default(),
            subscription: Subscription::default(),
            resume: None,
            may_publish: true,
        }
    }
}

impl fmt::Debug for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join")
            .field("room", &self.room)
            .field("participant", &self.participant)
            .field("role", &self.role)
            .field("offer", &Hidden(&self.offer))
            .finish_non_exhaustive()
    }
}

/// Somebody was let in.
#[derive(Clone)]
pub struct Joined {
    /// The final SDP answer.
    pub answer: String,
    /// The new participant.
    pub participant: ParticipantInfo,
    /// The room's revision right after.
    pub revision: Revision,
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined")
            .field("answer", &Hidden(&self.answer))
            .field("participant", &self.participant)
            .field("revision", &self.revision)
            .finish()
    }
}

/// A request whose offer has been answered. What is left to do is cheap, and for the room's home:
/// [`Node::admit`](crate::Node::admit).
pub struct Prepared {
    pub(crate) answer: String,
    pub(crate) credentials: IceCreds,
    /// How many audio lines the offer had.
    pub(crate) offered: usize,
    /// On how many of them the client listens.
    pub(crate) lines: usize,
    pub(crate) has_microphone: bool,
    /// At which worker the client's datagrams will arrive, as the answer says.
    pub(crate) seat: WorkerId,
    pub(crate) place: Place,
}

impl Prepared {
    /// Takes a new session apart into what is known of it before it is connected, and the session.
    pub(crate) fn new(
        negotiated: Negotiated,
        seat: WorkerId,
        place: impl FnOnce(Negotiated) -> Place,
    ) -> Self {
        Self {
            answer: negotiated.answer.clone(),
            credentials: negotiated.credentials.clone(),
            offered: negotiated.offered,
            lines: negotiated.lines.len(),
            has_microphone: negotiated.microphone.is_some(),
            seat,
            place: place(negotiated),
        }
    }

    /// The session's ticket, if it is in a lobby.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self.place {
            Place::Lobby(ticket) => Some(ticket),
            Place::Here(_) => None,
        }
    }
}
