//! Starting and ending the workers.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize},
        mpsc::{Receiver, SyncSender},
    },
    thread::JoinHandle,
    time::{Instant, SystemTime},
};

use mio::{Poll, Token, Waker};
use stoa_core::{Lobby, LobbyConfig, LobbyId, Message, Node, NodeConfig, Venue, WorkerId};
use tokio::sync::{mpsc, watch};

use crate::{
    advertised::Advertised,
    config::Config,
    doorbell::Doorbell,
    error::StartError,
    goodbyes::Goodbyes,
    latest::Latest,
    lobby::{self, GRACE, Letterbox, LobbyHandle, SESSIONS_CAPACITY, Seats},
    mailbox::mailbox,
    media::{Media, WorkerHandle},
    notices::{NOTICE_CAPACITY, Notice, Notices},
    part::{self, Failure, Part},
    ports::{Ports, candidates},
    quotas::{Quotas, SharedQuotas},
    relay::{Incoming, LETTERS_CAPACITY, Outgoing, way},
    socket::MediaSocket,
    status::WorkerStatus,
    tcp::{Hub, Listener, TcpLink},
    worker::{Equipment, WAKER},
};

/// What starting the workers gives.
pub struct Started {
    /// The threads.
    pub workers: Workers,
    /// For commands.
    pub media: Media,
    /// What the workers tell.
    pub notices: mpsc::Receiver<Notice>,
}

/// The threads of the workers. Dropping it without [`Workers::shut_down`] leaves them running until
/// the last [`Media`] is gone.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
    /// It ends when all workers have, and so do the lobbies.
    tcp: Option<JoinHandle<()>>,
    lobbies: Vec<JoinHandle<()>>,
    media: Media,
    failure: watch::Receiver<Option<Part>>,
}

