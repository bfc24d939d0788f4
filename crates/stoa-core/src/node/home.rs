//! The home's side: who is in a room, who is heard, and what the seats have to know of it.

use std::sync::Arc;

use super::{Node, TimerKey};
use crate::{
    compose::{Composed, Destination},
    event::{ConnectionState, LeaveReason, RoomEventKind},
    ids::WorkerId,
    keys::{MemberAt, ParticipantKey, RoomAt, RoomKey},
    limits::RANKING_INTERVAL,
    message::{Content, Packet, Peer, Relayed, ToHome, ToSeat},
    output::Output,
    stage::{Heard, SpeakerPacket},
    stats::DropReason,
};

impl Node {
    /// Takes what a seat says of somebody in a room that is at home here. They may have left.
    pub(super) fn at_home(&mut self, message: ToHome) {
        match message {
            ToHome::Connected(key) => self.connected(key),
            ToHome::Away(key) => self.away(key),
            ToHome::Back(key) => self.back(key),
            ToHome::Rated(key, quality) => {
                self.describe(key, |info| info.connection_quality = quality);
            }
            ToHome::Gone(key, reason) => {
                self.leave(key, reason);
            }
        }
    }

    /// Says something to the seat of somebody: at once, if it is here.
    pub(super) fn tell_seat(&mut self, seat: WorkerId, message: ToSeat) {
        if seat == self.worker {
            return self.at_seat(message);
        }
        self.post(Peer::Worker(seat), Content::ToSeat(message));
    }

    /// How seats call somebody of a room that is at home here.
    pub(super) fn member(&self, room: RoomKey, participant: ParticipantKey) -> MemberAt {
        MemberAt {
            room: self.room_at(room),
            participant,
        }
    }

    fn room_at(&self, room: RoomKey) -> RoomAt {
        RoomAt {
            home: self.worker,
            room,
        }
    }

    /// ICE and DTLS of a participant are done: they hear and are heard from now on.
    fn connected(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else {
            return;
        };
        match participant.info.state {
            ConnectionState::Connected => return,
            ConnectionState::Reconnecting => return self.back(key),
            ConnectionState::Connecting => {}
        }
        participant.info.state = ConnectionState::Connected;
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        if participant.hears() {
            room.starts_to_hear(participant.seat, participant.bank);
        }
        let who = participant.info.participant.clone();
        self.events
            .push_back(room.changed(RoomEventKind::Connected { participant: who }));
        self.apply_rights(key);
    }

    /// Puts a participant on the stage or takes them off, as their rights are now. A right that is
    /// taken away is gone when this returns.
    pub(super) fn apply_rights(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get_mut(key) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        let may_speak = participant.may_speak(room.settings.speak_policy);
        if may_speak {
            let info = &participant.info;
            let (who, mode) = (&info.participant, info.audio_mode);
            room.stage.add(key, who, info.csrc, mode);
        } else {
            room.stage.remove(self.now, key);
        }
        if std::mem::replace(&mut participant.is_on_stage, may_speak) != may_speak {
            let (room, seat) = (participant.room, participant.seat);
            let member = self.member(room, key);
            self.tell_seat(seat, ToSeat::Speak { member, may_speak });
        }
    }

    /// Ends a participant's session, whatever the reason, with a goodbye.
    pub(super) fn end(&mut self, key: ParticipantKey, reason: LeaveReason) {
        if let Some((seat, member)) = self.leave(key, reason) {
            self.tell_seat(seat, ToSeat::Dismiss { member });
        }
    }

    /// Forgets a participant: nothing of theirs is heard when this returns. Returns where their seat is.
    fn leave(&mut self, key: ParticipantKey, reason: LeaveReason) -> Option<(WorkerId, MemberAt)> {
        let participant = self.participants.remove(key)?;
        let seat = (participant.seat, self.member(participant.room, key));
        let room = self.rooms.get_mut(participant.room)?;
        room.members.remove(&participant.info.participant);
        room.return_csrc(participant.info.csrc);
        room.stage.remove(self.now, key);
        if let Some(bank) = participant.bank {
            room.stage.give_back_bank(bank);
        }
        if participant.hears() {
            room.ceases_to_hear(participant.seat, participant.bank);
        }
        self.events.push_back(room.changed(RoomEventKind::Left {
            participant: participant.info.participant,
            session: participant.info.session,
            reason,
        }));
        let became_empty = room.members.is_empty();
        let room = participant.room;
        if became_empty {
            self.became_empty(room);
        }
        Some(seat)
    }

