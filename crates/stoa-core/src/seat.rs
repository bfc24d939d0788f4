//! A seat: a participant's way in and out of the node at whose worker their datagrams arrive.
//!
//! Their room may be at home with another worker, and their session in a lobby until it is keyed. The
//! addresses from which they have proven themselves are always here.

use std::time::Instant;

use crate::{
    endpoint::Endpoint,
    ids::LobbyId,
    keys::{BankKey, LobbyKey, MemberAt},
    limits::{MAX_ADDRESSES_PER_PARTICIPANT, MAX_ADDRESSES_PER_SESSION, MAX_FORMER_CREDENTIALS},
    pace::Paces,
    quality::{ConnectionQuality, Measured},
    session::Session,
    stats::DropReason,
};

/// A session in a lobby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) lobby: LobbyId,
    pub(crate) session: LobbyKey,
}

/// Where a session is.
pub(crate) enum Place {
    Here(Box<Session>),
    /// It is being set up elsewhere, and moves here when it is keyed.
    Lobby(Ticket),
}

/// One participant's seat.
pub(crate) struct Seat {
    pub(crate) member: MemberAt,
    pub(crate) place: Place,
    /// The slots that they hear, if they listen.
    pub(crate) bank: Option<BankKey>,
    /// Our side's ICE user name fragment.
    pub(crate) ufrag: String,
    /// Those before ICE restarts, until the client has nominated a pair by the present one. Any answer may
    /// have been the last that reached the client.
    pub(crate) former_ufrags: Vec<String>,
    /// From where they have proven themselves, oldest first.
    pub(crate) addresses: Vec<Endpoint>,
    /// How many there ever were.
    addresses_seen: usize,
    /// Which of them the client nominated last. The session itself keeps to the first one until that
    /// has been silent for 15 s (str0m 0.25), which a client behind a new NAT address cannot wait for.
    pub(crate) reachable_at: Option<Endpoint>,
    pub(crate) taken_at: Instant,
    /// When something authentic last came from them.
    pub(crate) last_heard: Instant,
    /// Whether ICE and DTLS are done.
    pub(crate) is_connected: bool,
    /// Since when nothing is sent to them, because nothing comes from them.
    pub(crate) away_since: Option<Instant>,
    /// Whether their home lets them be heard.
    pub(crate) may_speak: bool,
    /// Whether something was written that the session has yet to send.
    pub(crate) is_dirty: bool,
    /// What their home was last told.
    pub(crate) quality: Option<ConnectionQuality>,
    /// What it was told from.
    pub(crate) measured: Measured,
    /// What they may send.
    pub(crate) paces: Paces,
    /// What was dropped of what they sent, by reason.
    dropped: [u32; DropReason::ALL.len()],
}

impl Seat {
    pub(crate) fn new(
        now: Instant,
        member: MemberAt,
        place: Place,
        bank: Option<BankKey>,
        ufrag: String,
    ) -> Self {
        Self {
            member,
            place,
            bank,
            ufrag,
            former_ufrags: Vec::new(),
            addresses: Vec::new(),
            addresses_seen: 0,
            reachable_at: None,
            taken_at: now,
            last_heard: now,
            is_connected: false,
            away_since: None,
            may_speak: false,
            is_dirty: false,
            quality: None,
            measured: Measured::default(),
            paces: Paces::new(now),
            dropped: [0; DropReason::ALL.len()],
        }
    }

    /// Something that they sent was dropped.
    pub(crate) fn count_drop(&mut self, reason: DropReason) {
        let count = &mut self.dropped[reason as usize];
        *count = count.saturating_add(1);
    }

    /// How much was dropped of what they sent, for each reason that there was.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = (DropReason, u32)> {
        let all = DropReason::ALL.into_iter().zip(self.dropped);
        all.filter(|(_, count)| *count > 0)
    }

    /// The session, if it is not in a lobby.
    pub(crate) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.place {
            Place::Here(session) => Some(session),
            Place::Lobby(_) => None,
        }
    }

    /// Where they are reached: where they want to be, or else where they came from last.
    pub(crate) fn address(&self) -> Option<Endpoint> {
        self.reachable_at.or(self.addresses.last().copied())
    }

    /// ICE begins anew under another name, and the session has forgotten what it knew of addresses. Returns
    /// the name that is of no use any more, if there were too many.
    pub(crate) fn restarted(&mut self, ufrag: String) -> Option<String> {
        self.addresses_seen = self.addresses.len();
        let before = std::mem::replace(&mut self.ufrag, ufrag);
        self.former_ufrags.push(before);
        // The first one is that which the client was last seen to use.
        (self.former_ufrags.len() > MAX_FORMER_CREDENTIALS).then(|| self.former_ufrags.remove(1))
    }

    /// The client uses a former name: of its answers it has that one, or has had no later one.
    pub(crate) fn uses_former(&mut self, ufrag: &str) {
        let mut names = self.former_ufrags.iter();
        if let Some(at) = names.position(|name| name == ufrag) {
            self.former_ufrags.swap(0, at);
        }
    }

    /// Remembers a new address from which they have proven themselves, and which one has to be
    /// forgotten for it, if any. Nothing if they have come from too many.
    pub(crate) fn remember(&mut self, address: Endpoint) -> Option<Option<Endpoint>> {
        if self.addresses_seen >= MAX_ADDRESSES_PER_SESSION {
            return None;
        }
        self.addresses_seen += 1;
        self.addresses.push(address);
        let is_full = self.addresses.len() > MAX_ADDRESSES_PER_PARTICIPANT;
        Some(is_full.then(|| self.addresses.remove(0)))
    }

    /// They cannot be reached there any more.
    pub(crate) fn forget(&mut self, address: Endpoint) {
        self.addresses.retain(|&known| known != address);
        if self.reachable_at == Some(address) {
            self.reachable_at = None;
        }
    }
}
