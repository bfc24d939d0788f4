//! One TCP connection: what comes in by it, and what waits to leave by it.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, Read, Write},
    net::{Shutdown, SocketAddr},
    time::{Duration, Instant},
};

use mio::net::TcpStream;
use socket2::SockRef;

use super::{
    counts::Reason,
    framing::{Frames, LENGTH_BYTES, is_audio, may_be_check},
};

/// How many bytes are read at a time.
pub(super) const READ_BYTES: usize = 2_048;

/// How many times in a turn of the loop.
const READS_PER_TURN: usize = 4;

/// How many datagrams of a connection are taken in a second, on the average. Somebody who speaks sends 50
/// packets, reports and checks. Who sends more waits, in their own connection.
const DATAGRAMS_PER_SECOND: f64 = 400.0;

/// How many are taken at once after a pause.
const BURST: f64 = 200.0;

/// How many datagrams may come before the node knows who it is. Clients repeat the check until they are
/// answered.
const MAX_UNPROVEN_DATAGRAMS: u32 = 16;

/// How many datagrams wait for somebody who reads slowly: about half a second of three voices. Then the
/// oldest audio makes room.
const MAX_QUEUED: usize = 64;

/// How many of them are written at a time.
const WRITE_BATCH: usize = 16;

/// How many bytes the kernel takes beyond those that are on their way, so that what is old waits here, where
/// it can be dropped.
const UNSENT_BYTES: u32 = 4 * 1024;

/// How long a connection may go without a byte from there: clients check the ways that they do not use every
/// 25 s, and the one that they use more often.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// How long something may wait without a byte of it being read.
const LONGEST_STALL: Duration = Duration::from_secs(10);

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
    /// The client's end.
    pub(super) remote: SocketAddr,
    /// To which worker's port it came.
    pub(super) worker: usize,
    /// Until when it has to show a credential; `None` when it has.
    pub(super) prove_until: Option<Instant>,
    unproven_datagrams: u32,
    frames: Frames,
    /// Whether the kernel may hold more to read, and may take more to write.
    pub(super) is_readable: bool,
    is_writable: bool,
    /// How many datagrams may be taken still, as of when. Less than none after a burst in one piece.
    allowance: (f64, Instant),
    heard_at: Instant,
    queue: VecDeque<Vec<u8>>,
    /// How much of the first in the queue is written, its length included.
    written: usize,
    /// When something was last written, or began to wait.
    progress_at: Instant,
}

