//! The direct path: a packet is written once, then sealed for each listener.
//!
//! What a room sends is queued as it was composed, and sealed one listener at a time, when whoever
//! drives the node asks for the next datagram. So few buffers are in use however many listen, and
//! they are those that the processor has at hand. Buffers come back by `Node::recycle`, and nothing
//! is allocated for a packet once as many are about as a batch of sends takes.
//!
//! What each listener needs for a packet is kept apart from their media session, in few pieces: the
//! listener's entry here, the line, and the key schedule in aws-lc's heap.

mod line;
mod reception;
mod reports;
mod used;
mod wire;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use rand::Rng;
use slotmap::SecondaryMap;

use self::{line::Line, reports::Reports, wire::Templates};
use crate::{
    compose::{Composed, Written},
    egress::NegotiatedLine,
    keys::{ParticipantKey, RoomKey},
    limits::{MAX_POOLED_BUFFERS, REPORT_INTERVAL},
    output::Transmit,
    quality::Measured,
    seal::{RtpSealer, SealError, SrtpKeys},
    stats::DropReason,
};

pub use self::reception::Reception;
pub(crate) use self::reports::NtpClock;

/// A packet of a room that is being sealed for its listeners.
#[derive(Debug)]
pub(crate) struct FanOut {
    pub(crate) room: RoomKey,
    pub(crate) composed: Composed,
    /// How many of the listeners have been looked at.
    pub(crate) done: usize,
}

/// Where a listener is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) remote: SocketAddr,
    /// From which address of ours, where it matters.
    pub(crate) local: Option<IpAddr>,
}

/// What is needed to send to one listener.
struct Listener {
    sealer: RtpSealer,
    path: Path,
    /// By slot.
    lines: Box<[Line]>,
    /// Whether a time is set for the next report.
    report_is_due: bool,
    /// Seldom needed.
    reports: Box<Reports>,
}

/// What has become of a packet for one listener.
pub(crate) enum Outcome {
    Sealed(Sealed),
    /// It is of the pre-roll, and this listener's stream is ahead as it is; or they hear nobody.
    LeftOut,
    Dropped(DropReason),
}

/// A sealed packet, and whether its listener's next report has to be given a time.
pub(crate) struct Sealed {
    pub(crate) transmit: Transmit,
    pub(crate) wants_report: bool,
}

/// All listeners of a node, and what is on its way to them.
pub(crate) struct Direct {
    clock: NtpClock,
    listeners: SecondaryMap<ParticipantKey, Listener>,
    fan_outs: VecDeque<FanOut>,
    /// Of the first of them.
    templates: Templates,
    /// To be used again.
    buffers: Vec<Vec<u8>>,
    /// Kept for its allocation.
    opened: Vec<u8>,
}

impl Direct {
    pub(crate) fn new(clock: NtpClock) -> Self {
        Self {
            clock,
            listeners: SecondaryMap::new(),
            fan_outs: VecDeque::new(),
            templates: Templates::default(),
            buffers: Vec::new(),
            opened: Vec::new(),
        }
    }

