//! How many connections a port may have at a time: in all, of each source, and of each tenant, so that nobody keeps
//! everybody else out.
//!
//! Whoever has shown a credential keeps their place. Whoever has not keeps it while there are others: at a full port
//! that makes room for strangers, a new connection takes the place of the oldest stranger of the source that has the
//! most of them. So a port that strangers fill can still be reached by whoever has a credential.

mod place;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use stoa_core::TenantId;

use crate::{gauge::Gauge, rates::Source, settings::Current, tenants::may_take};
pub use place::Place;
use place::Seat;
pub(crate) use place::{CallPlace, Parting};

/// Why a connection was turned away, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowded {
    /// There are as many connections as may be.
    Full,
    /// There are as many from this source as may be: an IPv4 address, or an IPv6 /64.
    Source,
    /// There are as many of its tenant's callers as may be.
    Tenant,
    /// It had shown no credential when another one came to the full port.
    Displaced,
}

impl Crowded {
    /// All of them.
    const ALL: [Self; 4] = [Self::Full, Self::Source, Self::Tenant, Self::Displaced];

    /// Its name, for a label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Source => "source",
            Self::Tenant => "tenant",
            Self::Displaced => "displaced",
        }
    }
}

/// The connections of a port, or of several that share a limit. Clones are the same.
#[derive(Clone)]
pub struct Connections {
    table: Arc<Mutex<Table>>,
    limit: usize,
    /// Whether strangers make room for others where the port is full.
    displaces: bool,
    /// Calls of a tenant that may be under way by all its connections together.
    calls_of_a_tenant: usize,
    /// Says how many may come from one source, and be of one tenant.
    current: Current,
}

#[derive(Default)]
struct Table {
    all: usize,
    /// By a table whose hashes nobody can guess. No longer than there are connections.
    sources: HashMap<Source, OfSource>,
    /// Those that have shown a credential, by their tenant.
    tenants: HashMap<TenantId, OfTenant>,
    /// The number of the next connection.
    next: u64,
    refused: [u64; Crowded::ALL.len()],
}

#[derive(Default)]
struct OfTenant {
    connections: usize,
    calls: Gauge,
}

#[derive(Default)]
struct OfSource {
    all: usize,
    /// Those that have shown no credential, the oldest first.
    strangers: BTreeMap<u64, Arc<Seat>>,
}

impl Connections {
    /// As many as `limit` at a time; from each source as many as the settings say.
    pub(crate) fn new(limit: usize, current: Current) -> Self {
        Self {
            table: Arc::default(),
            limit,
            displaces: false,
            calls_of_a_tenant: usize::MAX,
            current,
        }
    }

    /// The same for a port where whoever shows no credential makes room for others. Its [`Place`]s have to be asked
    /// whether they are still theirs.
    pub(crate) fn displacing(self) -> Self {
        Self {
            displaces: true,
            ..self
        }
    }

