//! The way of a packet through the node: datagram, participant, stage, listeners.

use std::net::{IpAddr, SocketAddr};

use str0m::net::{Protocol, Receive};

use super::{Node, TimerKey};
use crate::{
    compose::{Composed, Written},
    demux::{Claim, Route, is_rtcp, is_rtp},
    egress::{EgressPath, direct::Path},
    event::{LeaveReason, RoomEventKind},
    keys::{ParticipantKey, RoomKey},
    limits::{MAX_DATAGRAM_BYTES, RANKING_INTERVAL},
    output::Transmit,
    participant::Drained,
    quality::Measured,
    stage::{Heard, SpeakerPacket},
    stats::DropReason,
};

impl Node {
    pub(super) fn receive(
        &mut self,
        remote: SocketAddr,
        local: Option<IpAddr>,
        datagram: &[u8],
    ) -> Result<(), DropReason> {
        if datagram.len() > MAX_DATAGRAM_BYTES {
            return Err(DropReason::Oversized);
        }
        let route = self.demux.route(remote, datagram)?;
        let candidate = self.candidate_for(remote).ok_or(DropReason::NoCandidate)?;
        let receive = Receive::new(Protocol::Udp, remote, candidate, datagram)
            .map_err(|_| DropReason::Malformed)?;
        let key = match route {
            Route::Media(key) => key,
            Route::Check {
                participant,
                nominates,
            } => {
                self.prove(participant, remote, local, nominates)?;
                participant
            }
        };
        let now = self.now;
        if is_rtcp(datagram) {
            self.direct.take_report(now, key, datagram);
        }
        let is_rtp = is_rtp(datagram);
        self.with_session(key, |participant, drained| {
            participant.handle_receive(now, receive, is_rtp, drained);
        });
        Ok(())
    }

    /// The candidate of ours that stands for the address at which this remote reaches us.
    fn candidate_for(&self, remote: SocketAddr) -> Option<SocketAddr> {
        let mut candidates = self.template.candidates.iter();
        candidates
            .find(|candidate| candidate.is_ipv4() == remote.is_ipv4())
            .copied()
    }

    /// A participant has shown their credential from this address.
    fn prove(
        &mut self,
        key: ParticipantKey,
        remote: SocketAddr,
        local: Option<IpAddr>,
        nominates: bool,
    ) -> Result<(), DropReason> {
        let claim = self.demux.claim(self.now, remote, key);
        if claim == Claim::Taken {
            return Err(DropReason::AddressTaken);
        }
        let Some(participant) = self.participants.get_mut(key) else {
            return Ok(());
        };
        participant.last_heard = self.now;
        if claim == Claim::Free {
            let forgotten = participant
                .remember(remote)
                .ok_or(DropReason::AddressLimit)?;
            if let Some(oldest) = forgotten {
                self.demux.forget(oldest, key);
            }
        }
        if nominates {
            participant.reachable_at = Some(remote);
        }
        let is_reached_there = participant.address() == Some(remote);
        self.demux.learn(self.now, remote, local, key);
        if is_reached_there {
            self.direct.set_path(key, Path { remote, local });
        }
        Ok(())
    }

    /// Gives a session its turn.
    pub(super) fn serve_session(&mut self, key: ParticipantKey) {
        let now = self.now;
        self.with_session(key, |participant, drained| {
            participant.handle_timeout(now, drained)
        });
    }

    /// Mutates a participant's session and deals with all that comes of it.
    pub(super) fn with_session<T>(
        &mut self,
        key: ParticipantKey,
        mutate: impl FnOnce(&mut super::Participant, &mut Drained) -> T,
    ) -> Option<T> {
        let mut drained = std::mem::take(&mut self.drained);
        let result = self
            .participants
            .get_mut(key)
            .map(|participant| mutate(participant, &mut drained));
        self.settle(key, &mut drained);
        self.drained = drained;
        result
    }

    fn settle(&mut self, key: ParticipantKey, drained: &mut Drained) {
        self.send(drained);
        for reason in drained.drops.drain(..) {
            self.stats.count_drop(reason);
        }
        if let Some(at) = drained.timeout.take() {
            self.timers.set(TimerKey::Session(key), at);
        }
        if std::mem::take(&mut drained.connected) {
            self.connected(key);
        }
        if let Some(measured) = drained.measured.take() {
            self.rate(key, measured);
        }
        for packet in drained.packets.drain(..) {
            self.forward(key, &packet);
        }
        if let Some(reason) = drained.ended.take() {
            self.end(key, reason);
        }
    }

