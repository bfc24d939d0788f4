//! The house, its clients, and how a test makes them do things.

mod access;
mod carry;
mod changes;
mod ledger;
mod links;
mod record;
mod resume;
mod run;
mod setup;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    time::{Duration, Instant},
};

use stoa_core::{
    Csrc, Endpoint, Error, Join, Joined, RoomEvent, RoomEventKind, RoomSnapshot, Stats, Transmit,
    Transport, WorkerId,
};

use self::{access::Access, carry::Datagram, ledger::Ledger};
use crate::{
    ClientId, FRAME, Lie, client::Client, history::Moment, house::House, nat, node_address,
    participant, random::Random, room, sealed::Sealed,
};

/// What becomes of a datagram on its way between a client and the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives after the network's latency.
    Deliver,
    /// It never arrives.
    Lose,
    /// It takes this much longer than the network's latency.
    Delay(Duration),
}

/// Bytes exchanged with one address, as the node sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    /// What came from there.
    pub bytes_in: usize,
    /// What the node sent there.
    pub bytes_out: usize,
    /// Whether the node ever had sent more to the address than it had received from there.
    pub amplified: bool,
}

/// Decides what becomes of a datagram.
type Decide = Box<dyn FnMut(ClientId, &[u8]) -> Fate>;

/// The house, its clients, and the network between them.
pub struct Net {
    /// The house: one node, unless a test wants another layout. Whoever calls it directly calls
    /// [`Net::drain_node`] afterwards.
    pub node: House,
    /// All clients there ever were, in the order in which they were added.
    pub clients: Vec<Client>,
    /// All events of the node, and when they came.
    pub events: Vec<(Duration, RoomEvent)>,
    /// What the node exchanged with each address.
    pub traffic: HashMap<SocketAddr, Traffic>,
    /// How often the node asked to be woken and was.
    pub wakes: usize,
    /// How long a datagram takes, either way, where its [`Link`](crate::link::Link) adds nothing.
    pub latency: Duration,
    random: Random,
    access: Vec<Access>,
    ledger: Ledger,
    /// Which client was last seen at an address.
    routes: HashMap<SocketAddr, ClientId>,
    outer_addresses: u32,
    /// The most that a link ever added on the way up: links come and go, so delays come and go, too.
    spread: Duration,
    start: Instant,
    elapsed: Duration,
    node_timeout: Option<Instant>,
    in_flight: BTreeMap<(Duration, u64), Datagram>,
    /// The number of the last datagram.
    sent: u64,
    /// How many have gone on their way, duplicates among them.
    launched: u64,
    /// How often anything happened: a datagram arrived, or somebody had their turn.
    pub steps: u64,
    /// How many turns there were at the present moment.
    turns: usize,
    uplink: Decide,
    downlink: Decide,
}

/// Looking in.
impl Net {
    /// The time, as the node and the clients are told.
    pub fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    /// How much virtual time has passed.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The room as the node has it.
    ///
    /// # Panics
    /// If there is no such room.
    pub fn snapshot(&self, of: &str) -> RoomSnapshot {
        let mut snapshots = self.node.snapshots().into_iter();
        let found = snapshots.find(|found| found.room == room(of));
        found.expect("there is such a room")
    }

    /// Whether a client is in its room, as far as the node has told.
    pub fn is_in(&self, id: ClientId) -> bool {
        self.ledger.is_in(id).last() == Some(&true)
    }

    /// Whether a client may be heard, by what the signalling service has decided.
    pub fn may_speak(&self, id: ClientId) -> bool {
        self.ledger.may_speak(id).last() == Some(&true)
    }

    /// At which worker a client has its seat.
    ///
    /// # Panics
    /// If its answer names no worker.
    pub fn seat(&self, id: ClientId) -> WorkerId {
        let worker = self.node.worker_at(self.clients[id].node);
        let worker = worker.and_then(|worker| u16::try_from(worker).ok());
        WorkerId(worker.expect("a worker of the house"))
    }

    /// Whether a client has its seat elsewhere than where its room is at home.
    pub fn is_seated_elsewhere(&self, id: ClientId) -> bool {
        self.seat(id) != self.node.home_of(&self.clients[id].room)
    }

    /// Now, and after all datagrams that were sent so far.
    fn moment(&self) -> Moment {
        Moment {
            datagram: self.sent,
            at: self.elapsed,
        }
    }

    /// What the node has counted.
    pub fn stats(&self) -> Stats {
        self.node.stats()
    }

    /// What the node has sealed for a client.
    pub fn sealed(&self, id: ClientId) -> &Sealed {
        &self.access[id].sealed
    }

    /// What names a client in the packets that others hear.
    pub fn csrc(&self, id: ClientId) -> Csrc {
        self.clients[id].csrc
    }

    /// Forgets what the clients have heard so far.
    pub fn forget_heard(&mut self) {
        for client in &mut self.clients {
            client.heard.clear();
        }
    }
}

/// Coming, talking and going.
impl Net {
    /// Adds a client with so many lines to "room" and waits until it is connected.
    ///
    /// # Panics
    /// If the node refuses it, or it is not connected within a virtual minute.
    pub fn join(&mut self, name: &str, lines: usize) -> ClientId {
        self.join_room("room", name, lines)
    }

    /// The same, in any room.
    ///
    /// # Panics
    /// As [`Net::join`].
    pub fn join_room(&mut self, to: &str, name: &str, lines: usize) -> ClientId {
        let id = self.admit(to, name, lines).expect("admitted");
        self.wait_until_connected(id);
        id
    }

