//! What a session's reports say of the way between a participant and us.

use std::collections::HashMap;

use str0m::{
    media::Mid,
    stats::{MediaEgressStats, MediaIngressStats},
};

use crate::{
    egress::reference::Line,
    quality::{Loss, Measured, Reported},
};

/// Gathers what is reported between two looks at it.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    /// There are as many as the offer had lines.
    lines: HashMap<Mid, Reported>,
    loss: Loss,
    measured: Measured,
}

impl Monitor {
    /// The packets of the client's microphone, as we have received them.
    pub(crate) fn ingress(&mut self, stats: &MediaIngressStats) {
        self.measured.uplink_loss = stats.loss;
    }

    /// Our packets on this line, as the client has received them, on the reference path.
    pub(crate) fn egress(&mut self, stats: &MediaEgressStats, line: &Line) {
        // The lines come in no order.
        self.measured.round_trip = self.measured.round_trip.max(stats.rtt);
        let Some(remote) = &stats.remote else {
            return;
        };
        let now = Reported {
            highest: *remote.maximum_sequence_number,
            lost: remote.packets_lost,
            skipped: line.skipped(),
        };
        if let Some(before) = self.lines.insert(stats.mid, now) {
            self.loss.add(before, now);
        }
    }

    /// What was measured since the last time.
    pub(crate) fn take(&mut self) -> Measured {
        let mut measured = std::mem::take(&mut self.measured);
        measured.downlink_loss = std::mem::take(&mut self.loss).fraction();
        measured
    }
}