impl Connection {
    pub(super) fn new(
        now: Instant,
        stream: TcpStream,
        remote: SocketAddr,
        worker: usize,
        prove_until: Instant,
    ) -> Self {
        let socket = SockRef::from(&stream);
        // Each datagram leaves when it is there, and does not wait for the next.
        let set = socket
            .set_tcp_nodelay(true)
            .and_then(|()| socket.set_tcp_notsent_lowat(UNSENT_BYTES));
        if let Err(error) = set {
            tracing::debug!(%error, "a connection keeps the options of the system");
        }
        Self {
            stream,
            remote,
            worker,
            prove_until: Some(prove_until),
            unproven_datagrams: 0,
            frames: Frames::default(),
            is_readable: false,
            is_writable: false,
            allowance: (BURST, now),
            heard_at: now,
            queue: VecDeque::new(),
            written: 0,
            progress_at: now,
        }
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Notes what the kernel says.
    pub(super) fn note(&mut self, is_readable: bool, is_writable: bool) {
        self.is_readable |= is_readable;
        self.is_writable |= is_writable;
    }

    /// Whether they may send something now.
    pub(super) fn may_read(&mut self, now: Instant) -> bool {
        let (allowed, since) = self.allowance;
        let passed = now.saturating_duration_since(since).as_secs_f64();
        let allowed = (allowed + passed * DATAGRAMS_PER_SECOND).min(BURST);
        self.allowance = (allowed, now);
        allowed > 0.0
    }

    /// Reads, and hands on the datagrams that are complete.
    ///
    /// # Errors
    /// Why the connection has to be closed; `None` where they have closed it.
    pub(super) fn read(
        &mut self,
        now: Instant,
        buffer: &mut [u8; READ_BYTES],
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Option<Reason>> {
        for _ in 0..READS_PER_TURN {
            if !self.is_readable || !self.may_read(now) {
                return Ok(());
            }
            let length = match self.stream.read(buffer) {
                Ok(0) => return Err(None),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_readable = false;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(None),
            };
            self.heard_at = now;
            self.take(&buffer[..length], &mut each)?;
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), Option<Reason>> {
        let is_proven = self.prove_until.is_none();
        let (mut taken, mut is_check) = (0, true);
        let framed = self.frames.take(bytes, |datagram| {
            taken += 1;
            is_check &= may_be_check(datagram);
            if is_proven || is_check {
                each(datagram);
            }
        });
        self.allowance.0 -= f64::from(taken);
        if framed.is_err() || !(is_proven || is_check) {
            return Err(Some(Reason::Malformed));
        }
        if !is_proven {
            self.unproven_datagrams += taken;
            if self.unproven_datagrams > MAX_UNPROVEN_DATAGRAMS {
                return Err(Some(Reason::Unproven));
            }
        }
        Ok(())
    }

    /// Has a datagram leave after those that wait. Returns how many have to be dropped for it.
    pub(super) fn push(&mut self, now: Instant, contents: Vec<u8>) -> usize {
        if self.queue.is_empty() {
            self.progress_at = now;
        }
        let mut dropped = 0;
        if self.queue.len() >= MAX_QUEUED {
            // What is written in part has to be written to its end.
            let first = usize::from(self.written > 0);
            let mut waiting = self.queue.iter().skip(first);
            let oldest_audio = waiting.position(|datagram| is_audio(datagram));
            self.queue.remove(first + oldest_audio.unwrap_or(0));
            dropped = 1;
        }
        self.queue.push_back(contents);
        dropped
    }

    /// How many datagrams wait.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Drops the audio that waits. Returns how much.
    pub(super) fn drop_audio(&mut self) -> usize {
        let before = self.queue.len();
        let mut is_begun = self.written > 0;
        self.queue
            .retain(|datagram| std::mem::take(&mut is_begun) || !is_audio(datagram));
        before - self.queue.len()
    }

    /// Writes what waits, as far as the kernel takes it. Returns how many datagrams are written.
    ///
    /// # Errors
    /// What the operating system says; the connection is of no more use.
    pub(super) fn flush(&mut self, now: Instant) -> io::Result<usize> {
        let mut sent = 0;
        while self.is_writable && !self.queue.is_empty() {
            match self.write_batch() {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    self.progress_at = now;
                    sent += self.advance(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_writable = false;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }

    fn write_batch(&mut self) -> io::Result<usize> {
        let mut lengths = [[0; LENGTH_BYTES]; WRITE_BATCH];
        for (length, datagram) in lengths.iter_mut().zip(&self.queue) {
            // A datagram is shorter than 65,536 bytes.
            *length = (datagram.len() as u16).to_be_bytes();
        }
        let mut slices = [IoSlice::new(&[]); 2 * WRITE_BATCH];
        let mut count = 0;
        for (length, datagram) in lengths.iter().zip(&self.queue) {
            slices[count] = IoSlice::new(length);
            slices[count + 1] = IoSlice::new(datagram);
            count += 2;
        }
        let mut slices = &mut slices[..count];
        IoSlice::advance_slices(&mut slices, self.written);
        self.stream.write_vectored(slices)
    }

    /// Notes that so many bytes are written. Returns how many datagrams that completes.
    fn advance(&mut self, bytes: usize) -> usize {
        self.written += bytes;
        let mut complete = 0;
        while let Some(first) = self.queue.front()
            && self.written >= LENGTH_BYTES + first.len()
        {
            self.written -= LENGTH_BYTES + first.len();
            self.queue.pop_front();
            complete += 1;
        }
        complete
    }

    /// Why the connection has to be closed now, if it has.
    pub(super) fn is_overdue(&self, now: Instant) -> Option<Reason> {
        let since = |at: Instant| now.saturating_duration_since(at);
        if self.prove_until.is_some_and(|until| until <= now) {
            return Some(Reason::Unproven);
        }
        if !self.queue.is_empty() && since(self.progress_at) >= LONGEST_STALL {
            return Some(Reason::Stalled);
        }
        (since(self.heard_at) >= LONGEST_SILENCE).then_some(Reason::Silent)
    }

    /// Nothing more will be sent.
    pub(super) fn end(&mut self) {
        drop(self.stream.shutdown(Shutdown::Write));
    }

    /// Reads and forgets, a few datagrams at a time. Returns whether they have closed it.
    pub(super) fn is_closed(&mut self, buffer: &mut [u8; READ_BYTES]) -> bool {
        for _ in 0..READS_PER_TURN {
            match self.stream.read(buffer) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Ok(0) | Err(_) => return true,
            }
        }
        false
    }
}

/// Has a connection end at once when it is dropped. Nothing is kept of it in the kernel either, so that it
/// costs as little as it can.
pub(super) fn abort(stream: &TcpStream) {
    drop(SockRef::from(stream).set_linger(Some(Duration::ZERO)));
}
