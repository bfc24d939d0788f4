//! The direct path in the node: who is sent to, what is sealed next, and reports.

use super::{Node, TimerKey};
use crate::{
    egress::{
        EgressPath,
        direct::{Outcome, Path, Reception, Sealed},
    },
    error::Error,
    ids::{ParticipantId, RoomId},
    keys::ParticipantKey,
    output::Transmit,
};

impl Node {
    /// Takes back the buffer of a datagram that was sent, so that the next one needs no other.
    pub fn recycle(&mut self, contents: Vec<u8>) {
        self.direct.recycle(contents);
    }

    /// How well a participant receives, by their own last reports. Nothing before the first one, and
    /// nothing for those who do not listen.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::ParticipantNotFound`].
    pub fn reception(
        &self,
        room: &RoomId,
        participant: &ParticipantId,
    ) -> Result<Option<Reception>, Error> {
        let key = self.find_participant(room, participant, None)?;
        Ok(self.direct.reception(key))
    }

    /// Lets a participant whose session is keyed be sent to. Returns whether they can be.
    pub(super) fn start_sending(&mut self, key: ParticipantKey) -> bool {
        if self.template.egress == EgressPath::Reference {
            return true;
        }
        self.seal_all();
        let Some(participant) = self.participants.get_mut(key) else {
            return false;
        };
        let (keys, remote) = (participant.take_keys(), participant.address());
        let Some((keys, remote)) = keys.zip(remote) else {
            return false;
        };
        let local = self.demux.local_for(remote);
        let path = Path { remote, local };
        let added = self.direct.add(key, &participant.lines, &keys, path);
        if let Err(error) = &added {
            tracing::warn!(session = %participant.info.session, %error, "no keys to send with");
        }
        added.is_ok()
    }

    /// A participant leaves: what is on its way to them is sealed, and a goodbye after it.
    pub(super) fn stop_sending(&mut self, key: ParticipantKey) {
        self.seal_all();
        self.transmits.extend(self.direct.remove(key));
    }

    /// Seals the next packet that is on its way to somebody.
    pub(super) fn seal_next(&mut self) -> Option<Transmit> {
        loop {
            let fan_out = self.direct.first()?;
            let audience = self.rooms.get(fan_out.room).map(|room| &room.audience);
            let candidates = audience.map_or(0, |audience| audience.candidates(&fan_out.composed));
            if fan_out.done >= candidates {
                self.direct.pop();
                continue;
            }
            let index = fan_out.done;
            fan_out.done += 1;
            let listener =
                audience.and_then(|audience| audience.listener(&fan_out.composed, index));
            let Some(listener) = listener else {
                continue;
            };
            match self.direct.seal(listener) {
                Outcome::Sealed(sealed) => return Some(self.sealed(listener, sealed)),
                Outcome::LeftOut => {}
                Outcome::Dropped(reason) => self.stats.count_drop(reason),
            }
        }
    }

    fn sealed(&mut self, listener: ParticipantKey, sealed: Sealed) -> Transmit {
        if sealed.wants_report {
            let at = self.direct.report_at(self.now, listener, &mut self.rng);
            self.timers.set(TimerKey::Report(listener), at);
        }
        sealed.transmit
    }

    /// Seals all that is on its way, before anything changes about who listens.
    pub(super) fn seal_all(&mut self) {
        while let Some(transmit) = self.seal_next() {
            self.transmits.push_back(transmit);
        }
    }

    /// A listener's sender report is due.
    pub(super) fn report(&mut self, key: ParticipantKey) {
        self.transmits.extend(self.direct.report(self.now, key));
    }
}
