//! Resume tokens, by which participants come back.
//!
//! A resume token is 256 random bits of the operating system, given out once with the answer to Join. Here is
//! kept its SHA-256 alone, for as long as the participant is in the room by the session that it was given out
//! for. (An answer with a `request_id` is remembered as it was, token included, so that its repetition is the
//! same: `idempotency`.) It is taken when it is used, and given back where the Join comes to nothing.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::{TryRngCore as _, rngs::OsRng};
use sha2::{Digest as _, Sha256};
use stoa_core::{Join, ParticipantId, RoomEvent, RoomEventKind, RoomId, SessionId};

use crate::{directory::Directory, errors::Failure};

/// The random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// The longest token that is looked at: what it is in hexadecimal digits.
pub(crate) const MAX_RESUME_TOKEN_BYTES: usize = 2 * TOKEN_BYTES;

type Digest = [u8; 32];

/// The token of one participant.
#[derive(Clone)]
struct Entry {
    session: SessionId,
    digest: Digest,
}

/// Of each participant the token that is good now: no more of them than there are participants.
type Table = HashMap<RoomId, HashMap<ParticipantId, Entry>>;

/// The resume tokens of the node. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct ResumeTokens(Arc<Mutex<Table>>);

/// A token that is being used: it is given back when this is dropped, unless it is spent.
pub(crate) struct Taken<'a> {
    tokens: &'a ResumeTokens,
    directory: &'a Directory,
    room: RoomId,
    participant: ParticipantId,
    entry: Option<Entry>,
}

impl ResumeTokens {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token for this session, in the place of the participant's one before. Empty if they are gone
    /// already.
    ///
    /// # Errors
    /// INTERNAL_FAULT where the operating system has no random numbers.
    pub(crate) fn issue(
        &self,
        directory: &Directory,
        room: &RoomId,
        participant: &ParticipantId,
        session: &SessionId,
    ) -> Result<String, Failure> {
        let mut bytes = [0; TOKEN_BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
            tracing::error!(%error, "there are no random numbers");
            Failure::internal()
        })?;
        let token = hexadecimal(&bytes);
        let entry = Entry {
            session: session.clone(),
            digest: digest(&token),
        };
        let mut table = self.table();
        let here = table.entry(room.clone()).or_default();
        here.insert(participant.clone(), entry);
        drop(table);
        let is_kept = self.is_known(directory, room, participant, session);
        Ok(if is_kept { token } else { String::new() })
    }

    /// Whether the mirror knows the participant by this session; if not, what is kept for it is forgotten.
    /// They may leave at any moment, and [`ResumeTokens::told`] looks after the mirror; so this looks after
    /// something is kept.
    fn is_known(
        &self,
        directory: &Directory,
        room: &RoomId,
        participant: &ParticipantId,
        session: &SessionId,
    ) -> bool {
        let known = directory.get(room);
        let known = known.and_then(|known| known.participant(participant, session));
        if known.is_none() {
            self.forget(room, participant, session);
        }
        known.is_some()
    }

    /// The participant's token, taken, if this is it.
    pub(crate) fn take<'a>(
        &'a self,
        directory: &'a Directory,
        join: &Join,
        token: &str,
    ) -> Option<Taken<'a>> {
        let mut table = self.table();
        let here = table.get_mut(&join.room)?;
        let entry = here.get(&join.participant)?;
        if !stoa_secret::is_equal(&entry.digest, &digest(token)) {
            return None;
        }
        let entry = here.remove(&join.participant);
        if here.is_empty() {
            table.remove(&join.room);
        }
        Some(Taken {
            tokens: self,
            directory,
            room: join.room.clone(),
            participant: join.participant.clone(),
            entry,
        })
    }

    /// Takes what happens: whoever leaves leaves their token. For after the mirror has taken it.
    pub(crate) fn told(&self, event: &RoomEvent) {
        match &event.kind {
            RoomEventKind::Left {
                participant,
                session,
                ..
            } => self.forget(&event.room, participant, session),
            RoomEventKind::Closed(_) => {
                self.table().remove(&event.room);
            }
            _ => {}
        }
    }

    /// Events were lost: what is in the mirror stays.
    pub(crate) fn told_anew(&self, directory: &Directory) {
        self.table().retain(|id, here| {
            let room = directory.get(id);
            here.retain(|participant, entry| {
                let room = room.as_ref();
                room.is_some_and(|room| room.participant(participant, &entry.session).is_some())
            });
            !here.is_empty()
        });
    }

    fn forget(&self, room: &RoomId, participant: &ParticipantId, session: &SessionId) {
        let mut table = self.table();
        let Some(here) = table.get_mut(room) else {
            return;
        };
        if here
            .get(participant)
            .is_some_and(|entry| entry.session == *session)
        {
            here.remove(participant);
        }
        if here.is_empty() {
            table.remove(room);
        }
    }
}

impl Taken<'_> {
    /// The session that the token was given out for.
    pub(crate) fn session(&self) -> Option<SessionId> {
        self.entry.as_ref().map(|entry| entry.session.clone())
    }

    /// Nobody can use it again.
    pub(crate) fn spend(mut self) {
        self.entry = None;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        let session = entry.session.clone();
        let mut table = self.tokens.table();
        let here = table.entry(self.room.clone()).or_default();
        // Who has left and joined anew meanwhile has another one.
        here.entry(self.participant.clone()).or_insert(entry);
        drop(table);
        let (room, participant) = (&self.room, &self.participant);
        self.tokens
            .is_known(self.directory, room, participant, &session);
    }
}

fn digest(token: &str) -> Digest {
    Sha256::digest(token).into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
