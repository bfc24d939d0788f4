//! What stands for a room, a participant, a session or a bank of slots inside a node, whatever they are
//! called outside.

use crate::ids::WorkerId;

slotmap::new_key_type! {
    /// A participant of a room that is at home here, for as long as they are in it.
    pub(crate) struct ParticipantKey;
    /// A media session that has its seat here, or will have it when it is keyed.
    pub(crate) struct SessionKey;
    /// A room that is at home here, for as long as it exists.
    pub(crate) struct RoomKey;
    /// The slots that listeners with the same choice and the same number of lines share.
    pub(crate) struct BankKey;
    /// A session in a lobby.
    pub(crate) struct LobbyKey;
}

/// A room, and where it is at home: the key means something there alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RoomAt {
    pub(crate) home: WorkerId,
    pub(crate) room: RoomKey,
}

/// A participant of a room that may be at home elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MemberAt {
    pub(crate) room: RoomAt,
    pub(crate) participant: ParticipantKey,
}
