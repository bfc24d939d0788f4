//! The bans on disk: one SQLite file in the node's state directory.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, Error, params};
use stoa_core::{ParticipantId, TenantId};

use super::table::{Ban, BanKey, Cause, Change};

/// The file in the state directory.
const FILE: &str = "bans.sqlite";

/// The form of the file; another number means another version of Stoa.
const VERSION: i64 = 1;

/// How long a daemon that is about to end may still have the file.
const BUSY: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
CREATE TABLE ban (
    tenant TEXT NOT NULL,
    room TEXT NOT NULL,
    participant TEXT NOT NULL,
    issued_before_us INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    note TEXT NOT NULL,
    removal INTEGER NOT NULL,
    PRIMARY KEY (tenant, room, participant)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
";

/// What is wrong with the state directory.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be opened, read or written.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: Error,
    },
    /// The file was written by another version of Stoa.
    #[error("{path}: has version {found}; this version of Stoa writes {VERSION}")]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// A row cannot be one that Stoa has written.
    #[error("{path}: the ban of {participant:?} by tenant {tenant:?} is damaged")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The row's tenant.
        tenant: String,
        /// The row's participant.
        participant: String,
    },
}

/// The open file.
pub(super) struct Store {
    path: PathBuf,
    connection: Connection,
}

impl Store {
    /// Opens the file, and makes it if it is not there. The directory has to be.
    pub(super) fn open(directory: &Path) -> Result<Self, StateError> {
        let path = directory.join(FILE);
        let opened = Connection::open(&path).and_then(|mut connection| {
            connection.busy_timeout(BUSY)?;
            // The bans of a file are those in one daemon's memory: a second one has no business here.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            // What is answered has to survive a loss of power.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            let transaction = connection.transaction()?;
            let version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version == 0 {
                transaction.execute_batch(SCHEMA)?;
            }
            transaction.commit()?;
            Ok((connection, version))
        });
        match opened {
            Ok((connection, 0 | VERSION)) => Ok(Self { path, connection }),
            Ok((_, found)) => Err(StateError::Version { path, found }),
            Err(error) => Err(StateError::File { path, error }),
        }
    }

    fn wrong(&self, error: Error) -> StateError {
        let path = self.path.clone();
        StateError::File { path, error }
    }

    /// Every ban in the file.
    pub(super) fn read(&self) -> Result<Vec<(BanKey, Ban)>, StateError> {
        self.rows()
            .map_err(|error| self.wrong(error))?
            .into_iter()
            .map(|row| self.ban(row))
            .collect()
    }

    fn rows(&self) -> Result<Vec<Row>, Error> {
        let mut select = self.connection.prepare(
            "SELECT tenant, room, participant, issued_before_us, created_us, expires_us, note, removal \
             FROM ban",
        )?;
        let rows = select.query_map([], |row| {
            Ok(Row {
                tenant: row.get(0)?,
                room: row.get(1)?,
                participant: row.get(2)?,
                times: [row.get(3)?, row.get(4)?, row.get(5)?],
                note: row.get(6)?,
                is_removal: row.get(7)?,
            })
        })?;
        rows.collect()
    }

    fn ban(&self, row: Row) -> Result<(BanKey, Ban), StateError> {
        let damaged = || StateError::Damaged {
            path: self.path.clone(),
            tenant: row.tenant.clone(),
            participant: row.participant.clone(),
        };
        let [issued_before, created, expires] = row.times;
        let time = |microseconds| from_microseconds(microseconds).ok_or_else(damaged);
        let key = BanKey {
            tenant: TenantId::new(&row.tenant).map_err(|_| damaged())?,
            participant: ParticipantId::new(&row.participant).map_err(|_| damaged())?,
            room: row.room.clone(),
        };
        let ban = Ban {
            issued_before: time(issued_before)?,
            created: time(created)?,
            expires: time(expires)?,
            note: row.note.clone(),
            cause: match row.is_removal {
                true => Cause::Removal,
                false => Cause::Call,
            },
        };
        Ok((key, ban))
    }

