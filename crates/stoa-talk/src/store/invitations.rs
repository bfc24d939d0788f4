//! Invitations to the service. The database has the hash of each one's code, never the code.
//!
//! An invitation has a number of places. Who takes one may invite in turn, as many as the wave says;
//! the tree of who invited whom is `members.invitation` and `invitations.inviter`. Revoking takes the
//! places that are free; those that were taken stay in the tree.

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Serialize;

use super::{
    Outcome,
    members::{self, Member, Standing, Ticket},
};
use crate::{limits, problem::Problem, secret::SecretHash};

/// An invitation, as who made it and administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Invitation {
    /// Its number, by which it is revoked.
    pub(crate) id: i64,
    /// How many people it lets in.
    pub(crate) places: u32,
    /// How many have come in by it.
    pub(crate) taken: u32,
    /// When it was made, in milliseconds since 1970.
    pub(crate) created_at: i64,
}

/// What somebody may pass on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Own {
    /// How many people they may still make invitations for.
    pub(crate) left: u32,
    /// Those that they have made, the latest first.
    pub(crate) made: Vec<Invitation>,
}

/// Lets somebody in by a code. Who is in needs none, and takes no place.
///
/// Whatever is wrong with a code, the answer is the same: nobody learns by trying which codes there
/// are or were.
pub(crate) fn redeem(
    transaction: &Transaction<'_>,
    browser: &SecretHash,
    name: &str,
    code: &SecretHash,
    now: i64,
) -> Outcome<()> {
    match Standing::of(members::find(transaction, browser)?.as_ref()) {
        Standing::Banned => return Err(members::banned().into()),
        Standing::In => return Ok(()),
        Standing::Stranger | Standing::Waiting => {}
    }
    // The place is taken in the same statement that finds it: there is no moment between.
    let sql = "UPDATE invitations SET taken = taken + 1
               WHERE code = ?1 AND taken < places
                   AND wave IN (SELECT id FROM waves WHERE opened_at IS NOT NULL)
               RETURNING id, wave, (SELECT invites FROM waves WHERE id = wave)";
    let ticket = transaction
        .query_row(sql, params![code], |row| {
            Ok(Ticket {
                invitation: row.get(0)?,
                wave: row.get(1)?,
                invites: row.get(2)?,
            })
        })
        .optional()?;
    let Some(ticket) = ticket else {
        let text = "this code does not hold, not yet or not any more";
        return Err(Problem::denied("CODE_INVALID", text).into());
    };
    members::let_in(transaction, browser, name, ticket, now)
}

/// What this browser's person may pass on.
pub(crate) fn own(transaction: &Transaction<'_>, member: &Member) -> rusqlite::Result<Own> {
    let sql = "SELECT coalesce(sum(places), 0) FROM invitations WHERE inviter = ?1";
    let given: u32 = transaction.query_row(sql, params![member.id], |row| row.get(0))?;
    let condition = "inviter = ?1 ORDER BY id DESC LIMIT ?2";
    Ok(Own {
        left: member.invites.saturating_sub(given),
        made: select(transaction, condition, member.id)?,
    })
}

/// The administrator's invitations of a wave.
pub(crate) fn of_wave(
    transaction: &Transaction<'_>,
    wave: i64,
) -> rusqlite::Result<Vec<Invitation>> {
    let condition = "wave = ?1 AND inviter IS NULL ORDER BY id LIMIT ?2";
    select(transaction, condition, wave)
}

/// `condition` is this program's own text; its parameters are the number and the most.
fn select(
    transaction: &Transaction<'_>,
    condition: &str,
    number: i64,
) -> rusqlite::Result<Vec<Invitation>> {
    let sql = format!("SELECT id, places, taken, created_at FROM invitations WHERE {condition}");
    let mut statement = transaction.prepare(&sql)?;
    let found = statement.query_map(params![number, limits::MAX_INVITATIONS_PER_WAVE], |row| {
        Ok(Invitation {
            id: row.get(0)?,
            places: row.get(1)?,
            taken: row.get(2)?,
            created_at: row.get(3)?,
        })
    })?;
    found.collect()
}

/// Who this browser is, if they are in.
fn somebody_in(transaction: &Transaction<'_>, browser: &SecretHash) -> Outcome<Member> {
    let member = members::find(transaction, browser)?;
    match (Standing::of(member.as_ref()), member) {
        (Standing::In, Some(member)) => Ok(member),
        (Standing::Banned, _) => Err(members::banned().into()),
        _ => {
            let text = "this service is for invited people";
            Err(Problem::denied("ADMISSION_REQUIRED", text).into())
        }
    }
}

/// Makes an invitation of somebody who may; returns its number.
pub(crate) fn pass_on(
    transaction: &Transaction<'_>,
    browser: &SecretHash,
    places: u32,
    code: &SecretHash,
    now: i64,
) -> Outcome<i64> {
    let member = somebody_in(transaction, browser)?;
    let left = own(transaction, &member)?.left;
    let Some(wave) = member.wave.filter(|_| places <= left) else {
        let text = format!("you may invite {left} more people");
        return Err(Problem::exhausted("NO_INVITES_LEFT", text).into());
    };
    create(transaction, wave, Some(member.id), places, code, now)
}

/// Makes an invitation; returns its number.
pub(super) fn create(
    transaction: &Transaction<'_>,
    wave: i64,
    inviter: Option<i64>,
    places: u32,
    code: &SecretHash,
    now: i64,
) -> Outcome<i64> {
    let sql = "SELECT count(*) FROM invitations";
    let count: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
    if count >= limits::MAX_INVITATIONS {
        let text = "this service keeps as many invitations as it may";
        return Err(Problem::exhausted("INVITATION_LIMIT_REACHED", text).into());
    }
    transaction.execute(
        "INSERT INTO invitations (code, wave, inviter, places, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![code, wave, inviter, places, now],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// Revokes one's own invitation. What was free of it can be given again.
pub(crate) fn revoke_own(
    transaction: &Transaction<'_>,
    browser: &SecretHash,
    id: i64,
) -> Outcome<()> {
    let member = somebody_in(transaction, browser)?;
    let revoked = revoke_where(
        transaction,
        "id = ?1 AND inviter = ?2",
        params![id, member.id],
    )?;
    expect_one(revoked)
}

/// Revokes any invitation.
pub(crate) fn revoke(transaction: &Transaction<'_>, id: i64) -> Outcome<()> {
    expect_one(revoke_where(transaction, "id = ?1", params![id])?)
}

/// Revokes all that somebody has made.
pub(super) fn revoke_all_of(transaction: &Transaction<'_>, member: i64) -> rusqlite::Result<()> {
    revoke_where(transaction, "inviter = ?1", params![member]).map(drop)
}

/// Nobody new comes in by those for which the condition holds; returns how many there are. One that
/// nobody has used is forgotten.
fn revoke_where(
    transaction: &Transaction<'_>,
    condition: &str,
    parameters: impl rusqlite::Params + Copy,
) -> rusqlite::Result<usize> {
    let sql = format!("DELETE FROM invitations WHERE taken = 0 AND {condition}");
    let forgotten = transaction.execute(&sql, parameters)?;
    let sql = format!("UPDATE invitations SET places = taken WHERE {condition}");
    Ok(forgotten + transaction.execute(&sql, parameters)?)
}

fn expect_one(revoked: usize) -> Outcome<()> {
    if revoked == 0 {
        let text = "there is no such invitation";
        return Err(Problem::not_found("INVITATION_NOT_FOUND", text).into());
    }
    Ok(())
}
