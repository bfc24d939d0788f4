//! Rooms.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::Outcome;
use crate::{limits, problem::Problem, role::Role};

/// What a room is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Room {
    /// What people see.
    pub(crate) title: String,
    /// Whether the name alone lets people in.
    pub(crate) open: bool,
    /// What those are who come in by the name alone.
    pub(crate) newcomers: Role,
}

/// The room of this name.
pub(super) fn find(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<Room>> {
    let sql = "SELECT title, open, newcomers FROM rooms WHERE name = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Room {
            title: row.get(0)?,
            open: row.get(1)?,
            newcomers: row.get(2)?,
        })
    };
    transaction.query_row(sql, params![name], read).optional()
}

/// Makes a room.
pub(super) fn create(
    transaction: &Transaction<'_>,
    name: &str,
    room: &Room,
    now: i64,
) -> Outcome<()> {
    let count = |transaction: &Transaction<'_>| {
        transaction.query_row("SELECT count(*) FROM rooms", [], |row| row.get::<_, i64>(0))
    };
    if count(transaction)? >= limits::MAX_ROOMS {
        forget_unused(transaction, now)?;
        if count(transaction)? >= limits::MAX_ROOMS {
            let text = "this service remembers as many rooms as it may";
            return Err(Problem::exhausted("ROOM_LIMIT_REACHED", text).into());
        }
    }
    transaction.execute(
        "INSERT INTO rooms (name, title, open, newcomers, created_at, used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![name, room.title, room.open, room.newcomers, now],
    )?;
    Ok(())
}

/// Notes that the room is in use.
pub(super) fn touch(transaction: &Transaction<'_>, name: &str, now: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE rooms SET used_at = ?2 WHERE name = ?1";
    transaction.execute(sql, params![name, now]).map(drop)
}

/// Forgets the room with its people and links.
pub(super) fn delete(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<()> {
    let sql = "DELETE FROM rooms WHERE name = ?1";
    transaction.execute(sql, params![name]).map(drop)
}

/// Forgets the rooms into which nobody has come for [`limits::ROOM_KEPT`].
pub(super) fn forget_unused(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    let kept = i64::try_from(limits::ROOM_KEPT.as_millis()).unwrap_or(i64::MAX);
    let sql = "DELETE FROM rooms WHERE used_at < ?1";
    connection.execute(sql, params![now - kept]).map(drop)
}
