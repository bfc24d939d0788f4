//! The direct path: a packet is written once, then sealed for each listener.
//!
//! What a room sends is queued as it was composed, and sealed for a few listeners at a time, when
//! whoever drives the node asks for the next datagram. So few buffers are in use however many listen,
//! and they are those that the processor has at hand. Buffers come back by `Node::recycle`, and
//! nothing is allocated for a packet once as many are about as a batch of sends takes.
//!
//! What each listener needs for a packet is kept apart from their media session, in two pieces. The
//! entries of all listeners stand side by side with their keys in them, in the order in which they came,
//! and so do their lines: a processor that is read to in order fetches ahead (docs/adr/0008).

mod extended;
mod line;
mod ntp;
mod packet_type;
mod reception;
mod reports;
mod used;
mod wire;

use std::{
    collections::VecDeque,
    net::IpAddr,
    time::{Duration, Instant},
};

use rand::Rng;
use slotmap::SecondaryMap;

use self::{
    line::{Line, Lines},
    reports::Reports,
    wire::Templates,
};
use crate::{
    audience::{Audience, Hearers},
    compose::{Composed, Written},
    egress::NegotiatedLine,
    endpoint::Endpoint,
    keys::{RoomAt, SessionKey},
    limits::{MAX_POOLED_BUFFERS, MAX_RESERVED_LISTENERS, REPORT_INTERVAL, SEAL_BATCH},
    quality::Measured,
    seal::{RtpSealer, SealError, SrtpKeys},
    stats::DropReason,
    transmit::Transmit,
};

pub(crate) use self::ntp::NtpClock;
pub use self::reception::Reception;

/// A packet of a room that is being sealed for its listeners.
#[derive(Debug)]
struct FanOut {
    room: RoomAt,
    composed: Composed,
    hearers: Hearers,
    /// How many of the listeners have been looked at.
    done: usize,
}

/// Where a listener is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) remote: Endpoint,
    /// From which address of ours, where it matters.
    pub(crate) local: Option<IpAddr>,
}

/// What is needed to send to one listener.
struct Listener {
    sealer: RtpSealer,
    path: Path,
    /// Whether a time is set for the next report.
    report_is_due: bool,
    /// Seldom needed.
    reports: Box<Reports>,
}

/// What is read and written of a listener for a packet on each of so many lines, in bytes.
pub(super) const fn hot_bytes(lines: usize) -> usize {
    size_of::<Listener>() + lines * size_of::<Line>()
}

/// A packet for one listener that has its header.
#[derive(Debug)]
struct Prepared {
    key: SessionKey,
    /// Its sequence number with the roll-over counter.
    index: u64,
    /// Which of the templates it is made of.
    template: usize,
    contents: Vec<u8>,
}

/// What has become of a packet for one listener.
pub(crate) enum Outcome {
    Sealed(Transmit),
    Dropped(DropReason),
}

/// All listeners of a node, and what is on its way to them.
pub(crate) struct Direct {
    clock: NtpClock,
    listeners: SecondaryMap<SessionKey, Listener>,
    lines: Lines,
    fan_outs: VecDeque<FanOut>,
    /// Of the first of them.
    templates: Templates,
    /// Kept for its allocation.
    prepared: Vec<Prepared>,
    /// To be used again. What they hold is old, and overwritten.
    buffers: Vec<Vec<u8>>,
    /// Who has been sent something since their last report, and has no time for the next one yet.
    unreported: Vec<SessionKey>,
    /// Kept for its allocation.
    opened: Vec<u8>,
}

impl Direct {
    /// Of a node with at most so many participants.
    pub(crate) fn new(clock: NtpClock, participants: usize) -> Self {
        Self {
            clock,
            listeners: SecondaryMap::with_capacity(participants.min(MAX_RESERVED_LISTENERS)),
            lines: Lines::default(),
            fan_outs: VecDeque::new(),
            templates: Templates::default(),
            prepared: Vec::new(),
            buffers: Vec::new(),
            unreported: Vec::new(),
            opened: Vec::new(),
        }
    }

