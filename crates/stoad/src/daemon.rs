//! The parts put together: media workers, control server, and how they end.

use std::{
    future::pending,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use stoa_control::{ControlHandle, ControlServer, one_ended};
use stoa_net::Started;
use stoa_ops::{Node, OpsServer, Reloads, Spans};
use stoa_whip::WhipServer;
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use crate::{
    config::Config,
    exit::Failure,
    logging::{Filter, Repeats},
    media::{self, Workers},
    meter,
    reload::{self, Handles, Reloader},
    signals::{Asked, Signals},
    systemd,
    traces::Traces,
};

/// A running daemon.
pub(crate) struct Daemon {
    workers: stoa_net::Workers,
    tasks: Tasks,
    handle: ControlHandle,
    end_control: oneshot::Sender<()>,
    end_whip: oneshot::Sender<()>,
    addresses: Vec<SocketAddr>,
    /// For the watchdog.
    media: stoa_net::Media,
    ops_addresses: Vec<SocketAddr>,
    /// Reads the configuration again when it is asked to.
    reloader: Arc<Mutex<Reloader>>,
    /// What holds back log lines.
    repeats: Repeats,
    /// What makes spans of calls, if anything does.
    traces: Option<Traces>,
}

/// The parts of the control side. None ends by itself while the node runs.
struct Tasks {
    control: JoinHandle<()>,
    whip: Option<JoinHandle<()>>,
    /// What is there until the end and has no part in the order of ending: the ops port, who measures the node, who
    /// hands on what the workers tell, who tells of log lines that were held back.
    others: JoinSet<()>,
}

impl Tasks {
    /// Waits until one has failed, and says which.
    async fn failed(&mut self) -> &'static str {
        let Self {
            control,
            whip,
            others,
        } = self;
        let whip = async {
            match whip {
                // The panic hook has told of a panic.
                Some(whip) => drop(whip.await),
                None => pending().await,
            }
        };
        tokio::select! {
            _ = control => "the control API",
            () = whip => "WHIP and WHEP",
            () = one_ended(others, "the node") => "a part of the control side",
        }
    }
}

impl Daemon {
    /// Opens every port and starts every part, as this configuration says, which was read from this file.
    ///
    /// # Errors
    /// [`Failure`]; nothing is running then.
    pub(crate) async fn start(file: &Path, config: &Config, log: Filter) -> Result<Self, Failure> {
        let mut parts = config.parts()?;
        let shown = (parts.seen, parts.expiries());
        let media_config = parts.media;
        let spans = Spans::default();
        let traces = parts.traces;
        let traces = traces.map(|config| Traces::start(&config, spans.clone()));
        let traces = traces.transpose()?;
        parts.control.on_call_ended = traces.as_ref().map(Traces::observer);
        let server = ControlServer::bind(parts.control)?;
        let whip = parts.whip.map(WhipServer::bind).transpose()?;
        let ops = OpsServer::bind(parts.ops)?;
        // Last: from here on nothing fails that would have to be undone.
        let Started {
            workers,
            media,
            notices,
        } = stoa_net::start(&media_config)?;

        let addresses = server.addresses();
        let handle = server.handle();
        let (end_control, ending) = oneshot::channel::<()>();
        for worker in media.status() {
            tracing::info!(port = worker.port, "media worker");
        }
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
        let ops_addresses = ops.addresses();
        for bound in &ops_addresses {
            tracing::info!(address = %bound, "the ops port");
        }
        // Before anybody is served, who may ask how full the node is.
        let mut others = JoinSet::new();
        others.spawn(meter::start(media.clone(), handle.clone()));
        let handles = Handles {
            media: media.clone(),
            control: handle.clone(),
            whip: whip.as_ref().map(WhipServer::handle),
            ops: ops.handle(),
            reloads: Reloads::new(SystemTime::now()),
        };
        let node = Node {
            media: media.clone(),
            control: handle.clone(),
            reloads: handles.reloads.clone(),
            log_lines: log.counts(),
            panics: log.panics(),
            spans,
        };
        let repeats = log.repeats();
        others.spawn(repeats.clone().tell());
        let reloader = Reloader::new(file, config, shown, handles, log);
        let reloader = Arc::new(Mutex::new(reloader));
        others.spawn(ops.serve(node, pending()));
        let (bridge, notices) = media::bridge(notices);
        others.spawn(bridge);
        let server = server.open(Arc::new(Workers(media.clone())), notices);
        let (end_whip, whip_ending) = oneshot::channel::<()>();
        let whip = whip.map(|whip| {
            let ending = async move { drop(whip_ending.await) };
            tokio::spawn(whip.serve(server.entrance(), ending))
        });
        let control = tokio::spawn(async move {
            // The sender is never dropped without a word, but if it were, that is the end, too.
            server.serve(async move { drop(ending.await) }).await;
        });
        Ok(Self {
            workers,
            tasks: Tasks {
                control,
                whip,
                others,
            },
            handle,
            end_control,
            end_whip,
            addresses,
            media,
            ops_addresses,
            reloader,
            repeats,
            traces,
        })
    }

