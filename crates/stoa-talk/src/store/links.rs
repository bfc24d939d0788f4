//! Invitation links. The database has the hash of each one's secret, never the secret.

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Serialize;

use super::{Outcome, moderation};
use crate::{limits, problem::Problem, role::Role, secret::SecretHash};

/// A link, as moderators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    /// Its number, by which it is revoked.
    pub(crate) id: i64,
    /// What it makes of who comes in by it.
    pub(crate) role: Role,
    /// What a moderator has called it.
    pub(crate) label: String,
    /// Whether it is for the first who uses it alone.
    pub(crate) one_person: bool,
    /// When it was made, in milliseconds since 1970.
    pub(crate) created_at: i64,
    /// How many people have come in by it.
    pub(crate) uses: i64,
}

/// What a new link is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewLink {
    /// What it makes of who comes in by it.
    pub(crate) role: Role,
    /// What a moderator calls it.
    pub(crate) label: String,
    /// Whether it is for the first who uses it alone.
    pub(crate) one_person: bool,
}

const SELECT: &str = "SELECT id, role, label, one_person, created_at,
    (SELECT count(*) FROM link_uses WHERE link = id) FROM links";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        id: row.get(0)?,
        role: row.get(1)?,
        label: row.get(2)?,
        one_person: row.get(3)?,
        created_at: row.get(4)?,
        uses: row.get(5)?,
    })
}

/// The room's link with this secret.
pub(super) fn find(
    transaction: &Transaction<'_>,
    room: &str,
    token: &SecretHash,
) -> rusqlite::Result<Option<Link>> {
    let sql = format!("{SELECT} WHERE room = ?1 AND token = ?2");
    transaction
        .query_row(&sql, params![room, token], read)
        .optional()
}

/// Whether this person has come in by this link before.
pub(super) fn was_used_by(
    transaction: &Transaction<'_>,
    link: i64,
    person: &str,
) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM link_uses WHERE link = ?1 AND person = ?2)";
    transaction.query_row(sql, params![link, person], |row| row.get(0))
}

/// Notes that this person has come in by this link.
pub(super) fn note_use(
    transaction: &Transaction<'_>,
    link: i64,
    person: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO link_uses (link, person) VALUES (?1, ?2)";
    transaction.execute(sql, params![link, person])?;
    let sql = "UPDATE people SET link = ?1 WHERE id = ?2";
    transaction.execute(sql, params![link, person]).map(drop)
}

/// All links of the room, for a moderator.
pub(crate) fn list(transaction: &Transaction<'_>, room: &str, actor: &str) -> Outcome<Vec<Link>> {
    moderation::moderator(transaction, room, actor)?;
    all(transaction, room)
}

fn all(transaction: &Transaction<'_>, room: &str) -> Outcome<Vec<Link>> {
    let mut statement = transaction.prepare(&format!("{SELECT} WHERE room = ?1 ORDER BY id"))?;
    let links = statement.query_map(params![room], read)?;
    Ok(links.collect::<rusqlite::Result<_>>()?)
}

/// Makes a link; returns its number, and all links of the room.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    new: &NewLink,
    token: &SecretHash,
    now: i64,
) -> Outcome<(i64, Vec<Link>)> {
    moderation::moderator(transaction, room, actor)?;
    if all(transaction, room)?.len() >= limits::MAX_LINKS_PER_ROOM {
        let text = "the room has as many links as it may; revoke one";
        return Err(Problem::exhausted("LINK_LIMIT_REACHED", text).into());
    }
    transaction.execute(
        "INSERT INTO links (room, token, role, label, one_person, created_at, maker)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![room, token, new.role, new.label, new.one_person, now, actor],
    )?;
    Ok((transaction.last_insert_rowid(), all(transaction, room)?))
}

/// Revokes a link: nobody new comes in by it. Returns those that are left.
pub(crate) fn revoke(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    id: i64,
) -> Outcome<Vec<Link>> {
    moderation::moderator(transaction, room, actor)?;
    let sql = "DELETE FROM links WHERE room = ?1 AND id = ?2";
    if transaction.execute(sql, params![room, id])? == 0 {
        return Err(Problem::not_found("LINK_NOT_FOUND", "the room has no such link").into());
    }
    all(transaction, room)
}
