//! What each command does.

mod named;
mod peers;

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::signal::unix::{SignalKind, signal};

use self::named::Named;
use crate::{
    agents::{self, Agents, Key, MOST_AGENTS, Settings},
    arguments::{self, Arguments, Command, Peers, Playing, Run},
    compare,
    failure::Failure,
    machine,
    metrics::ServerMetrics,
    play::{self, Bell, Options, Stop},
    report::{self, Report, html, table},
    scenario::{Joins, READY, Role, Scenario, ready},
    show::Terminal,
    thread::MOST_THREADS,
};

/// Does what the command line says.
///
/// # Errors
/// [`Failure`].
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Scenarios { name: None } => list(),
        Command::Scenarios { name: Some(name) } => {
            let text = ready(&name).ok_or(Failure::NoScenario(name))?;
            say(text);
        }
        Command::Run(run) => play(*run).await?,
        Command::Peers(peers) => peers::play(*peers).await?,
        Command::Agent(agent) => serve(agent).await?,
        Command::Compare { a, b } => {
            let (a, b) = (read_report(&a)?, read_report(&b)?);
            say(&compare::draw(&a, &b));
        }
    }
    Ok(())
}

/// On the standard output; where nobody reads it any more, it is not said.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

async fn serve(agent: arguments::Agent) -> Result<(), Failure> {
    let key = Key::read(&agent.key_file)?;
    let settings = Settings {
        listen: agent.listen,
        threads: threads(&agent.peers)?,
        local: agent.peers.local_address,
        clock_ahead_ms: agent.clock_ahead_ms,
    };
    agents::serve(settings, &key, interrupted()?, say).await?;
    Ok(())
}

