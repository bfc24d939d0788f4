//! Who gets into a room, and as what.

use rand::Rng as _;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{
    Outcome, links, members,
    people::{self, PersonRow},
    rooms::{self, Room},
};
use crate::{problem::Problem, role::Role, secret::SecretHash};

/// Somebody at the door.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The room's name.
    pub(crate) room: String,
    /// The name to show.
    pub(crate) name: String,
    /// Which browser it is.
    pub(crate) browser: SecretHash,
    /// Which of its windows it is.
    pub(crate) window: SecretHash,
    /// The link that they have followed.
    pub(crate) token: Option<SecretHash>,
    /// The room that they want to make.
    pub(crate) create: Option<Room>,
}

/// What this service allows, and what it knows of the room at the moment.
#[derive(Debug, Clone)]
pub(crate) struct House {
    /// Whether a name alone may open a room.
    pub(crate) open_rooms: bool,
    /// What a participant id begins with.
    pub(crate) instance: String,
    /// The ids of those who are in the room now.
    pub(crate) present: Vec<String>,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

/// Somebody who may come in.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    /// The room.
    pub(crate) room: Room,
    /// Whether it was made just now.
    pub(crate) created: bool,
    /// Who they are in it.
    pub(crate) person: PersonRow,
    /// Whom they do not want to hear.
    pub(crate) silenced: Vec<String>,
}

/// Lets the visitor in, or says why not.
pub(crate) fn admit(
    transaction: &Transaction<'_>,
    house: &House,
    visitor: &Visitor,
) -> Outcome<Admitted> {
    members::pass(transaction, &visitor.browser, &visitor.name, house.now)?;
    let (room, created) = room(transaction, house, visitor)?;
    refuse_removed(transaction, visitor)?;
    let known = recognise(transaction, house, visitor, room.open)?;
    let link = match &visitor.token {
        Some(token) => links::find(transaction, &visitor.room, token)?,
        None => None,
    };
    let by_link = |id: Option<&str>| -> Outcome<Option<links::Link>> {
        let Some(link) = link.clone() else {
            return Ok(None);
        };
        let used = match id {
            Some(id) => links::was_used_by(transaction, link.id, id)?,
            None => false,
        };
        // A link gives its role once: whoever was moved to the audience stays there.
        if used {
            return Ok(None);
        }
        if link.one_person && link.uses > 0 {
            let text = "this link was for one person, who has used it";
            return Err(Problem::denied("INVITATION_USED", text).into());
        }
        Ok(Some(link))
    };

    let (mut person, link) = match known {
        Some(mut person) => {
            // Somebody who is in the room's memory needs no link; a bad one does not shut them out.
            let link = by_link(Some(&person.id)).ok().flatten();
            if let Some(link) = &link
                && link.role > person.role
            {
                person.raise(link.role);
            }
            (person, link)
        }
        None => {
            let link = by_link(None)?;
            let role = if created {
                Role::Moderator
            } else {
                role_of_newcomer(&room, link.as_ref(), visitor.token.is_some())?
            };
            people::make_room(transaction, &visitor.room, &house.present)?;
            (introduce(transaction, house, visitor, role, created)?, link)
        }
    };
    person.name.clone_from(&visitor.name);
    people::save(transaction, &person)?;
    if let Some(link) = link {
        links::note_use(transaction, link.id, &person.id)?;
    }
    let sql = "UPDATE people SET seen_at = ?2 WHERE id = ?1";
    transaction.execute(sql, params![person.id, house.now])?;
    rooms::touch(transaction, &visitor.room, house.now)?;
    let silenced = people::silenced(transaction, &person.id)?;
    Ok(Admitted {
        room,
        created,
        person,
        silenced,
    })
}

