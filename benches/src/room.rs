//! A room of a real node with real participants, in one thread and on virtual time.
//!
//! Every participant makes a real handshake with a client. Most clients are dropped then: the node,
//! whose ICE timeout is long here, does the same work for a listener who is silent as for one who is
//! gone. Those that a bench keeps go on as long as the room does.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use stoa_core::{
    Certificate, DropReason, EgressPath, Error, Join, LeaveReason, Limits, Node, NodeConfig,
    Output, ParticipantId, Revision, Role, RoomEventKind, RoomId, RoomSettings, TimeoutReason,
    Transmit, WorkerId,
};

use crate::client::{Client, ClientError, is_rtp};

const FRAME: Duration = Duration::from_millis(20);

/// Less than a millisecond, and no part of one.
const MOMENT: Duration = Duration::from_micros(137);

/// After which time without a word a room is not ranked any more.
const SILENT: Duration = Duration::from_secs(3);

/// No bench takes that long, in virtual time.
const LONG: Duration = Duration::from_secs(100 * 24 * 60 * 60);

/// How many virtual milliseconds a handshake may take.
const HANDSHAKE_STEPS: u32 = 5_000;

/// Why a room cannot be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoomError {
    #[error("the node's certificate: {0}")]
    Certificate(String),
    #[error("the node refused a command: {0}")]
    Command(#[from] Error),
    #[error("the node refused {0}: {1}")]
    Refused(ParticipantId, Error),
    #[error("{0} did not connect in {HANDSHAKE_STEPS} virtual milliseconds")]
    NotConnected(ParticipantId),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the speaker's session made {0} RTP packets of one")]
    NotOnePacket(usize),
    #[error(
        "{expected} packets should have left the node for one of the speaker, and {left} did: the \
         figure would mean nothing"
    )]
    WrongCount { expected: usize, left: usize },
    #[error("a listener's session could not make a voice of what the node sent")]
    NotHeard,
    #[error("{0}: the node did not do what was timed, so the figure would mean nothing")]
    NoEffect(&'static str),
}

/// A room, alone on its node.
pub(crate) struct Room {
    node: Node,
    now: Instant,
    due: Option<Instant>,
    why: TimeoutReason,
    /// The clients that stay.
    staying: Vec<Client>,
    /// Their addresses.
    addresses: Vec<SocketAddr>,
}

/// What the node did in a step that was timed.
pub(crate) struct Step<T> {
    /// What the command returned.
    pub(crate) result: T,
    /// How long the command took, and polling the node until it had nothing more to do.
    pub(crate) spent: Duration,
    /// How many RTP packets left.
    pub(crate) packets: usize,
    /// What left for clients that stay.
    pub(crate) kept: Vec<Transmit>,
    /// What the node told.
    pub(crate) events: Vec<RoomEventKind>,
}

/// Somebody who has joined and connected.
pub(crate) struct Admitted {
    pub(crate) client: Client,
    /// How long the command took: the offer read, the session made, the answer written.
    pub(crate) join: Duration,
    /// How long the node took for the client's datagrams until ICE and DTLS were done.
    pub(crate) handshake: Duration,
}

/// Where the node is, on a network that does not exist.
fn node_address() -> SocketAddr {
    SocketAddr::from(([10, 255, 0, 1], 3478))
}

/// What the client with this number is called.
pub(crate) fn name(number: u16) -> ParticipantId {
    ParticipantId::new(&format!("client-{number}")).expect("a valid identifier")
}

fn room_id() -> RoomId {
    RoomId::new("bench").expect("a valid identifier")
}

impl Room {
    /// An empty room.
    pub(crate) fn open(settings: RoomSettings, egress: EgressPath) -> Result<Self, RoomError> {
        let now = Instant::now();
        let config = NodeConfig {
            worker: WorkerId(0),
            candidates: vec![node_address()],
            tcp: false,
            certificate: Certificate::generate().map_err(RoomError::Certificate)?,
            limits: Limits {
                ice_timeout: LONG,
                connect_timeout: LONG,
                participants_per_room: usize::from(u16::MAX) + 1,
                participants: usize::from(u16::MAX) + 1,
                ..Limits::default()
            },
            egress,
            time_of_day: SystemTime::now(),
        };
        // A bench needs no secret keys, and the same names in each run.
        let mut node = Node::new(now, config, [1; 32]);
        node.create_room(now, room_id(), settings)?;
        Ok(Self {
            node,
            now,
            due: None,
            why: TimeoutReason::Idle,
            staying: Vec::new(),
            addresses: Vec::new(),
        })
    }

