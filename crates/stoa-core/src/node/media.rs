//! The way of a packet through the node: datagram, seat, session, and on to the home of its room.

use std::net::{IpAddr, SocketAddr};

use super::Node;
use crate::{
    contain::{Panicked, contain_counting},
    demux::{Claim, Route, is_rtcp, is_rtp, is_stun},
    egress::direct::Path,
    endpoint::{Endpoint, Transport},
    event::LeaveReason,
    keys::SessionKey,
    limits::{MAX_DATAGRAM_BYTES, MAX_PAYLOAD_BYTES},
    message::{Handed, Packet, Relayed, ToLobby},
    node::TimerKey,
    output::Output,
    pace::{Pace, Paces},
    seat::Place,
    session::{Drained, Session},
    stage::SpeakerPacket,
    stats::DropReason,
    transmit::Transmit,
};

impl Node {
    pub(super) fn receive(
        &mut self,
        remote: Endpoint,
        local: Option<IpAddr>,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        if datagram.len() > MAX_DATAGRAM_BYTES {
            return Err(DropReason::Oversized);
        }
        let route = self.demux.route(remote, datagram);
        if matches!(route, Err(DropReason::InternalFault)) {
            self.stats.panics += 1;
        }
        let route = route?;
        let candidate = self.candidate_for(remote).ok_or(DropReason::NoCandidate)?;
        if let Route::Check { session, .. } | Route::FormerCheck { session, .. } = route
            && !self.keeps_pace(session, |paces| &mut paces.checks)
        {
            return Ok(());
        }
        let key = match route {
            Route::Media(key) => key,
            Route::Check { session, nominates } => {
                self.prove(session, remote, local, nominates)?;
                if nominates {
                    self.forget_former(session);
                }
                session
            }
            Route::FormerCheck {
                session,
                nominates,
                ufrag,
                answer,
            } => {
                self.prove(session, remote, local, nominates)?;
                if nominates {
                    self.keep_former(session, &ufrag);
                }
                self.answer_check(remote, answer);
                return Ok(());
            }
        };
        if let Some(&Place::Lobby(ticket)) = self.seats.get(key).map(|seat| &seat.place) {
            if !self.keeps_pace(key, |paces| &mut paces.handshake) {
                return Ok(());
            }
            let handed = Handed {
                session: ticket.session,
                seat: (self.worker, key),
                remote,
                candidate,
                contents: datagram.to_vec(),
            };
            self.tell_lobby(ticket, ToLobby::Datagram(Box::new(handed)));
            return Ok(());
        }
        let now = self.now;
        if is_rtcp(datagram)
            && let Err(reason) = self.take_report(key, datagram)
        {
            self.count_drop_of(key, reason);
            return Ok(());
        }
        let (is_rtp, from) = (is_rtp(datagram), (remote, candidate));
        self.with_session(key, |session, drained| {
            if is_rtp && !session.expect(datagram) {
                drained.drops.push(DropReason::SsrcLimit);
            } else if session.heeds(datagram) {
                session.handle_datagram(now, from, datagram, is_rtp, drained);
            }
        });
        Ok(())
    }

    /// Takes what somebody reports of what they hear.
    ///
    /// # Errors
    /// Why their session is not to see it.
    fn take_report(&mut self, key: SessionKey, datagram: &[u8]) -> Result<(), DropReason> {
        let (now, direct) = (self.now, &mut self.direct);
        let paces = self.seats.get_mut(key).map(|seat| &mut seat.paces);
        let may_take = || paces.is_none_or(|paces| paces.reports.takes(now));
        // What a report changes is the listener's own.
        contain_counting(&mut self.stats.panics, || {
            direct.take_report(now, key, datagram, may_take)
        })
        .unwrap_or_else(|Panicked| {
            self.lose(key, LeaveReason::InternalFault);
            Err(DropReason::InternalFault)
        })
    }

    /// Whether somebody may send one more of these now. It is counted as dropped otherwise.
    fn keeps_pace(&mut self, key: SessionKey, pace: impl FnOnce(&mut Paces) -> &mut Pace) -> bool {
        let now = self.now;
        let seat = self.seats.get_mut(key);
        let takes = seat.is_none_or(|seat| pace(&mut seat.paces).takes(now));
        if !takes {
            self.count_drop_of(key, DropReason::OverRate);
        }
        takes
    }

    /// The candidate of ours that stands for the address at which this remote reaches us.
    fn candidate_for(&self, remote: Endpoint) -> Option<SocketAddr> {
        if remote.transport == Transport::Tcp && !self.template.tcp {
            return None;
        }
        let mut candidates = self.template.candidates.iter();
        candidates
            .find(|candidate| candidate.is_ipv4() == remote.address.is_ipv4())
            .copied()
    }