    /// Lets packets be sent to somebody from now on.
    ///
    /// # Errors
    /// [`SealError::Library`].
    pub(crate) fn add(
        &mut self,
        key: SessionKey,
        lines: &[NegotiatedLine],
        keys: &SrtpKeys,
        path: Path,
    ) -> Result<(), SealError> {
        let listener = Listener {
            sealer: RtpSealer::new(&keys.local)?,
            path,
            report_is_due: false,
            reports: Box::new(Reports::new(keys, lines)?),
        };
        self.listeners.insert(key, listener);
        self.lines.add(key, lines);
        Ok(())
    }

    /// Forgets a listener. Returns the goodbye to send them (RFC 3550, section 6.6).
    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<Transmit> {
        // The table keeps the bytes of what is taken out of it.
        self.listeners.get_mut(key)?.sealer.clear();
        let mut listener = self.listeners.remove(key)?;
        let mut contents = self.buffer();
        let lines = self.lines.of(key);
        let written = listener.reports.write_goodbye(lines, &mut contents);
        self.lines.remove(key);
        written.ok()?;
        Some(listener.path.transmit(contents))
    }

    /// Notes where a listener is reached from now on.
    pub(crate) fn set_path(&mut self, key: SessionKey, path: Path) {
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.path = path;
        }
    }

    /// Notes that a listener hears by another choice from now on.
    pub(crate) fn interrupt(&mut self, key: SessionKey) {
        self.lines.of_mut(key).for_each(Line::interrupt);
    }

    /// Notes that nothing is sent to a listener for a while. Their streams go on where they were left, by
    /// which no number is used twice.
    pub(crate) fn pause(&mut self, key: SessionKey) {
        self.interrupt(key);
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.report_is_due = false;
        }
    }

    /// Queues a packet for the listeners of a room. Nothing about who they are may change until it is
    /// sealed.
    pub(crate) fn queue(&mut self, room: RoomAt, audience: &Audience, composed: Composed) {
        let hearers = audience.resolve(composed.stream.bank, &composed.destination);
        self.fan_outs.push_back(FanOut {
            room,
            composed,
            hearers,
            done: 0,
        });
    }

    /// In which room something is to be sealed next.
    pub(crate) fn room(&self) -> Option<RoomAt> {
        self.fan_outs.front().map(|fan_out| fan_out.room)
    }

    /// Seals the first packet in the queue for the next [`SEAL_BATCH`] of its listeners.
    ///
    /// All their headers come first, then all seals. A processor works on several listeners at once as
    /// long as no step waits for what the last one has just written.
    pub(crate) fn seal_some(&mut self, audience: Option<&Audience>, mut emit: impl FnMut(Outcome)) {
        let Some(mut fan_out) = self.fan_outs.pop_front() else {
            return;
        };
        let hearers = audience.map_or(&[][..], |audience| audience.of(&fan_out.hearers));
        let start = fan_out.done.min(hearers.len());
        let end = hearers.len().min(start + SEAL_BATCH);
        for &key in &hearers[start..end] {
            if !fan_out.hearers.leave_out(key) {
                self.prepare(key, &fan_out.composed, &mut emit);
            }
        }
        self.seal_prepared(&mut emit);
        if end == hearers.len() {
            self.templates.clear();
        } else {
            fan_out.done = end;
            self.fan_outs.push_front(fan_out);
        }
    }

    /// Gives a packet its place with one listener and writes its header.
    fn prepare(&mut self, key: SessionKey, composed: &Composed, emit: &mut impl FnMut(Outcome)) {
        let slot = composed.stream.slot.index();
        let Some(line) = self.lines.get_mut(key, slot) else {
            return;
        };
        let place = match line.place(composed) {
            Ok(place) => place,
            Err(Written::Late) => return emit(Outcome::Dropped(DropReason::Late)),
            Err(Written::LeftOut | Written::Sent) => return,
        };
        let template = match self.templates.find(line.profile()) {
            Some(template) => template,
            None => {
                let profile = line.profile();
                if self.templates.is_full() {
                    self.seal_prepared(emit);
                    self.templates.clear();
                }
                self.templates.write(profile, composed)
            }
        };
        let mut contents = self.buffers.pop().unwrap_or_default();
        let line = self.lines.get_mut(key, slot);
        let Some((line, listener)) = line.zip(self.listeners.get_mut(key)) else {
            return;
        };
        let (form, tag) = (self.templates.get(template), listener.sealer.overhead());
        line.write_header(place, form, tag, &mut contents);
        if !listener.report_is_due {
            listener.report_is_due = true;
            self.unreported.push(key);
        }
        self.prepared.push(Prepared {
            key,
            index: place.seq.0,
            template,
            contents,
        });
    }

    /// Encrypts what has its header.
    fn seal_prepared(&mut self, emit: &mut impl FnMut(Outcome)) {
        for mut prepared in self.prepared.drain(..) {
            let Some(listener) = self.listeners.get(prepared.key) else {
                continue;
            };
            let template = self.templates.get(prepared.template);
            let header = template.header.as_slice().len();
            let (payload, packet) = (&template.payload, &mut prepared.contents);
            match listener
                .sealer
                .seal(payload, packet, header, prepared.index)
            {
                Ok(()) => emit(Outcome::Sealed(listener.path.transmit(prepared.contents))),
                Err(_) => emit(Outcome::Dropped(DropReason::SealFailed)),
            }
        }
    }

    /// Names those whose next report has to be given a time, and says whether it is their first one.
    pub(crate) fn take_unreported(&mut self, mut take: impl FnMut(SessionKey, bool)) {
        for key in self.unreported.drain(..) {
            let listener = self.listeners.get(key);
            take(
                key,
                listener.is_some_and(|listener| listener.reports.is_first()),
            );
        }
    }

    /// The listener's report: one for each line on which something was sent since the last one.
    /// Nothing, and no further one until there is something to report, if nothing was.
    pub(crate) fn report(&mut self, now: Instant, key: SessionKey) -> Option<Transmit> {
        let mut contents = self.buffer();
        let listener = self.listeners.get_mut(key)?;
        listener.report_is_due = false;
        let (ntp, lines) = (self.clock.at(now), self.lines.of(key));
        let written = listener.reports.write(now, ntp, lines, &mut contents);
        match written {
            Ok(true) => Some(listener.path.transmit(contents)),
            Ok(false) => None,
            Err(error) => {
                tracing::warn!(%error, "a sender report could not be sealed");
                None
            }
        }
    }

    /// Takes an SRTCP packet of somebody: what it says about our lines is kept. `may_take` is asked whether there may be
    /// one more, once it is known to be theirs.
    ///
    /// # Errors
    /// Why their session may not have it either.
    pub(crate) fn take_report(
        &mut self,
        now: Instant,
        key: SessionKey,
        packet: &[u8],
        may_take: impl FnOnce() -> bool,
    ) -> Result<(), DropReason> {
        let Some(listener) = self.listeners.get_mut(key) else {
            return Ok(());
        };
        let (ntp, lines) = (self.clock.at(now), self.lines.of(key));
        let scratch = &mut self.opened;
        listener.reports.take(ntp, lines, packet, scratch, may_take)
    }

    /// Adds what a listener has reported since the last call to what is known of the way to them.
    pub(crate) fn measure(&mut self, key: SessionKey, measured: &mut Measured) {
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.reports.measure(measured);
        }
    }

    /// How well a listener receives, as far as they have reported.
    pub(crate) fn reception(&self, key: SessionKey) -> Option<Reception> {
        self.listeners.get(key)?.reports.reception()
    }

    /// Takes back the buffer of a datagram that was sent.
    pub(crate) fn recycle(&mut self, buffer: Vec<u8>) {
        if self.buffers.len() < MAX_POOLED_BUFFERS {
            self.buffers.push(buffer);
        }
    }

    /// How many buffers wait for the next datagrams.
    pub(crate) fn pooled_buffers(&self) -> usize {
        self.buffers.len()
    }

    /// An empty one.
    fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = self.buffers.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }
}

/// The time to the next report on what is sent to somebody: 5 s on the average, from half to one and a
/// half of that, so that those of a room are spread; half of it to the first one (RFC 3550, section 6.2).
pub(crate) fn report_interval(is_first: bool, rng: &mut impl Rng) -> Duration {
    let factor = if is_first { 0.5 } else { 1.0 };
    REPORT_INTERVAL.mul_f64(factor * rng.random_range(0.5..1.5))
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
