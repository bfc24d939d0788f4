//! How a house and its network are set up.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
    time::{Duration, Instant},
};

use stoa_core::{Certificate, EgressPath, Limits};

use super::{Fate, Net, ledger::Ledger};
use crate::{
    house::{House, HouseConfig, Layout},
    random::Random,
    room,
};

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

impl Net {
    /// A node with the default limits, and a room "room".
    pub fn new() -> Self {
        Self::with(Limits::default(), [7; 32])
    }

    /// The same, with other limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self::with(limits, [7; 32])
    }

    /// The same, with other limits and another seed of the node. The network is that of seed 0.
    pub fn with(limits: Limits, seed: [u8; 32]) -> Self {
        Self::with_egress(limits, seed, EgressPath::Direct)
    }

    /// The same, with packets on either path to listeners.
    pub fn with_egress(limits: Limits, seed: [u8; 32], egress: EgressPath) -> Self {
        let layout = Layout::default();
        Self::house(layout, limits, seed, Random::new(0), egress)
    }

    /// A node with the default limits and a room "room", and a network: all their randomness comes
    /// from this seed.
    pub fn seeded(seed: u64) -> Self {
        Self::laid_out(Layout::default(), seed)
    }

    /// The same, with several nodes or a lobby.
    ///
    /// # Panics
    /// If there are several workers and no lobby, or none.
    pub fn laid_out(layout: Layout, seed: u64) -> Self {
        Self::laid_out_with(layout, Limits::default(), seed)
    }

    /// The same, with other limits.
    ///
    /// # Panics
    /// As [`Net::laid_out`].
    pub fn laid_out_with(layout: Layout, limits: Limits, seed: u64) -> Self {
        let random = Random::new(seed);
        let (node, network) = (random.child(0).bytes(), random.child(1));
        Self::house(layout, limits, node, network, EgressPath::Direct)
    }

    fn house(
        layout: Layout,
        limits: Limits,
        seed: [u8; 32],
        random: Random,
        egress: EgressPath,
    ) -> Self {
        static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
        let generate = || Certificate::generate().expect("a certificate");
        let config = HouseConfig {
            layout,
            limits,
            egress,
            certificate: CERTIFICATE.get_or_init(generate).clone(),
        };
        let start = Instant::now();
        let node = House::new(start, &config, seed);
        let mut net = Self {
            // A voice goes from its seat to home and from there to other seats.
            spread: node.between_workers() * 2,
            node,
            clients: Vec::new(),
            events: Vec::new(),
            traffic: HashMap::new(),
            wakes: 0,
            latency: Duration::from_millis(5),
            random,
            access: Vec::new(),
            ledger: Ledger::default(),
            routes: HashMap::new(),
            outer_addresses: 0,
            start,
            elapsed: Duration::ZERO,
            node_timeout: None,
            in_flight: BTreeMap::new(),
            sent: 0,
            launched: 0,
            turns: 0,
            steps: 0,
            uplink: Box::new(|_, _| Fate::Deliver),
            downlink: Box::new(|_, _| Fate::Deliver),
        };
        net.node
            .create_room(start, room("room"), Default::default())
            .expect("the first room");
        net.drain_node();
        net
    }
}
