//! Clients that lose their network, and come back.

use stoa_core::{Error, Join};

use super::Net;
use crate::{ClientId, client::Client};

impl Net {
    /// Nothing comes through to or from a client from now on, or everything does again. What is on its way
    /// arrives.
    pub fn set_cut(&mut self, id: ClientId, is_cut: bool) {
        self.access[id].is_cut = is_cut;
    }

    /// A client begins ICE anew by a new offer, which the signalling service hands over.
    ///
    /// # Errors
    /// The node's own.
    pub fn restart_ice(&mut self, id: ClientId) -> Result<(), Error> {
        self.restart_ice_with(id, |offer| offer)
    }

    /// The same, with an offer that is edited on its way.
    ///
    /// # Errors
    /// The node's own.
    pub fn restart_ice_with(
        &mut self,
        id: ClientId,
        edit: impl FnOnce(String) -> String,
    ) -> Result<(), Error> {
        let offer = edit(self.clients[id].offer_restart());
        let answer = self.renegotiate(id, &offer)?;
        let now = self.now();
        self.clients[id].accept_restart(now, &answer);
        self.drain_client(id);
        Ok(())
    }

    /// Hands an offer of a client over. Returns the answer, of which the client knows nothing yet.
    ///
    /// # Errors
    /// The node's own.
    pub fn renegotiate(&mut self, id: ClientId, offer: &str) -> Result<String, Error> {
        let client = &self.clients[id];
        let (room, who) = (client.room.clone(), client.id.clone());
        let session = client.session.clone();
        let now = self.now();
        let house = &mut self.node;
        let answer = house.restart_ice(now, &room, &who, Some(&session), offer);
        self.drain_node();
        answer
    }

    /// A client's program ends without a word and is started again, and comes back as who it was: by a new
    /// session in the place of the old one. Returns the new client.
    ///
    /// # Errors
    /// The node's own.
    pub fn come_again(&mut self, id: ClientId) -> Result<ClientId, Error> {
        self.vanish(id);
        let (new, old) = (self.clients.len(), &self.clients[id]);
        let (room, who, lines) = (old.room.clone(), old.id.clone(), old.line_count());
        let session = old.session.clone();
        let now = self.now();
        let (mut client, offer) = Client::new(now, new, room.as_str(), who.as_str(), lines);
        client.resumes = true;
        let join = Join {
            resume: Some(session),
            ..Join::new(room, who, offer)
        };
        let joined = self.node.join(now, join);
        self.drain_node();
        client.accept(now, &joined?);
        let moment = self.moment();
        self.ledger.resumed(moment, &client, id);
        self.take_in(client);
        Ok(new)
    }
}
