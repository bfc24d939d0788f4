//! The sessions that were opened here, by the name in their address.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};
use stoa_core::SessionId;
use stoa_token::Grant;

use crate::limits;

/// One session.
pub(crate) struct Session {
    /// What its token granted.
    pub(crate) grant: Grant,
    /// The media session.
    pub(crate) media: SessionId,
    /// The SHA-256 of the token that opened it.
    token: [u8; 32],
    /// What changes with an ICE restart. Held while one is under way, so that there is one at a time.
    pub(crate) ice: tokio::sync::Mutex<Ice>,
}

/// An ICE session of a media session.
pub(crate) struct Ice {
    /// Its entity tag, with the quotes.
    pub(crate) tag: String,
    /// The client's offer, as it would be made now.
    pub(crate) offer: String,
}

/// A name that cannot be guessed, for an address: 128 bits from the system, as hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn new() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who knows it can act for its client.
        f.write_str("Name(..)")
    }
}

/// A strong entity tag (RFC 9110, section 8.8.3).
pub(crate) fn new_tag() -> String {
    format!("\"{:016x}\"", rand::random::<u64>())
}

impl Session {
    pub(crate) fn new(grant: Grant, media: SessionId, token: &str, offer: String) -> Self {
        Self {
            grant,
            media,
            token: Sha256::digest(token.as_bytes()).into(),
            ice: tokio::sync::Mutex::new(Ice {
                tag: new_tag(),
                offer,
            }),
        }
    }

    /// Whether this is the token that opened it. It stays good for that when it has expired. Compares
    /// hashes.
    pub(crate) fn opened_by(&self, token: &str) -> bool {
        stoa_secret::is_equal(&Sha256::digest(token.as_bytes()), &self.token)
    }
}

/// The table of sessions.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Table>);

#[derive(Default)]
struct Table {
    sessions: HashMap<String, Arc<Session>>,
    /// Places that are taken by those who are about to enter.
    reserved: usize,
}

/// A place for a session, taken before it exists. Dropping it gives it back.
pub(crate) struct Place<'a>(&'a Sessions);

impl Sessions {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more, unless there are as many as may be.
    pub(crate) fn reserve(&self) -> Option<Place<'_>> {
        let mut table = self.table();
        if table.sessions.len() + table.reserved >= limits::SESSIONS {
            return None;
        }
        table.reserved += 1;
        Some(Place(self))
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Session>> {
        self.table().sessions.get(name).cloned()
    }

    pub(crate) fn remove(&self, name: &str) {
        self.table().sessions.remove(name);
    }

    /// Forgets those that are over.
    pub(crate) fn retain(&self, is_in: impl Fn(&Session) -> bool) {
        // Not asked under the lock: the answer takes locks of its own.
        let all: Vec<(String, Arc<Session>)> = {
            let table = self.table();
            let each = table.sessions.iter();
            each.map(|(name, session)| (name.clone(), Arc::clone(session)))
                .collect()
        };
        for (name, session) in all {
            if !is_in(&session) {
                self.remove(&name);
            }
        }
    }
}

impl Place<'_> {
    /// Puts a session in it.
    pub(crate) fn fill(self, session: Session) -> Name {
        let name = Name::new();
        let session = Arc::new(session);
        self.0.table().sessions.insert(name.0.clone(), session);
        name
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.table().reserved -= 1;
    }
}