fn list() {
    let about = |text| {
        Scenario::parse(text)
            .map(|scenario| scenario.about)
            .unwrap_or_default()
    };
    let line = |(name, text): &(&str, &'static str)| vec![(*name).to_owned(), about(*text)];
    for line in READY.iter().map(line) {
        say(&format!("{:<14} {}\n", line[0], line[1]));
    }
}

async fn play(run: Run) -> Result<(), Failure> {
    let (scenario, mut options) = prepare(&run.scenario, &run.playing)?;
    options.pid = run.target.server_pid;
    for file in run.json.iter().chain(&run.html) {
        may_write(file)?;
    }
    if run.agents.len() > MOST_AGENTS {
        let why = format!("--agents: there may be {MOST_AGENTS}");
        return Err(Failure::Change(why));
    }
    if let Some(url) = &run.target.server_metrics {
        let metrics = ServerMetrics::open(url, run.target.ca.as_deref()).await?;
        options.metrics = Some(metrics);
    }
    let (bell, listening) = listen()?;
    let server = Named::by(&run.target);
    let with = Some(&run).filter(|run| !run.agents.is_empty());
    let report = against(server, with, scenario, options, &bell).await?;
    listening.abort();
    if let Some(file) = &run.json {
        write_json(file, &report)?;
    }
    if let Some(file) = &run.html {
        write(file, &html::draw(&report))?;
    }
    say(&table::draw(&report));
    match report {
        Report {
            partial_because: Some(why),
            ..
        } => Err(Failure::Partial(why)),
        Report { valid: false, .. } => Err(Failure::NotValid(report.invalid_because.join("; "))),
        _ => Ok(()),
    }
}

/// A bell that the signals to end ring, and who listens for them.
fn listen() -> Result<(Bell, tokio::task::JoinHandle<()>), Failure> {
    let bell = Bell::new();
    let ring = bell.clone();
    let interrupted = interrupted()?;
    let listening = tokio::spawn(async move {
        interrupted.await;
        ring.ring(Stop::Interrupted);
    });
    Ok((bell, listening))
}

/// Plays against a server, which is started for that alone if it is to be.
async fn against(
    server: Named,
    with: Option<&Run>,
    scenario: Scenario,
    mut options: Options,
    bell: &Bell,
) -> Result<Report, Failure> {
    server.abilities().check(&scenario)?;
    let reached = server.reach().await?;
    options.pid = reached.pid.or(options.pid);
    let target = Arc::clone(&reached.target);
    let agents = match with.and_then(|run| Some((run, run.agent_key_file.as_ref()?))) {
        Some((run, file)) => {
            let (groups, server) = (scenario.groups.len(), target.address());
            let key = Key::read(file)?;
            Agents::meet(&run.agents, &key, groups, options.seed, server).await?
        }
        None => Agents::default(),
    };
    if let Some(url) = &reached.metrics {
        options.metrics = Some(ServerMetrics::open(url, None).await?);
    }
    let mut terminal = Terminal::new();
    let played = play::play(scenario, target, &agents, options, bell, &mut terminal).await;
    terminal.end();
    agents.part().await;
    reached.end().await?;
    Ok(played?)
}

/// The scenario as the command line wants it, and how it is to be played.
fn prepare(named: &str, playing: &Playing) -> Result<(Scenario, Options), Failure> {
    let (name, yaml) = scenario_text(named)?;
    let parsed = Scenario::parse(&yaml);
    let mut scenario = parsed.map_err(|error| Failure::scenario(named, error))?;
    let mut changes = Vec::new();
    if let Some(count) = playing.listeners {
        let mut groups = scenario.groups.iter_mut().filter(|group| {
            group.role == Role::Listener && group.network.is_none() && group.joins == Joins::Before
        });
        let (Some(group), None) = (groups.next(), groups.next()) else {
            let why =
                "--listeners: the scenario does not have one group of listeners that it could mean";
            return Err(Failure::Change(why.to_owned()));
        };
        group.count = count;
        changes.push(format!("{count} of the group {}", group.name));
    }
    if let Some(rooms) = playing.rooms {
        scenario.rooms = rooms;
        changes.push(format!("{rooms} rooms"));
    }
    if let Some(seconds) = playing.seconds {
        scenario.seconds = seconds;
        changes.push(format!("{seconds} seconds"));
    }
    let checked = scenario.check();
    checked.map_err(|error| Failure::scenario(format!("{named} as changed"), error))?;
    let options = Options {
        name,
        yaml,
        changes,
        threads: threads(&playing.peers)?,
        verify_one_of: playing.verify.one_of,
        seed: playing.seed,
        local: playing.peers.local_address,
        is_one_way: false,
        pid: None,
        metrics: None,
    };
    Ok((scenario, options))
}

/// How many threads of peers there are to be.
fn threads(peers: &Peers) -> Result<usize, Failure> {
    let threads = peers.threads;
    let threads = threads.unwrap_or_else(|| (machine::cores() / 2).max(1));
    match (1..=MOST_THREADS).contains(&threads) {
        true => Ok(threads),
        false => Err(Failure::Change(format!(
            "--threads: must be 1 to {MOST_THREADS}"
        ))),
    }
}

fn scenario_text(named: &str) -> Result<(String, String), Failure> {
    if let Some(text) = ready(named) {
        return Ok((named.to_owned(), text.to_owned()));
    }
    let path = PathBuf::from(named);
    if !path.exists() {
        return Err(Failure::NoScenario(named.to_owned()));
    }
    let text = read(&path)?;
    let name = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok((name, text))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::Read {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn read_report(path: &Path) -> Result<Report, Failure> {
    let unreadable = |reason: String| Failure::Read {
        path: path.to_owned(),
        reason,
    };
    let report: Report = serde_json::from_str(&read(path)?)
        .map_err(|error| unreadable(format!("it is no report of stoa-load: {error}")))?;
    match report.format {
        report::FORMAT => Ok(report),
        other => Err(unreadable(format!(
            "it has the form {other}; this stoa-load reads {}",
            report::FORMAT
        ))),
    }
}

/// Whether a file can be written, before an hour has passed.
fn may_write(path: &Path) -> Result<(), Failure> {
    let made = tempfile::NamedTempFile::new_in(folder_of(path));
    made.map(drop).map_err(|source| Failure::Write {
        path: path.to_owned(),
        source,
    })
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|error| Failure::Tester(error.to_string()))?;
    write(path, &text)
}

/// The file appears complete or not at all.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = || {
        // To be shown around: as any other file, and not only for its owner.
        let permissions = fs::Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new()
            .permissions(permissions)
            .tempfile_in(folder_of(path))?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|source| Failure::Write {
        path: path.to_owned(),
        source,
    })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Until somebody wants this to end.
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = signals(SignalKind::interrupt())?;
    let mut terminate = signals(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn signals(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|error| Failure::Tester(format!("cannot listen for signals: {error}")))
}
