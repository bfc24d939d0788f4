//! Packets that are not forwarded although they would be heard: their tenant has no quota left for them.

use std::time::Instant;

use super::{Heard, SpeakerPacket, Stage};
use crate::{
    compose::Destination,
    keys::{BankKey, ParticipantKey},
};

impl Stage {
    /// Takes a packet of somebody, hands on nothing, and names those who would have heard it. Who is ranked and
    /// who holds the slots is as if it had been forwarded.
    pub(crate) fn withhold(
        &mut self,
        now: Instant,
        key: ParticipantKey,
        packet: &SpeakerPacket,
        mut would_hear: impl FnMut(BankKey, Destination),
    ) -> Heard {
        let heard = self.listen(now, key, packet);
        let Some(speaker) = self.speakers.get_mut(&key) else {
            return heard;
        };
        match speaker.heard_in.is_empty() {
            true => speaker.preroll.keep(now, packet, self.preroll),
            // It is over, and so is what came before it: some have heard that.
            false => speaker.preroll.clear(),
        }
        for &bank in &speaker.heard_in {
            if let Some(slots) = self.banks.get_mut(bank) {
                slots.withhold(key, |destination| would_hear(bank, destination));
            }
        }
        heard
    }

    /// Notes that one more is connected who hears by this bank.
    pub(crate) fn starts_to_hear(&mut self, bank: Option<BankKey>) {
        bank.into_iter()
            .for_each(|bank| self.banks.starts_to_hear(bank));
    }

    /// Notes that one fewer is.
    pub(crate) fn ceases_to_hear(&mut self, bank: Option<BankKey>) {
        bank.into_iter()
            .for_each(|bank| self.banks.ceases_to_hear(bank));
    }

    /// How many hear by this bank.
    pub(crate) fn hearing(&self, bank: BankKey) -> usize {
        self.banks.hearing(bank)
    }
}
