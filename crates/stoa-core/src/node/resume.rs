//! Those who lose the network, and how they come back: by themselves, by a new session, or by an ICE restart.

use std::time::Instant;

use rand::Rng;

use super::Node;
use crate::{
    endpoint::Endpoint,
    error::Error,
    event::{ConnectionState, LeaveReason, RoomEventKind},
    ids::{ParticipantId, RoomId, SessionId, WorkerId},
    join::{Join, Joined, Prepared},
    keys::{MemberAt, ParticipantKey, SessionKey},
    message::{ToHome, ToSeat},
    seat::Place,
    session::Drained,
    settings::AudioMode,
    transmit::Transmit,
};

/// At which worker a participant has their media session, and what its node calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatAt {
    worker: WorkerId,
    member: MemberAt,
    mode: AudioMode,
}

impl SeatAt {
    /// Whose node [`Node::restart_ice`] is to be called of.
    pub fn worker(&self) -> WorkerId {
        self.worker
    }

    /// Who it is.
    pub(super) fn member(&self) -> MemberAt {
        self.member
    }
}

/// At the seat.
impl Node {
    /// Nothing came from somebody for the ICE timeout.
    pub(super) fn go_away(&mut self, key: SessionKey) {
        // What is on its way is sealed before: the last thing that they get.
        self.pause_sending(key);
        let now = self.now;
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        seat.away_since = Some(now);
        let member = seat.member;
        self.get_up(member);
        self.tell_home(member, ToHome::Away(member.participant));
        // Where there is no time to resume, this is the end.
        self.check_liveness(key);
    }

    /// Something authentic came from somebody, who may have been away.
    pub(super) fn come_back(&mut self, key: SessionKey) {
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        if seat.away_since.take().is_none() {
            return;
        }
        let (member, bank) = (seat.member, seat.bank);
        if let Some(bank) = bank {
            self.seal_all();
            self.sit_down(member, key, bank);
        }
        self.check_liveness(key);
        self.tell_home(member, ToHome::Back(member.participant));
    }

    /// Answers another offer of a client whose network has changed: ICE begins anew, and the keys and all
    /// streams stay (RFC 8445, section 9). The ICE credentials from before are good until the client has
    /// nominated a pair by the new ones. For the node of the worker that [`Node::seat_of`] has named.
    ///
    /// # Errors
    /// [`Error::SessionConnecting`] while ICE and DTLS are not done; [`Error::Offer`], also for one in which
    /// anything but ICE and its candidates is another. Nothing has changed then.
    pub fn restart_ice(
        &mut self,
        now: Instant,
        seat: SeatAt,
        offer: &str,
    ) -> Result<String, Error> {
        self.advance(now);
        let key = self.seats_by_member.get(&seat.member).copied();
        let key = key.ok_or(Error::SessionConnecting)?;
        let found = self.seats.get_mut(key).filter(|seat| seat.is_connected);
        let found = found.ok_or(Error::SessionConnecting)?;
        let Place::Here(session) = &mut found.place else {
            return Err(Error::SessionConnecting);
        };
        let (template, now, rng) = (&self.template, self.now, &mut self.rng);
        let mut restarted = Err(Error::InternalFault);
        let mut drained = Drained::default();
        session.guard(&mut drained, |session, _| {
            let answered = session.restart(template, now, rng, offer, seat.mode);
            restarted = answered.map_err(Error::from);
        });
        if drained.panicked {
            self.stats.panics += 1;
            self.lose(key, LeaveReason::InternalFault);
            return Err(Error::InternalFault);
        }
        let restarted = restarted?;
        if let Some(credentials) = restarted.credentials {
            self.demux.supersede(&found.ufrag);
            if let Some(unused) = found.restarted(credentials.ufrag.clone()) {
                self.demux.forget_credentials(&unused);
            }
            self.demux.add(credentials, key);
        }
        self.serve_session(key);
        Ok(restarted.answer)
    }

