//! What the network does: takes datagrams, loses some, and delivers the others.

use std::{net::SocketAddr, time::Duration};

use stoa_core::{Csrc, DropReason, Endpoint, Transmit, Transport};

use super::{Fate, Net};
use crate::{
    ClientId,
    datagram::{Protocol, RtpFields},
    history::SentPacket,
    link::Carried,
    node_address,
};

/// A datagram under way.
#[derive(Debug, Clone)]
pub(super) struct Datagram {
    number: u64,
    left: Duration,
    from: SocketAddr,
    to: SocketAddr,
    transport: Transport,
    contents: Vec<u8>,
    /// Of a client's voice: whose, and which packet; but not of a duplicate.
    voice: Option<(ClientId, u32)>,
    is_duplicate: bool,
}

impl Datagram {
    /// What can be seen of it, if it is an RTP packet.
    fn packet(&self) -> Option<SentPacket> {
        let rtp = RtpFields::of(&self.contents)?;
        Some(SentPacket {
            left: self.left,
            ssrc: rtp.ssrc,
            sequence_number: rtp.sequence_number,
            csrc: rtp.csrc.map(Csrc),
        })
    }

    fn duplicate(self) -> Self {
        Self {
            voice: None,
            is_duplicate: true,
            ..self
        }
    }
}

impl Net {
    /// A client sends a datagram.
    pub(super) fn send_up(&mut self, id: ClientId, contents: Vec<u8>) {
        let outer = self.clients[id].outer;
        self.routes.insert(outer, id);
        let voice = RtpFields::of(&contents)
            .and_then(|rtp| self.clients[id].number_of(rtp.sequence_number))
            .map(|number| (id, number));
        let node = self.clients[id].node;
        let transport = self.clients[id].transport;
        let datagram = self.datagram(outer, node, transport, contents, voice);
        if self.access[id].is_cut {
            return self.missed(voice);
        }
        let extra = match (self.uplink)(id, &datagram.contents) {
            Fate::Deliver => Duration::ZERO,
            Fate::Delay(extra) => extra,
            Fate::Lose => return self.missed(voice),
        };
        let protocol = Protocol::of(&datagram.contents);
        let may_be_lost = self.may_lose(id, protocol);
        let wire = &mut self.access[id].up;
        match wire.carry(self.elapsed, protocol, may_be_lost) {
            Carried::Lost => self.missed(voice),
            Carried::Once(after) => self.launch(extra + after, datagram),
            Carried::Twice(first, second) => {
                self.launch(extra + first, datagram.clone());
                self.launch(extra + second, datagram.duplicate());
            }
        }
    }

    /// The node sends a datagram.
    pub(super) fn send_down(&mut self, transmit: Transmit) {
        let mut from = node_address();
        from.set_ip(transmit.source.unwrap_or(from.ip()));
        let Endpoint {
            transport,
            address: to,
        } = transmit.destination;
        let datagram = self.datagram(from, to, transport, transmit.contents, None);
        let Some(&id) = self.routes.get(&to) else {
            return self.launch(Duration::ZERO, datagram);
        };
        self.access[id].see_sealed(self.elapsed, &datagram.contents);
        if self.access[id].is_cut {
            return self.lost(id, &datagram);
        }
        let extra = match (self.downlink)(id, &datagram.contents) {
            Fate::Deliver => Duration::ZERO,
            Fate::Delay(extra) => extra,
            Fate::Lose => return self.lost(id, &datagram),
        };
        let protocol = Protocol::of(&datagram.contents);
        let may_be_lost = self.may_lose(id, protocol);
        let wire = &mut self.access[id].down;
        match wire.carry(self.elapsed, protocol, may_be_lost) {
            Carried::Lost => self.lost(id, &datagram),
            Carried::Once(after) => self.launch(extra + after, datagram),
            Carried::Twice(first, second) => {
                self.launch(extra + first, datagram.clone());
                self.launch(extra + second, datagram.duplicate());
            }
        }
    }

    /// A lost DTLS record is sent again at a moment that DTLS draws for itself, so while a client
    /// connects its records are not lost, or no run of a lossy network could be repeated.
    fn may_lose(&self, id: ClientId, protocol: Protocol) -> bool {
        protocol != Protocol::Dtls || self.clients[id].connected
    }