impl Workers {
    /// Waits until a worker has ended that was not told to, or another thread, and says which.
    pub async fn failed(&self) -> Part {
        let mut failure = self.failure.clone();
        loop {
            if let Some(part) = *failure.borrow_and_update() {
                return part;
            }
            if failure.changed().await.is_err() {
                // All ended as they were told.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Ends all rooms, says goodbye to their participants, and waits for the threads. Blocks for as
    /// long as the workers need for what they were asked before.
    pub fn shut_down(self) {
        self.media.shut_down();
        for thread in self.threads {
            // A panic has been reported where it happened.
            drop(thread.join());
        }
        if let Some(thread) = self.tcp {
            drop(thread.join());
        }
        for thread in self.lobbies {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

/// Binds all sockets and starts the workers.
///
/// # Errors
/// [`StartError`]; nothing is running then.
pub fn start(config: &Config) -> Result<Started, StartError> {
    config.check()?;
    let advertised = config.advertised()?;
    let mut plans = Vec::with_capacity(config.workers);
    for index in 0..config.workers {
        plans.push(Plan::new(config, index, &advertised)?);
    }
    let (tell_failure, failure) = watch::channel(None);
    let (links, tcp) = start_tcp(config, &mut plans, &tell_failure).map_err(StartError::Thread)?;
    let lobbies = Lobbies::start(config, &plans, &tell_failure).map_err(StartError::Thread)?;
    let (queue, notices) = mpsc::channel(NOTICE_CAPACITY);
    let bells = plans.iter().map(|plan| Arc::clone(&plan.doorbell));
    let quotas = SharedQuotas::new(Instant::now(), &config.quotas, plans.len());
    let quotas = Arc::new(Latest::new(quotas, bells.collect()));
    let common = (&lobbies.letterboxes[..], &queue, &quotas);
    let (workers, handles) = equip(config, plans, links, common);
    let seats = config.limits.participants;
    let media = Media::new(handles, lobbies.handles, seats, quotas);
    let mut started = Workers {
        threads: Vec::with_capacity(workers.len()),
        tcp,
        lobbies: lobbies.threads,
        media: media.clone(),
        failure,
    };
    for (index, worker) in workers.into_iter().enumerate() {
        match part::start(Part::Worker(index), &tell_failure, || worker.work()) {
            Ok(thread) => started.threads.push(thread),
            Err(error) => {
                started.shut_down();
                return Err(StartError::Thread(error));
            }
        }
    }
    Ok(Started {
        workers: started,
        media,
        notices,
    })
}

/// A worker before it knows of the others.
struct Plan {
    id: WorkerId,
    sockets: Vec<MediaSocket>,
    /// None where TCP is not wanted.
    listeners: Vec<Listener>,
    /// The addresses at which clients reach it.
    candidates: Vec<SocketAddr>,
    poll: Poll,
    doorbell: Arc<Doorbell>,
    letters: (SyncSender<Message>, Receiver<Message>),
}

impl Plan {
    fn new(config: &Config, index: usize, advertised: &[Advertised]) -> Result<Self, StartError> {
        let Ports { sockets, listeners } = Ports::bind(config, index)?;
        let address = sockets[0].address();
        let cannot = |source: io::Error| StartError::Socket {
            transport: "UDP",
            address,
            source,
        };
        let poll = Poll::new().map_err(cannot)?;
        for (token, socket) in sockets.iter().enumerate() {
            socket
                .register(poll.registry(), Token(token))
                .map_err(cannot)?;
        }
        let waker = Waker::new(poll.registry(), WAKER).map_err(cannot)?;
        Ok(Self {
            id: worker_id(index),
            candidates: candidates(index, advertised, &sockets),
            sockets,
            listeners,
            poll,
            doorbell: Arc::new(Doorbell::new(waker)),
            letters: std::sync::mpsc::sync_channel(LETTERS_CAPACITY),
        })
    }
}

/// Starts the thread for those who come by TCP, if they may. Returns each worker's link to it.
#[allow(
    clippy::type_complexity,
    reason = "what is started, and what it gives to each"
)]
fn start_tcp(
    config: &Config,
    plans: &mut [Plan],
    failure: &Failure,
) -> io::Result<(Vec<Option<TcpLink>>, Option<JoinHandle<()>>)> {
    if !config.tcp {
        return Ok((plans.iter().map(|_| None).collect(), None));
    }
    let mut hub = Hub::new()?;
    let mut links = Vec::with_capacity(plans.len());
    for plan in plans {
        let listeners = std::mem::take(&mut plan.listeners);
        links.push(Some(hub.add(listeners, Arc::clone(&plan.doorbell))?));
    }
    Ok((links, Some(hub.start(failure)?)))
}

/// Checked before: there are few workers.
fn worker_id(index: usize) -> WorkerId {
    WorkerId(u16::try_from(index).unwrap_or(u16::MAX))
}

/// The lobbies, and how they are reached.
struct Lobbies {
    handles: Vec<LobbyHandle>,
    letterboxes: Vec<Letterbox>,
    threads: Vec<JoinHandle<()>>,
}

impl Lobbies {
    /// One for every two workers.
    fn start(config: &Config, plans: &[Plan], failure: &Failure) -> io::Result<Self> {
        let mut lobbies = Self {
            handles: Vec::new(),
            letterboxes: Vec::new(),
            threads: Vec::new(),
        };
        let venue = |plan: &Plan| Venue {
            candidates: plan.candidates.clone(),
            tcp: config.tcp,
        };
        for index in 0..config.workers.div_ceil(2) {
            let settings = LobbyConfig {
                lobby: LobbyId(worker_id(index).0),
                venues: plans.iter().map(venue).collect(),
                certificate: config.certificate.clone(),
                egress: config.egress,
                sessions: SESSIONS_CAPACITY,
                patience: config.limits.connect_timeout + GRACE,
            };
            let lobby = Lobby::new(Instant::now(), settings, rand::random());
            let seats = plans.iter().map(|plan| Seats {
                letters: plan.letters.0.clone(),
                doorbell: Arc::clone(&plan.doorbell),
            });
            let part = Part::Lobby(index);
            let (handle, letterbox, thread) =
                lobby::start((part, failure), lobby, seats.collect())?;
            lobbies.handles.push(handle);
            lobbies.letterboxes.push(letterbox);
            lobbies.threads.push(thread);
        }
        Ok(lobbies)
    }
}

/// Gives every worker what it needs, with a way to each other one.
fn equip(
    config: &Config,
    plans: Vec<Plan>,
    links: Vec<Option<TcpLink>>,
    (lobbies, notices, quotas): (
        &[Letterbox],
        &mpsc::Sender<Notice>,
        &Arc<Latest<SharedQuotas>>,
    ),
) -> (Vec<Equipment>, Vec<WorkerHandle>) {
    let goodbyes = Goodbyes::new();
    let (now, count) = (Instant::now(), plans.len());
    let mut ways: Vec<Vec<Option<Outgoing>>> = (0..count).map(|_| Vec::new()).collect();
    let mut incoming: Vec<Vec<Incoming>> = (0..count).map(|_| Vec::new()).collect();
    for (from, ways) in ways.iter_mut().enumerate() {
        for (to, plan) in plans.iter().enumerate() {
            if from == to {
                ways.push(None);
                continue;
            }
            let letters = plan.letters.0.clone();
            let (out, into) = way(worker_id(from), letters, Arc::clone(&plan.doorbell));
            ways.push(Some(out));
            incoming[to].push(into);
        }
    }
    let ends = ways.into_iter().zip(incoming).zip(links);
    let workers = plans.into_iter().zip(ends);
    let workers = workers.map(|(plan, ((ways, incoming), tcp))| {
        let (mailbox, commands) = mailbox(Arc::clone(&plan.doorbell));
        let status = WorkerStatus {
            port: plan.sockets[0].address().port(),
            ..WorkerStatus::default()
        };
        let handle = WorkerHandle {
            mailbox,
            status: Arc::new(Mutex::new(status)),
            seats: Arc::new(AtomicUsize::new(0)),
            expected: Arc::new(AtomicUsize::new(0)),
            is_hot: Arc::new(AtomicBool::new(false)),
        };
        let mut node = node(config, &plan);
        let quotas = Quotas::new(now, Arc::clone(quotas), plan.id, &mut node);
        let equipment = Equipment {
            node,
            poll: plan.poll,
            sockets: plan.sockets,
            tcp,
            doorbell: plan.doorbell,
            commands,
            letters: plan.letters.1,
            ways,
            incoming,
            lobbies: lobbies.to_vec(),
            notices: Notices::new(notices.clone()),
            quotas,
            status: Arc::clone(&handle.status),
            seats: Arc::clone(&handle.seats),
            goodbyes: goodbyes.clone(),
        };
        (equipment, handle)
    });
    workers.unzip()
}

fn node(config: &Config, plan: &Plan) -> Node {
    let config = NodeConfig {
        worker: plan.id,
        candidates: plan.candidates.clone(),
        tcp: config.tcp,
        certificate: config.certificate.clone(),
        limits: config.limits.clone(),
        egress: config.egress,
        time_of_day: SystemTime::now(),
    };
    Node::new(Instant::now(), config, rand::random())
}
