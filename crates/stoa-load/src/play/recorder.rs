//! Takes down what happens, second by second.

mod server;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

pub(crate) use self::server::ServerSum;
use self::server::Watch;
use super::{
    bell::{Bell, Stop},
    troupe::Troupe,
};
use crate::{
    exposition::Exposed,
    histogram::Histogram,
    metrics::ServerMetrics,
    report::{AgentSecond, Second, Tester},
    swarm::{Swarm, SwarmError},
    tally::Tally,
    target::{Refusal, Standing},
    thread::Sample,
};

/// How many questions in a row may find no connection, or no answer while no audio comes either, before the
/// server is taken for gone; and how many no answer alone. It may be busy.
const LOST: u32 = 3;
const SILENT: u32 = 15;

/// What has been taken down.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) seconds: Vec<Second>,
    /// Of each group, since the beginning.
    pub(crate) whole: Vec<Tally>,
    /// The same, of the time that is measured.
    pub(crate) measured: Vec<Tally>,
    /// The same, since somebody began to look (a step of a ramp).
    pub(crate) window: Vec<Tally>,
    /// Of the server, in the time that is measured.
    pub(crate) server: ServerSum,
    pub(crate) version: String,
}

/// The record, for those who write it and those who look.
#[derive(Clone)]
pub(crate) struct Shared {
    record: Arc<Mutex<Record>>,
    /// How many seconds have been measured.
    measured: watch::Sender<u64>,
    /// Whether it is being measured.
    measuring: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn new(groups: usize) -> Self {
        let tallies = || vec![Tally::default(); groups];
        let record = Record {
            whole: tallies(),
            measured: tallies(),
            window: tallies(),
            ..Record::default()
        };
        Self {
            record: Arc::new(Mutex::new(record)),
            measured: watch::Sender::new(0),
            measuring: watch::Sender::new(false),
        }
    }

    /// The record.
    pub(crate) fn look(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the next whole second on it is measured.
    pub(crate) fn measure(&self) {
        self.measuring.send_replace(true);
    }

    /// Waits for so many more measured seconds.
    pub(crate) async fn wait(&self, seconds: u64) {
        let mut measured = self.measured.subscribe();
        let until = *measured.borrow() + seconds;
        // Fails only where the sender is gone, and that is this one.
        let _ = measured.wait_for(|count| *count >= until).await;
    }

    /// How many seconds have been measured.
    pub(crate) fn measured(&self) -> u64 {
        *self.measured.borrow()
    }

    /// Begins a new window.
    pub(crate) fn open_window(&self) {
        let mut record = self.look();
        record.window = vec![Tally::default(); record.window.len()];
    }
}

/// Writes the record.
pub(crate) struct Recorder {
    troupe: Arc<Troupe>,
    shared: Shared,
    bell: Bell,
    server: Watch,
    began: Instant,
    last: Instant,
    was_measuring: bool,
    lost: u32,
    silent: u32,
    joined: u64,
    refused: u64,
}

impl Recorder {
    pub(crate) fn new(
        troupe: Arc<Troupe>,
        shared: Shared,
        bell: Bell,
        pid: Option<u32>,
        metrics: Option<ServerMetrics>,
    ) -> Self {
        let now = Instant::now();
        let server = Watch::new(pid, metrics);
        shared.look().server.memory_before = server.memory();
        Self {
            server,
            troupe,
            shared,
            bell,
            began: now,
            last: now,
            was_measuring: false,
            lost: 0,
            silent: 0,
            joined: 0,
            refused: 0,
        }
    }

    /// Takes down each second, and tells `show` of it, until it is dropped.
    pub(crate) async fn run(mut self, mut show: impl FnMut(&Second)) {
        let mut turn = interval(Duration::from_secs(1));
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        turn.tick().await;
        loop {
            turn.tick().await;
            let (samples, standing, exposed) = tokio::join!(
                self.sample(),
                self.troupe.target.standing(),
                self.server.ask()
            );
            let samples = match samples {
                Ok(samples) => samples,
                Err(error) => return self.bell.ring(Stop::Tester(error.to_string())),
            };
            let nobody_heard = samples
                .iter()
                .flat_map(|sample| &sample.groups)
                .all(|tally| tally.received == 0);
            let standing = self.judge(standing, nobody_heard);
            let second = self.take_down(samples, standing, exposed);
            show(&second);
            if self.server.has_ended() {
                let why = "its process has ended".to_owned();
                return self.bell.ring(Stop::ServerGone(why));
            }
        }
    }

    async fn sample(&self) -> Result<Vec<Sample>, SwarmError> {
        try_join_all(self.troupe.swarms.iter().map(Swarm::sample)).await
    }