    fn datagram(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        transport: Transport,
        contents: Vec<u8>,
        voice: Option<(ClientId, u32)>,
    ) -> Datagram {
        self.sent += 1;
        Datagram {
            number: self.sent,
            left: self.elapsed,
            from,
            to,
            transport,
            contents,
            voice,
            is_duplicate: false,
        }
    }

    fn launch(&mut self, extra: Duration, datagram: Datagram) {
        let at = self.elapsed + self.latency + extra;
        self.launched += 1;
        self.in_flight.insert((at, self.launched), datagram);
    }

    /// The next datagram arrives.
    pub(super) fn deliver(&mut self) {
        let Some((_, datagram)) = self.in_flight.pop_first() else {
            return;
        };
        if self.node.worker_at(datagram.to).is_some() {
            let to = datagram.to;
            let from = Endpoint {
                transport: datagram.transport,
                address: datagram.from,
            };
            let reasons = self.reasons_to_miss(datagram.voice);
            let stopped = self.hand_to_node(to, from, &datagram.contents, reasons);
            self.arrived(datagram.voice, stopped);
            self.drain_node();
        } else if let Some(id) = self.client_at(datagram.to) {
            self.deliver_to(id, &datagram);
        } else if let Some(&id) = self.routes.get(&datagram.to) {
            self.lost(id, &datagram);
        }
    }

    fn deliver_to(&mut self, id: ClientId, datagram: &Datagram) {
        let now = self.now();
        let client = &mut self.clients[id];
        let (listens, before) = (client.connected, client.heard.len());
        if client.transport != datagram.transport {
            // It does not listen there.
            return self.lost(id, datagram);
        }
        if client.closed {
            // Whatever comes now, nobody is there any more to hear it.
            self.lost(id, datagram);
        }
        let client = &mut self.clients[id];
        client.expect(datagram.number, datagram.left);
        client.receive(now, datagram.from, &datagram.contents);
        self.drain_client(id);
        let client = &self.clients[id];
        let is_deaf = client.heard.len() == before && !client.closed && !datagram.is_duplicate;
        if is_deaf && listens {
            self.access[id].unheard.extend(datagram.packet());
        }
    }

    fn client_at(&self, address: SocketAddr) -> Option<ClientId> {
        let is_there = |id: &ClientId| {
            let client = &self.clients[*id];
            client.outer == address && !client.vanished
        };
        let last_seen = self.routes.get(&address).copied();
        last_seen
            .filter(is_there)
            .or_else(|| (0..self.clients.len()).find(is_there))
    }

    /// Why a worker may drop a packet of a voice as if the network had: it knows nobody at the address; or
    /// somebody whose room is at home elsewhere, and has not heard yet that they may speak.
    fn reasons_to_miss(&self, voice: Option<(ClientId, u32)>) -> &'static [DropReason] {
        const REASONS: [DropReason; 2] = [DropReason::UnknownAddress, DropReason::NotAllowed];
        let speaks = |id| self.is_seated_elsewhere(id) && self.may_speak(id);
        match voice {
            None => &[],
            Some((id, _)) if speaks(id) => &REASONS,
            Some(_) => &REASONS[..1],
        }
    }

    /// A packet of a client's voice has reached the node, which may have stopped it at the door.
    fn arrived(&mut self, voice: Option<(ClientId, u32)>, stopped: bool) {
        let Some((id, number)) = voice else {
            return;
        };
        let highest = &mut self.access[id].highest;
        if stopped || highest.is_some_and(|highest| number < highest) {
            self.missed(voice);
        } else {
            *highest = Some(number);
        }
    }

    /// A packet of a client's voice does not reach the node, or does so too late.
    fn missed(&mut self, voice: Option<(ClientId, u32)>) {
        if let Some((id, number)) = voice {
            self.access[id].missing.insert(number, self.elapsed);
        }
    }

    /// A datagram of the node does not reach its client.
    fn lost(&mut self, id: ClientId, datagram: &Datagram) {
        self.access[id].lost.extend(datagram.packet());
    }
}
