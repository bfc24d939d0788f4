//! What somebody is in a room.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use stoa_client::v1;

/// The roles, in the order of what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Listens, in the audience.
    Listener,
    /// Speaks, on the stage.
    Speaker,
    /// Speaks, and decides who else does.
    Moderator,
}

impl Role {
    /// The name in messages and in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Speaker => "speaker",
            Self::Moderator => "moderator",
        }
    }

    /// The role of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Listener, Self::Speaker, Self::Moderator]
            .into_iter()
            .find(|role| role.as_str() == name)
    }

    /// Stoa's role of this meaning.
    pub(crate) fn of_stoa(role: v1::Role) -> Self {
        match role {
            v1::Role::Unspecified | v1::Role::Listener => Self::Listener,
            v1::Role::Speaker => Self::Speaker,
            v1::Role::Moderator => Self::Moderator,
        }
    }
}

impl From<Role> for v1::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Listener => Self::Listener,
            Role::Speaker => Self::Speaker,
            Role::Moderator => Self::Moderator,
        }
    }
}

impl ToSql for Role {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Role {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::named(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
