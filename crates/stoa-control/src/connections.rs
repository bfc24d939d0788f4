//! How many connections a port may have at a time: in all, and of each source, so that one address does not
//! keep everybody else out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{rates::Source, settings::Current};

/// Why a connection was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowded {
    /// There are as many connections as may be.
    Full,
    /// There are as many from this source as may be: an IPv4 address, or an IPv6 /64.
    Source,
}

impl Crowded {
    /// Its name, for a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Source => "source",
        }
    }
}

/// The connections of a port, or of several that share a limit. Clones are the same.
#[derive(Clone)]
pub struct Connections {
    table: Arc<Mutex<Table>>,
    limit: usize,
    /// Says how many may come from one source.
    current: Current,
}

#[derive(Default)]
struct Table {
    all: usize,
    /// By a table whose hashes nobody can guess. No longer than there are connections.
    sources: HashMap<Source, usize>,
    refused_full: u64,
    refused_source: u64,
}

/// The place of a connection, until it is dropped.
pub struct Place {
    table: Arc<Mutex<Table>>,
    source: Source,
}

impl Connections {
    /// As many as `limit` at a time; from each source as many as the settings say.
    pub(crate) fn new(limit: usize, current: Current) -> Self {
        Self {
            table: Arc::default(),
            limit,
            current,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    /// Takes a place for a connection from there.
    ///
    /// # Errors
    /// [`Crowded`]; it is counted.
    pub fn enter(&self, source: IpAddr) -> Result<Place, Crowded> {
        let per_source = self.current.get().connections_per_source;
        let source = Source::from(source);
        let mut table = self.table();
        if table.all >= self.limit {
            table.refused_full += 1;
            return Err(Crowded::Full);
        }
        let of_source = table.sources.get(&source).copied().unwrap_or(0);
        if of_source >= per_source {
            table.refused_source += 1;
            return Err(Crowded::Source);
        }
        table.all += 1;
        table.sources.insert(source, of_source + 1);
        drop(table);
        Ok(Place {
            table: Arc::clone(&self.table),
            source,
        })
    }

    /// Whether one in `fraction` of what may be is taken, in all or from there.
    pub(crate) fn is_busy(&self, source: IpAddr, fraction: usize) -> bool {
        let per_source = self.current.get().connections_per_source;
        let table = self.table();
        let of_source = table.sources.get(&source.into()).copied().unwrap_or(0);
        table.all >= self.limit / fraction || of_source >= per_source / fraction
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.table().all
    }

    /// How many were turned away since the start, for each reason.
    pub fn refused(&self) -> [(Crowded, u64); 2] {
        let table = self.table();
        [
            (Crowded::Full, table.refused_full),
            (Crowded::Source, table.refused_source),
        ]
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        table.all -= 1;
        if let Some(count) = table.sources.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                table.sources.remove(&self.source);
            }
        }
    }
}
