//! A panic of a lobby or of the thread for TCP, in the midst of what it does, is told of: whoever runs the node ends it
//! then. The panics come from outside, by what these threads call that is somebody else's, so nothing is built into them
//! for it: who waits for a lobby's answer is woken on its thread, and so is the log that the thread for TCP writes to.

mod support;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::fd::AsRawFd as _,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Wake},
    thread,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stoa_core::{Join, Role};
use stoa_net::{Part, Started, Workers, start};
use support::{config, join};
use tokio::runtime::Builder;
use tracing::{
    Event, Metadata as Place, Subscriber,
    span::{Attributes, Id, Record},
};

/// What each test does to the process, the other would notice.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often somebody asks who is to wait for the answer.
const MANY: usize = 1_000;

/// Runs a test while no other one runs or has a descriptor that it gives back.
fn alone(test: impl Future<Output = ()>) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // Gone, with all that it has open, before the next one begins.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

/// Waits until the end of a part is told, and for the end of all others, as the daemon does.
async fn failed(workers: Workers) -> Part {
    let failed = tokio::time::timeout(PATIENCE, workers.failed()).await;
    let ended = tokio::task::spawn_blocking(|| workers.shut_down());
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    ended.expect("the others end as they are asked to").unwrap();
    failed.expect("it is told of")
}

/// Somebody who waits for an answer, and cannot be told that it is there.
struct Sleeper;

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        panic!("a fault for {:?}", thread::current().name());
    }
}

/// Somebody whose offer is none: a lobby answers by itself.
fn nonsense() -> Join {
    join("r", "ann", "no offer at all".to_owned(), Role::Speaker)
}

#[test]
fn of_a_lobby() {
    alone(lobby());
}

async fn lobby() {
    let Started { workers, media, .. } = start(&config(&["127.0.0.1"])).unwrap();
    let mut waiting = Vec::new();
    let waker = Arc::new(Sleeper).into();
    let mut context = Context::from_waker(&waker);
    let is_waiting = (0..MANY).any(|_| {
        let mut joined = Box::pin(media.join(nonsense()));
        let asked = joined.as_mut().poll(&mut context);
        // Where it is ready, the lobby was faster than who asks it, and had nobody to wake.
        let is_waiting = asked.is_pending();
        // The answer comes to them, whenever it comes.
        waiting.extend(is_waiting.then_some(joined));
        is_waiting
    });
    assert!(is_waiting, "nobody ever waits for a lobby");
    assert_eq!(failed(workers).await, Part::Lobby(0));
}

/// A log that fails for the thread of this name.
struct Log(&'static str);

impl Subscriber for Log {
    fn enabled(&self, _: &Place<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        assert_ne!(thread::current().name(), Some(self.0), "a fault");
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn of_the_thread_for_tcp() {
    alone(tcp());
}

async fn tcp() {
    tracing::subscriber::set_global_default(Log("tcp")).expect("there is no other");
    let Started { workers, media, .. } = start(&config(&["127.0.0.1"])).unwrap();
    let port = media.status()[0].port;
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    // Somebody comes when the process has no descriptor left for them, and the thread says so.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let before = getrlimit(Resource::Nofile);
    let first_free = fs::File::open("/dev/null").unwrap().as_raw_fd();
    let none_left = Rlimit {
        current: Some(first_free.try_into().unwrap()),
        ..before
    };
    setrlimit(Resource::Nofile, none_left).unwrap();
    socket.connect(&SocketAddr::new(ip, port).into()).unwrap();
    let failed = failed(workers).await;
    setrlimit(Resource::Nofile, before).unwrap();
    assert_eq!(failed, Part::Tcp);
}
