//! A room of a real node with real participants, in one thread and on virtual time.
//!
//! Clients take part in the handshake and are dropped then, but for the speaker and one listener: a
//! thousand of them would only get in the way. The node, whose ICE timeout is long here, does the same
//! work for a listener who is silent as for one who is gone.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use stoa_core::{
    Certificate, Error, Join, Limits, Node, NodeConfig, Output, ParticipantId, RoomEventKind,
    RoomId, Transmit,
};

use crate::client::{Client, is_rtp};

const FRAME: Duration = Duration::from_millis(20);

/// No bench takes that long, in virtual time.
const LONG: Duration = Duration::from_secs(100 * 24 * 60 * 60);

/// How many virtual milliseconds a handshake may take.
const HANDSHAKE_STEPS: u32 = 5_000;

/// Why a room cannot be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoomError {
    #[error("the node's certificate: {0}")]
    Certificate(String),
    #[error("the node refused to create a room: {0}")]
    NoRoom(Error),
    #[error("the node refused {0}: {1}")]
    Refused(ParticipantId, Error),
    #[error("{0} did not connect in {HANDSHAKE_STEPS} virtual milliseconds")]
    NotConnected(ParticipantId),
    #[error("{0}: the client's session failed: {1}")]
    Client(ParticipantId, String),
    #[error("the speaker's session made {0} RTP packets of one")]
    NotOnePacket(usize),
    #[error(
        "{expected} packets should have left the node for one of the speaker, and {left} did: the \
         figure would mean nothing"
    )]
    WrongCount { expected: usize, left: usize },
    #[error("a listener's session could not make a voice of what the node sent")]
    NotHeard,
}

/// A room with a speaker.
pub(crate) struct Room {
    node: Node,
    now: Instant,
    node_timeout: Option<Instant>,
    /// The clients that stay: the speaker, and a witness that what leaves is a voice.
    staying: Vec<Client>,
    listeners: usize,
}

/// The places in `Room::staying`.
const SPEAKER: usize = 0;
const WITNESS: usize = 1;

fn room_id() -> RoomId {
    RoomId::new("bench").expect("a valid identifier")
}

impl Room {
    /// A room with nobody but the speaker.
    pub(crate) fn open() -> Result<Self, RoomError> {
        let now = Instant::now();
        let config = NodeConfig {
            candidates: vec![Client::node_address()],
            certificate: Certificate::generate().map_err(RoomError::Certificate)?,
            limits: Limits {
                ice_timeout: LONG,
                connect_timeout: LONG,
                participants_per_room: usize::from(u16::MAX) + 1,
                participants: usize::from(u16::MAX) + 1,
                ..Limits::default()
            },
        };
        // A bench needs no secret keys, and the same names in each run.
        let mut node = Node::new(now, config, [1; 32]);
        node.create_room(now, room_id(), Default::default())
            .map_err(RoomError::NoRoom)?;
        let mut room = Self {
            node,
            now,
            node_timeout: None,
            staying: Vec::new(),
            listeners: 0,
        };
        let speaker = room.connect(Client::new(now, 0))?;
        room.staying.push(speaker);
        Ok(room)
    }

    /// Lets a listener in. The first one's client stays, the others' are dropped.
    pub(crate) fn add_listener(&mut self, number: u16) -> Result<(), RoomError> {
        let client = self.connect(Client::new(self.now, number))?;
        if self.staying.len() <= WITNESS {
            self.staying.push(client);
        }
        self.listeners += 1;
        Ok(())
    }

