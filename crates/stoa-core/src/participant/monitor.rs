//! What a session's reports say of the way between a participant and us.

use std::collections::HashMap;

use str0m::{
    media::Mid,
    stats::{MediaEgressStats, MediaIngressStats},
};

use crate::{egress::reference::Line, quality::Measured};

/// What a receiver had reported of one line (RFC 3550, section 6.4.1), and what we had left out then.
#[derive(Debug, Clone, Copy, Default)]
struct Reported {
    highest: u64,
    lost: u64,
    skipped: u64,
}

/// Gathers what is reported between two looks at it.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    /// There are as many as the offer had lines.
    lines: HashMap<Mid, Reported>,
    expected: u64,
    lost: u64,
    measured: Measured,
}

impl Monitor {
    /// The client's packets, as we have received them.
    pub(crate) fn ingress(&mut self, stats: &MediaIngressStats) {
        self.measured.uplink_loss = stats.loss;
    }

    /// Our packets on this line, as the client has received them.
    ///
    /// What a speaker's own network has lost is missing in our stream, too, and the receiver cannot
    /// tell; but that is not its network's fault, so it is taken out.
    pub(crate) fn egress(&mut self, stats: &MediaEgressStats, line: &Line) {
        self.measured.round_trip = stats.rtt.or(self.measured.round_trip);
        let Some(remote) = &stats.remote else {
            return;
        };
        let now = Reported {
            highest: *remote.maximum_sequence_number,
            lost: remote.packets_lost,
            skipped: line.skipped(),
        };
        let Some(before) = self.lines.insert(stats.mid, now) else {
            return;
        };
        let skipped = now.skipped.saturating_sub(before.skipped);
        let lost = now.lost.saturating_sub(before.lost);
        self.lost += lost.saturating_sub(skipped);
        self.expected += now.highest.saturating_sub(before.highest + skipped);
    }

    /// What was measured since the last time.
    pub(crate) fn take(&mut self) -> Measured {
        let mut measured = std::mem::take(&mut self.measured);
        if self.expected > 0 {
            // Whoever reports more lost than there was lies, and is told "all of it".
            measured.downlink_loss = Some((self.lost as f32 / self.expected as f32).min(1.0));
        }
        (self.expected, self.lost) = (0, 0);
        measured
    }
}
