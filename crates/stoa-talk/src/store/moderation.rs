//! Who may do what to whom. Each function decides and changes in one transaction, and returns the
//! person as they are then.
//!
//! Moderators are equals, but for one thing: nobody takes anything away from who made the room.

use rusqlite::{Transaction, params};
use serde::Serialize;

use super::{
    Outcome, people,
    people::{PersonRow, expect, save},
    rooms,
};
use crate::{limits, problem::Problem, role::Role};

/// Somebody whom a moderator has removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Removed {
    /// Their participant id.
    pub(crate) id: String,
    /// The name that they had.
    pub(crate) name: String,
    /// When, in milliseconds since 1970.
    pub(crate) removed_at: i64,
}

/// The actor, who must be a moderator.
pub(super) fn moderator(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
) -> Outcome<PersonRow> {
    let actor = expect(transaction, room, actor)?;
    if actor.role < Role::Moderator {
        let text = "only a moderator may do this";
        return Err(Problem::denied("NOT_MODERATOR", text).into());
    }
    Ok(actor)
}

/// The person whom a moderator acts upon, where it takes something away.
fn subject(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    target: &str,
) -> Outcome<PersonRow> {
    moderator(transaction, room, actor)?;
    let person = expect(transaction, room, target)?;
    if person.creator && actor != target {
        let text = "nobody takes anything away from who made the room";
        return Err(Problem::denied("TARGET_IS_CREATOR", text).into());
    }
    Ok(person)
}

fn kept(transaction: &Transaction<'_>, person: PersonRow) -> Outcome<PersonRow> {
    save(transaction, &person)?;
    Ok(person)
}

/// Raises or lowers one's own hand. A hand that is up keeps its place.
pub(crate) fn raise_hand(
    transaction: &Transaction<'_>,
    room: &str,
    id: &str,
    raised: bool,
    now: i64,
) -> Outcome<PersonRow> {
    let mut person = expect(transaction, room, id)?;
    if raised && person.role > Role::Listener {
        return Err(Problem::precondition("ON_STAGE", "you may speak already").into());
    }
    person.hand_raised_at = raised.then(|| person.hand_raised_at.unwrap_or(now));
    kept(transaction, person)
}

/// Lowers somebody else's hand.
pub(crate) fn lower_hand(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    target: &str,
) -> Outcome<PersonRow> {
    moderator(transaction, room, actor)?;
    let mut person = expect(transaction, room, target)?;
    person.hand_raised_at = None;
    kept(transaction, person)
}

/// Invites a listener to speak, or takes the invitation back.
pub(crate) fn invite(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    target: &str,
    invited: bool,
) -> Outcome<PersonRow> {
    moderator(transaction, room, actor)?;
    let mut person = expect(transaction, room, target)?;
    if invited && person.role > Role::Listener {
        return Err(Problem::precondition("ON_STAGE", "they may speak already").into());
    }
    person.invited = invited;
    kept(transaction, person)
}

/// Accepts or declines an invitation to speak.
pub(crate) fn answer_invitation(
    transaction: &Transaction<'_>,
    room: &str,
    id: &str,
    accepted: bool,
) -> Outcome<PersonRow> {
    let mut person = expect(transaction, room, id)?;
    if !person.invited {
        let text = "there is no invitation, or not any more";
        return Err(Problem::precondition("NOT_INVITED", text).into());
    }
    person.invited = false;
    person.hand_raised_at = None;
    if accepted {
        person.raise(Role::Speaker);
    }
    kept(transaction, person)
}

/// Goes back to the audience by oneself.
pub(crate) fn step_down(transaction: &Transaction<'_>, room: &str, id: &str) -> Outcome<PersonRow> {
    let mut person = expect(transaction, room, id)?;
    if person.role == Role::Moderator {
        let others = people::select(
            transaction,
            "role = 'moderator' AND removed_at IS NULL AND id <> ?2",
            params![room, id],
        )?;
        if others.is_empty() {
            let text = "make somebody else a moderator first";
            return Err(Problem::precondition("ONLY_MODERATOR", text).into());
        }
    }
    person.role = Role::Listener;
    kept(transaction, person)
}

/// Gives a role. Nobody is put on the stage by others: that takes an invitation.
pub(crate) fn set_role(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    target: &str,
    role: Role,
) -> Outcome<PersonRow> {
    if actor == target {
        let text = "id: this is you; step down instead";
        return Err(Problem::invalid("FIELD_INVALID", text).into());
    }
    let mut person = subject(transaction, room, actor, target)?;
    if person.role == Role::Listener && role > Role::Listener {
        let text = "they are in the audience; invite them to speak first";
        return Err(Problem::precondition("NOT_ON_STAGE", text).into());
    }
    person.role = role;
    person.invited = false;
    kept(transaction, person)
}

/// Mutes somebody, or ends a moderator's mute.
pub(crate) fn set_muted(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    target: &str,
    muted: bool,
) -> Outcome<PersonRow> {
    let mut person = subject(transaction, room, actor, target)?;
    person.muted = muted;
    kept(transaction, person)
}

/// Removes somebody until a moderator lifts it; where asked for, nobody else comes in by the link
/// that they had come by.
pub(crate) fn remove(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    target: &str,
    revoke_link: bool,
    now: i64,
) -> Outcome<PersonRow> {
    if actor == target {
        return Err(Problem::invalid("FIELD_INVALID", "id: this is you").into());
    }
    let mut person = subject(transaction, room, actor, target)?;
    person.removed_at = Some(now);
    person.role = Role::Listener;
    person.invited = false;
    person.hand_raised_at = None;
    if revoke_link {
        let sql = "DELETE FROM links WHERE id = (SELECT link FROM people WHERE id = ?1)";
        transaction.execute(sql, params![target])?;
    }
    kept(transaction, person)
}

/// Who has been removed, the latest first, for a moderator.
pub(crate) fn removed(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
) -> Outcome<Vec<Removed>> {
    moderator(transaction, room, actor)?;
    let most = i64::try_from(limits::MAX_REMOVED_LISTED).unwrap_or(i64::MAX);
    let order = "removed_at IS NOT NULL ORDER BY removed_at DESC LIMIT ?2";
    let people = people::select(transaction, order, params![room, most])?;
    let shown = people.into_iter().map(|person| Removed {
        id: person.id,
        name: person.name,
        removed_at: person.removed_at.unwrap_or_default(),
    });
    Ok(shown.collect())
}

/// Lets somebody come back who was removed: a room by invitation knows them still. Returns those
/// who stay removed.
pub(crate) fn lift_removal(
    transaction: &Transaction<'_>,
    room: &str,
    actor: &str,
    target: &str,
) -> Outcome<Vec<Removed>> {
    moderator(transaction, room, actor)?;
    match people::find(transaction, room, target)? {
        Some(mut person) if person.removed_at.is_some() => {
            person.removed_at = None;
            save(transaction, &person)?;
        }
        _ => {
            let text = "nobody with this id has been removed";
            return Err(Problem::not_found("PERSON_NOT_FOUND", text).into());
        }
    }
    removed(transaction, room, actor)
}

/// Ends the room for everybody and forgets it, its people and links.
pub(crate) fn end(transaction: &Transaction<'_>, room: &str, actor: &str) -> Outcome<()> {
    moderator(transaction, room, actor)?;
    Ok(rooms::delete(transaction, room)?)
}
