//! How full the bounded tables of a stage are.

use super::Stage;

impl Stage {
    /// How many different choices of whom to hear are made.
    pub(crate) fn choices(&self) -> usize {
        self.banks.choices()
    }

    /// The most packets that are kept of one speaker.
    pub(crate) fn longest_preroll(&self) -> usize {
        let speakers = self.speakers.values();
        let kept = speakers.map(|speaker| speaker.preroll.packet_count());
        kept.max().unwrap_or_default()
    }
}
