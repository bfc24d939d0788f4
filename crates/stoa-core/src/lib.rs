//! The sans-IO core of Stoa: voice rooms as a function of datagrams, commands and time.
//!
//! # Contract
//!
//! A [`Node`] holds rooms and everybody in them. It has no clock, no socket, no task and no lock;
//! time, randomness and datagrams are arguments, and what is to be done comes back from
//! [`Node::poll_output`]. The same inputs give the same outputs.
//!
//! Whoever drives a node
//!
//! 1. hands in what came: [`Node::handle_datagram`], [`Node::handle_timeout`], or a command
//!    ([`Node::create_room`], [`Node::join`], [`Node::remove_participant`], ...). Several may be
//!    handed in before the next step; what leaves is the same, and cheaper to make.
//! 2. calls [`Node::poll_output`] until it gives [`Output::Timeout`], doing what it says: send a
//!    [`Transmit`], pass on a [`RoomEvent`].
//! 3. waits for the next input, at the latest until the timeout, and calls
//!    [`Node::handle_timeout`] then.
//!
//! Commands take effect before they return: a datagram of a removed participant that is handed in
//! after [`Node::remove_participant`] is forwarded to nobody. Whoever wants to be sure that nothing
//! of theirs leaves any more polls until the timeout *before* the command, too. A command that
//! returns an error has changed nothing.
//!
//! # Several nodes, and lobbies
//!
//! A node that is alone does everything by itself. Where a process has several, each with a worker
//! thread of its own, a room is at home with one of them, and its participants have their seats at all
//! of them. Then a [`Lobby`], on another thread, answers an offer ([`Lobby::prepare`]), the room's home
//! admits ([`Node::admit`]), and whoever drives them carries what they say to each other:
//! [`Output::Message`] to [`Node::handle_message`] or [`Lobby::handle_message`], in order and without
//! loss; [`Output::Relay`] to [`Node::handle_relayed`], as it can. Before it answers a command that takes
//! a right away, it sees to it that what was relayed before has left.
//!
//! # The way of a packet
//!
//! The modules stand in the order in which a packet meets them: `node` takes a datagram, `demux`
//! finds its `seat`, `session` decrypts it, `stage` decides whether it is heard and in which slot,
//! `splice` gives it its place in the slot's stream, `compose` is what is written once for all
//! listeners, `audience` knows who they are, `egress` writes it for each, and `seal` encrypts it.

#![forbid(unsafe_code)]

mod node;

mod demux;

mod seat;

mod session;

mod participant;

mod room;

mod stage;

mod splice;

mod compose;

mod audience;

mod egress;

mod seal;

mod lobby;

mod message;

mod audio_level;
#[cfg(feature = "bench")]
pub mod bench;
mod contain;
mod endpoint;
mod error;
mod event;
#[doc(hidden)]
pub mod fuzz;
mod ids;
mod inspection;
mod join;
mod keys;
pub mod limits;
mod output;
mod pace;
mod quality;
mod quota;
mod red;
mod rights;
mod rtp;
mod settings;
mod shares;
mod stats;
mod subscription;
mod timers;
mod transmit;

pub use audio_level::AudioLevel;
#[cfg(all(feature = "planted-faults", debug_assertions))]
pub use contain::planted;
pub use egress::{EgressPath, direct::Reception};
pub use endpoint::{Endpoint, Transport};
pub use error::{Error, LimitScope, OfferError};
pub use event::{
    ActiveSpeakers, CloseReason, ConnectionState, LeaveReason, ParticipantInfo, RoomEvent,
    RoomEventKind, RoomSnapshot,
};
pub use ids::{
    Csrc, InvalidId, LobbyId, ParticipantId, Revision, RoomId, SessionId, SlotIndex, TenantId,
    WorkerId,
};
pub use inspection::{ParticipantInspection, RoomInspection, SeatInspection};
pub use join::{Join, Joined, Prepared};
pub use limits::Limits;
pub use lobby::{Lobby, LobbyConfig, LobbyOutput, LobbyStats, Venue};
pub use message::{Message, Peer, Relayed};
pub use node::{Certificate, Fill, Node, NodeConfig, SeatAt};
pub use output::{Output, TimeoutReason};
pub use quality::ConnectionQuality;
pub use quota::{Demand, PacketQuota};
pub use rights::{MuteSource, Mutes, Role, SpeakPolicy};
pub use settings::{
    AudioMode, AudioSlots, InvalidMetadata, Metadata, ParticipantChange, RoomSettings, RoomTimeout,
    RoomUpdate, SpeechPreroll,
};
pub use shares::Shares;
pub use stats::{DropReason, Stats};
pub use subscription::{Subscription, TooManyNames};
pub use transmit::Transmit;
