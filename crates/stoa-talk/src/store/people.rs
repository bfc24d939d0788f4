//! People, as each room remembers them.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::{Outcome, members};
use crate::{limits, problem::Problem, role::Role};

/// Somebody in a room, as it stands in the database. Stoa's participant follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonRow {
    /// Stoa's participant id.
    pub(crate) id: String,
    /// The name to show.
    pub(crate) name: String,
    /// What they are in the room.
    pub(crate) role: Role,
    /// Whether they made the room.
    pub(crate) creator: bool,
    /// Whether a moderator has muted them.
    pub(crate) muted: bool,
    /// When they raised their hand, if it is up.
    pub(crate) hand_raised_at: Option<i64>,
    /// Whether a moderator has invited them to speak and they have not answered.
    pub(crate) invited: bool,
    /// When a moderator removed them, if one has.
    pub(crate) removed_at: Option<i64>,
}

/// The keys of a participant's metadata in Stoa.
pub(crate) mod metadata {
    /// When the hand was raised, in milliseconds since 1970; absent while it is down.
    pub(crate) const HAND: &str = "hand";
    /// Present while an invitation to speak is open.
    pub(crate) const INVITED: &str = "invited";
    /// Present for who made the room.
    pub(crate) const CREATOR: &str = "creator";
}

impl PersonRow {
    /// Gives a higher role; whoever is on the stage needs no hand and no invitation.
    pub(super) fn raise(&mut self, role: Role) {
        self.role = role;
        self.hand_raised_at = None;
        self.invited = false;
    }

    /// What Stoa keeps of this for everybody to see.
    pub(crate) fn metadata(&self) -> HashMap<String, String> {
        let mut metadata = HashMap::new();
        if let Some(at) = self.hand_raised_at {
            metadata.insert(metadata::HAND.to_owned(), at.to_string());
        }
        for (key, holds) in [
            (metadata::INVITED, self.invited),
            (metadata::CREATOR, self.creator),
        ] {
            if holds {
                metadata.insert(key.to_owned(), "1".to_owned());
            }
        }
        metadata
    }
}

const COLUMNS: &str = "id, name, role, creator, muted, hand_raised_at, invited, removed_at";

fn read(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok(PersonRow {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        creator: row.get(3)?,
        muted: row.get(4)?,
        hand_raised_at: row.get(5)?,
        invited: row.get(6)?,
        removed_at: row.get(7)?,
    })
}

/// The people of a room for whom the condition holds. `condition` is this program's own text; its
/// first parameter is the room.
pub(super) fn select(
    transaction: &Transaction<'_>,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<PersonRow>> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE room = ?1 AND {condition}");
    let mut statement = transaction.prepare(&sql)?;
    statement.query_map(parameters, read)?.collect()
}

/// Somebody in this room.
pub(crate) fn find(
    transaction: &Transaction<'_>,
    room: &str,
    id: &str,
) -> rusqlite::Result<Option<PersonRow>> {
    let sql = format!("SELECT {COLUMNS} FROM people WHERE room = ?1 AND id = ?2");
    transaction
        .query_row(&sql, params![room, id], read)
        .optional()
}

/// Somebody in this room who has been neither removed nor banned.
pub(crate) fn expect(transaction: &Transaction<'_>, room: &str, id: &str) -> Outcome<PersonRow> {
    match find(transaction, room, id)? {
        Some(person) if person.removed_at.is_none() && !members::is_banned(transaction, id)? => {
            Ok(person)
        }
        _ => Err(Problem::not_found("PERSON_NOT_FOUND", "nobody here has this id").into()),
    }
}

/// Writes what may change about somebody.
pub(super) fn save(transaction: &Transaction<'_>, person: &PersonRow) -> rusqlite::Result<()> {
    let sql = "UPDATE people SET name = ?2, role = ?3, muted = ?4, hand_raised_at = ?5,
               invited = ?6, removed_at = ?7 WHERE id = ?1";
    let parameters = params![
        person.id,
        person.name,
        person.role,
        person.muted,
        person.hand_raised_at,
        person.invited,
        person.removed_at,
    ];
    transaction.execute(sql, parameters).map(drop)
}

/// Makes room for one more: where a room remembers as many people as it may, those are forgotten
/// who have been away longest and are nobody in particular.
pub(super) fn make_room(
    transaction: &Transaction<'_>,
    room: &str,
    present: &[String],
) -> Outcome<()> {
    let sql = "SELECT count(*) FROM people WHERE room = ?1";
    let count: i64 = transaction.query_row(sql, params![room], |row| row.get(0))?;
    if count < limits::MAX_PEOPLE_PER_ROOM {
        return Ok(());
    }
    let idle = select(
        transaction,
        "role <> 'moderator' AND removed_at IS NULL ORDER BY seen_at",
        params![room],
    )?;
    let mut forgotten = idle.iter().filter(|person| !present.contains(&person.id));
    let Some(first) = forgotten.next() else {
        let text = "this room remembers as many people as it may";
        return Err(Problem::exhausted("PEOPLE_LIMIT_REACHED", text).into());
    };
    let mut statement = transaction.prepare("DELETE FROM people WHERE id = ?1")?;
    for person in [first]
        .into_iter()
        .chain(forgotten.take(limits::FORGOTTEN_AT_ONCE))
    {
        statement.execute(params![person.id])?;
    }
    Ok(())
}

/// Whom this person does not want to hear.
pub(crate) fn silenced(transaction: &Transaction<'_>, id: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT silenced FROM silences WHERE person = ?1 ORDER BY silenced";
    let mut statement = transaction.prepare(sql)?;
    statement
        .query_map(params![id], |row| row.get(0))?
        .collect()
}

/// Notes whether this person wants to hear that one, and returns whom they do not want to hear.
pub(crate) fn silence(
    transaction: &Transaction<'_>,
    room: &str,
    id: &str,
    other: &str,
    silenced_now: bool,
) -> Outcome<Vec<String>> {
    expect(transaction, room, other)?;
    if other == id {
        return Err(Problem::invalid("FIELD_INVALID", "id: this is you").into());
    }
    let sql = if silenced_now {
        "INSERT OR IGNORE INTO silences (person, silenced) VALUES (?1, ?2)"
    } else {
        "DELETE FROM silences WHERE person = ?1 AND silenced = ?2"
    };
    transaction.execute(sql, params![id, other])?;
    let all = silenced(transaction, id)?;
    if all.len() > limits::MAX_SILENCED {
        let text = format!(
            "nobody can silence more than {} people",
            limits::MAX_SILENCED
        );
        return Err(Problem::exhausted("SILENCE_LIMIT_REACHED", text).into());
    }
    Ok(all)
}