    /// Where the control API is served.
    pub(crate) fn control_addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the ops port is served.
    pub(crate) fn ops_addresses(&self) -> &[SocketAddr] {
        &self.ops_addresses
    }

    /// Runs until a signal comes, or the deadline of a drain, then ends in order: nothing new is taken, those who are in a room may
    /// go on for the grace of the configuration, `before_media` is given its time, rooms end and say why, watchers hear of it, the control server ends. A second
    /// signal ends the process at once.
    ///
    /// # Errors
    /// [`Failure::MediaPart`] and [`Failure::Task`] if a part of the node fails; everything has ended then, too.
    pub(crate) async fn run(
        mut self,
        mut signals: Signals,
        before_media: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        systemd::ready();
        let outcome = self.until_the_end(&mut signals).await;
        let grace = if outcome.is_ok() {
            locked(&self.reloader).grace()
        } else {
            Duration::ZERO
        };
        systemd::stopping();
        let ending = async {
            let now = SystemTime::now();
            // One that the ops port was given may be earlier, and was told.
            let deadline = self.handle.start_ending(now + grace);
            let grace = deadline.duration_since(now).unwrap_or_default();
            everybody_left(&self.handle, grace).await;
            before_media.await;
            // Fails only if it is not there, or has ended already.
            if self.end_whip.send(()).is_ok()
                && let Some(whip) = self.tasks.whip
                && let Err(error) = whip.await
            {
                tracing::error!(%error, "WHIP and WHEP did not end in order");
            }
            let workers = self.workers;
            let ended = tokio::task::spawn_blocking(move || workers.shut_down()).await;
            if let Err(error) = ended {
                tracing::error!(%error, "the media workers did not end in order");
            }
            watchers_heard(&self.handle).await;
            // Fails only if the server has ended already, and then there is nothing to wait for.
            if self.end_control.send(()).is_ok()
                && let Err(error) = self.tasks.control.await
            {
                tracing::error!(%error, "the control server did not end in order");
            }
            if let Some(traces) = self.traces {
                traces.finish().await;
            }
            self.tasks.others.shutdown().await;
            self.repeats.tell_the_rest();
        };
        tokio::select! {
            () = ending => {
                tracing::info!("ended");
                outcome
            }
            () = signals.end() => {
                Err(Failure::Running("ended at once, by a second signal".to_owned()))
            }
        }
    }
}

impl Daemon {
    /// Runs until a signal or the deadline of a drain asks for the end, or something fails. Meanwhile it reads the configuration again when it is
    /// asked to, and the certificates when their files have changed.
    async fn until_the_end(&mut self, signals: &mut Signals) -> Result<(), Failure> {
        let watchdog = systemd::watchdog(self.media.clone());
        tokio::pin!(watchdog);
        let handle = self.handle.clone();
        let deadline = handle.deadline_reached();
        tokio::pin!(deadline);
        let mut looks = interval(reload::LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                never = &mut watchdog => match never {},
                asked = signals.next() => match asked {
                    Asked::End => {
                        tracing::info!("asked to end");
                        return Ok(());
                    }
                    Asked::Reload => self.read_again(Reloader::reload).await,
                },
                _ = looks.tick() => self.read_again(Reloader::look).await,
                () = &mut deadline => {
                    tracing::info!("the deadline of the drain is there");
                    return Ok(());
                }
                part = self.workers.failed() => return Err(Failure::MediaPart(part)),
                task = self.tasks.failed() => return Err(Failure::Task(task)),
            }
        }
    }

    /// Has files read, which may take its time, on a thread that may wait for them.
    async fn read_again(&self, read: fn(&mut Reloader)) {
        let reloader = Arc::clone(&self.reloader);
        // The panic hook has told of a panic, and what was read before holds.
        let _ = spawn_blocking(move || read(&mut locked(&reloader))).await;
    }
}

/// Whoever has panicked in there has changed nothing by halves: what is applied is applied at the end.
fn locked(reloader: &Mutex<Reloader>) -> MutexGuard<'_, Reloader> {
    reloader.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often one looks whether somebody is still there.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until nobody is in a room any more, or the grace is over.
async fn everybody_left(control: &ControlHandle, grace: Duration) {
    if grace.is_zero() || control.people() == 0 {
        return;
    }
    tracing::info!(
        participants = control.people(),
        grace_seconds = grace.as_secs(),
        "draining; a second signal ends at once"
    );
    let all = async {
        loop {
            match control.people() {
                0 => return,
                left => systemd::draining(left),
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!(participants = control.people(), "the grace is over");
    }
}

/// How long watchers may take to hear of the end of their rooms.
const WATCHERS_TAKE: Duration = Duration::from_secs(2);

/// Waits until every watch has ended: each does by itself once its room's end has been sent.
async fn watchers_heard(control: &ControlHandle) {
    let all = async {
        let mut turn = tokio::time::interval(Duration::from_millis(5));
        while control.stats().watchers > 0 {
            turn.tick().await;
        }
    };
    if tokio::time::timeout(WATCHERS_TAKE, all).await.is_err() {
        tracing::warn!(
            watchers = control.stats().watchers,
            "watchers did not read to the end"
        );
    }
}
