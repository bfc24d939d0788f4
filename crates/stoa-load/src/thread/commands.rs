//! What a thread of peers is told: who comes, who goes, what has been counted.

use std::{
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use mio::{Interest, Poll, Token, unix::SourceFd};
use nix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

use super::{
    Command, Newcomer, Sample,
    house::House,
    seat::{Seat, SeatKey},
};
use crate::{
    peer::{Peer, PeerError},
    scenario::MOST_PEERS,
    socket::Socket,
};

/// Why nobody can be made.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("there are {MOST_PEERS} peers on the thread already")]
    Full,
    #[error("a socket: {0}")]
    Socket(#[from] io::Error),
    #[error(transparent)]
    Peer(#[from] PeerError),
}

impl House {
    pub(super) fn obey(&mut self, command: Command, poll: &Poll) -> io::Result<()> {
        match command {
            Command::Open(newcomer, reply) => {
                let opened = self.open(*newcomer, poll);
                // Whoever asked may have given up.
                let _ = reply.send(opened.map_err(|error| error.to_string()));
            }
            Command::Answer {
                key,
                answer,
                connected,
            } => self.answer(key, answer.as_deref(), connected),
            Command::Close {
                key,
                says_goodbye,
                closed,
            } => {
                if says_goodbye {
                    self.say_goodbye(key);
                }
                self.remove(key);
                // Whoever asked may have given up.
                let _ = closed.send(());
            }
            Command::Await(speaker, heard) => {
                self.awaited.retain(|(_, heard)| !heard.is_closed());
                self.awaited.push((speaker, heard));
            }
            Command::Forbid(speaker, Some(since)) => {
                self.forbidden.insert(speaker, since);
            }
            Command::Forbid(speaker, None) => {
                self.forbidden.remove(&speaker);
            }
            Command::Sample(reply) => {
                let _ = reply.send(self.sample()?);
            }
            Command::End => {}
        }
        Ok(())
    }

    fn open(&mut self, newcomer: Newcomer, poll: &Poll) -> Result<(SeatKey, String), OpenError> {
        if self.seats.len() as u64 >= MOST_PEERS {
            return Err(OpenError::Full);
        }
        if self.free.len() <= self.place.spare() {
            let socket = Socket::open(self.place)?;
            let number = self.sockets.len();
            let (fd, token) = (socket.descriptor(), Token(number));
            poll.registry()
                .register(&mut SourceFd(&fd), token, Interest::READABLE)?;
            self.free
                .extend((0..socket.peers()).map(|place| (number, place)));
            self.residents.push(vec![None; socket.peers()]);
            self.sockets.push(Rc::new(socket));
        }
        let at = self.free.pop_front().expect("some were added above");
        let now = Instant::now();
        let address = self.sockets[at.0].address(at.1);
        let (peer, sdp) = Peer::new(now, address, newcomer.plan, newcomer.invitation)?;
        let seat = Seat::new(peer, newcomer.group, at, newcomer.network, now);
        let key = self.seats.insert(seat);
        self.residents[at.0][at.1] = Some(key);
        Ok((key, sdp))
    }

    fn answer(
        &mut self,
        key: SeatKey,
        answer: Option<&str>,
        connected: oneshot::Sender<Result<(), PeerError>>,
    ) {
        let Some(seat) = self.seats.get_mut(key) else {
            // Whose session ended before the server had said that they are in. Whoever asked may have given up.
            let _ = connected.send(Err(PeerError::Ended));
            return;
        };
        seat.connected = Some(connected);
        let now = Instant::now();
        let accepted = answer.map_or(Ok(()), |answer| seat.peer.accept(answer));
        let accepted = accepted.and_then(|()| seat.peer.serve(now));
        self.after(key, now, accepted);
    }

    /// A session that fails before it is connected is the affair of who waits for it; later it is counted.
    pub(super) fn fail(&mut self, key: SeatKey, error: PeerError) {
        let Some(mut seat) = self.remove(key) else {
            return;
        };
        match seat.connected.take() {
            // Whoever waited may have given up.
            Some(connected) => drop(connected.send(Err(error))),
            None => self.sample.groups[seat.group].failed(error.to_string()),
        }
    }

    fn remove(&mut self, key: SeatKey) -> Option<Seat> {
        let seat = self.seats.remove(key)?;
        self.residents[seat.socket][seat.place] = None;
        self.free.push_back((seat.socket, seat.place));
        Some(seat)
    }

    fn say_goodbye(&mut self, key: SeatKey) {
        let Some(seat) = self.seats.get_mut(key) else {
            return;
        };
        seat.peer.close();
        // That it is over now is no failure.
        seat.connected = None;
        let mut last_words = Vec::new();
        let (sample, now) = (&mut self.sample, self.clock.now());
        let tally = &mut sample.groups[seat.group];
        let polled = seat.peer.poll(
            now,
            tally,
            |to, bytes| last_words.push((to, bytes.to_vec())),
            |_| {},
        );
        // It ends with "closed" or with a timeout: in either case all has been said.
        drop(polled);
        for (to, bytes) in last_words {
            let sent = self.sockets[seat.socket].send(seat.place, to, &bytes);
            sample.unsent += u64::from(!sent);
        }
    }

    pub(super) fn close_all(&mut self) {
        let keys: Vec<SeatKey> = self.seats.keys().collect();
        for key in keys {
            self.say_goodbye(key);
            self.remove(key);
        }
    }

    /// What has been counted since the last time.
    fn sample(&mut self) -> io::Result<Sample> {
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.sampled);
        self.sampled = now;
        for seat in self.seats.values().filter(|seat| seat.peer.is_connected) {
            let tally = &mut self.sample.groups[seat.group];
            tally.connected += 1;
            if seat.peer.listens() {
                tally.listened += passed;
            }
        }
        let dropped = self.sockets.iter().map(|socket| socket.dropped()).sum();
        self.sample.dropped = dropped - self.dropped_before;
        self.dropped_before = dropped;
        let cpu: Duration = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into();
        self.sample.cpu = cpu.saturating_sub(self.cpu_before);
        self.cpu_before = cpu;
        let fresh = Sample {
            groups: vec![Default::default(); self.sample.groups.len()],
            ..Sample::default()
        };
        Ok(std::mem::replace(&mut self.sample, fresh))
    }
}
