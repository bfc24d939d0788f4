//! A run: people come, it is measured, they go, and there is a report.

mod bell;
mod deeds;
mod recorder;
mod troupe;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) use self::bell::{Bell, Stop};
use self::{
    deeds::Diary,
    recorder::{Recorder, Shared},
    troupe::{Part, Troupe},
};
use crate::{
    agents::Agents,
    clock::Clock,
    judge::bottlenecks,
    machine,
    metrics::ServerMetrics,
    report::{self, Group, Joins, Report, Second, Server},
    scenario::{self, Scenario},
    socket::Place,
    swarm::Swarm,
    tally::Tally,
    target::Target,
    thread::Thread,
};

/// How long the end may take of what needs the server.
const LAST_CALLS: Duration = Duration::from_secs(10);

/// How it is played.
#[derive(Clone)]
pub(crate) struct Options {
    /// The scenario's name and text.
    pub(crate) name: String,
    pub(crate) yaml: String,
    /// What was changed of it.
    pub(crate) changes: Vec<String>,
    pub(crate) threads: usize,
    /// Of how many one is looked at closely.
    pub(crate) verify_one_of: u32,
    pub(crate) seed: u64,
    /// Where peers are, if not where it seems best.
    pub(crate) local: Option<IpAddr>,
    /// Whether those who speak do not listen, also where they could.
    pub(crate) is_one_way: bool,
    /// The server's process, if it is on this machine.
    pub(crate) pid: Option<u32>,
    /// Its own figures, if it has some.
    pub(crate) metrics: Option<ServerMetrics>,
}

/// What can be seen while it runs.
pub(crate) trait Show {
    /// What happens from now on.
    fn phase(&mut self, what: &str, seconds: Option<u64>);
    /// One more second.
    fn second(&mut self, second: &Second);
}