    /// Somebody has shown their credential from this address.
    fn prove(
        &mut self,
        key: SessionKey,
        remote: Endpoint,
        local: Option<IpAddr>,
        nominates: bool,
    ) -> Result<(), DropReason> {
        let claim = self.demux.claim(self.now, remote, key);
        if claim == Claim::Taken {
            return Err(DropReason::AddressTaken);
        }
        let Some(seat) = self.seats.get_mut(key) else {
            return Ok(());
        };
        seat.last_heard = self.now;
        if claim == Claim::Free {
            let forgotten = seat.remember(remote).ok_or(DropReason::AddressLimit)?;
            if let Some(oldest) = forgotten {
                self.demux.forget(oldest, key);
            }
        }
        if nominates {
            seat.reachable_at = Some(remote);
        }
        let is_reached_there = seat.address() == Some(remote);
        self.demux.learn(self.now, remote, local, key);
        if is_reached_there {
            self.direct.set_path(key, Path { remote, local });
        }
        self.come_back(key);
        Ok(())
    }

    /// Nobody is there any more: whoever was is reached where they came from last before.
    pub(super) fn disconnect(&mut self, remote: Endpoint) {
        let Some(key) = self.demux.owner(remote) else {
            return;
        };
        self.demux.forget(remote, key);
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        seat.forget(remote);
        if let Some(remote) = seat.address() {
            let local = self.demux.local_for(remote);
            self.direct.set_path(key, Path { remote, local });
        }
    }

    /// Gives a session its turn.
    pub(super) fn serve_session(&mut self, key: SessionKey) {
        let now = self.now;
        if let Some(seat) = self.seats.get_mut(key) {
            seat.is_dirty = false;
        }
        self.with_session(key, |session, drained| session.handle_timeout(now, drained));
    }

    /// Mutates a session and deals with all that comes of it.
    fn with_session(&mut self, key: SessionKey, mutate: impl FnOnce(&mut Session, &mut Drained)) {
        let mut drained = std::mem::take(&mut self.drained);
        let session = self.seats.get_mut(key).and_then(|seat| seat.session());
        if let Some(session) = session {
            session.guard(&mut drained, mutate);
        }
        self.settle(key, &mut drained);
        self.drained = drained;
    }

    fn settle(&mut self, key: SessionKey, drained: &mut Drained) {
        for transmit in drained.transmits.drain(..) {
            self.send(key, Transmit::of_session(transmit));
        }
        self.stats.panics += u64::from(std::mem::take(&mut drained.panicked));
        for reason in drained.drops.drain(..) {
            self.count_drop_of(key, reason);
        }
        if let Some(at) = drained.timeout.take() {
            self.timers.set(TimerKey::Session(key), at);
        }
        if std::mem::take(&mut drained.connected) {
            self.keyed(key);
        }
        if let Some(measured) = drained.measured.take() {
            self.rate(key, measured);
        }
        for packet in drained.packets.drain(..) {
            self.speak(key, packet);
        }
        if let Some(reason) = drained.ended.take() {
            self.lose(key, reason);
        }
    }

    /// Something that somebody sent went nowhere.
    fn count_drop_of(&mut self, key: SessionKey, reason: DropReason) {
        self.stats.count_drop(reason);
        if let Some(seat) = self.seats.get_mut(key) {
            seat.count_drop(reason);
        }
    }

    /// Queues what the session of a seat wants sent.
    pub(super) fn send(&mut self, key: SessionKey, transmit: Transmit) {
        let seat = self.seats.get(key);
        if seat.is_some_and(|seat| seat.away_since.is_some()) {
            // Nobody has consented to it (RFC 7675, section 5.1).
            return;
        }
        self.send_to(seat.and_then(|seat| seat.reachable_at), transmit);
    }

    /// The same, for one who is reached there.
    pub(super) fn send_to(&mut self, reachable_at: Option<Endpoint>, mut transmit: Transmit) {
        // An answer to a check goes back to where the check came from.
        if let Some(address) = reachable_at
            && !is_stun(&transmit.contents)
        {
            transmit.destination = address;
        }
        transmit.source = self.demux.local_for(transmit.destination);
        self.transmits.push_back(transmit);
    }

    /// A packet of somebody's microphone, on its way to the home of their room.
    fn speak(&mut self, key: SessionKey, packet: SpeakerPacket) {
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        seat.last_heard = self.now;
        let (member, may_speak) = (seat.member, seat.may_speak);
        self.come_back(key);
        if !may_speak {
            return self.count_drop_of(key, DropReason::NotAllowed);
        }
        if packet.payload.longest() > MAX_PAYLOAD_BYTES {
            return self.count_drop_of(key, DropReason::Oversized);
        }
        if !self.keeps_pace(key, |paces| &mut paces.voice) {
            return;
        }
        if member.room.home == self.worker {
            self.forward(member.participant, &packet);
        } else {
            self.letters.push_back(Output::Relay {
                to: member.room.home,
                packet: Relayed(Packet::Voice(member.participant, Box::new(packet))),
            });
        }
    }
}