    /// The client with this number, which is yet to join, with so many audio lines.
    pub(crate) fn client_to_be(&self, number: u16, lines: usize) -> Client {
        let [high, low] = number.to_be_bytes();
        let address = SocketAddr::from(([10, 0, high, low], 4000));
        Client::new(self.now, name(number), address, lines)
    }

    /// Goes on with a client for as long as the room lasts. Returns by which number it is called.
    pub(crate) fn keep(&mut self, client: Client) -> usize {
        self.addresses.push(client.address);
        self.staying.push(client);
        self.staying.len() - 1
    }

    /// A client that was kept.
    pub(crate) fn client(&mut self, kept: usize) -> &mut Client {
        &mut self.staying[kept]
    }

    /// How many packets the client that was kept has heard.
    pub(crate) fn heard(&self, kept: usize) -> u64 {
        self.staying[kept].heard
    }

    /// How many datagrams the node has dropped for this reason.
    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.node.stats().dropped(reason)
    }

    /// Does one thing to the node, and takes the time.
    pub(crate) fn timed<T>(
        &mut self,
        command: impl FnOnce(&mut Node, Instant, &RoomId) -> T,
    ) -> Step<T> {
        let room = room_id();
        let (mut packets, mut kept, mut events) = (0, Vec::new(), Vec::with_capacity(4));
        let started = Instant::now();
        let result = command(&mut self.node, self.now, &room);
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => {
                    packets += usize::from(is_rtp(&transmit.contents));
                    if self.addresses.contains(&transmit.destination.address) {
                        kept.push(transmit);
                    } else {
                        self.node.recycle(transmit.contents);
                    }
                }
                Output::Event(event) => events.push(event.kind),
                Output::Message { .. } | Output::Relay { .. } => {}
                Output::Timeout { at, why } => {
                    (self.due, self.why) = (at, why);
                    break;
                }
            }
        }
        Step {
            result,
            spent: started.elapsed(),
            packets,
            kept,
            events,
        }
    }

    /// Times the way of one datagram of a client that was kept.
    pub(crate) fn receive(&mut self, kept: usize, datagram: &[u8]) -> Step<()> {
        let from = self.staying[kept].address;
        self.timed(|node, now, _| node.handle_datagram(now, from, None, datagram))
    }

    /// How much the node allocates on the way of one datagram of a client that was kept. What it sends
    /// reaches nobody.
    pub(crate) fn count_allocations(&mut self, kept: usize, datagram: &[u8]) -> u64 {
        let from = self.staying[kept].address;
        let (node, due, why) = (&mut self.node, &mut self.due, &mut self.why);
        let counted = allocation_counter::measure(|| {
            node.handle_datagram(self.now, from, None, datagram);
            loop {
                match node.poll_output() {
                    Output::Transmit(transmit) => node.recycle(transmit.contents),
                    Output::Event(_) | Output::Message { .. } | Output::Relay { .. } => {}
                    Output::Timeout { at, why: reason } => {
                        (*due, *why) = (at, reason);
                        break;
                    }
                }
            }
        });
        counted.count_total
    }

    /// Lets a moment pass, so that what happens next is out of step with timers that go by whole
    /// milliseconds.
    pub(crate) fn pass_a_moment(&mut self) -> Result<(), RoomError> {
        self.now += MOMENT;
        self.serve_timers()
    }

    /// Serves the node until nobody counts as talking any more, and times the rankings in the first
    /// second of that, but for those that fall due together with something else.
    pub(crate) fn rank_until_silent(&mut self) -> Result<Vec<Duration>, RoomError> {
        let (second, end) = (self.now + Duration::from_secs(1), self.now + SILENT);
        let mut times = Vec::new();
        while let Some(due) = self.due.filter(|&due| due < end) {
            // Of those that are due at the same moment, the ranking comes last.
            let is_alone = self.why == TimeoutReason::Ranking && due > self.now;
            self.now = self.now.max(due);
            let step = self.timed(|node, now, _| node.handle_timeout(now));
            if is_alone && due < second {
                times.push(step.spent);
            }
            self.deliver(step.kept)?;
        }
        Ok(times)
    }

    /// Takes somebody out.
    pub(crate) fn remove(&mut self, who: &ParticipantId) -> Result<Step<Revision>, RoomError> {
        let step = self.timed(|node, now, room| {
            node.remove_participant(now, room, who, None, LeaveReason::Removed)
        });
        Ok(Step {
            result: step.result?,
            spent: step.spent,
            packets: step.packets,
            kept: step.kept,
            events: step.events,
        })
    }

    /// Lets 20 ms pass, and serves what is due.
    pub(crate) fn pass_a_frame(&mut self) -> Result<(), RoomError> {
        self.now += FRAME;
        self.serve_timers()
    }

    /// A client that was kept says 20 ms: one SRTP packet. Whatever else it sends is dealt with here.
    pub(crate) fn speak(&mut self, kept: usize) -> Result<Vec<u8>, RoomError> {
        let speaker = &mut self.staying[kept];
        speaker.write(self.now, 0)?;
        let datagrams = speaker.drain()?.into_iter();
        let datagrams = datagrams.map(|outgoing| outgoing.contents);
        let (mut rtp, other): (Vec<_>, Vec<_>) = datagrams.partition(|datagram| is_rtp(datagram));
        for datagram in other {
            self.node
                .handle_datagram(self.now, speaker.address, None, &datagram);
        }
        self.pass_on()?;
        match (rtp.pop(), rtp.len()) {
            (Some(packet), 0) => Ok(packet),
            (packet, more) => Err(RoomError::NotOnePacket(
                more + usize::from(packet.is_some()),
            )),
        }
    }

    /// Whatever is due at the node and at the clients that stay. Not part of any figure.
    pub(crate) fn serve_timers(&mut self) -> Result<(), RoomError> {
        if self.due.is_some_and(|at| at <= self.now) {
            self.node.handle_timeout(self.now);
        }
        for client in &mut self.staying {
            client.handle_timeout(self.now)?;
            for outgoing in client.drain()? {
                self.node
                    .handle_datagram(self.now, client.address, None, &outgoing.contents);
            }
        }
        self.pass_on()
    }

    /// Takes what the node has to send to the clients that stay.
    fn pass_on(&mut self) -> Result<(), RoomError> {
        let step = self.timed(|_, _, _| ());
        self.deliver(step.kept)
    }

    /// Hands datagrams to the clients that stay.
    pub(crate) fn deliver(&mut self, kept: Vec<Transmit>) -> Result<(), RoomError> {
        for transmit in kept {
            let mut clients = self.staying.iter_mut();
            if let Some(client) =
                clients.find(|client| client.address == transmit.destination.address)
            {
                client.receive(self.now, node_address(), &transmit.contents)?;
            }
        }
        Ok(())
    }

    /// Joins, and goes through ICE and DTLS.
    pub(crate) fn connect(&mut self, client: Client, role: Role) -> Result<Admitted, RoomError> {
        let join = Join {
            role,
            ..Join::new(room_id(), client.id.clone(), client.offer.clone())
        };
        // Among those who stay until it is connected.
        let place = self.keep(client);
        let times = self.admit(place, join);
        self.addresses.pop();
        let client = self.staying.pop().ok_or(RoomError::NoEffect("join"))?;
        let (join, handshake) = times?;
        // Those who stay are not to be taken for gone after ten thousand handshakes.
        self.serve_timers()?;
        Ok(Admitted {
            client,
            join,
            handshake,
        })
    }

    /// Returns how long the command took, and how long the client's datagrams.
    fn admit(&mut self, place: usize, join: Join) -> Result<(Duration, Duration), RoomError> {
        let who = join.participant.clone();
        let step = self.timed(|node, now, _| node.join(now, join));
        let joined = step
            .result
            .map_err(|error| RoomError::Refused(who.clone(), error))?;
        self.staying[place].accept(&joined.answer)?;
        let is_connected = |event: &RoomEventKind| matches!(event, RoomEventKind::Connected { participant } if *participant == who);
        let (mut handshake, mut connected) = (Duration::ZERO, false);
        for _ in 0..HANDSHAKE_STEPS {
            self.staying[place].handle_timeout(self.now)?;
            for outgoing in self.staying[place].drain()? {
                let step = self.receive(place, &outgoing.contents);
                handshake += step.spent;
                connected |= step.events.iter().any(is_connected);
                self.deliver(step.kept)?;
            }
            if connected && self.staying[place].connected {
                return Ok((step.spent, handshake));
            }
            self.now += Duration::from_millis(1);
            if self.due.is_some_and(|at| at <= self.now) {
                self.node.handle_timeout(self.now);
            }
            let step = self.timed(|_, _, _| ());
            connected |= step.events.iter().any(is_connected);
            self.deliver(step.kept)?;
        }
        Err(RoomError::NotConnected(who))
    }
}