    /// Lets packets be sent to somebody from now on.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub(crate) fn add(
        &mut self,
        key: ParticipantKey,
        lines: &[NegotiatedLine],
        keys: &SrtpKeys,
        path: Path,
    ) -> Result<(), SealError> {
        let listener = Listener {
            sealer: RtpSealer::new(&keys.local)?,
            path,
            lines: lines.iter().map(Line::new).collect(),
            report_is_due: false,
            reports: Box::new(Reports::new(keys, lines)?),
        };
        self.listeners.insert(key, listener);
        Ok(())
    }

    /// Forgets a listener. Returns the goodbye to send them (RFC 3550, section 6.6).
    pub(crate) fn remove(&mut self, key: ParticipantKey) -> Option<Transmit> {
        let mut listener = self.listeners.remove(key)?;
        let mut contents = self.buffer();
        let written = listener
            .reports
            .write_goodbye(&listener.lines, &mut contents);
        written.ok()?;
        Some(listener.path.transmit(contents))
    }

    /// Notes where a listener is reached from now on.
    pub(crate) fn set_path(&mut self, key: ParticipantKey, path: Path) {
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.path = path;
        }
    }

    /// Notes that a listener hears by another choice from now on.
    pub(crate) fn interrupt(&mut self, key: ParticipantKey) {
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.lines.iter_mut().for_each(Line::interrupt);
        }
    }

    /// Queues a packet for the listeners of a room.
    pub(crate) fn queue(&mut self, room: RoomKey, composed: Composed) {
        self.fan_outs.push_back(FanOut {
            room,
            composed,
            done: 0,
        });
    }

    /// What is to be sealed next.
    pub(crate) fn first(&mut self) -> Option<&mut FanOut> {
        self.fan_outs.front_mut()
    }

    /// The first packet in the queue has reached all its listeners.
    pub(crate) fn pop(&mut self) {
        self.fan_outs.pop_front();
        self.templates.clear();
    }

    /// Seals the first packet in the queue for one listener.
    pub(crate) fn seal(&mut self, key: ParticipantKey) -> Outcome {
        let Some(FanOut { composed, .. }) = self.fan_outs.front() else {
            return Outcome::LeftOut;
        };
        let Some(listener) = self.listeners.get_mut(key) else {
            return Outcome::LeftOut;
        };
        let Some(line) = listener.lines.get_mut(composed.stream.slot.index()) else {
            return Outcome::LeftOut;
        };
        let template = self.templates.of(line.profile(), composed);
        let mut contents = self.buffers.pop().unwrap_or_default();
        match line.seal(composed, template, &listener.sealer, &mut contents) {
            Ok(Written::Sent) => {
                let wants_report = !listener.report_is_due;
                listener.report_is_due = true;
                Outcome::Sealed(Sealed {
                    transmit: listener.path.transmit(contents),
                    wants_report,
                })
            }
            unsent => {
                self.recycle(contents);
                match unsent {
                    Ok(Written::Late) => Outcome::Dropped(DropReason::Late),
                    Err(_) => Outcome::Dropped(DropReason::SealFailed),
                    Ok(_) => Outcome::LeftOut,
                }
            }
        }
    }

    /// When the listener's next report is due, if one is wanted now: 5 s on the average, from half
    /// to one and a half of that (RFC 3550, section 6.2), so that those of a room are spread; for
    /// the first one, half of it.
    pub(crate) fn report_at(
        &self,
        now: Instant,
        key: ParticipantKey,
        rng: &mut impl Rng,
    ) -> Instant {
        let is_first = self
            .listeners
            .get(key)
            .is_some_and(|listener| listener.reports.is_first());
        let factor = if is_first { 0.5 } else { 1.0 };
        now + REPORT_INTERVAL.mul_f64(factor * rng.random_range(0.5..1.5))
    }

    /// The listener's report: one for each line on which something was sent since the last one.
    /// Nothing, and no further one until there is something to report, if nothing was.
    pub(crate) fn report(&mut self, now: Instant, key: ParticipantKey) -> Option<Transmit> {
        let mut contents = self.buffer();
        let listener = self.listeners.get_mut(key)?;
        listener.report_is_due = false;
        let ntp = self.clock.at(now);
        let written = listener
            .reports
            .write(now, ntp, &listener.lines, &mut contents);
        match written {
            Ok(true) => Some(listener.path.transmit(contents)),
            Ok(false) => None,
            Err(error) => {
                tracing::warn!(%error, "a sender report could not be sealed");
                None
            }
        }
    }

    /// Takes an SRTCP packet of somebody: what it says about our lines is kept.
    pub(crate) fn take_report(&mut self, now: Instant, key: ParticipantKey, packet: &[u8]) {
        if let Some(listener) = self.listeners.get_mut(key) {
            let ntp = self.clock.at(now);
            let lines = &listener.lines;
            listener.reports.take(ntp, lines, packet, &mut self.opened);
        }
    }

    /// Adds what a listener has reported since the last call to what is known of the way to them.
    pub(crate) fn measure(&mut self, key: ParticipantKey, measured: &mut Measured) {
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.reports.measure(measured);
        }
    }

    /// How well a listener receives, as far as they have reported.
    pub(crate) fn reception(&self, key: ParticipantKey) -> Option<Reception> {
        self.listeners.get(key)?.reports.reception()
    }

    /// Takes back the buffer of a datagram that was sent.
    pub(crate) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.buffers.len() < MAX_POOLED_BUFFERS {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }

    fn buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }
}

impl Path {
    fn transmit(self, contents: Vec<u8>) -> Transmit {
        Transmit {
            destination: self.remote,
            source: self.local,
            contents,
        }
    }
}
