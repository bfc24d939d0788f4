//! What the nodes and lobbies of a process say to each other.
//!
//! A room is at home with one node, which knows who is in it and composes what they hear. Its participants
//! have their seats at that node or at others, to which their datagrams come. Where home and seat are the
//! same node, the same things are said without a detour.
//!
//! There are two kinds. A [`Message`] must arrive, and in order. [`Relayed`] packet may be dropped like any packet of
//! speech, and is worth nothing when it is late; so whoever carries both keeps them in different queues.

use std::{net::SocketAddr, sync::Arc};

use str0m::IceCreds;

use crate::{
    compose::Composed,
    endpoint::Endpoint,
    event::LeaveReason,
    ids::{LobbyId, WorkerId},
    keys::{BankKey, LobbyKey, MemberAt, ParticipantKey, RoomKey, SessionKey},
    quality::ConnectionQuality,
    seat::Place,
    session::Session,
    stage::SpeakerPacket,
    transmit::Transmit,
};

/// To whom a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The node of this worker.
    Worker(WorkerId),
    /// This lobby.
    Lobby(LobbyId),
}

/// Something that must arrive. For [`Node::handle_message`](crate::Node::handle_message) or
/// [`Lobby::handle_message`](crate::Lobby::handle_message) of whom it is addressed to.
pub struct Message(pub(crate) Content);

/// A packet on its way to other workers. For [`Node::handle_relayed`](crate::Node::handle_relayed).
#[derive(Debug, Clone)]
pub struct Relayed(pub(crate) Packet);

// Nodes and lobbies have threads of their own.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Message>();
    is_send::<Relayed>();
};

pub(crate) enum Content {
    ToSeat(ToSeat),
    ToHome(ToHome),
    ToLobby(ToLobby),
    FromLobby(FromLobby),
}

/// From a room's home to the seat of one who is in it.
pub(crate) enum ToSeat {
    /// Somebody was admitted, and will come.
    Expect(Box<Expected>),
    /// They hear these slots from now on.
    Listen { member: MemberAt, bank: BankKey },
    /// Whether they may be heard. Home decides for each packet; what may not be heard need not be sent there.
    Speak { member: MemberAt, may_speak: bool },
    /// They are out.
    Dismiss { member: MemberAt },
}

/// Somebody who will come.
pub(crate) struct Expected {
    pub(crate) member: MemberAt,
    pub(crate) bank: Option<BankKey>,
    pub(crate) credentials: IceCreds,
    pub(crate) place: Place,
}

/// From a seat to the home of the participant's room.
pub(crate) enum ToHome {
    /// ICE and DTLS are done.
    Connected(ParticipantKey),
    /// Nothing comes from them any more, and nothing is sent to them.
    Away(ParticipantKey),
    /// Something authentic came from them again.
    Back(ParticipantKey),
    /// How well packets get through is another now.
    Rated(ParticipantKey, Option<ConnectionQuality>),
    /// They are gone.
    Gone(ParticipantKey, LeaveReason),
}

/// From a worker to a lobby.
pub(crate) enum ToLobby {
    /// A datagram for a session that is there.
    Datagram(Box<Handed>),
    /// Nobody waits for the session any more.
    Abandon(LobbyKey),
}

/// A datagram on its way to a lobby.
pub(crate) struct Handed {
    pub(crate) session: LobbyKey,
    /// Where answers go: the seat that has handed it on.
    pub(crate) seat: (WorkerId, SessionKey),
    pub(crate) remote: Endpoint,
    /// The candidate of ours at which it came.
    pub(crate) candidate: SocketAddr,
    pub(crate) contents: Vec<u8>,
}

/// From a lobby to a seat.
pub(crate) enum FromLobby {
    /// What the session wants sent.
    Send(SessionKey, Transmit),
    /// The session is keyed, and moves.
    Keyed(SessionKey, Box<Session>),
    /// The session is over.
    Failed(SessionKey, LeaveReason),
}

#[derive(Debug, Clone)]
pub(crate) enum Packet {
    /// From a room's home to those who hear it elsewhere. Shared by all their workers.
    Composed(RoomKey, Arc<Composed>),
    /// From a speaker's seat to the home of their room.
    Voice(ParticipantKey, Box<SpeakerPacket>),
}