    /// Writes down what has become of these, all or nothing.
    pub(super) fn write(&mut self, changes: &[Change]) -> Result<(), StateError> {
        let written = self.connection.transaction().and_then(|transaction| {
            for (key, ban) in changes {
                write_one(&transaction, key, ban.as_ref())?;
            }
            transaction.commit()
        });
        written.map_err(|error| self.wrong(error))
    }

    /// Has everything fail that would change the file, or not any more.
    #[cfg(test)]
    pub(super) fn set_read_only(&self, is_read_only: bool) {
        let set = self
            .connection
            .pragma_update(None, "query_only", is_read_only);
        set.expect("it is a setting");
    }
}

fn write_one(file: &Connection, key: &BanKey, ban: Option<&Ban>) -> Result<(), Error> {
    let BanKey {
        tenant,
        room,
        participant,
    } = key;
    let (tenant, participant) = (tenant.as_str(), participant.as_str());
    let Some(ban) = ban else {
        let delete = "DELETE FROM ban WHERE tenant = ?1 AND room = ?2 AND participant = ?3";
        let named = params![tenant, room, participant];
        return file.execute(delete, named).map(drop);
    };
    let insert = "INSERT OR REPLACE INTO ban VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let row = params![
        tenant,
        room,
        participant,
        to_microseconds(ban.issued_before),
        to_microseconds(ban.created),
        to_microseconds(ban.expires),
        ban.note,
        ban.cause == Cause::Removal,
    ];
    file.execute(insert, row).map(drop)
}

struct Row {
    tenant: String,
    room: String,
    participant: String,
    times: [i64; 3],
    note: String,
    is_removal: bool,
}

/// Times are taken from the year 1970 to ten years from now. They are rounded up: a ban never refuses less than it
/// did before it was written.
fn to_microseconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos().div_ceil(1000)).unwrap_or(i64::MAX)
}

fn from_microseconds(microseconds: i64) -> Option<SystemTime> {
    let since = Duration::from_micros(u64::try_from(microseconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(seconds: u64) -> Change {
        let (key, ban) = ban(seconds);
        (key, Some(ban))
    }

    fn ban(seconds: u64) -> (BanKey, Ban) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let key = BanKey {
            tenant: TenantId::new("t").expect("an identifier"),
            room: String::new(),
            participant: ParticipantId::new("p").expect("an identifier"),
        };
        let ban = Ban {
            issued_before: at,
            created: at,
            expires: at + Duration::from_micros(1),
            note: "why".into(),
            cause: Cause::Removal,
        };
        (key, ban)
    }

    #[test]
    fn what_is_written_is_there_when_it_is_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path()).expect("a new file");
        store.write(&[put(1)]).expect("it is written");
        store.write(&[put(2)]).expect("it is replaced");
        drop(store);
        let mut store = Store::open(folder.path()).expect("the same file");
        assert_eq!(store.read().expect("it is read"), [ban(2)]);
        store.write(&[(ban(2).0, None)]).expect("it is removed");
        assert_eq!(store.read().expect("it is read"), []);
    }

    #[test]
    fn a_file_has_one_daemon() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Store::open(folder.path()).expect("a new file");
        assert!(matches!(
            Store::open(folder.path()),
            Err(StateError::File { .. })
        ));
        drop(first);
        let again = Store::open(folder.path()).expect("nobody has it");
        assert!(
            Store::open(folder.path()).is_err(),
            "also one that is there"
        );
        drop(again);
    }

    #[test]
    fn a_ban_never_refuses_less_than_before() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1001);
        assert!(from_microseconds(to_microseconds(time)).expect("a time") >= time);
    }

    #[test]
    fn a_file_that_is_not_ours_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), vec![b'x'; 4096]).expect("it is written");
        let error = Store::open(folder.path()).err().expect("it is no database");
        assert!(error.to_string().contains(FILE), "{error}");
    }

    #[test]
    fn a_file_of_another_version_is_not_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a new file");
        store
            .connection
            .pragma_update(None, "user_version", 9)
            .expect("it is written");
        drop(store);
        let error = Store::open(folder.path())
            .err()
            .expect("it is another one's");
        assert!(
            matches!(error, StateError::Version { found: 9, .. }),
            "{error}"
        );
    }
}
