//! The seats' side: who comes and goes here, whatever room they are in.

use super::{Node, TimerKey};
use crate::{
    audience::Audience,
    contain::contain_counting,
    endpoint::Endpoint,
    event::LeaveReason,
    keys::{BankKey, MemberAt, SessionKey},
    message::{Content, Expected, FromLobby, Message, Peer, ToHome, ToLobby, ToSeat},
    output::Output,
    quality::Measured,
    seat::{Place, Seat, Ticket},
    session::{Drained, Session},
    transmit::Transmit,
};

impl Node {
    /// Takes what a room's home says of somebody who has a seat here.
    pub(super) fn at_seat(&mut self, message: ToSeat) {
        match message {
            ToSeat::Expect(expected) => self.expect(*expected),
            ToSeat::Listen { member, bank } => self.listen(member, bank),
            ToSeat::Speak { member, may_speak } => {
                if let Some(seat) = self.seat_here(member) {
                    seat.may_speak = may_speak;
                }
            }
            ToSeat::Dismiss { member } => {
                if let Some(&key) = self.seats_by_member.get(&member) {
                    self.vacate(key);
                }
            }
        }
    }

    /// Takes what a lobby says of a session that is set up there. It may not be awaited any more.
    pub(super) fn take_from_lobby(&mut self, message: FromLobby) {
        match message {
            FromLobby::Send(key, transmit) => {
                if self.seats.contains_key(key) {
                    self.send(key, transmit);
                }
            }
            FromLobby::Keyed(key, session) => self.take_over(key, session),
            FromLobby::Failed(key, reason) => self.lose(key, reason),
        }
    }

    /// Says something to the home of a room: at once, if it is here.
    pub(super) fn tell_home(&mut self, member: MemberAt, message: ToHome) {
        if member.room.home == self.worker {
            return self.at_home(message);
        }
        self.post(Peer::Worker(member.room.home), Content::ToHome(message));
    }

