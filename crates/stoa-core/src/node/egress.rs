//! The direct path in the node: who is sent to, what is sealed next, and reports.

use super::{Node, TimerKey};
use crate::{
    egress::{
        EgressPath,
        direct::{Outcome, Path, Reception, report_interval},
    },
    error::Error,
    ids::{ParticipantId, RoomId},
    keys::ParticipantKey,
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

    /// Seals what is on its way for the next few listeners, if anything is. Returns whether there is
    /// something to send now.
    pub(super) fn seal_some(&mut self) -> bool {
        let Self {
            direct,
            rooms,
            transmits,
            timers,
            stats,
            rng,
            now,
            ..
        } = self;
        while let Some(room) = direct.room() {
            let audience = rooms.get(room).map(|room| &room.audience);
            direct.seal_some(audience, |outcome| match outcome {
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

    /// A listener's sender report is due.
    pub(super) fn report(&mut self, key: ParticipantKey) {
        self.transmits.extend(self.direct.report(self.now, key));
    }
}
