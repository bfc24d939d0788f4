//! What outlasts a restart: rooms, who was in them as what, and links. In SQLite.
//!
//! One thread owns the database; everybody else sends it transactions and waits for their outcome,
//! so that no async thread ever waits for a disk. Whatever is decided on what the database says is
//! decided in the same transaction as the change: two moderators' clicks have one order.
//!
//! `schema` (tables) · `rooms` · `people` · `links` · `admission` (who gets into a room, and as what) ·
//! `moderation` (who may do what to whom in it) · `members` (who may use the service) · `invitations` ·
//! `waves` · `bans`.

pub(crate) mod admission;
pub(crate) mod bans;
pub(crate) mod invitations;
pub(crate) mod links;
pub(crate) mod members;
pub(crate) mod moderation;
pub(crate) mod people;
pub(crate) mod rooms;
mod schema;
pub(crate) mod waves;

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::{limits, problem::Problem};

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In memory: rooms, roles and links end with the service.
    Memory,
    /// In this file, which is made if it is not there. One service at a time uses it.
    File(PathBuf),
}

/// Why a transaction changed nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was not allowed, or made no sense.
    Refused(Problem),
    /// The database failed.
    Sql(rusqlite::Error),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// What a transaction gives.
pub(crate) type Outcome<T> = Result<T, Failure>;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the thread that owns the database. The thread ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    jobs: mpsc::Sender<Job>,
    instance: String,
}

impl Store {
    /// Opens the database, makes its tables where they are missing, and forgets what has not been
    /// used for too long.
    ///
    /// # Errors
    /// If it cannot be opened, is none, or was made by a later version.
    pub(crate) async fn open(database: Database) -> rusqlite::Result<Self> {
        let (opened, outcome) = oneshot::channel();
        let (jobs, mut queue) = mpsc::channel::<Job>(limits::STORE_QUEUE);
        thread::Builder::new()
            .name("database".into())
            .spawn(move || match open(&database) {
                Ok((mut connection, instance)) => {
                    // Nobody waits any more where this fails, and then there are no jobs either.
                    let _ = opened.send(Ok(instance));
                    while let Some(job) = queue.blocking_recv() {
                        job(&mut connection);
                    }
                }
                Err(error) => drop(opened.send(Err(error))),
            })
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let instance = outcome
            .await
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))??;
        Ok(Self { jobs, instance })
    }

    /// What the participant ids of everybody in this database begin with.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// Runs a transaction and keeps what it did, unless it fails.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.run(work, true).await
    }

    /// Runs a transaction and takes back what it did.
    pub(crate) async fn try_out<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.run(work, false).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Outcome<T> + Send + 'static,
        keep: bool,
    ) -> Result<T, Problem> {
        let (done, outcome) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody may be waiting any more; what was asked for is done all the same.
            let _ = done.send(transact(connection, work, keep));
        });
        let lost = || Problem::unavailable("DATABASE_FAILED", "the service's database has failed");
        self.jobs.send(job).await.map_err(|_| lost())?;
        match outcome.await.map_err(|_| lost())? {
            Ok(value) => Ok(value),
            Err(Failure::Refused(problem)) => Err(problem),
            Err(Failure::Sql(error)) => {
                tracing::error!(%error, "the database failed");
                Err(lost())
            }
        }
    }
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Outcome<T>,
    keep: bool,
) -> Outcome<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    if keep {
        transaction.commit()?;
    }
    Ok(value)
}

fn open(database: &Database) -> rusqlite::Result<(Connection, String)> {
    let mut connection = match database {
        Database::Memory => Connection::open_in_memory()?,
        Database::File(path) => {
            make_private(path);
            Connection::open(path)?
        }
    };
    connection.busy_timeout(limits::DATABASE_LOCK_TIMEOUT)?;
    let instance = schema::prepare(&mut connection)?;
    rooms::forget_unused(&connection, now())?;
    Ok((connection, instance))
}

/// Makes a file that is not there yet readable for the service's own user only: it names people. SQLite
/// gives the files beside it the same rights.
fn make_private(path: &Path) {
    let mut options = OpenOptions::new();
    // One that is there is left as it is; what else is wrong, SQLite will say.
    let _ = options.write(true).create_new(true).mode(0o600).open(path);
}

/// Milliseconds since 1970, as the database has its times.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests;
