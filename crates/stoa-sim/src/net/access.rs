//! What the network is to one client, and what it has done to its packets.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    history::SentPacket,
    link::Wire,
    nat::Nat,
    random::Random,
    sealed::{Reuse, Sealed},
};

/// One client's way to the node and back.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) up: Wire,
    pub(super) down: Wire,
    pub(super) nat: Option<Nat>,
    /// Whether nothing comes through, either way.
    pub(super) is_cut: bool,
    /// The highest number of its packets that has reached the node.
    pub(super) highest: Option<u32>,
    /// [`Member::missing`](crate::history::Member::missing).
    pub(super) missing: BTreeMap<u32, Duration>,
    /// [`Member::lost`](crate::history::Member::lost).
    pub(super) lost: Vec<SentPacket>,
    /// [`Member::unheard`](crate::history::Member::unheard).
    pub(super) unheard: Vec<SentPacket>,
    /// What was sealed for its session.
    pub(super) sealed: Sealed,
    /// [`Member::reused`](crate::history::Member::reused).
    pub(super) reused: Vec<(Duration, Reuse)>,
}

impl Access {
    /// A good one, whose links will draw from the children of `random`.
    pub(super) fn new(random: &Random) -> Self {
        Self {
            up: Wire::new(&random.child(0)),
            down: Wire::new(&random.child(1)),
            nat: None,
            is_cut: false,
            highest: None,
            missing: BTreeMap::new(),
            lost: Vec::new(),
            unheard: Vec::new(),
            sealed: Sealed::default(),
            reused: Vec::new(),
        }
    }

    /// The node has sealed a datagram for it.
    pub(super) fn see_sealed(&mut self, at: Duration, datagram: &[u8]) {
        let reuse = self.sealed.see(datagram);
        self.reused.extend(reuse.map(|reuse| (at, reuse)));
    }
}