    /// Lets time pass until the client and the node both know that they are connected.
    ///
    /// # Panics
    /// If that is not so within a virtual minute.
    pub fn wait_until_connected(&mut self, id: ClientId) {
        self.run_until("the client is connected", |net| {
            net.clients[id].connected && net.is_connected(id)
        });
    }

    /// Adds a client and hands its offer in, without waiting for anything.
    ///
    /// # Errors
    /// The node's own.
    pub fn admit(&mut self, to: &str, name: &str, lines: usize) -> Result<ClientId, Error> {
        self.admit_with(to, name, lines, |offer| offer)
    }

    /// The same, with an offer that is edited on its way.
    ///
    /// # Errors
    /// The node's own.
    pub fn admit_with(
        &mut self,
        to: &str,
        name: &str,
        lines: usize,
        edit: impl FnOnce(String) -> String,
    ) -> Result<ClientId, Error> {
        let id = self.clients.len();
        let (client, offer) = Client::new(self.now(), id, to, name, lines);
        self.admit_client(client, to, name, &edit(offer))
    }

    /// Adds a client that has no other transport than this, and hands its offer in.
    ///
    /// # Errors
    /// The node's own.
    pub fn admit_over(
        &mut self,
        transport: Transport,
        to: &str,
        name: &str,
        lines: usize,
    ) -> Result<ClientId, Error> {
        let id = self.clients.len();
        let (client, offer) = Client::over(transport, self.now(), id, to, name, lines);
        self.admit_client(client, to, name, &offer)
    }

    fn admit_client(
        &mut self,
        mut client: Client,
        to: &str,
        name: &str,
        offer: &str,
    ) -> Result<ClientId, Error> {
        let id = self.clients.len();
        let joined = self.offer(to, name, offer)?;
        client.accept(self.now(), &joined);
        let moment = self.moment();
        self.ledger.admitted(moment, &client);
        self.take_in(client);
        Ok(id)
    }

    /// A client has its answer.
    fn take_in(&mut self, client: Client) {
        let id = self.clients.len();
        self.clients.push(client);
        let random = self.random.child(id as u64);
        self.access.push(Access::new(&random));
        self.drain_client(id);
    }

    /// Asks the node to let somebody in, whose client is not simulated.
    ///
    /// # Errors
    /// The node's own.
    pub fn offer(&mut self, to: &str, name: &str, offer: &str) -> Result<Joined, Error> {
        let join = Join {
            display_name: name.into(),
            ..Join::new(room(to), participant(name), offer.to_owned())
        };
        let joined = self.node.join(self.now(), join);
        self.drain_node();
        joined
    }

    fn is_connected(&self, id: ClientId) -> bool {
        let client = &self.clients[id];
        let mut events = self.events.iter();
        events.any(|(_, event)| {
            event.room == client.room
                && match &event.kind {
                    RoomEventKind::Connected { participant } => {
                        !client.resumes && *participant == client.id
                    }
                    RoomEventKind::Resumed(info) => info.session == client.session,
                    _ => false,
                }
        })
    }

    /// Each of `speakers` sends a packet with its level, in -dBov, every 20 ms, for so long.
    pub fn speak(&mut self, speakers: &[(ClientId, u8)], duration: Duration) {
        let end = self.elapsed + duration;
        while self.elapsed < end {
            for &(id, level) in speakers {
                self.say(id, level);
            }
            self.run_for(FRAME);
        }
    }

    /// One client sends one packet now, with its level in -dBov.
    pub fn say(&mut self, id: ClientId, level: u8) {
        let now = self.now();
        self.clients[id].write(now, level);
        self.drain_client(id);
    }

    /// One client sends one packet now that is not what was agreed on. What it lies about is not
    /// heard; but it has a number, and is missing.
    ///
    /// # Panics
    /// If it is a line that it does not have.
    pub fn lie(&mut self, id: ClientId, level: u8, lie: Lie) {
        let (now, number) = (self.now(), self.clients[id].next_number());
        self.clients[id].write_as(now, level, Some(lie));
        self.drain_client(id);
        self.access[id].missing.insert(number, self.elapsed);
    }

    /// A client closes its session, as a browser does when the page is left.
    ///
    /// # Panics
    /// If its session cannot be closed.
    pub fn hang_up(&mut self, id: ClientId) {
        self.clients[id].rtc.close().expect("an open session");
        self.clients[id].closed = true;
        self.drain_client(id);
    }

    /// A client stops to exist; nobody is told.
    pub fn vanish(&mut self, id: ClientId) {
        self.clients[id].vanished = true;
    }

    /// A NAT gives the client another outer address, one that nobody had before.
    pub fn rebind_anywhere(&mut self, id: ClientId) {
        let outer = nat::outer_address(self.outer_addresses);
        self.outer_addresses += 1;
        self.rebind(id, outer);
    }

    /// A NAT gives the client this outer address.
    pub fn rebind(&mut self, id: ClientId, outer: SocketAddr) {
        self.clients[id].outer = outer;
    }

    /// A datagram from anywhere reaches the first worker at once. Returns what the node sends in answer.
    pub fn inject(&mut self, from: impl Into<Endpoint>, contents: &[u8]) -> Vec<Transmit> {
        self.inject_at(node_address(), from, contents)
    }

    /// The same, at the worker of this address.
    pub fn inject_at(
        &mut self,
        worker: SocketAddr,
        from: impl Into<Endpoint>,
        contents: &[u8],
    ) -> Vec<Transmit> {
        self.hand_to_node(worker, from.into(), contents, &[]);
        self.collect_node()
    }
}
