//! What stands for a room, a participant or a bank of slots inside a node, whatever they are called outside.

slotmap::new_key_type! {
    /// A participant of any room, for as long as they are in it.
    pub(crate) struct ParticipantKey;
    /// A room, for as long as it exists.
    pub(crate) struct RoomKey;
    /// The slots that listeners with the same choice and the same number of lines share.
    pub(crate) struct BankKey;
}
