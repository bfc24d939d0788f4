//! Who may use the service, whatever the room: people who are in, wait on the list, or are banned.
//!
//! Somebody is a browser, as in the rooms. Whoever comes into a room while the service is open is in,
//! and stays so when it is closed.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;

use super::Outcome;
use crate::{admission::Admission, limits, problem::Problem, secret::SecretHash};

/// Somebody whom the service knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Their number.
    pub(crate) id: i64,
    /// How many people they may invite, those included whom they have.
    pub(crate) invites: u32,
    /// The wave that they came in with, or wait for.
    pub(crate) wave: Option<i64>,
    /// When they came to the waiting list, if they ever did.
    pub(crate) asked_at: Option<i64>,
    /// When they were let in, if they were.
    pub(crate) admitted_at: Option<i64>,
    /// When they were banned, if they are.
    pub(crate) banned_at: Option<i64>,
}

/// How somebody stands to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// The service does not know them.
    Stranger,
    /// They are on the list.
    Waiting,
    /// They are in.
    In,
    /// They are banned.
    Banned,
}

impl Standing {
    /// That of somebody.
    pub(crate) fn of(member: Option<&Member>) -> Self {
        match member {
            None => Self::Stranger,
            Some(member) if member.banned_at.is_some() => Self::Banned,
            Some(member) if member.admitted_at.is_some() => Self::In,
            Some(_) => Self::Waiting,
        }
    }
}

/// By what somebody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    /// The invitation, where there is one.
    pub(super) invitation: Option<i64>,
    /// Its wave, where it has one.
    pub(super) wave: Option<i64>,
    /// How many people they may invite in turn.
    pub(super) invites: u32,
}

/// What the service is at the moment.
pub(crate) fn admission(transaction: &Transaction<'_>) -> rusqlite::Result<Admission> {
    let sql = "SELECT admission FROM service";
    let set: Option<Admission> = transaction.query_row(sql, [], |row| row.get(0))?;
    Ok(set.unwrap_or_default())
}

/// Opens the service to everyone, or closes it. Who is in stays in.
pub(crate) fn set_admission(
    transaction: &Transaction<'_>,
    admission: Admission,
) -> rusqlite::Result<()> {
    let sql = "UPDATE service SET admission = ?1";
    transaction.execute(sql, params![admission]).map(drop)
}

/// Says how the service begins where it has never been told; returns what it is.
pub(crate) fn begin(
    transaction: &Transaction<'_>,
    admission: Admission,
) -> rusqlite::Result<Admission> {
    let sql = "UPDATE service SET admission = ?1 WHERE admission IS NULL";
    transaction.execute(sql, params![admission])?;
    self::admission(transaction)
}

/// Who this browser is to the service.
pub(crate) fn find(
    transaction: &Transaction<'_>,
    browser: &SecretHash,
) -> rusqlite::Result<Option<Member>> {
    let sql = "SELECT id, invites, wave, asked_at, admitted_at, banned_at FROM members
               WHERE browser = ?1";
    transaction
        .query_row(sql, params![browser], read)
        .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        id: row.get(0)?,
        invites: row.get(1)?,
        wave: row.get(2)?,
        asked_at: row.get(3)?,
        admitted_at: row.get(4)?,
        banned_at: row.get(5)?,
    })
}

/// Lets a browser's person on to the rooms, or says why not. Notes that they were here.
pub(super) fn pass(
    transaction: &Transaction<'_>,
    browser: &SecretHash,
    name: &str,
    now: i64,
) -> Outcome<()> {
    let member = find(transaction, browser)?;
    match Standing::of(member.as_ref()) {
        Standing::Banned => return Err(banned().into()),
        Standing::In => {
            let sql = "UPDATE members SET name = ?2, seen_at = ?3 WHERE browser = ?1";
            transaction.execute(sql, params![browser, name, now])?;
        }
        Standing::Stranger | Standing::Waiting => {
            if admission(transaction)? == Admission::Closed {
                let text = "this service is for invited people";
                return Err(Problem::denied("ADMISSION_REQUIRED", text).into());
            }
            let everyone = Ticket {
                invitation: None,
                wave: None,
                invites: 0,
            };
            let_in(transaction, browser, name, everyone, now)?;
        }
    }
    Ok(())
}

/// The refusal of somebody who is banned.
pub(crate) fn banned() -> Problem {
    Problem::denied("BANNED", "you are banned from this service")
}

/// Whether the person of this participant id is banned.
pub(crate) fn is_banned(transaction: &Transaction<'_>, person: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM people JOIN members USING (browser)
               WHERE people.id = ?1 AND banned_at IS NOT NULL)";
    transaction.query_row(sql, params![person], |row| row.get(0))
}

/// Makes somebody one who is in.
pub(super) fn let_in(
    transaction: &Transaction<'_>,
    browser: &SecretHash,
    name: &str,
    ticket: Ticket,
    now: i64,
) -> Outcome<()> {
    make_room(transaction, browser)?;
    let sql = "INSERT INTO members (browser, name, invitation, wave, invites, admitted_at, seen_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
               ON CONFLICT (browser) DO UPDATE SET
                   name = ?2, invitation = ?3, wave = ?4, invites = ?5, admitted_at = ?6, seen_at = ?6";
    transaction.execute(
        sql,
        params![
            browser,
            name,
            ticket.invitation,
            ticket.wave,
            ticket.invites,
            now
        ],
    )?;
    Ok(())
}

