//! The direct path in the node: who is sent to, what is sealed next, and reports.

use super::{Node, TimerKey};
use crate::{
    compose::{Composed, Written},
    egress::{
        EgressPath,
        direct::{Outcome, Path, Reception, report_interval},
    },
    error::Error,
    ids::{ParticipantId, RoomId},
    keys::{RoomAt, SessionKey},
    stats::DropReason,
};

impl Node {
    /// Takes back the buffer of a datagram that was sent, so that the next one needs no other.
    pub fn recycle(&mut self, contents: Vec<u8>) {
        self.direct.recycle(contents);
    }

    /// How well a participant of a room that is at home here receives, by their own last reports. Nothing
    /// before the first one, and nothing for those who do not listen or have their seat elsewhere.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`].
    pub fn reception(
        &self,
        room: &RoomId,
        participant: &ParticipantId,
    ) -> Result<Option<Reception>, Error> {
        let key = self.find_participant(room, participant, None)?;
        let member = self.member(self.participants[key].room, key);
        let seat = self.seats_by_member.get(&member);
        Ok(seat.and_then(|seat| self.direct.reception(*seat)))
    }

    /// Lets a participant whose session is keyed be sent to. Returns whether they can be.
    pub(super) fn start_sending(&mut self, key: SessionKey) -> bool {
        if self.template.egress == EgressPath::Reference {
            return true;
        }
        self.seal_all();
        let Some(seat) = self.seats.get_mut(key) else {
            return false;
        };
        let remote = seat.address();
        let Some((session, remote)) = seat.session().zip(remote) else {
            return false;
        };
        let Some(keys) = session.take_keys() else {
            return false;
        };
        let local = self.demux.local_for(remote);
        let path = Path { remote, local };
        let added = self.direct.add(key, &session.lines, &keys, path);
        if let Err(error) = &added {
            tracing::warn!(%error, "no keys to send with");
        }
        added.is_ok()
    }

    /// A participant leaves: what is on its way to them is sealed, and a goodbye after it.
    pub(super) fn stop_sending(&mut self, key: SessionKey) {
        self.seal_all();
        let goodbye = self.direct.remove(key);
        let seat = self.seats.get(key);
        if seat.is_none_or(|seat| seat.away_since.is_none()) {
            self.transmits.extend(goodbye);
        }
    }

    /// Takes a packet of a room for all who hear it from here.
    pub(super) fn hear(&mut self, room: RoomAt, composed: Composed) {
        let Some(audience) = self.audiences.get(&room) else {
            return;
        };
        if self.template.egress == EgressPath::Direct {
            return self.direct.queue(room, audience, composed);
        }
        let hearers = audience.resolve(composed.stream.bank, &composed.destination);
        for &key in audience.of(&hearers) {
            let Some(seat) = self.seats.get_mut(key) else {
                continue;
            };
            if hearers.leave_out(key) {
                continue;
            }
            let written = seat.session().map(|session| session.write(&composed));
            match written {
                Some(Written::Sent) if !seat.is_dirty => {
                    seat.is_dirty = true;
                    self.dirty.push(key);
                }
                Some(Written::Late) => self.stats.count_drop(DropReason::Late),
                Some(Written::Sent | Written::LeftOut) | None => {}
            }
        }
    }

    /// Seals what is on its way for the next few listeners, if anything is. Returns whether there is
    /// something to send now.
    pub(super) fn seal_some(&mut self) -> bool {
        let Self {
            direct,
            audiences,
            transmits,
            timers,
            stats,
            rng,
            now,
            ..
        } = self;
        while let Some(room) = direct.room() {
            direct.seal_some(audiences.get(&room), |outcome| match outcome {
                Outcome::Sealed(transmit) => transmits.push_back(transmit),
                Outcome::Dropped(reason) => stats.count_drop(reason),
            });
            direct.take_unreported(|listener, is_first| {
                let at = *now + report_interval(is_first, rng);
                timers.set(TimerKey::Report(listener), at);
            });
            if !transmits.is_empty() {
                return true;
            }
        }
        false
    }

    /// Seals all that is on its way, before anything changes about who listens.
    pub(super) fn seal_all(&mut self) {
        while self.direct.room().is_some() {
            self.seal_some();
        }
    }

    /// Nothing more is sent to somebody for a while.
    pub(super) fn pause_sending(&mut self, key: SessionKey) {
        self.seal_all();
        self.direct.pause(key);
        self.timers.cancel(TimerKey::Report(key));
    }

    /// A listener's sender report is due.
    pub(super) fn report(&mut self, key: SessionKey) {
        self.transmits.extend(self.direct.report(self.now, key));
    }
}