    /// Queues what a session wants sent.
    pub(super) fn send(&mut self, drained: &mut Drained) {
        for transmit in drained.transmits.drain(..) {
            let source = self.demux.local_for(transmit.destination);
            let destination = transmit.destination;
            let contents = transmit.contents.into();
            self.transmits.push_back(Transmit {
                destination,
                source,
                contents,
            });
        }
    }

    /// ICE and DTLS of a participant are done: they hear and are heard from now on.
    fn connected(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else {
            return;
        };
        if participant.info.connected {
            return;
        }
        if participant.line_count() > 0 && !self.start_sending(key) {
            self.end(key, LeaveReason::MediaError);
            return;
        }
        let Some(participant) = self.participants.get_mut(key) else {
            return;
        };
        participant.info.connected = true;
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        if let Some(bank) = participant.bank {
            room.audience.seat(key, bank);
        }
        let who = participant.info.participant.clone();
        self.events
            .push_back(room.changed(RoomEventKind::Connected { participant: who }));
        self.apply_rights(key);
    }

    /// Puts a participant on the stage or takes them off, as their rights are now. A right that is
    /// taken away is gone when this returns.
    pub(super) fn apply_rights(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(participant.room) else {
            return;
        };
        if participant.may_speak(room.settings.speak_policy) {
            let info = &participant.info;
            let (who, mode) = (&info.participant, info.audio_mode);
            room.stage.add(key, who, info.csrc, mode);
        } else {
            room.stage.remove(self.now, key);
        }
    }

    /// A speaker's packet: up the stage, and out to all who hear it.
    fn forward(&mut self, key: ParticipantKey, packet: &SpeakerPacket) {
        let Self {
            participants,
            rooms,
            direct,
            dirty,
            timers,
            stats,
            now,
            template,
            ..
        } = self;
        let Some(speaker) = participants.get_mut(key) else {
            return;
        };
        speaker.last_heard = *now;
        let room_key = speaker.room;
        let Some(room) = rooms.get_mut(room_key) else {
            return;
        };
        let audience = &room.audience;
        let write_by_sessions = |composed: Composed| {
            let write = |listener: ParticipantKey| {
                let Some(participant) = participants.get_mut(listener) else {
                    return;
                };
                match participant.write(&composed) {
                    Written::Sent if !participant.is_dirty => {
                        participant.is_dirty = true;
                        dirty.push(listener);
                    }
                    Written::Sent | Written::LeftOut => {}
                    Written::Late => stats.count_drop(DropReason::Late),
                }
            };
            let hearers = audience.hearers(&composed).iter().copied();
            hearers
                .filter(|&listener| !composed.destination.leaves_out(listener))
                .for_each(write);
        };
        let heard = match template.egress {
            EgressPath::Direct => room.stage.handle_packet(*now, key, packet, |composed| {
                direct.queue(room_key, composed);
            }),
            EgressPath::Reference => room
                .stage
                .handle_packet(*now, key, packet, write_by_sessions),
        };
        match heard {
            Heard::Voice if !room.is_ranking => {
                room.is_ranking = true;
                timers.set(TimerKey::Ranking(room_key), *now + RANKING_INTERVAL);
            }
            Heard::NotOnStage => stats.count_drop(DropReason::NotAllowed),
            Heard::Voice | Heard::Silence => {}
        }
    }

    /// Tells others how well packets get through, where that is another quality now.
    fn rate(&mut self, key: ParticipantKey, mut measured: Measured) {
        self.direct.measure(key, &mut measured);
        self.describe(key, |info| {
            info.connection_quality = measured.quality(info.connection_quality);
        });
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
        room.is_ranking = somebody_talks || room.stage.owes_report();
        if room.is_ranking {
            self.timers
                .set(TimerKey::Ranking(key), self.now + RANKING_INTERVAL);
        }
    }

    /// Ends whoever has not been heard for too long, and looks again later at the others.
    pub(super) fn check_liveness(&mut self, key: ParticipantKey) {
        let Some(participant) = self.participants.get(key) else {
            return;
        };
        let (due, reason) = if participant.info.connected {
            (
                participant.last_heard + self.limits.ice_timeout,
                LeaveReason::IceTimeout,
            )
        } else {
            (
                participant.joined_at + self.limits.connect_timeout,
                LeaveReason::ConnectTimeout,
            )
        };
        if due <= self.now {
            self.end(key, reason);
        } else {
            self.timers.set(TimerKey::Liveness(key), due);
        }
    }
}