    /// A client has nominated a pair by the ICE credentials that it was given last.
    pub(super) fn forget_former(&mut self, key: SessionKey) {
        if let Some(seat) = self.seats.get_mut(key) {
            for former in seat.former_ufrags.drain(..) {
                self.demux.forget_credentials(&former);
            }
        }
    }

    /// A client has nominated a pair by ICE credentials from before.
    pub(super) fn keep_former(&mut self, key: SessionKey, ufrag: &str) {
        if let Some(seat) = self.seats.get_mut(key) {
            seat.uses_former(ufrag);
        }
    }

    /// Answers a check that no session answers.
    pub(super) fn answer_check(&mut self, remote: Endpoint, contents: Vec<u8>) {
        let transmit = Transmit {
            destination: remote,
            source: None,
            contents,
        };
        self.send_to(None, transmit);
    }
}

/// At home.
impl Node {
    /// Nothing comes from somebody any more.
    pub(super) fn away(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        if participant.info.state != ConnectionState::Connected {
            return;
        }
        if participant.hears() {
            room.ceases_to_hear(participant.seat, participant.bank);
        }
        participant.info.state = ConnectionState::Reconnecting;
        let info = participant.info.clone();
        self.events
            .push_back(room.changed(RoomEventKind::Reconnecting(info)));
    }

    /// Somebody is there again: they hear and are heard as before.
    pub(super) fn back(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        if participant.info.state != ConnectionState::Reconnecting {
            return;
        }
        participant.info.state = ConnectionState::Connected;
        if participant.hears() {
            room.starts_to_hear(participant.seat, participant.bank);
        }
        let info = participant.info.clone();
        self.events
            .push_back(room.changed(RoomEventKind::Resumed(info)));
        self.apply_rights(key);
    }

    /// Where a participant's media session is, of a room that is at home here.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`], [`Error::SessionMismatch`].
    pub fn seat_of(
        &self,
        room: &RoomId,
        participant: &ParticipantId,
        session: Option<&SessionId>,
    ) -> Result<SeatAt, Error> {
        let key = self.find_participant(room, participant, session)?;
        let participant = &self.participants[key];
        Ok(SeatAt {
            worker: participant.seat,
            member: self.member(participant.room, key),
            mode: participant.info.audio_mode,
        })
    }

    /// Lets somebody back in who is in the room already, by another session. To the seats they are another
    /// one, so whatever the old one still says concerns nobody.
    pub(super) fn admit_again(
        &mut self,
        join: &Join,
        session: &SessionId,
        prepared: Prepared,
    ) -> Result<Joined, Error> {
        let old_key = self.find_participant(&join.room, &join.participant, Some(session))?;
        let old = &self.participants[old_key];
        let (room, choice, mut info) = (old.room, old.choice.clone(), old.info.clone());
        let may_publish = old.may_publish && join.may_publish;
        let bank = self.bank_for(room, &prepared, &choice)?;
        info.session = SessionId::from_random(self.rng.random());
        info.state = ConnectionState::Reconnecting;
        info.connection_quality = None;
        info.level_distrusted = false;
        self.give_up_session(old_key);
        let told = RoomEventKind::Reconnecting(info.clone());
        Ok(self.take_in((room, info, told), (bank, choice, may_publish), prepared))
    }

    /// Ends the session of somebody who stays in the room by another one.
    fn give_up_session(&mut self, key: ParticipantKey) {
        let Some(old) = self.participants.remove(key) else {
            return;
        };
        let member = self.member(old.room, key);
        if let Some(room) = self.rooms.get_mut(old.room) {
            room.stage.remove(self.now, key);
            if old.hears() {
                room.ceases_to_hear(old.seat, old.bank);
            }
            if let Some(bank) = old.bank {
                room.stage.give_back_bank(bank);
            }
        }
        self.tell_seat(old.seat, ToSeat::Dismiss { member });
    }
}