/// Puts somebody on the list; who is there keeps their place.
pub(crate) fn wait(
    transaction: &Transaction<'_>,
    browser: &SecretHash,
    name: &str,
    now: i64,
) -> Outcome<()> {
    match Standing::of(find(transaction, browser)?.as_ref()) {
        Standing::Banned => return Err(banned().into()),
        Standing::In => return Ok(()),
        Standing::Waiting => {
            let sql = "UPDATE members SET name = ?2, seen_at = ?3 WHERE browser = ?1";
            transaction.execute(sql, params![browser, name, now])?;
            return Ok(());
        }
        Standing::Stranger => {}
    }
    let sql = "SELECT count(*) FROM members WHERE admitted_at IS NULL";
    let waiting: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
    if waiting >= limits::MAX_WAITING {
        let text = "the waiting list is full";
        return Err(Problem::exhausted("WAITING_LIST_FULL", text).into());
    }
    make_room(transaction, browser)?;
    let sql = "INSERT INTO members (browser, name, asked_at, seen_at) VALUES (?1, ?2, ?3, ?3)";
    transaction.execute(sql, params![browser, name, now])?;
    Ok(())
}

/// Takes somebody off the list.
pub(crate) fn forget_waiting(transaction: &Transaction<'_>, id: i64) -> Outcome<()> {
    let sql = "DELETE FROM members WHERE id = ?1 AND admitted_at IS NULL AND banned_at IS NULL";
    expect_one(transaction.execute(sql, params![id])?)
}

/// What a change of one member has come to.
pub(super) fn expect_one(changed: usize) -> Outcome<()> {
    if changed == 0 {
        let text = "nobody with this number is in that state";
        return Err(Problem::not_found("MEMBER_NOT_FOUND", text).into());
    }
    Ok(())
}

/// Makes room for one more, unless this browser has its place already.
fn make_room(transaction: &Transaction<'_>, browser: &SecretHash) -> Outcome<()> {
    let sql = "SELECT count(*) FROM members";
    let count: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
    if count < limits::MAX_MEMBERS || find(transaction, browser)?.is_some() {
        return Ok(());
    }
    let at_once = i64::try_from(limits::FORGOTTEN_AT_ONCE).unwrap_or(i64::MAX);
    let forgotten = transaction.execute(
        "DELETE FROM members WHERE id IN (
             SELECT id FROM members
             WHERE wave IS NULL AND invitation IS NULL AND banned_at IS NULL
                 AND admitted_at IS NOT NULL
             ORDER BY seen_at LIMIT ?1)",
        params![at_once],
    )?;
    if forgotten == 0 {
        let text = "this service knows as many people as it may";
        return Err(Problem::exhausted("MEMBER_LIMIT_REACHED", text).into());
    }
    Ok(())
}

/// Somebody, as an administrator sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    id: i64,
    name: String,
    /// Who has invited them; absent where nobody has.
    inviter: Option<Inviter>,
    /// The wave that they came in with, or wait for.
    wave: Option<i64>,
    /// How many people they may invite, and how many have come by it.
    invites: u32,
    invited: u32,
    asked_at: Option<i64>,
    admitted_at: Option<i64>,
    banned_at: Option<i64>,
    seen_at: i64,
}

/// Who has invited somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Inviter {
    id: i64,
    name: String,
}

/// Those of this standing whose name has `search` in it: who waits in the order in which they asked,
/// everybody else the latest first.
pub(crate) fn list(
    transaction: &Transaction<'_>,
    standing: Standing,
    search: &str,
) -> rusqlite::Result<Vec<Shown>> {
    let condition = match standing {
        Standing::Stranger => return Ok(Vec::new()),
        Standing::Waiting => {
            "m.admitted_at IS NULL AND m.banned_at IS NULL ORDER BY m.asked_at, m.id"
        }
        Standing::In => "m.admitted_at IS NOT NULL AND m.banned_at IS NULL ORDER BY m.seen_at DESC",
        Standing::Banned => "m.banned_at IS NOT NULL ORDER BY m.banned_at DESC",
    };
    let sql = format!(
        "SELECT m.id, m.name, by.id, by.name, m.wave, m.invites,
             (SELECT coalesce(sum(taken), 0) FROM invitations WHERE inviter = m.id),
             m.asked_at, m.admitted_at, m.banned_at, m.seen_at
         FROM members m
             LEFT JOIN invitations i ON i.id = m.invitation
             LEFT JOIN members by ON by.id = i.inviter
         WHERE instr(lower(m.name), lower(?1)) > 0 AND {condition} LIMIT ?2"
    );
    let mut statement = transaction.prepare(&sql)?;
    let shown = statement.query_map(params![search, limits::MAX_LISTED], |row| {
        let inviter: (Option<i64>, Option<String>) = (row.get(2)?, row.get(3)?);
        Ok(Shown {
            id: row.get(0)?,
            name: row.get(1)?,
            inviter: inviter
                .0
                .zip(inviter.1)
                .map(|(id, name)| Inviter { id, name }),
            wave: row.get(4)?,
            invites: row.get(5)?,
            invited: row.get(6)?,
            asked_at: row.get(7)?,
            admitted_at: row.get(8)?,
            banned_at: row.get(9)?,
            seen_at: row.get(10)?,
        })
    })?;
    shown.collect()
}

/// How many people there are of each standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    r#in: i64,
    waiting: i64,
    banned: i64,
}

/// Counts everybody.
pub(crate) fn count(transaction: &Transaction<'_>) -> rusqlite::Result<Counts> {
    let sql = "SELECT count(*) FILTER (WHERE banned_at IS NULL AND admitted_at IS NOT NULL),
                      count(*) FILTER (WHERE banned_at IS NULL AND admitted_at IS NULL),
                      count(*) FILTER (WHERE banned_at IS NOT NULL) FROM members";
    transaction.query_row(sql, [], |row| {
        Ok(Counts {
            r#in: row.get(0)?,
            waiting: row.get(1)?,
            banned: row.get(2)?,
        })
    })
}
