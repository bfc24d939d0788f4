//! Bans from the whole service.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Outcome, invitations, members};
use crate::{problem::Problem, secret::SecretHash};

/// Somebody's participant in a room, who has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The room's name.
    pub(crate) room: String,
    /// The participant id.
    pub(crate) id: String,
}

/// Bans somebody: they do not come in any more, their invitations that nobody has used and the links
/// that they have made hold no longer. Returns where they may be at the moment.
pub(crate) fn ban(transaction: &Transaction<'_>, member: i64, now: i64) -> Outcome<Vec<Place>> {
    let sql = "SELECT browser FROM members WHERE id = ?1";
    let browser: Option<SecretHash> = transaction
        .query_row(sql, params![member], |row| row.get(0))
        .optional()?;
    let Some(browser) = browser else {
        let text = "nobody has this number";
        return Err(Problem::not_found("MEMBER_NOT_FOUND", text).into());
    };
    // Who is banned already stays so since then; who waits comes with no wave.
    let sql = "UPDATE members SET banned_at = coalesce(banned_at, ?2),
                   wave = CASE WHEN admitted_at IS NULL THEN NULL ELSE wave END WHERE id = ?1";
    transaction.execute(sql, params![member, now])?;
    invitations::revoke_all_of(transaction, member)?;
    let sql = "DELETE FROM links WHERE maker IN (SELECT id FROM people WHERE browser = ?1)";
    transaction.execute(sql, params![browser])?;
    // No hand and no invitation of theirs waits for an answer.
    let sql = "UPDATE people SET hand_raised_at = NULL, invited = 0 WHERE browser = ?1";
    transaction.execute(sql, params![browser])?;
    let mut statement = transaction.prepare("SELECT room, id FROM people WHERE browser = ?1")?;
    let places = statement.query_map(params![browser], |row| {
        Ok(Place {
            room: row.get(0)?,
            id: row.get(1)?,
        })
    })?;
    Ok(places.collect::<rusqlite::Result<_>>()?)
}

/// Ends a ban. They are what they were, without what the ban has ended.
pub(crate) fn lift(transaction: &Transaction<'_>, member: i64) -> Outcome<()> {
    let sql = "UPDATE members SET banned_at = NULL WHERE id = ?1 AND banned_at IS NOT NULL";
    members::expect_one(transaction.execute(sql, params![member])?)
}