    /// The same for a port by which so many calls of a tenant may be under way.
    pub(crate) fn with_calls(self, calls_of_a_tenant: usize) -> Self {
        Self {
            calls_of_a_tenant,
            ..self
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a connection from there.
    ///
    /// # Errors
    /// [`Crowded`]; it is counted.
    pub fn enter(&self, source: IpAddr) -> Result<Place, Crowded> {
        let per_source = self.current.get().connections_per_source;
        let source = Source::from(source);
        let mut table = self.table();
        if table.of_source(&source) >= per_source {
            return Err(table.refuse(Crowded::Source));
        }
        let is_full = table.all >= self.limit;
        if is_full && !(self.displaces && table.displace()) {
            return Err(table.refuse(Crowded::Full));
        }
        let number = table.next;
        table.next += 1;
        table.all += 1;
        let of_source = table.sources.entry(source).or_default();
        of_source.all += 1;
        let seat = Arc::new(Seat::default());
        of_source.strangers.insert(number, Arc::clone(&seat));
        drop(table);
        Ok(Place::new(self.clone(), source, number, seat))
    }

    /// Counts the connection as one of this tenant's, if the tenant may have one more: no more than its quota, and
    /// than [`Connections::seat`] says. Returns what counts the tenant's calls. A refusal is counted.
    fn claim(&self, source: &Source, number: u64, tenant: &TenantId) -> Result<Gauge, Crowded> {
        let settings = self.current.get();
        let quotas = settings.quotas.get(tenant);
        let most = quotas.and_then(|quotas| quotas.connections);
        let seated = self.seat(source, number, tenant, most.unwrap_or(usize::MAX));
        seated.inspect_err(|&why| {
            if why == Crowded::Tenant {
                self.table().refuse(why);
            }
        })
    }

    /// Counts the connection as one of this tenant's, if it has fewer than `most`. Where several share the port, none
    /// may have more than are left for the others.
    fn seat(
        &self,
        source: &Source,
        number: u64,
        tenant: &TenantId,
        most: usize,
    ) -> Result<Gauge, Crowded> {
        let tenants = self.current.get().quotas.len();
        let mut table = self.table();
        let of_source = table.sources.get(source);
        if !of_source.is_some_and(|of| of.strangers.contains_key(&number)) {
            return Err(Crowded::Displaced);
        }
        let own = table.of_tenant(tenant);
        // Strangers do not count: they make room.
        let taken = table.tenants.values().map(|of| of.connections).sum();
        if own >= most || !may_take(self.limit, taken, own, tenants) {
            return Err(Crowded::Tenant);
        }
        let of_tenant = table.tenants.entry(tenant.clone()).or_default();
        of_tenant.connections += 1;
        let calls = of_tenant.calls.clone();
        if let Some(of_source) = table.sources.get_mut(source) {
            of_source.strangers.remove(&number);
        }
        Ok(calls)
    }

    fn of_tenant(&self, tenant: &TenantId) -> usize {
        self.table().of_tenant(tenant)
    }

    /// Whether one in `fraction` of what may be is taken, in all or from there.
    pub(crate) fn is_busy(&self, source: IpAddr, fraction: usize) -> bool {
        let per_source = self.current.get().connections_per_source;
        let table = self.table();
        let of_source = table.of_source(&source.into());
        table.all >= self.limit / fraction || of_source >= per_source / fraction
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.table().all
    }

    /// How many were turned away since the start, for each reason.
    pub fn refused(&self) -> [(Crowded, u64); Crowded::ALL.len()] {
        let table = self.table();
        Crowded::ALL.map(|why| (why, table.refused[why as usize]))
    }
}

impl Table {
    fn of_source(&self, source: &Source) -> usize {
        self.sources.get(source).map_or(0, |of| of.all)
    }

    fn of_tenant(&self, tenant: &TenantId) -> usize {
        self.tenants.get(tenant).map_or(0, |of| of.connections)
    }

    fn refuse(&mut self, why: Crowded) -> Crowded {
        self.refused[why as usize] += 1;
        why
    }

    /// Takes the place of a stranger, if there is one.
    fn displace(&mut self) -> bool {
        let first = |of: &OfSource| of.strangers.first_key_value().map(|(number, _)| *number);
        let most = self
            .sources
            .iter()
            .filter_map(|(source, of)| Some((of.strangers.len(), Reverse(first(of)?), *source)))
            .max_by_key(|(strangers, oldest, _)| (*strangers, *oldest));
        let Some((_, Reverse(number), source)) = most else {
            return false;
        };
        let of_source = self.sources.get(&source);
        if let Some(seat) = of_source.and_then(|of| of.strangers.get(&number)) {
            seat.part(Parting::Now);
        }
        self.leave(&source, number, None);
        self.refuse(Crowded::Displaced);
        true
    }

    /// A connection is over, or its place is somebody else's from now on.
    fn leave(&mut self, source: &Source, number: u64, tenant: Option<&TenantId>) {
        let Some(of_source) = self.sources.get_mut(source) else {
            return;
        };
        if of_source.strangers.remove(&number).is_none() && tenant.is_none() {
            // A stranger's, and it was given away before.
            return;
        }
        self.all -= 1;
        of_source.all -= 1;
        if of_source.all == 0 {
            self.sources.remove(source);
        }
        let Some(tenant) = tenant else {
            return;
        };
        if let Some(of_tenant) = self.tenants.get_mut(tenant) {
            of_tenant.connections -= 1;
            if of_tenant.connections == 0 {
                self.tenants.remove(tenant);
            }
        }
    }
}
