//! Names and numbers of things, each a type of its own.

use std::{borrow::Borrow, fmt, sync::Arc};

use crate::limits::MAX_ID_LENGTH;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty.
    #[error("is empty; it must have 1 to {MAX_ID_LENGTH} characters")]
    Empty,
    /// The text is longer than [`MAX_ID_LENGTH`] bytes.
    #[error("has {0} bytes; it must have 1 to {MAX_ID_LENGTH} characters")]
    TooLong(usize),
    /// A character is not one of `[A-Za-z0-9._~-]` (the unreserved set of RFC 3986, section 2.3).
    #[error("has a character at byte {0} that is not one of [A-Za-z0-9._~-]")]
    Character(usize),
}

fn validate(text: &str) -> Result<Arc<str>, InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.len() > MAX_ID_LENGTH {
        return Err(InvalidId::TooLong(text.len()));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-');
    match text.bytes().position(|b| !allowed(b)) {
        Some(at) => Err(InvalidId::Character(at)),
        None => Ok(text.into()),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text if it is an identifier: 1 to 128 characters of `[A-Za-z0-9._~-]`.
            ///
            /// # Errors
            /// [`InvalidId`] says what is wrong, and where.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                validate(text).map(Self)
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// One of the teams that share a node. What it names means something to itself alone.
    TenantId
}
text_id! {
    /// A room: the name that the caller of the control API gave it, and whose room it is.
    RoomId
}

/// Between a room's tenant and its name. No identifier has it, so no name of one tenant's is one of
/// another's.
const TENANT_END: char = '/';

impl RoomId {
    /// A tenant's room of this name.
    ///
    /// # Errors
    /// [`InvalidId`] says what is wrong with the name, and where.
    pub fn of_tenant(tenant: &TenantId, name: &str) -> Result<Self, InvalidId> {
        let name = validate(name)?;
        Ok(Self(format!("{tenant}{TENANT_END}{name}").into()))
    }

    /// The tenant's room of the same name.
    #[must_use]
    pub fn in_tenant(&self, tenant: &TenantId) -> Self {
        Self(format!("{tenant}{TENANT_END}{}", self.name()).into())
    }

    /// What comes before all rooms of the tenant, in the order of rooms, and is none of them.
    pub fn begin(tenant: &TenantId) -> Self {
        Self(format!("{tenant}{TENANT_END}").into())
    }

    /// Whose room it is; empty for a room that was made without a tenant.
    pub fn tenant(&self) -> &str {
        self.0
            .split_once(TENANT_END)
            .map_or("", |(tenant, _)| tenant)
    }

    /// The name that the caller gave it, which is all that callers see.
    pub fn name(&self) -> &str {
        self.0
            .split_once(TENANT_END)
            .map_or(&self.0, |(_, name)| name)
    }
}

text_id! {
    /// A participant of a room, as the caller of the control API names it. Unique in its room at
    /// any one time.
    ParticipantId
}
text_id! {
    /// One media session of a participant: Stoa's own, random name. A participant that leaves and
    /// joins again has the same [`ParticipantId`] and another `SessionId`.
    SessionId
}

impl SessionId {
    pub(crate) fn from_random(bits: u128) -> Self {
        Self(format!("{bits:032x}").into())
    }
}

/// The contributing source (RFC 3550, section 5.1) that names the speaker in every packet a slot
/// carries. Unique in its room, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Csrc(pub u32);

/// How often a room has changed: 1 when it is created, one more with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Which of a process's media workers, counted from 0. Each drives one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u16);

/// Which of a process's lobbies, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LobbyId(pub u16);

/// Which of a room's slots, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotIndex(pub u8);

impl SlotIndex {
    /// For indexing arrays that have one entry for each slot.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_to_their_alphabet_and_length() {
        assert!(RoomId::new("a-Z_0.9~").is_ok());
        assert!(RoomId::new(&"x".repeat(MAX_ID_LENGTH)).is_ok());
        assert_eq!(RoomId::new(""), Err(InvalidId::Empty));
        assert_eq!(
            RoomId::new(&"x".repeat(MAX_ID_LENGTH + 1)),
            Err(InvalidId::TooLong(MAX_ID_LENGTH + 1))
        );
        assert_eq!(RoomId::new("ab c"), Err(InvalidId::Character(2)));
        assert_eq!(RoomId::new("é"), Err(InvalidId::Character(0)));
    }

    #[test]
    fn a_tenants_room_is_nobody_elses() {
        let tenant = |name| TenantId::new(name).expect("an identifier");
        let room = RoomId::of_tenant(&tenant("a"), "hall").expect("an identifier");
        assert_eq!((room.tenant(), room.name()), ("a", "hall"));
        assert_ne!(
            room,
            RoomId::of_tenant(&tenant("b"), "hall").expect("an identifier")
        );
        assert_ne!(room, RoomId::new("hall").expect("an identifier"));
        for escape in ["a/hall", "../hall", "/hall"] {
            assert!(RoomId::of_tenant(&tenant("b"), escape).is_err());
            assert!(RoomId::new(escape).is_err());
        }
    }
}