    /// Lets a lobby forget a session.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        self.tell_lobby(ticket, ToLobby::Abandon(ticket.session));
    }

    /// Says something to the lobby where a session is.
    pub(super) fn tell_lobby(&mut self, ticket: Ticket, message: ToLobby) {
        self.post(Peer::Lobby(ticket.lobby), Content::ToLobby(message));
    }

    /// Says something to another node, or to a lobby.
    pub(super) fn post(&mut self, to: Peer, content: Content) {
        let message = Message(content);
        self.letters.push_back(Output::Message { to, message });
    }

    fn seat_here(&mut self, member: MemberAt) -> Option<&mut Seat> {
        let key = *self.seats_by_member.get(&member)?;
        self.seats.get_mut(key)
    }

    /// Somebody will come.
    fn expect(&mut self, expected: Expected) {
        let Expected {
            member,
            bank,
            credentials,
            place,
        } = expected;
        if self.seats.len() >= self.limits.participants {
            if let Place::Lobby(ticket) = place {
                self.abandon(ticket);
            }
            return self.tell_home(
                member,
                ToHome::Gone(member.participant, LeaveReason::MediaError),
            );
        }
        let is_here = matches!(place, Place::Here(_));
        let ufrag = credentials.ufrag.clone();
        let seat = Seat::new(self.now, member, place, bank, ufrag);
        let key = self.seats.insert(seat);
        self.seats_by_member.insert(member, key);
        self.demux.add(credentials, key);
        self.timers.set(
            TimerKey::Liveness(key),
            self.now + self.limits.connect_timeout,
        );
        if is_here {
            self.serve_session(key);
        }
    }

    /// A session comes from its lobby, and goes on here. Where they were dismissed meanwhile, it ends with the
    /// goodbye that nobody could say before: the client may take itself for connected.
    fn take_over(&mut self, key: SessionKey, mut session: Box<Session>) {
        let Some(seat) = self.seats.get_mut(key) else {
            return self.say_goodbye(&mut session, None);
        };
        seat.place = Place::Here(session);
        self.keyed(key);
        self.serve_session(key);
    }

    fn say_goodbye(&mut self, session: &mut Session, reachable_at: Option<Endpoint>) {
        let mut farewell = Drained::default();
        session.guard(&mut farewell, Session::close);
        self.stats.panics += u64::from(farewell.panicked);
        for transmit in farewell.transmits {
            self.send_to(reachable_at, Transmit::of_session(transmit));
        }
    }

    /// ICE and DTLS are done: they hear what their bank hears from now on.
    pub(super) fn keyed(&mut self, key: SessionKey) {
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        if seat.is_connected {
            return;
        }
        let (member, bank) = (seat.member, seat.bank);
        if bank.is_some() && !self.start_sending(key) {
            return self.lose(key, LeaveReason::MediaError);
        }
        if let Some(seat) = self.seats.get_mut(key) {
            seat.is_connected = true;
            seat.last_heard = self.now;
        }
        if let Some(bank) = bank {
            self.sit_down(member, key, bank);
        }
        self.tell_home(member, ToHome::Connected(member.participant));
    }

    pub(super) fn sit_down(&mut self, member: MemberAt, key: SessionKey, bank: BankKey) {
        let hasher = &self.hasher;
        let audience = self.audiences.entry(member.room);
        let audience = audience.or_insert_with(|| Audience::new(hasher.clone()));
        audience.seat(member.participant, key, bank);
    }

    /// A listener hears by another choice from now on.
    fn listen(&mut self, member: MemberAt, bank: BankKey) {
        self.seal_all();
        let Some(&key) = self.seats_by_member.get(&member) else {
            return;
        };
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        seat.bank = Some(bank);
        if let Some(session) = seat.session() {
            session.interrupt();
        }
        self.direct.interrupt(key);
        if seat.is_connected && seat.away_since.is_none() {
            self.sit_down(member, key, bank);
        }
    }

    /// Tells home how well packets get through, where that is another quality now.
    pub(super) fn rate(&mut self, key: SessionKey, mut measured: Measured) {
        self.direct.measure(key, &mut measured);
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        seat.measured = measured;
        let quality = measured.quality(seat.quality);
        if std::mem::replace(&mut seat.quality, quality) != quality {
            let member = seat.member;
            self.tell_home(member, ToHome::Rated(member.participant, quality));
        }
    }

    /// Ends whoever has not been heard for too long, and looks again later at the others.
    pub(super) fn check_liveness(&mut self, key: SessionKey) {
        let Some(seat) = self.seats.get(key) else {
            return;
        };
        let limits = &self.limits;
        let (due, is_away) = match (seat.is_connected, seat.away_since) {
            (false, _) => (seat.taken_at + limits.connect_timeout, false),
            (true, None) => (seat.last_heard + limits.ice_timeout, false),
            (true, Some(since)) => (since + limits.resume_window, true),
        };
        if due > self.now {
            self.timers.set(TimerKey::Liveness(key), due);
        } else if !seat.is_connected {
            self.lose(key, LeaveReason::ConnectTimeout);
        } else if is_away {
            self.lose(key, LeaveReason::IceTimeout);
        } else {
            self.go_away(key);
        }
    }

    /// Somebody is gone, and their room has to know.
    pub(super) fn lose(&mut self, key: SessionKey, reason: LeaveReason) {
        if let Some(member) = self.vacate(key) {
            self.tell_home(member, ToHome::Gone(member.participant, reason));
        }
    }

    /// Ends a session with a goodbye: everything that is known of it here goes.
    fn vacate(&mut self, key: SessionKey) -> Option<MemberAt> {
        self.stop_sending(key);
        let mut seat = self.seats.remove(key)?;
        match &mut seat.place {
            Place::Here(_) if seat.away_since.is_some() => {}
            Place::Here(session) => self.say_goodbye(session, seat.reachable_at),
            Place::Lobby(ticket) => self.abandon(*ticket),
        }
        self.demux.remove(&seat.ufrag, &seat.addresses);
        for former in &seat.former_ufrags {
            self.demux.forget_credentials(former);
        }
        self.timers.cancel(TimerKey::Session(key));
        self.timers.cancel(TimerKey::Liveness(key));
        self.timers.cancel(TimerKey::Report(key));
        let member = seat.member;
        self.seats_by_member.remove(&member);
        self.get_up(member);
        // What has panicked may do so once more while it is taken apart.
        let _ = contain_counting(&mut self.stats.panics, || drop(seat));
        Some(member)
    }

    /// Somebody listens no more from here.
    pub(super) fn get_up(&mut self, member: MemberAt) {
        if let Some(audience) = self.audiences.get_mut(&member.room) {
            audience.remove(member.participant);
            if audience.is_empty() {
                self.audiences.remove(&member.room);
            }
        }
    }
}
