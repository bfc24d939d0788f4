//! A node with three people, one of whom does as the input says.
//!
//! They are connected for real: ICE, DTLS and SRTP by str0m, on a network without latency. The liar's datagrams are
//! what a target makes of its input; Ann and Ben are there to be disturbed. The scene stays for many inputs, as a
//! node does for many datagrams, and is set up anew when the liar was thrown out or after `INPUTS`.

mod person;

use std::{
    cell::RefCell,
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use stoa_core::{
    Certificate, EgressPath, Endpoint, Join, Joined, LeaveReason, Limits, Node, NodeConfig, Output,
    ParticipantId, RoomId, RoomSettings, Stats, Transmit, WorkerId,
};

pub use self::person::Person;

/// How many inputs one scene takes.
const INPUTS: usize = 2_000;

/// How many things a node may want to have done after one datagram, before it waits for the next input.
const MOST_OUTPUTS: usize = 256;

/// How long a handshake may take, in turns of the network.
const MOST_TURNS: usize = 2_000;

/// A node, its people and the network between them.
pub struct Scene {
    /// The node.
    pub node: Node,
    /// The time.
    pub now: Instant,
    /// Who says what the input wants.
    pub liar: Person,
    /// Who speaks, to be heard whatever the liar does.
    pub ann: Person,
    /// Who hears.
    pub ben: Person,
    due: Option<Instant>,
    used: usize,
    guests: u64,
}

/// Lets a target use the scene. After a panic there will be a new one.
pub fn with<T>(act: impl FnOnce(&mut Scene) -> T) -> T {
    thread_local! {
        static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
    }
    let kept = SCENE.take().filter(Scene::is_usable);
    let mut scene = kept.unwrap_or_else(Scene::new);
    scene.used += 1;
    let result = act(&mut scene);
    SCENE.set(Some(scene));
    result
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        let config = NodeConfig {
            worker: WorkerId(0),
            candidates: vec![node_address(), node_address_v6()],
            tcp: true,
            certificate: Certificate::generate().expect("a certificate"),
            limits: Limits::default(),
            egress: EgressPath::Direct,
            time_of_day: SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000),
        };
        let mut node = Node::new(now, config, [7; 32]);
        let created = node.create_room(now, room(), RoomSettings::default());
        created.expect("the first room");
        let mut enter = |name: &str, host: u8| {
            let mut person = Person::new(now, SocketAddr::from(([10, 0, 0, host], 4000)));
            let join = Join::new(room(), participant(name), person.offer());
            let joined = node.join(now, join).expect("a good offer");
            person.accept(now, name, &joined);
            person
        };
        let (liar, ann, ben) = (enter("liar", 1), enter("ann", 2), enter("ben", 3));
        let mut scene = Self {
            node,
            now,
            liar,
            ann,
            ben,
            due: None,
            used: 0,
            guests: 0,
        };
        let mut turns = 0;
        while [&scene.liar, &scene.ann, &scene.ben]
            .iter()
            .any(|person| !person.is_connected())
        {
            scene.pass(Duration::from_millis(5));
            turns += 1;
            assert!(turns < MOST_TURNS, "nobody connects");
        }
        // What only follows from being connected.
        scene.pass(Duration::from_millis(100));
        scene
    }

    /// Whether another input can be tried on it.
    fn is_usable(&self) -> bool {
        let is_in = self
            .node
            .snapshots()
            .iter()
            .any(|room| room.participants.len() == 3);
        self.used < INPUTS && is_in && self.liar.is_connected()
    }

    /// The node's figures.
    pub fn stats(&self) -> Stats {
        self.node.stats()
    }

    /// A datagram reaches the node from anywhere. What the node sends to the three people arrives; what it sends
    /// at all is returned.
    pub fn inject(&mut self, from: impl Into<Endpoint>, datagram: &[u8]) -> Vec<Transmit> {
        let local = Some(node_address().ip());
        self.node.handle_datagram(self.now, from, local, datagram);
        self.collect()
    }

    /// Takes what the node wants to have done.
    ///
    /// # Panics
    /// If something has panicked in a session, though nobody else notices.
    pub fn collect(&mut self) -> Vec<Transmit> {
        let mut sent = Vec::new();
        for outputs in 0.. {
            assert!(outputs < MOST_OUTPUTS, "the node does not come to an end");
            match self.node.poll_output() {
                Output::Transmit(transmit) => {
                    for person in [&mut self.liar, &mut self.ann, &mut self.ben] {
                        if transmit.destination == person.address.into() {
                            person.receive(self.now, &transmit.contents);
                        }
                    }
                    sent.push(transmit);
                }
                Output::Event(_) => {}
                Output::Message { .. } | Output::Relay { .. } => {
                    unreachable!("a node that is alone has nobody to say it to")
                }
                Output::Timeout { at, .. } => {
                    self.due = at;
                    break;
                }
            }
        }
        // The node contains them (docs/adr/0019); a search is to find them all the same.
        assert_eq!(self.stats().panics, 0, "something has panicked");
        sent
    }

    /// Time passes, in one step, with whatever everybody wants to say then.
    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        for _ in 0..MOST_TURNS {
            if self.due.is_some_and(|due| due <= self.now) {
                self.node.handle_timeout(self.now);
            }
            self.collect();
            let mut said = Vec::new();
            for person in [&mut self.liar, &mut self.ann, &mut self.ben] {
                let datagrams = person.say(self.now);
                said.extend(datagrams.into_iter().map(|bytes| (person.address, bytes)));
            }
            if said.is_empty() {
                return;
            }
            for (from, bytes) in said {
                self.inject(from, &bytes);
            }
        }
        panic!("they never stop to talk");
    }

    /// The liar says a word as everybody does.
    pub fn liar_speaks(&mut self) {
        self.liar.speak(self.now);
    }

    /// Time passes, and what the node sends on its own account is returned.
    pub fn sent_in(&mut self, time: Duration) -> Vec<Transmit> {
        self.now += time;
        self.node.handle_timeout(self.now);
        let mut sent = self.collect();
        for datagram in self.liar.say(self.now) {
            let from = self.liar.address;
            sent.extend(self.inject(from, &datagram));
        }
        sent
    }

    /// Ann says a word, and Ben hears it, whatever the liar has done. Some milliseconds pass.
    ///
    /// # Panics
    /// If he does not.
    pub fn others_hear_each_other(&mut self) {
        let before = self.ben.heard;
        self.ann.speak(self.now);
        self.pass(Duration::from_millis(20));
        assert!(self.ben.heard > before, "Ben does not hear Ann any more");
        assert!(
            self.ann.is_connected() && self.ben.is_connected(),
            "somebody has lost the connection"
        );
    }

    /// Somebody comes whose client is not simulated. Their offer is a good one unless another one is given.
    ///
    /// # Errors
    /// The node's own.
    pub fn let_in(&mut self, offer: &str) -> Result<(ParticipantId, Joined), stoa_core::Error> {
        self.guests += 1;
        let guest = participant(&format!("guest-{}", self.guests));
        let join = Join::new(room(), guest.clone(), offer.to_owned());
        let joined = self.node.join(self.now, join);
        self.collect();
        Ok((guest, joined?))
    }

    /// And goes, and leaves nothing behind.
    pub fn let_out(&mut self, guest: &ParticipantId) {
        let reason = LeaveReason::Removed;
        // They may be gone already.
        let _ = self
            .node
            .remove_participant(self.now, &room(), guest, None, reason);
        self.collect();
        let stats = self.stats();
        assert_eq!((stats.participants, stats.seats), (3, 3), "{stats:?}");
    }
}

/// Where the node is.
pub fn node_address() -> SocketAddr {
    SocketAddr::from(([10, 0, 1, 1], 3478))
}

/// The same, for IPv6.
pub fn node_address_v6() -> SocketAddr {
    "[2001:db8::1]:3478".parse().expect("an address")
}

/// Where nobody is.
pub fn stranger() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 66], 6666))
}

/// The same, for IPv6.
pub fn stranger_v6() -> SocketAddr {
    "[2001:db8::66]:6666".parse().expect("an address")
}

/// The room where everybody is.
pub fn room() -> RoomId {
    RoomId::new("room").expect("an identifier")
}

/// Somebody's identifier.
///
/// # Panics
/// If the name is none.
pub fn participant(name: &str) -> ParticipantId {
    ParticipantId::new(name).expect("an identifier")
}
