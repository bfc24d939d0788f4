//! What each command does.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    agents::{self, Agents, Key, MOST_AGENTS, MOST_THREADS, Settings},
    arguments::{self, Arguments, Command, Peers, Run},
    compare,
    failure::Failure,
    machine,
    play::{self, Bell, Options, Stop},
    report::{self, Report, html, table},
    scenario::{Joins, READY, Role, Scenario, ready},
    server::Started,
    show::Terminal,
    stoa::{Address, Stoa},
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
    let (scenario, options) = prepare(&run)?;
    for file in run.json.iter().chain(&run.html) {
        may_write(file)?;
    }
    let bell = Bell::new();
    let ring = bell.clone();
    let interrupted = interrupted()?;
    let listening = tokio::spawn(async move {
        interrupted.await;
        ring.ring(Stop::Interrupted);
    });
    let report = against_target(&run, scenario, options, &bell).await?;
    listening.abort();
    if let Some(file) = &run.json {
        let text = serde_json::to_string_pretty(&report);
        let text = text.map_err(|error| Failure::Tester(error.to_string()))?;
        write(file, &text)?;
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

async fn against_target(
    run: &Run,
    scenario: Scenario,
    mut options: Options,
    bell: &Bell,
) -> Result<Report, Failure> {
    let target = &run.target;
    let started = match &target.start_stoad {
        None => None,
        Some(program) => {
            let program = program.clone();
            let started = tokio::task::spawn_blocking(move || Started::start(&program)).await;
            Some(started.map_err(|error| Failure::Tester(error.to_string()))??)
        }
    };
    let address = match &started {
        Some(started) => {
            options.pid = Some(started.pid());
            started.address()
        }
        None => Address {
            url: target.url.clone().unwrap_or_default(),
            ca_file: target.ca.clone().unwrap_or_default(),
            api_key_file: target.api_key_file.clone().unwrap_or_default(),
            server_name: target.server_name.clone(),
        },
    };
    let stoa = Stoa::connect(&address).await?;
    let agents = match &run.agent_key_file {
        Some(file) if !run.agents.is_empty() => {
            let (groups, server) = (scenario.groups.len(), stoa.address());
            let key = Key::read(file)?;
            Agents::meet(&run.agents, &key, groups, options.seed, server).await?
        }
        _ => Agents::default(),
    };
    let mut terminal = Terminal::new();
    let played = play::play(scenario, stoa, &agents, options, bell, &mut terminal).await;
    terminal.end();
    agents.part().await;
    // Ending it waits for its process.
    let ended = tokio::task::spawn_blocking(move || drop(started)).await;
    ended.map_err(|error| Failure::Tester(error.to_string()))?;
    Ok(played?)
}

/// The scenario as the command line wants it, and how it is to be played.
fn prepare(run: &Run) -> Result<(Scenario, Options), Failure> {
    let (name, yaml) = scenario_text(&run.scenario)?;
    let parsed = Scenario::parse(&yaml);
    let mut scenario = parsed.map_err(|error| Failure::scenario(&run.scenario, error))?;
    let mut changes = Vec::new();
    if let Some(count) = run.listeners {
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
    if let Some(rooms) = run.rooms {
        scenario.rooms = rooms;
        changes.push(format!("{rooms} rooms"));
    }
    if let Some(seconds) = run.seconds {
        scenario.seconds = seconds;
        changes.push(format!("{seconds} seconds"));
    }
    let checked = scenario.check();
    checked.map_err(|error| Failure::scenario(format!("{} as changed", run.scenario), error))?;
    if run.agents.len() > MOST_AGENTS {
        let why = format!("--agents: there may be {MOST_AGENTS}");
        return Err(Failure::Change(why));
    }
    let options = Options {
        name,
        yaml,
        changes,
        threads: threads(&run.peers)?,
        verify_one_of: run.verify.one_of,
        seed: run.seed,
        local: run.peers.local_address,
        pid: run.target.server_pid,
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