    /// Whether the server is still there: it answers, or is heard at least.
    fn judge(
        &mut self,
        standing: Result<Standing, Refusal>,
        nobody_heard: bool,
    ) -> Option<Standing> {
        let refusal = match standing {
            Ok(standing) => {
                (self.lost, self.silent) = (0, 0);
                return Some(standing);
            }
            Err(refusal) => refusal,
        };
        match refusal.is_unreachable() || nobody_heard {
            true => self.lost += 1,
            false => self.silent += 1,
        }
        if self.lost >= LOST || self.silent >= SILENT {
            let why = format!("it does not answer any more ({refusal})");
            self.bell.ring(Stop::ServerGone(why));
        }
        None
    }

    fn take_down(
        &mut self,
        samples: Vec<Sample>,
        standing: Option<Standing>,
        exposed: Option<Exposed>,
    ) -> Second {
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.last);
        self.last = now;
        let is_measuring = *self.shared.measuring.borrow();
        // Neither the second in which it began nor a piece of one.
        let is_measured = is_measuring && self.was_measuring;
        self.was_measuring = is_measuring;
        let tester = tester(samples.iter(), passed);
        let shared = self.shared.clone();
        let mut record = shared.look();
        let mut tallies = vec![Tally::default(); record.whole.len()];
        for sample in &samples {
            for (tally, of_thread) in tallies.iter_mut().zip(&sample.groups) {
                tally.merge(of_thread);
            }
        }
        let groups = &self.troupe.scenario.groups;
        let mut sound = Tally::default();
        for (tally, _) in tallies
            .iter()
            .zip(groups)
            .filter(|(_, group)| group.network.is_none())
        {
            sound.merge(tally);
        }
        let mut second = describe(&sound, &tallies);
        second.at = now.saturating_duration_since(self.began).as_secs_f64();
        second.measured = is_measured;
        second.tester = tester;
        second.agents = self.agents(&samples, passed);
        let joins = self.troupe.joins();
        let refused = joins.refused.values().sum::<u64>();
        second.joined = joins.connected - self.joined;
        second.refused = refused - self.refused;
        (self.joined, self.refused) = (joins.connected, refused);
        let heard = tallies.iter().map(|tally| tally.received).sum();
        let told = standing.as_ref();
        let sum = &mut record.server;
        self.server
            .take_down(&mut second, passed, heard, told, exposed, sum);
        if let Some(standing) = standing {
            record.version = standing.version;
        }
        for (number, tally) in tallies.iter().enumerate() {
            record.whole[number].follow(tally);
            if is_measured {
                record.measured[number].follow(tally);
                record.window[number].follow(tally);
            }
        }
        record.seconds.push(second.clone());
        drop(record);
        if is_measured {
            self.shared.measured.send_modify(|count| *count += 1);
        }
        second
    }

    /// The same of each agent.
    fn agents(&self, samples: &[Sample], passed: Duration) -> BTreeMap<String, AgentSecond> {
        let mut of_agents: BTreeMap<String, Vec<&Sample>> = BTreeMap::new();
        for (swarm, sample) in self.troupe.swarms.iter().zip(samples) {
            if let Some(agent) = swarm.agent() {
                of_agents.entry(agent.to_owned()).or_default().push(sample);
            }
        }
        let second = |samples: Vec<&Sample>| {
            let groups = samples.iter().flat_map(|sample| &sample.groups);
            AgentSecond {
                peers: groups.map(|tally| tally.connected).sum(),
                tester: tester(samples.iter().copied(), passed),
            }
        };
        let of_agents = of_agents.into_iter();
        of_agents
            .map(|(agent, samples)| (agent, second(samples)))
            .collect()
    }
}

fn describe(sound: &Tally, all: &[Tally]) -> Second {
    let has_latency = sound.latency.count() > 0;
    let latency = |share| has_latency.then(|| sound.latency.percentile(share));
    Second {
        peers: all.iter().map(|tally| tally.connected).sum(),
        received: sound.received,
        loss_percent: sound.loss_percent(),
        late: sound.late,
        gap_ms_per_minute: sound.gap_ms_per_minute(),
        latency_p50_ms: latency(0.50),
        latency_p95_ms: latency(0.95),
        latency_p99_ms: latency(0.99),
        ..Second::default()
    }
}

fn tester<'a>(samples: impl Iterator<Item = &'a Sample> + Clone, passed: Duration) -> Tester {
    let percent = |cpu: Duration| 100.0 * cpu.as_secs_f64() / passed.as_secs_f64();
    let mut lag = Histogram::default();
    samples.clone().for_each(|sample| lag.merge(&sample.lag));
    let busiest = samples.clone().map(|sample| sample.cpu).max();
    Tester {
        lag_p99_ms: lag.percentile(0.99),
        busiest_percent: percent(busiest.unwrap_or_default()),
        cpu_percent: percent(samples.clone().map(|sample| sample.cpu).sum()),
        dropped: samples.clone().map(|sample| sample.dropped).sum(),
        unsent: samples.map(|sample| sample.unsent).sum(),
        ..Tester::default()
    }
}
