//! What the network is to each client.

use std::time::Duration;

use super::{Fate, Net};
use crate::{
    ClientId,
    link::{Direction, Link},
    nat::Nat,
};

impl Net {
    /// Decides about every datagram that clients send from now on, before their links do.
    pub fn on_uplink(&mut self, uplink: impl FnMut(ClientId, &[u8]) -> Fate + 'static) {
        self.uplink = Box::new(uplink);
    }

    /// The same for every datagram that the node sends to clients.
    pub fn on_downlink(&mut self, downlink: impl FnMut(ClientId, &[u8]) -> Fate + 'static) {
        self.downlink = Box::new(downlink);
    }

    /// Gives a client another link in one direction, for what is sent from now on.
    pub fn set_link(&mut self, id: ClientId, direction: Direction, link: Link) {
        let now = self.elapsed;
        let access = &mut self.access[id];
        match direction {
            Direction::Up => {
                self.spread = self.spread.max(link.delay + link.spread());
                access.up.set(now, link);
            }
            Direction::Down => access.down.set(now, link),
        }
    }

    /// Gives a client another link in both directions, for what is sent from now on.
    pub fn set_links(&mut self, id: ClientId, link: Link) {
        self.set_link(id, Direction::Up, link);
        self.set_link(id, Direction::Down, link);
    }

    /// Puts a client behind a NAT that gives it another outer address on average once in `every`; or,
    /// with `None`, behind one that keeps the present address.
    pub fn set_nat(&mut self, id: ClientId, every: Option<Duration>) {
        let random = self.random.child(id as u64).child(2);
        self.access[id].nat = every.map(|every| Nat::new(self.elapsed, every, random));
    }
}