fn room(transaction: &Transaction<'_>, house: &House, visitor: &Visitor) -> Outcome<(Room, bool)> {
    let found = rooms::find(transaction, &visitor.room)?;
    let new = match (found, &visitor.create) {
        (Some(_), Some(_)) if !made_by(transaction, visitor)? => {
            return Err(Problem::exists("ROOM_EXISTS", "there is a room of this name").into());
        }
        // Also another try of who has made it.
        (Some(room), _) => return Ok((room, false)),
        (None, Some(new)) => new.clone(),
        (None, None) if house.open_rooms && visitor.token.is_none() => Room {
            title: visitor.room.clone(),
            open: true,
            newcomers: Role::Speaker,
        },
        // The same as for a room that exists: names tell nothing.
        (None, None) => return Err(not_invited(visitor.token.is_some()).into()),
    };
    if new.open && !house.open_rooms {
        let text = "this service has rooms by invitation only";
        return Err(Problem::denied("OPEN_ROOMS_OFF", text).into());
    }
    rooms::create(transaction, &visitor.room, &new, house.now)?;
    Ok((new, true))
}

/// Whether the visitor's browser has made the room that they name.
fn made_by(transaction: &Transaction<'_>, visitor: &Visitor) -> Outcome<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM people WHERE room = ?1 AND browser = ?2 AND creator)";
    let parameters = params![visitor.room, visitor.browser];
    Ok(transaction.query_row(sql, parameters, |row| row.get(0))?)
}

fn refuse_removed(transaction: &Transaction<'_>, visitor: &Visitor) -> Outcome<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM people
               WHERE room = ?1 AND browser = ?2 AND removed_at IS NOT NULL)";
    let parameters = params![visitor.room, visitor.browser];
    if transaction.query_row(sql, parameters, |row| row.get(0))? {
        let text = "a moderator has removed you from this room";
        return Err(Problem::denied("REMOVED", text).into());
    }
    Ok(())
}

/// Who the visitor was when they were here before. By invitation, a browser is one person. In an
/// open room each of its windows is one; a new window is whoever of this browser is away.
fn recognise(
    transaction: &Transaction<'_>,
    house: &House,
    visitor: &Visitor,
    open: bool,
) -> Outcome<Option<PersonRow>> {
    let Visitor {
        room,
        browser,
        window,
        ..
    } = visitor;
    let sql = "SELECT id FROM people WHERE room = ?1 AND browser = ?2 AND window = ?3";
    let parameters = params![room, browser, window];
    let same: Option<String> = transaction
        .query_row(sql, parameters, |row| row.get(0))
        .optional()?;
    if let Some(id) = same {
        return Ok(people::find(transaction, room, &id)?);
    }
    let order = "browser = ?2 ORDER BY role = 'moderator' DESC, seen_at DESC";
    let mut others = people::select(transaction, order, params![room, browser])?.into_iter();
    let person = others.find(|person| !open || !house.present.contains(&person.id));
    if let Some(person) = &person {
        let sql = "UPDATE people SET window = ?2 WHERE id = ?1";
        transaction.execute(sql, params![person.id, window])?;
    }
    Ok(person)
}

fn role_of_newcomer(room: &Room, link: Option<&links::Link>, had_token: bool) -> Outcome<Role> {
    match link {
        Some(link) if room.open => Ok(link.role.max(room.newcomers)),
        Some(link) => Ok(link.role),
        None if room.open => Ok(room.newcomers),
        None => Err(not_invited(had_token).into()),
    }
}

fn not_invited(had_token: bool) -> Problem {
    if had_token {
        Problem::denied(
            "INVITATION_INVALID",
            "this link does not hold, or not any more",
        )
    } else {
        Problem::denied("INVITATION_REQUIRED", "this room is entered by a link")
    }
}

fn introduce(
    transaction: &Transaction<'_>,
    house: &House,
    visitor: &Visitor,
    role: Role,
    creator: bool,
) -> Outcome<PersonRow> {
    let id = format!("{}{:016x}", house.instance, rand::rng().random::<u64>());
    transaction.execute(
        "INSERT INTO people (id, room, browser, window, name, role, creator, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            id,
            visitor.room,
            visitor.browser,
            visitor.window,
            visitor.name,
            role,
            creator,
            house.now
        ],
    )?;
    Ok(PersonRow {
        id,
        name: visitor.name.clone(),
        role,
        creator,
        muted: false,
        hand_raised_at: None,
        invited: false,
        removed_at: None,
    })
}
