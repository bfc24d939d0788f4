//! Starting and ending the workers.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Instant, SystemTime},
};

use mio::{Poll, Token, Waker};
use stoa_core::{EgressPath, Node, NodeConfig, WorkerId};
use tokio::sync::{mpsc, watch};

use crate::{
    config::{Advertised, Config},
    error::StartError,
    mailbox::mailbox,
    media::{Media, WorkerHandle},
    notices::{NOTICE_CAPACITY, Notice, Notices},
    socket::MediaSocket,
    status::WorkerStatus,
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
    media: Media,
    failure: watch::Receiver<Option<usize>>,
}

impl Workers {
    /// Waits until a worker has ended that was not told to, and says which.
    pub async fn failed(&self) -> usize {
        let mut failure = self.failure.clone();
        loop {
            if let Some(index) = *failure.borrow_and_update() {
                return index;
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
    }
}

/// Binds all sockets and starts the workers.
///
/// # Errors
/// [`StartError`]; nothing is running then.
pub fn start(config: &Config) -> Result<Started, StartError> {
    config.check()?;
    let advertised = config.advertised()?;
    let (queue, notices) = mpsc::channel(NOTICE_CAPACITY);
    let mut workers = Vec::with_capacity(config.workers);
    let mut handles = Vec::with_capacity(config.workers);
    for index in 0..config.workers {
        let sockets = bind(config, index)?;
        let node = node(config, index, &advertised, &sockets);
        let (worker, handle) = prepare(node, sockets, Notices::new(queue.clone()))?;
        workers.push(worker);
        handles.push(handle);
    }
    // From here on only a thread could fail to start.
    let media = Media::new(handles);
    let (tell_failure, failure) = watch::channel(None);
    let mut threads = Vec::with_capacity(workers.len());
    for (index, worker) in workers.into_iter().enumerate() {
        let tell_failure = tell_failure.clone();
        let name = format!("media-{index}");
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || run(index, worker, &tell_failure))
            .map_err(StartError::Thread);
        match thread {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                Workers {
                    threads,
                    media,
                    failure,
                }
                .shut_down();
                return Err(error);
            }
        }
    }
    let workers = Workers {
        threads,
        media: media.clone(),
        failure,
    };
    Ok(Started {
        workers,
        media,
        notices,
    })
}

fn bind(config: &Config, index: usize) -> Result<Vec<MediaSocket>, StartError> {
    // Checked before: the ports of all workers exist.
    let offset = u16::try_from(index).unwrap_or(0);
    let mut port = if config.port == 0 {
        0
    } else {
        config.port + offset
    };
    let mut sockets = Vec::with_capacity(config.bind.len());
    for &ip in &config.bind {
        let address = SocketAddr::new(ip, port);
        let socket =
            MediaSocket::bind(address).map_err(|source| StartError::Socket { address, source })?;
        // Where any port will do, both IP versions share the first one's.
        port = socket.address().port();
        sockets.push(socket);
    }
    Ok(sockets)
}

fn node(config: &Config, index: usize, advertised: &[Advertised], sockets: &[MediaSocket]) -> Node {
    let port = |ip: IpAddr| {
        let mut same_version = sockets
            .iter()
            .filter(|socket| socket.address().is_ipv4() == ip.is_ipv4());
        same_version.next().map(|socket| socket.address().port())
    };
    let candidates = advertised
        .iter()
        .filter_map(|advertised| advertised.for_worker(index, port(advertised.ip)?))
        .collect();
    let config = NodeConfig {
        // Checked before: there are few.
        worker: WorkerId(u16::try_from(index).unwrap_or(u16::MAX)),
        candidates,
        certificate: config.certificate.clone(),
        limits: config.limits.clone(),
        egress: EgressPath::Direct,
        time_of_day: SystemTime::now(),
    };
    Node::new(Instant::now(), config, rand::random())
}

fn prepare(
    node: Node,
    sockets: Vec<MediaSocket>,
    notices: Notices,
) -> Result<(Equipment, WorkerHandle), StartError> {
    let address = sockets[0].address();
    let cannot = |source: io::Error| StartError::Socket { address, source };
    let poll = Poll::new().map_err(cannot)?;
    for (index, socket) in sockets.iter().enumerate() {
        socket
            .register(poll.registry(), Token(index))
            .map_err(cannot)?;
    }
    let waker = Waker::new(poll.registry(), WAKER).map_err(cannot)?;
    let (mailbox, commands) = mailbox(waker);
    let status = WorkerStatus {
        port: address.port(),
        ..WorkerStatus::default()
    };
    let status = Arc::new(Mutex::new(status));
    let handle = WorkerHandle {
        mailbox,
        status: Arc::clone(&status),
    };
    Ok((
        Equipment {
            node,
            poll,
            sockets,
            commands,
            notices,
            status,
        },
        handle,
    ))
}

fn run(index: usize, worker: Equipment, failure: &watch::Sender<Option<usize>>) {
    /// Tells of the worker's end unless it was a proper one: a panic unwinds through here.
    struct Tell<'a> {
        index: usize,
        failure: Option<&'a watch::Sender<Option<usize>>>,
    }
    impl Drop for Tell<'_> {
        fn drop(&mut self) {
            if let Some(failure) = self.failure {
                failure.send_replace(Some(self.index));
            }
        }
    }
    let mut tell = Tell {
        index,
        failure: Some(failure),
    };
    match worker.work() {
        Ok(()) => tell.failure = None,
        Err(error) => tracing::error!(worker = index, %error, "a media worker has failed"),
    }
}
