//! Waves: people who are let in together, when the administrator opens the wave. A wave has
//! invitations, or people from the waiting list, or both.

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Serialize;

use super::{Outcome, invitations, members};
use crate::{limits, problem::Problem, secret::SecretHash};

/// What a new wave is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewWave {
    /// What the administrator calls it.
    pub(crate) name: String,
    /// How many people each who comes in with it may invite.
    pub(crate) invites: u32,
    /// How many people each of its invitations lets in.
    pub(crate) places: u32,
    /// How many people of the waiting list come with it: those who have waited longest.
    pub(crate) from_list: u32,
}

/// A wave, as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Wave {
    id: i64,
    name: String,
    invites: u32,
    created_at: i64,
    /// When it was opened; absent before.
    opened_at: Option<i64>,
    /// How many people the administrator's own invitations let in, and how many they have.
    places: i64,
    taken: i64,
    /// People of the waiting list who wait for it.
    waiting: i64,
    /// Who has come in with it, by those whom it let in included.
    members: i64,
}

/// Makes a wave with an invitation for each code; returns its number. Nobody comes in before it is
/// opened.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    new: &NewWave,
    codes: &[SecretHash],
    now: i64,
) -> Outcome<i64> {
    let sql = "SELECT count(*) FROM waves";
    let count: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
    if count >= limits::MAX_WAVES {
        let text = "there are as many waves as there may be";
        return Err(Problem::exhausted("WAVE_LIMIT_REACHED", text).into());
    }
    let sql = "INSERT INTO waves (name, invites, created_at) VALUES (?1, ?2, ?3)";
    transaction.execute(sql, params![new.name, new.invites, now])?;
    let wave = transaction.last_insert_rowid();
    for code in codes {
        invitations::create(transaction, wave, None, new.places, code, now)?;
    }
    let sql = "UPDATE members SET wave = ?1 WHERE id IN (
                   SELECT id FROM members
                   WHERE admitted_at IS NULL AND banned_at IS NULL AND wave IS NULL
                   ORDER BY asked_at, id LIMIT ?2)";
    transaction.execute(sql, params![wave, new.from_list])?;
    Ok(wave)
}

/// Whether the wave is open.
fn expect(transaction: &Transaction<'_>, wave: i64) -> Outcome<bool> {
    let sql = "SELECT opened_at IS NOT NULL FROM waves WHERE id = ?1";
    let open = transaction
        .query_row(sql, params![wave], |row| row.get(0))
        .optional()?;
    open.ok_or_else(|| Problem::not_found("WAVE_NOT_FOUND", "there is no such wave").into())
}

fn expect_closed(transaction: &Transaction<'_>, wave: i64) -> Outcome<()> {
    if expect(transaction, wave)? {
        return Err(Problem::precondition("WAVE_OPEN", "the wave is open already").into());
    }
    Ok(())
}

/// Opens a wave: its invitations hold from now on, and its people from the list are in. Waves open in
/// the order in which they were made.
pub(crate) fn open(transaction: &Transaction<'_>, wave: i64, now: i64) -> Outcome<()> {
    expect_closed(transaction, wave)?;
    let sql = "SELECT EXISTS (SELECT 1 FROM waves WHERE id < ?1 AND opened_at IS NULL)";
    if transaction.query_row(sql, params![wave], |row| row.get(0))? {
        let text = "an earlier wave is not open; open or drop that one first";
        return Err(Problem::precondition("WAVE_OUT_OF_ORDER", text).into());
    }
    let sql = "UPDATE waves SET opened_at = ?2 WHERE id = ?1";
    transaction.execute(sql, params![wave, now])?;
    let sql = "UPDATE members SET admitted_at = ?2,
                   invites = (SELECT invites FROM waves WHERE id = ?1)
               WHERE wave = ?1 AND admitted_at IS NULL";
    transaction.execute(sql, params![wave, now])?;
    Ok(())
}

/// Drops a wave that is not open: its invitations are gone, its people wait as before.
pub(crate) fn drop_closed(transaction: &Transaction<'_>, wave: i64) -> Outcome<()> {
    expect_closed(transaction, wave)?;
    transaction.execute("DELETE FROM waves WHERE id = ?1", params![wave])?;
    Ok(())
}

/// Says how many people those may invite who come in with this wave from now on.
pub(crate) fn set_invites(transaction: &Transaction<'_>, wave: i64, invites: u32) -> Outcome<()> {
    expect(transaction, wave)?;
    let sql = "UPDATE waves SET invites = ?2 WHERE id = ?1";
    transaction.execute(sql, params![wave, invites])?;
    Ok(())
}

/// Has somebody on the waiting list wait for this wave, or, without one, for none.
pub(crate) fn put_in(transaction: &Transaction<'_>, member: i64, wave: Option<i64>) -> Outcome<()> {
    if let Some(wave) = wave {
        expect_closed(transaction, wave)?;
    }
    let sql = "UPDATE members SET wave = ?2
               WHERE id = ?1 AND admitted_at IS NULL AND banned_at IS NULL";
    members::expect_one(transaction.execute(sql, params![member, wave])?)
}

/// All waves, in their order.
pub(crate) fn list(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Wave>> {
    let sql = "SELECT id, name, invites, created_at, opened_at,
                   (SELECT coalesce(sum(places), 0) FROM invitations
                    WHERE wave = waves.id AND inviter IS NULL),
                   (SELECT coalesce(sum(taken), 0) FROM invitations
                    WHERE wave = waves.id AND inviter IS NULL),
                   (SELECT count(*) FROM members
                    WHERE wave = waves.id AND admitted_at IS NULL AND banned_at IS NULL),
                   (SELECT count(*) FROM members WHERE wave = waves.id AND admitted_at IS NOT NULL)
               FROM waves ORDER BY id";
    let mut statement = transaction.prepare(sql)?;
    let waves = statement.query_map([], |row| {
        Ok(Wave {
            id: row.get(0)?,
            name: row.get(1)?,
            invites: row.get(2)?,
            created_at: row.get(3)?,
            opened_at: row.get(4)?,
            places: row.get(5)?,
            taken: row.get(6)?,
            waiting: row.get(7)?,
            members: row.get(8)?,
        })
    })?;
    waves.collect()
}