/// The tester cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the tester: {0}")]
pub(crate) struct PlayError(#[from] std::io::Error);

/// Plays a scenario until its end, or until the bell rings; by these agents, if there are any.
///
/// # Errors
/// [`PlayError`] if nothing could begin. Whatever happens later is in the report.
pub(crate) async fn play(
    scenario: Scenario,
    target: Arc<dyn Target>,
    agents: &Agents,
    options: Options,
    bell: &Bell,
    show: &mut (dyn Show + Send),
) -> Result<Report, PlayError> {
    let groups = scenario.groups.len();
    let swarms = match agents.is_empty() {
        true => threads(&options, target.address(), groups)?,
        false => agents.threads().into_iter().map(Swarm::There).collect(),
    };
    let started = SystemTime::now();
    let troupe = Troupe::new(
        target,
        swarms,
        scenario,
        options.seed,
        options.verify_one_of,
        options.is_one_way,
    );
    let (troupe, shared, diary) = (Arc::new(troupe), Shared::new(groups), Diary::default());
    let (tell, mut seconds) = tokio::sync::mpsc::channel(16);
    let recorder = Recorder::new(
        Arc::clone(&troupe),
        shared.clone(),
        bell.clone(),
        options.pid,
        options.metrics,
    );
    let recording = tokio::spawn(recorder.run(move |second| {
        // A terminal that is too slow misses some.
        let _ = tell.try_send(second.clone());
    }));
    let (phase, mut phases) = tokio::sync::mpsc::channel(4);
    let told = {
        let story = tell_story(&troupe, &shared, &diary, &phase, options.seed);
        tokio::pin!(story);
        loop {
            tokio::select! {
                told = &mut story => break told,
                stop = bell.rung() => break Err(stop),
                Some(second) = seconds.recv() => show.second(&second),
                Some((what, seconds)) = phases.recv() => show.phase(what, seconds),
            }
        }
    };
    recording.abort();
    show.phase("leaving", None);
    let farewell = leave(&troupe, &told).await;
    let told = told.and(farewell);
    let mut report = summary(&troupe, &shared, &diary);
    if let Err(stop) = told {
        report.complete = false;
        report.partial_because = Some(stop.to_string());
    }
    report.started = started
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    report.machine = machine::describe(if agents.is_empty() {
        options.threads
    } else {
        0
    });
    report.agents = agents.describe(&report.seconds);
    let within = agents.latency_within();
    report.latency_within_ms = within.map(|within| within.as_secs_f64() * 1e3);
    report.scenario = options.name;
    report.scenario_yaml = options.yaml;
    report.changes = options.changes;
    report.seed = options.seed;
    report.verify_one_of = options.verify_one_of;
    Ok(report)
}

/// The threads of this process.
fn threads(options: &Options, server: SocketAddr, groups: usize) -> io::Result<Vec<Swarm>> {
    let place = match options.local {
        Some(ip) => Place::Address(ip),
        None => Place::near(server)?,
    };
    let start = |number| Thread::start(number, place, groups, options.seed, Clock::default());
    (0..options.threads)
        .map(|number| Ok(Swarm::Here(start(number)?)))
        .collect()
}

type Phases = tokio::sync::mpsc::Sender<(&'static str, Option<u64>)>;

async fn tell_story(
    troupe: &Arc<Troupe>,
    shared: &Shared,
    diary: &Diary,
    phases: &Phases,
    seed: u64,
) -> Result<(), Stop> {
    let scenario = &troupe.scenario;
    // The one who shows them may be gone, and then nobody looks.
    let begin = async |what, seconds| {
        let _ = phases.send((what, seconds)).await;
    };
    begin("opening rooms", None).await;
    troupe
        .open_rooms()
        .await
        .map_err(|refusal| Stop::Refused(refusal.to_string()))?;
    begin("coming in", None).await;
    for joins in groups_that_come(scenario, scenario::Joins::Before) {
        let rate = scenario.groups[joins].joins_per_second;
        let came = troupe.bring(parts(scenario, joins), rate).await;
        came.map_err(|error| Stop::Tester(error.to_string()))?;
    }
    let joins = troupe.joins();
    if joins.asked > 0 && joins.connected == 0 {
        return Err(Stop::Refused(nobody_came(&joins)));
    }
    begin("settling", None).await;
    // bounded: by the scenario
    tokio::time::sleep(Duration::from_secs(scenario.settle_seconds)).await;
    let measured = scenario.ramp.is_none().then_some(scenario.seconds);
    begin("measuring", measured).await;
    shared.measure();
    let storm = async {
        for joins in groups_that_come(scenario, scenario::Joins::During) {
            let rate = scenario.groups[joins].joins_per_second;
            let came = troupe.bring(parts(scenario, joins), rate).await;
            came.map_err(|error| Stop::Tester(error.to_string()))?;
        }
        std::future::pending().await
    };
    let churn = async {
        match &scenario.churn {
            Some(plan) => deeds::churn(troupe, plan, seed).await,
            None => std::future::pending().await,
        }
    };
    let moderation = async {
        match &scenario.moderation {
            Some(plan) => deeds::moderation(troupe, diary, plan).await,
            None => std::future::pending().await,
        }
    };
    let ramp = async {
        match &scenario.ramp {
            Some(plan) => deeds::ramp(troupe, shared, diary, plan).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = shared.wait(scenario.seconds) => Ok(()),
        failed = storm => failed,
        failed = churn => failed,
        failed = moderation => failed,
        ended = ramp => ended,
    }
}

fn nobody_came(joins: &troupe::Joins) -> String {
    let refusal = joins.last_refusal.clone();
    let failure = joins.failed.keys().next().cloned();
    let why = refusal.or(failure).unwrap_or_default();
    format!("nobody could come in ({why})")
}

fn groups_that_come(scenario: &Scenario, when: scenario::Joins) -> impl Iterator<Item = usize> {
    let groups = scenario.groups.iter().enumerate();
    groups
        .filter(move |(_, group)| group.joins == when)
        .map(|(index, _)| index)
}

/// All of a group, room by room in turn, so that the rooms fill alike.
fn parts(scenario: &Scenario, group: usize) -> Vec<Part> {
    let places = 0..scenario.groups[group].count;
    let part = |place| (0..scenario.rooms).map(move |room| Part { group, room, place });
    places.flat_map(part).collect()
}

/// Ends everything, however it went.
async fn leave(troupe: &Troupe, told: &Result<(), Stop>) -> Result<(), Stop> {
    let ended = troupe
        .end()
        .await
        .map_err(|error| Stop::Tester(error.to_string()));
    let server_is_there = !matches!(told, Err(Stop::ServerGone(_)));
    let closed = match server_is_there {
        false => Ok(()),
        true => match tokio::time::timeout(LAST_CALLS, troupe.close_rooms()).await {
            Ok(closed) => closed.map_err(|refusal| Stop::Refused(refusal.to_string())),
            Err(_) => Err(Stop::Refused(
                "the rooms could not be closed in time".to_owned(),
            )),
        },
    };
    troupe.target.close().await;
    ended.and(closed)
}

fn summary(troupe: &Troupe, shared: &Shared, diary: &Diary) -> Report {
    let record = shared.look();
    let scenario = &troupe.scenario;
    let joins = troupe.joins();
    let (mut whole, mut sound) = (Tally::default(), Tally::default());
    record.whole.iter().for_each(|tally| whole.merge(tally));
    let mut groups = Vec::new();
    for (group, tally) in scenario.groups.iter().zip(&record.measured) {
        let is_impaired = group.network.is_some();
        if !is_impaired {
            sound.merge(tally);
        }
        groups.push(Group::of(&group.name, is_impaired, tally));
    }
    let measured = record.seconds.iter().filter(|second| second.measured);
    let measured: Vec<&Second> = measured.collect();
    let mut invalid_because = bottlenecks(&measured);
    if measured.is_empty() {
        invalid_because.push("nothing was measured".to_owned());
    }
    let (ramp, moderation) = diary.look(|deeds| (deeds.ramp.clone(), deeds.moderation.clone()));
    let limits_broken = match ramp {
        // It goes on until they are.
        Some(_) => Vec::new(),
        None => report::broken(&scenario.limits, &sound),
    };
    Report {
        format: report::FORMAT,
        target: troupe.target.url().to_owned(),
        tester_version: env!("CARGO_PKG_VERSION").to_owned(),
        server_version: record.version.clone(),
        measured_seconds: shared.measured(),
        complete: true,
        valid: invalid_because.is_empty(),
        invalid_because,
        limits_broken,
        joins: Joins {
            asked: joins.asked,
            connected: joins.connected,
            refused: joins.refused,
            failed: joins.failed,
            connect_ms: whole.connect.percentiles(),
            first_audio_ms: whole.join.percentiles(),
        },
        groups,
        server: Some(server(&record.server)),
        ramp,
        moderation: moderation.map(|moderation| report::Moderation {
            promoted: moderation.promoted,
            unheard: moderation.unheard,
            audible_ms: moderation.audible.percentiles(),
        }),
        seconds: record.seconds.clone(),
        ..Report::default()
    }
}

fn server(sum: &recorder::ServerSum) -> Server {
    let seconds = sum.time.as_secs_f64();
    let cpu = sum
        .cpu
        .filter(|_| seconds > 0.0)
        .map(|cpu| cpu.as_secs_f64());
    let each = cpu.filter(|_| sum.heard > 0);
    let datagrams = sum.datagrams.as_ref();
    let busiest = sum.busiest.filter(|(_, time)| !time.is_zero());
    Server {
        cpu_percent: cpu.map(|cpu| 100.0 * cpu / seconds),
        cpu_us_per_packet: each.map(|cpu| cpu * 1e6 / sum.heard as f64),
        busiest_percent: busiest.map(|(percents, time)| percents / time.as_secs_f64()),
        measured_by: sum.measured_by.map(str::to_owned),
        metrics_missed: sum.metrics_missed,
        memory_bytes: sum.memory,
        memory_before_bytes: sum.memory_before,
        sent: datagrams.map(|datagrams| datagrams.sent),
        received: datagrams.map(|datagrams| datagrams.received),
        dropped: datagrams.map_or_else(Default::default, |datagrams| datagrams.dropped.clone()),
    }
}
