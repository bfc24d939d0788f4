//! `request_id`: a call that is repeated has its effect once.
//!
//! - The first call with an id runs in a task of its own, so that it comes to its end even if its
//!   caller goes away; whoever repeats it meanwhile waits for the same answer.
//! - A success is remembered for ten minutes from the first call on. A refusal is not: it changed
//!   nothing, so a repetition asks again and hears how things stand by then.
//! - The same id with another request is REQUEST_ID_REUSED; ids of different callers are different.
//! - The table is bounded. While it is full, calls with a new id are refused with NODE_OVERLOADED
//!   rather than that a promise is broken. Where tenants share it, none can fill it for the others
//!   ([`may_take`]).

use std::{
    collections::{BTreeMap, HashMap},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use prost::Message;
use sha2::{Digest as _, Sha256};
use stoa_api::v1::ErrorReason;
use stoa_core::TenantId;
use tokio::time::Instant;

use crate::{authenticate::Caller, errors::Failure, settings::Current, tenants::may_take};

/// The longest delay that is asked for when the table is full; some ids expire sooner.
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// An encoded answer, or why there is none.
type Outcome = Result<Bytes, Failure>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    caller: Caller,
    request_id: String,
}

struct Entry {
    number: u64,
    expires: Instant,
    request: [u8; 32],
    answer: Shared<BoxFuture<'static, Outcome>>,
}

#[derive(Default)]
struct Table {
    entries: HashMap<Key, Entry>,
    /// The keys by age.
    ages: BTreeMap<u64, Key>,
    /// How many each tenant has.
    counts: HashMap<TenantId, usize>,
    next_number: u64,
}

/// How many tenants share something.
#[derive(Clone)]
pub(crate) enum Tenants {
    /// Always as many.
    Fixed(usize),
    /// As many as the settings have at the time.
    Of(Current),
}

impl Tenants {
    fn count(&self) -> usize {
        match self {
            Self::Fixed(count) => *count,
            Self::Of(current) => current.get().quotas.len(),
        }
    }
}

/// The calls with a `request_id` of the last minutes. Clones share them.
#[derive(Clone)]
pub(crate) struct Requests {
    limit: usize,
    lifetime: Duration,
    /// How many tenants share them.
    tenants: Tenants,
    table: Arc<Mutex<Table>>,
}

impl Requests {
    pub(crate) fn new(limit: usize, lifetime: Duration) -> Self {
        Self {
            limit,
            lifetime,
            tenants: Tenants::Fixed(1),
            table: Arc::default(),
        }
    }

    /// The same, shared by all tenants that there are.
    pub(crate) fn shared_by(self, tenants: Tenants) -> Self {
        Self { tenants, ..self }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the operation, unless the same call came before: then returns its answer.
    pub(crate) async fn once<Q, A, F>(
        &self,
        caller: &Caller,
        request_id: &str,
        (method, request): (&'static str, &Q),
        operation: F,
    ) -> Result<A, Failure>
    where
        Q: Message,
        A: Message + Default,
        F: Future<Output = Result<A, Failure>> + Send + 'static,
    {
        if request_id.is_empty() {
            return operation.await;
        }
        let key = Key {
            caller: caller.clone(),
            request_id: request_id.to_owned(),
        };
        let answer = self.enter(key, fingerprint(method, request), operation)?;
        let encoded = answer.await?;
        A::decode(encoded).map_err(|error| {
            tracing::error!(%error, "a remembered answer cannot be read");
            Failure::internal()
        })
    }

    /// The answer of the first call with this key: one that is remembered, or this one's.
    fn enter<A: Message>(
        &self,
        key: Key,
        request: [u8; 32],
        operation: impl Future<Output = Result<A, Failure>> + Send + 'static,
    ) -> Result<Shared<BoxFuture<'static, Outcome>>, Failure> {
        let now = Instant::now();
        let mut table = self.table();
        table.expire(now);
        if let Some(entry) = table.entries.get(&key) {
            return match entry.request == request {
                true => Ok(entry.answer.clone()),
                false => Err(reused(&key.request_id)),
            };
        }
        let own = table.counts.get(key.caller.tenant()).copied();
        if !may_take(
            self.limit,
            table.entries.len(),
            own.unwrap_or(0),
            self.tenants.count(),
        ) {
            return Err(full(table.oldest_expires(now)));
        }
        let number = table.next_number;
        table.next_number += 1;
        let answer = self.run(number, operation);
        table.ages.insert(number, key.clone());
        *table.counts.entry(key.caller.tenant().clone()).or_default() += 1;
        let expires = now + self.lifetime;
        table.entries.insert(
            key,
            Entry {
                number,
                expires,
                request,
                answer: answer.clone(),
            },
        );
        Ok(answer)
    }

    fn run<A: Message>(
        &self,
        number: u64,
        operation: impl Future<Output = Result<A, Failure>> + Send + 'static,
    ) -> Shared<BoxFuture<'static, Outcome>> {
        let requests = self.clone();
        let task = tokio::spawn(async move {
            let ended = AssertUnwindSafe(operation).catch_unwind().await;
            let outcome = ended.unwrap_or_else(|_panic| {
                tracing::error!("a handler panicked");
                Err(Failure::internal())
            });
            if outcome.is_err() {
                requests.table().forget(number);
            }
            outcome.map(|answer| Bytes::from(answer.encode_to_vec()))
        });
        // The task fails only if the runtime ends.
        task.map(|joined| joined.unwrap_or_else(|_| Err(Failure::draining())))
            .boxed()
            .shared()
    }
}

impl Table {
    fn forget(&mut self, number: u64) {
        let Some(key) = self.ages.remove(&number) else {
            return;
        };
        self.entries.remove(&key);
        let tenant = key.caller.tenant();
        if let Some(count) = self.counts.get_mut(tenant) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(tenant);
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((&number, key)) = self.ages.first_key_value() {
            let entry = self.entries.get(key);
            if entry.is_some_and(|entry| entry.number == number && entry.expires > now) {
                break;
            }
            self.forget(number);
        }
    }

    fn oldest_expires(&self, now: Instant) -> Duration {
        let oldest = self
            .ages
            .first_key_value()
            .and_then(|(_, key)| self.entries.get(key));
        oldest.map_or(Duration::ZERO, |entry| {
            entry.expires.saturating_duration_since(now)
        })
    }
}

/// Tells requests apart, those of different methods included.
fn fingerprint<Q: Message>(method: &str, request: &Q) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(method);
    hash.update([0]);
    hash.update(request.encode_to_vec());
    hash.finalize().into()
}

fn reused(request_id: &str) -> Failure {
    Failure::new(
        ErrorReason::RequestIdReused,
        "this request_id came before with another request; use a new one",
    )
    .with("request_id", request_id)
}

fn full(retry: Duration) -> Failure {
    Failure::new(
        ErrorReason::NodeOverloaded,
        "the node remembers as many request_ids as it may; repeat the call after the given delay, \
         or make it without one",
    )
    .after(retry.min(LONGEST_RETRY))
}

#[cfg(test)]
mod tests;
