//! People with real WebRTC sessions, each at a socket of their own.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use stoa_client::v1::JoinRequest;
use stoa_sim::{Client, ClientId, FRAME};

/// How loud those who talk are, in -dBov.
const LEVEL: u8 = 20;

/// Audio lines of each: as many as a room has slots.
const LINES: usize = 3;

/// Longer than any datagram of the node.
const DATAGRAM_BYTES: usize = 2_048;

/// What somebody does in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Talk,
    Listen,
}

/// Somebody in a call, on a thread of their own.
pub(crate) struct Peer {
    client: Arc<Mutex<Client>>,
    is_leaving: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Joins a room. What they say carries their `number`, by which others know them.
    pub(crate) async fn join(
        node: &stoa_client::Client,
        room: &str,
        (name, number, does): (&str, ClientId, Does),
    ) -> Self {
        let begin = Instant::now();
        // The address that it writes into its offer is not where its socket is, as behind a NAT: a node that is an
        // ICE-lite agent learns the latter by its checks.
        let (mut client, offer) = Client::new(begin, number, room, name, LINES);
        let request = JoinRequest {
            room_id: room.into(),
            participant_id: name.into(),
            sdp_offer: offer,
            ..Default::default()
        };
        let joined = node.rooms().join(request).await.expect("they are let in");
        client.accept_answer(Instant::now(), &joined.into_inner().sdp_answer);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let client = Arc::new(Mutex::new(client));
        let is_leaving = Arc::new(AtomicBool::new(false));
        let thread = {
            let (client, is_leaving) = (Arc::clone(&client), Arc::clone(&is_leaving));
            thread::spawn(move || take_part(&socket, &client, &is_leaving, does, begin))
        };
        Self {
            client,
            is_leaving,
            thread: Some(thread),
        }
    }

    fn look(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who it is.
    pub(crate) fn name(&self) -> String {
        self.look().id.to_string()
    }

    /// How many packets they have heard of whoever has this number.
    pub(crate) fn heard(&self, of: ClientId) -> usize {
        let client = self.look();
        let theirs = client.heard.iter().filter(|heard| heard.sender() == of);
        theirs.count()
    }

    /// Whether their call has been ended by the node.
    pub(crate) fn is_closed(&self) -> bool {
        self.look().closed
    }

    /// Leaves with a goodbye.
    pub(crate) fn leave(&mut self) {
        self.is_leaving.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a session that works");
        }
    }

    /// The numbers of whoever has this number's packets, as they were written, that did not come between the first and the last
    /// that did.
    pub(crate) fn missed(&self, of: ClientId) -> Vec<u32> {
        let client = self.look();
        let theirs = client.heard.iter().filter(|heard| heard.sender() == of);
        let mut numbers: Vec<u32> = theirs.map(stoa_sim::Heard::number).collect();
        numbers.sort_unstable();
        let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) else {
            panic!("{} has heard nothing of {of}", client.id);
        };
        (first..=last)
            .filter(|number| numbers.binary_search(number).is_err())
            .collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }
}

/// The life of somebody in a call, until they leave.
fn take_part(
    socket: &UdpSocket,
    client: &Mutex<Client>,
    is_leaving: &AtomicBool,
    does: Does,
    begin: Instant,
) {
    let look = || client.lock().unwrap_or_else(PoisonError::into_inner);
    let send = |client: &mut Client| {
        for datagram in client.drain(begin.elapsed()) {
            socket.send_to(&datagram, client.node).expect("loopback");
        }
    };
    let mut buffer = [0; DATAGRAM_BYTES];
    let mut next_word = begin;
    while !is_leaving.load(Ordering::Relaxed) {
        let now = Instant::now();
        let due = {
            let mut client = look();
            client.handle_timeout(now);
            if next_word <= now {
                if client.connected && !client.closed && does == Does::Talk {
                    client.write(now, LEVEL);
                }
                next_word = now.max(next_word + FRAME);
            }
            send(&mut client);
            client.timeout.min(next_word)
        };
        let wait = due.saturating_duration_since(now);
        let wait = wait.max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait)).expect("not zero");
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => {
                let mut client = look();
                client.receive(Instant::now(), from, &buffer[..length]);
                send(&mut client);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let mut client = look();
    // One whose session is over has nothing to say.
    let _ = client.rtc.close();
    send(&mut client);
}