    /// The speaker says 20 ms, and every listener hears it. Returns how long the node took.
    pub(crate) fn forward_one(&mut self) -> Result<Duration, RoomError> {
        self.now += FRAME;
        self.serve_timers()?;
        let heard_before = self.heard_by_witness();
        let packet = self.speak()?;

        let speaker = self.staying[SPEAKER].address;
        let stay = self.addresses();
        let (mut left, mut kept) = (0, Vec::new());
        let started = Instant::now();
        self.node.handle_datagram(self.now, speaker, None, &packet);
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => {
                    left += usize::from(is_rtp(&transmit.contents));
                    if stay.contains(&transmit.destination) {
                        kept.push(transmit);
                    }
                }
                Output::Event(_) => {}
                Output::Timeout { at, .. } => {
                    self.node_timeout = at;
                    break;
                }
            }
        }
        let spent = started.elapsed();

        if left != self.listeners {
            return Err(RoomError::WrongCount {
                expected: self.listeners,
                left,
            });
        }
        for transmit in kept {
            self.deliver(&transmit)?;
        }
        if self.heard_by_witness() != heard_before + 1 {
            return Err(RoomError::NotHeard);
        }
        Ok(spent)
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.staying.iter().map(|client| client.address).collect()
    }

    fn heard_by_witness(&self) -> u64 {
        self.staying.get(WITNESS).map_or(0, |client| client.heard)
    }

    /// One SRTP packet of the speaker. Whatever else their client sends is dealt with here.
    fn speak(&mut self) -> Result<Vec<u8>, RoomError> {
        let speaker = &mut self.staying[SPEAKER];
        speaker.write(self.now)?;
        let datagrams = speaker.drain()?.into_iter();
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

    /// Whatever is due at the node and at the clients that stay. Not part of the figure.
    fn serve_timers(&mut self) -> Result<(), RoomError> {
        if self.node_timeout.is_some_and(|at| at <= self.now) {
            self.node.handle_timeout(self.now);
        }
        for client in &mut self.staying {
            client.handle_timeout(self.now)?;
            for datagram in client.drain()? {
                self.node
                    .handle_datagram(self.now, client.address, None, &datagram);
            }
        }
        self.pass_on()
    }

    /// Takes what the node has to send to the clients that stay.
    fn pass_on(&mut self) -> Result<(), RoomError> {
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => self.deliver(&transmit)?,
                Output::Event(_) => {}
                Output::Timeout { at, .. } => {
                    self.node_timeout = at;
                    return Ok(());
                }
            }
        }
    }

    fn deliver(&mut self, transmit: &Transmit) -> Result<(), RoomError> {
        let mut clients = self.staying.iter_mut();
        match clients.find(|client| client.address == transmit.destination) {
            Some(client) => client.receive(self.now, &transmit.contents),
            None => Ok(()),
        }
    }

    /// Joins, and goes through ICE and DTLS.
    fn connect(&mut self, mut client: Client) -> Result<Client, RoomError> {
        let join = Join::new(room_id(), client.id.clone(), client.offer.clone());
        let joined = self
            .node
            .join(self.now, join)
            .map_err(|error| RoomError::Refused(client.id.clone(), error))?;
        client.accept(&joined.answer)?;
        let mut connected = false;
        for _ in 0..HANDSHAKE_STEPS {
            client.handle_timeout(self.now)?;
            for datagram in client.drain()? {
                self.node
                    .handle_datagram(self.now, client.address, None, &datagram);
            }
            connected |= self.exchange(&mut client)?;
            if connected && client.connected {
                return Ok(client);
            }
            self.now += Duration::from_millis(1);
            if self.node_timeout.is_some_and(|at| at <= self.now) {
                self.node.handle_timeout(self.now);
            }
        }
        Err(RoomError::NotConnected(client.id))
    }

    /// Hands a joining client what the node sends. Returns whether the node has them connected.
    fn exchange(&mut self, client: &mut Client) -> Result<bool, RoomError> {
        let mut connected = false;
        loop {
            match self.node.poll_output() {
                Output::Transmit(transmit) => {
                    if transmit.destination == client.address {
                        client.receive(self.now, &transmit.contents)?;
                    }
                }
                Output::Event(event) => {
                    connected |= matches!(
                        event.kind,
                        RoomEventKind::Connected { participant } if participant == client.id
                    );
                }
                Output::Timeout { at, .. } => {
                    self.node_timeout = at;
                    return Ok(connected);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_is_counted() -> Result<(), RoomError> {
        let mut room = Room::open()?;
        for number in 1..=3 {
            room.add_listener(number)?;
        }
        for _ in 0..5 {
            room.forward_one()?;
        }
        Ok(())
    }

    #[test]
    fn a_packet_that_does_not_leave_is_an_error() -> Result<(), RoomError> {
        let mut room = Room::open()?;
        for number in 1..=3 {
            room.add_listener(number)?;
        }
        room.forward_one()?;
        let gone = ParticipantId::new("client-3").expect("a valid identifier");
        room.node
            .remove_participant(room.now, &room_id(), &gone, None)
            .expect("a listener");
        let error = room.forward_one().expect_err("one packet too few");
        let expected = matches!(
            error,
            RoomError::WrongCount {
                expected: 3,
                left: 2
            }
        );
        assert!(expected, "{error}");
        Ok(())
    }
}
