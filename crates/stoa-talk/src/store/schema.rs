//! The tables.

use rand::Rng as _;
use rusqlite::{Connection, Transaction, params};

/// What this version of the service reads and writes; `user_version` of the file.
const VERSION: i64 = 2;

/// Rooms, and who was in them: all there was in version 1.
const ROOMS: &str = "
-- One row. What the ids of all participants begin with, so that this service knows its own.
CREATE TABLE service (instance TEXT NOT NULL) STRICT;

CREATE TABLE rooms (
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    -- Whether the name alone lets people in, and as what.
    open INTEGER NOT NULL,
    newcomers TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    room TEXT NOT NULL REFERENCES rooms (name) ON DELETE CASCADE,
    token BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    label TEXT NOT NULL,
    one_person INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX links_of_room ON links (room);

-- Everybody who was ever let into a room. `id` is Stoa's participant id.
CREATE TABLE people (
    id TEXT PRIMARY KEY,
    room TEXT NOT NULL REFERENCES rooms (name) ON DELETE CASCADE,
    browser BLOB NOT NULL,
    window BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    creator INTEGER NOT NULL DEFAULT 0,
    muted INTEGER NOT NULL DEFAULT 0,
    hand_raised_at INTEGER,
    invited INTEGER NOT NULL DEFAULT 0,
    link INTEGER REFERENCES links (id) ON DELETE SET NULL,
    seen_at INTEGER NOT NULL,
    removed_at INTEGER,
    UNIQUE (room, browser, window)
) STRICT, WITHOUT ROWID;
CREATE INDEX people_by_link ON people (link);

-- Who has come in by which link: it gives its role once to each.
CREATE TABLE link_uses (
    link INTEGER NOT NULL REFERENCES links (id) ON DELETE CASCADE,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (link, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_uses_of_person ON link_uses (person);

-- Whom somebody does not want to hear.
CREATE TABLE silences (
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    silenced TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (person, silenced)
) STRICT, WITHOUT ROWID;
CREATE INDEX silences_of_silenced ON silences (silenced);
";

/// Who may use the service at all: since version 2.
const MEMBERS: &str = "
-- Null until the service has been told how to begin.
ALTER TABLE service ADD COLUMN admission TEXT;
-- Who made the link: it ends with a ban of theirs.
ALTER TABLE links ADD COLUMN maker TEXT REFERENCES people (id) ON DELETE SET NULL;
CREATE INDEX links_by_maker ON links (maker);
CREATE INDEX people_of_browser ON people (browser);

CREATE TABLE waves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    -- How many people each who comes in with it may invite.
    invites INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    opened_at INTEGER
) STRICT;

-- Without an inviter it is the administrator's. One that is revoked has no places left.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code BLOB NOT NULL UNIQUE,
    wave INTEGER NOT NULL REFERENCES waves (id) ON DELETE CASCADE,
    inviter INTEGER REFERENCES members (id) ON DELETE CASCADE,
    places INTEGER NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    CHECK (taken BETWEEN 0 AND places)
) STRICT;
CREATE INDEX invitations_of_wave ON invitations (wave);
CREATE INDEX invitations_by_inviter ON invitations (inviter);

-- Everybody whom the service knows: who is in, waits on the list, or is banned. One for each browser.
CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    browser BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- By what they came in. Without both, everybody could.
    invitation INTEGER REFERENCES invitations (id) ON DELETE SET NULL,
    wave INTEGER REFERENCES waves (id) ON DELETE SET NULL,
    invites INTEGER NOT NULL DEFAULT 0,
    asked_at INTEGER,
    admitted_at INTEGER,
    banned_at INTEGER,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX members_by_invitation ON members (invitation);
CREATE INDEX members_of_wave ON members (wave);
CREATE INDEX members_waiting ON members (asked_at) WHERE admitted_at IS NULL;
CREATE INDEX members_banned ON members (banned_at) WHERE banned_at IS NOT NULL;
";

/// Whoever was let into a room before there were members is one.
const FIRST_MEMBERS: &str = "
INSERT INTO members (browser, name, admitted_at, seen_at)
    SELECT browser, name, seen_at, max(seen_at) FROM people GROUP BY browser;
";

/// Makes the database ready, and returns what the ids of its participants begin with.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<String> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // Readers of the file do not wait, and a crash loses the last moments at most.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    let transaction = connection.transaction()?;
    match transaction.pragma_query_value(None, "user_version", |row| row.get(0))? {
        0 => make(&transaction)?,
        1 => {
            transaction.execute_batch(MEMBERS)?;
            transaction.execute_batch(FIRST_MEMBERS)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        VERSION => {}
        other => return Err(wrong_version(other)),
    }
    let instance = transaction.query_row("SELECT instance FROM service", [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(instance)
}

fn make(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(ROOMS)?;
    transaction.execute_batch(MEMBERS)?;
    let instance = format!("{:08x}-", rand::rng().random::<u32>());
    transaction.execute(
        "INSERT INTO service (instance) VALUES (?1)",
        params![instance],
    )?;
    transaction.pragma_update(None, "user_version", VERSION)
}

/// A new database as the first version made it.
#[cfg(test)]
pub(super) fn make_version_1(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute_batch(ROOMS)?;
    connection.execute("INSERT INTO service (instance) VALUES ('test-')", [])?;
    connection.pragma_update(None, "user_version", 1)
}

fn wrong_version(found: i64) -> rusqlite::Error {
    let text = format!("the database has version {found}; this program knows version {VERSION}");
    rusqlite::Error::ToSqlConversionFailure(text.into())
}
