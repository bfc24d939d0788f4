//! The tables.

use rand::Rng as _;
use rusqlite::{Connection, Transaction, params};

/// What this version of the service reads and writes; `user_version` of the file.
const VERSION: i64 = 1;

const TABLES: &str = "
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

/// Makes the database ready, and returns what the ids of its participants begin with.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<String> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // Readers of the file do not wait, and a crash loses the last moments at most.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    let transaction = connection.transaction()?;
    match transaction.pragma_query_value(None, "user_version", |row| row.get(0))? {
        0 => make(&transaction)?,
        VERSION => {}
        other => return Err(wrong_version(other)),
    }
    let instance = transaction.query_row("SELECT instance FROM service", [], |row| row.get(0))?;
    transaction.commit()?;
    Ok(instance)
}

fn make(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLES)?;
    let instance = format!("{:08x}-", rand::rng().random::<u32>());
    transaction.execute(
        "INSERT INTO service (instance) VALUES (?1)",
        params![instance],
    )?;
    transaction.pragma_update(None, "user_version", VERSION)
}

fn wrong_version(found: i64) -> rusqlite::Error {
    let text = format!("the database has version {found}; this program knows version {VERSION}");
    rusqlite::Error::ToSqlConversionFailure(text.into())
}
