//! The run as those who judge it see it.

use super::Net;
use crate::{
    ClientId,
    client::Client,
    history::{History, Member, Packet},
};

impl Net {
    /// What has happened so far; of what the clients have heard, what has not been forgotten.
    pub fn history(&self) -> History {
        let member = |(id, client): (ClientId, &Client)| Member {
            participant: client.id.clone(),
            room: client.room.clone(),
            csrc: client.csrc,
            may_speak: self.ledger.may_speak(id).clone(),
            is_in: self.ledger.is_in(id).clone(),
            spoke_until: self.ledger.spoke_until(id),
            is_seated_elsewhere: self.is_seated_elsewhere(id),
            choice: self.ledger.choice(id).clone(),
            missing: self.access[id].missing.clone(),
            lost: self.access[id].lost.clone(),
            unheard: self.access[id].unheard.clone(),
            reused: self.access[id].reused.clone(),
        };
        let clients = || self.clients.iter().enumerate();
        let heard = clients().flat_map(|(listener, client)| {
            let heard = client.heard.iter();
            heard.map(move |heard| Packet {
                listener,
                line: heard.line,
                sender: heard.sender(),
                number: heard.number(),
                csrc: heard.only_csrc(),
                ssrc: *heard.packet.header.ssrc,
                seq: *heard.packet.seq_no,
                time: heard.packet.header.timestamp,
                marker: heard.packet.header.marker,
                datagram: heard.datagram,
                left: heard.left,
                at: heard.at,
            })
        });
        History {
            members: clients().map(member).collect(),
            heard: heard.collect(),
            slots: self.ledger.slots().clone(),
            spread: self.spread,
            between_workers: self.node.between_workers(),
        }
    }
}