    /// A speaker's packet: up the stage, and out to all who hear it.
    pub(super) fn forward(&mut self, key: ParticipantKey, packet: &SpeakerPacket) {
        let Some(speaker) = self.participants.get(key) else {
            return self.stats.count_drop(DropReason::NotAllowed);
        };
        let room_key = speaker.room;
        let Some(room) = self.rooms.get_mut(room_key) else {
            return;
        };
        if let Some(quota) = room.quota
            && self.quotas.is_spent(self.now, quota)
        {
            return self.withhold((room_key, quota), key, packet);
        }
        let quota = room.quota;
        let mut composed = std::mem::take(&mut self.composed);
        let heard = room
            .stage
            .handle_packet(self.now, key, packet, |packet| composed.push(packet));
        if let Some(quota) = quota {
            self.spend((room_key, quota), &composed);
        }
        for packet in composed.drain(..) {
            self.spread(room_key, packet);
        }
        self.composed = composed;
        self.follow(room_key, heard);
    }

    /// Does what follows of a packet for its room, whether or not it was forwarded.
    pub(super) fn follow(&mut self, room_key: RoomKey, heard: Heard) {
        match heard {
            Heard::Voice => {
                if let Some(room) = self.rooms.get_mut(room_key) {
                    room.last_voice = self.now;
                }
                self.rank_later(room_key);
            }
            Heard::NotOnStage => self.stats.count_drop(DropReason::NotAllowed),
            Heard::Silence => {}
        }
    }

    /// Hands a packet to every node from whose seats it is heard, this one last.
    fn spread(&mut self, room_key: RoomKey, packet: Composed) {
        let Some(room) = self.rooms.get(room_key) else {
            return;
        };
        let only = match packet.destination {
            Destination::Only(listener) => {
                let listener = self.participants.get(listener);
                Some(listener.map(|listener| listener.seat))
            }
            Destination::AllBut(_) | Destination::NewTo { .. } => None,
        };
        let hears = |seat: &WorkerId| only.is_none_or(|only| only == Some(*seat));
        let mut is_heard_here = false;
        let mut shared = None;
        for seat in room.hearing().filter(hears) {
            if seat == self.worker {
                is_heard_here = true;
                continue;
            }
            let shared = shared.get_or_insert_with(|| Arc::new(packet.clone()));
            self.letters.push_back(Output::Relay {
                to: seat,
                packet: Relayed(Packet::Composed(room_key, Arc::clone(shared))),
            });
        }
        if is_heard_here {
            self.hear(self.room_at(room_key), packet);
        }
    }

    /// Sees to it that a room is ranked before long.
    fn rank_later(&mut self, key: RoomKey) {
        if let Some(room) = self.rooms.get_mut(key)
            && !room.is_ranking
        {
            room.is_ranking = true;
            self.timers
                .set(TimerKey::Ranking(key), self.now + RANKING_INTERVAL);
        }
    }

    /// A room's speakers are ranked while anybody talks, and reported.
    pub(super) fn rank(&mut self, key: RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        let somebody_talks = room.stage.rank(self.now);
        for (speaker, is_distrusted) in room.stage.changes_of_trust(self.now) {
            self.describe(speaker, |info| info.level_distrusted = is_distrusted);
        }
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        if let Some(heard) = room.stage.report(self.now) {
            self.events
                .push_back(room.event(RoomEventKind::ActiveSpeakers(heard)));
        }
        room.is_ranking = false;
        if somebody_talks || room.stage.owes_report() {
            self.rank_later(key);
        }
    }
}
