//! The bench "flood": a real daemon whose people talk and listen while somebody floods it. What the flood costs, what
//! they lose by it, and what it does to their latency.

mod admitted;
mod attack;
mod calls;
mod connections;
mod grpc;
mod http2;
mod http3;
mod insider;
mod outside;
mod spoofed;
mod table;
mod target;
mod whip;
mod wire;

use std::{io, path::PathBuf, time::Duration};

use stoa_client::{Client, v1::Role};
use stoa_core::{ParticipantId, limits::MAX_OFFER_BYTES};
use tokio::task::JoinSet;

use self::{
    admitted::Insider,
    attack::Attack,
    calls::Caller,
    table::Row,
    target::{Offered, Target},
};
use crate::{
    BenchError,
    daemon::{self, Connector, Daemon},
    hall::{self, HallError},
    node::{self, Crowd, NodeError, Reading, Window},
    path::Path,
    peer::{Attention, Peer},
    report::Report,
    setting::Setting,
    with_runtime,
};

/// Calls under way at a time.
const CALLS: usize = 16;

/// The most calls of an attack, and in each of its seconds: people who are let in and never come are in the lobby for
/// half a minute, and there must be room for whoever comes in the next attack.
const MOST_CALLS: u64 = 2_000;
const MOST_CALLS_A_SECOND: u64 = 250;

/// The room of those who talk and listen.
const IN_HALL: &str = "node";

/// The room in which nobody talks.
const ELSEWHERE: &str = "elsewhere";

/// The most of what was said that people may lose by a flood, and the most by which it may come later (p99).
const MOST_LOSS: f64 = 0.001;
const MOST_LATER_MS: f64 = 5.0;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    setting: Setting,
    /// How many listen.
    #[arg(long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=10_000))]
    listeners: u32,
    /// How many datagrams a second the attacker sends.
    #[arg(long, default_value_t = 20_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// For how many seconds each attack goes on.
    #[arg(long, default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Only the attacks whose names have this in them.
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// A small run that only shows that the bench works, and misses no target for want of time.
    #[arg(long, conflicts_with_all = ["speakers", "listeners", "workers", "rate", "seconds"])]
    quick: bool,
    /// Also write the results to this file, as one line of JSON for each attack.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Why the result is not good, or there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FloodError {
    #[error("an attack could not be made: {0}")]
    Attack(#[from] io::Error),
    #[error("the answer to a join does not say where to send")]
    Answer,
    #[error(
        "people lost more than {MOST_LOSS} or waited {MOST_LATER_MS} ms longer, or a call failed: {0}"
    )]
    Missed(String),
    #[error("{0}: nothing was sent, so the figures mean nothing")]
    Nothing(&'static str),
    #[error("{0}: {1} bytes were answered to somebody who has shown nothing")]
    Answered(&'static str, u64),
}

/// Runs the bench.
///
/// # Errors
/// [`BenchError`] if a target is missed, or bytes are answered to an address that has shown no credential.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), BenchError> {
    if arguments.quick {
        (arguments.setting.speakers, arguments.listeners) = (1, 4);
        (arguments.rate, arguments.seconds) = (500, 1);
    }
    let Arguments {
        listeners,
        rate,
        seconds,
        ..
    } = arguments;
    let Setting {
        speakers, workers, ..
    } = arguments.setting;
    let title = format!(
        "flood, a real daemon: {speakers} speakers, {listeners} listeners, {workers} worker(s), \
         {rate} datagrams a second for {seconds} s"
    );
    let mut report = Report::open(&title, arguments.json.as_deref())?;
    node::allow_sockets(u64::from(listeners) + 4_500)?;
    with_runtime(async {
        let program = arguments.setting.stoad.as_deref();
        let daemon = Daemon::start(program, workers as usize, Path::Direct)?;
        let rows = measure(&arguments, &daemon).await?;
        daemon.stop()?;
        println!("{}", table::HEADING);
        for row in &rows {
            println!("{}", row.markdown());
            report.write(row.json())?;
        }
        check(&rows, arguments.quick)
    })
}

async fn measure(plan: &Arguments, daemon: &Daemon) -> Result<Vec<Row>, BenchError> {
    let client = daemon.connect().await?;
    let mut crowd = Crowd::open(client.clone(), plan.setting.speakers).await?;
    crowd.fill(plan.listeners, plan.listeners.min(16)).await?;
    let mut rows = vec![flooded(plan, daemon, &crowd, &client, None).await?];
    for attack in Attack::ALL
        .into_iter()
        .filter(|attack| attack.name().contains(&plan.only))
    {
        match flooded(plan, daemon, &crowd, &client, Some(attack)).await {
            Ok(row) => rows.push(row),
            Err(BenchError::Flood(FloodError::Attack(error)))
                if error.kind() == io::ErrorKind::PermissionDenied =>
            {
                println!("{}: left out, it needs CAP_NET_RAW", attack.name());
            }
            Err(error) => return Err(error),
        }
    }
    crowd.end()?;
    client.close().await;
    Ok(rows)
}

/// People talk for a while, and somebody floods the daemon or nobody does.
async fn flooded(
    plan: &Arguments,
    daemon: &Daemon,
    crowd: &Crowd,
    client: &Client,
    attack: Option<Attack>,
) -> Result<Row, BenchError> {
    let time = Duration::from_secs(plan.seconds.into());
    let settling = Duration::from_millis(if plan.quick { 200 } else { 1_000 });
    // One at the same worker who is let in and never comes: their name is in the forged checks.
    let bait = format!("bait-{}", attack.map_or(0, Attack::number));
    let answer = join(client, &bait, String::new()).await?;
    let connector = daemon.connector();
    let missing = || BenchError::Flood(FloodError::Answer);
    let target = Target {
        media: wire::first_candidate(&answer).ok_or_else(missing)?,
        control: connector.control(),
        whip: daemon.whip(),
        ca_pem: connector.ca_pem().to_owned(),
        bearer: Connector::neighbours_bearer(),
        tokens: tokens(attack, time)?,
        offer: offer(&bait)?,
        ufrag: wire::ufrag(&answer).ok_or_else(missing)?.to_owned(),
        ports: crowd.ports.clone(),
    };
    let insider = match attack {
        Some(Attack::Admitted(way)) => Some(let_in(plan, crowd, client, way).await?),
        _ => None,
    };
    let spoken_before = crowd.counts()?;
    crowd.speak(true)?;
    node::wait(settling, "settling").await;
    drop(crowd.latencies());
    let caller = Caller::start(client.clone(), connector);
    let before = Reading::take(daemon, crowd)?;
    let offered = match attack {
        None => {
            node::wait(time, "in peace").await;
            Offered::default()
        }
        Some(Attack::Joins) => calls(client, time, 0).await,
        Some(Attack::LongOffers) => calls(client, time, MAX_OFFER_BYTES).await,
        Some(attack) => {
            let rate = plan.rate;
            blocking(move || attack::run(attack, insider, &target, rate, time)).await?
        }
    };
    let window = Window::between(before, Reading::take(daemon, crowd)?);
    let resident = daemon.resident()?;
    let called = caller.end().await?;
    let latency = crowd.latencies();
    crowd.speak(false)?;
    node::wait(settling, "settling").await;
    let heard = crowd.counts()?.since(&spoken_before);
    if latency.count() == 0 {
        return Err(NodeError::Deaf.into());
    }
    let expected = (heard.spoken * u64::from(plan.listeners)).max(1);
    let lost = expected.saturating_sub(heard.received);
    Ok(Row {
        attack,
        offered,
        called,
        window,
        latency,
        loss: lost as f64 / expected as f64,
        resident,
    })
}

/// Does what waits for sockets, on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FloodError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(io::Error::other)??)
}

/// Lets somebody in who has all that a participant has, and an audience, where they need one.
async fn let_in(
    plan: &Arguments,
    crowd: &Crowd,
    client: &Client,
    way: admitted::Way,
) -> Result<Insider, BenchError> {
    let mut room = IN_HALL;
    if way.has_audience() {
        room = ELSEWHERE;
        if let Some(error) = crowd.storm(plan.listeners).await?.pop() {
            return Err(error.into());
        }
    }
    let (room, name) = ((room, plan.setting.speakers), format!("insider-{way:?}"));
    let insider = Insider::enter(client, way, room, &name).await?;
    Ok(blocking(move || insider.connect()).await?)
}

/// What somebody offers who will not come.
fn offer(name: &str) -> Result<String, BenchError> {
    let who = ParticipantId::new(name).expect("benches choose valid names");
    let peer = Peer::open(who, 1, Attention::Count).map_err(HallError::from)?;
    Ok(peer.offer().to_owned())
}

/// How many calls an attack makes that goes on for so long.
fn most_calls(time: Duration) -> u64 {
    MOST_CALLS.min(MOST_CALLS_A_SECOND * time.as_secs())
}

/// As many join tokens as an attack on WHIP may use.
fn tokens(attack: Option<Attack>, time: Duration) -> Result<Vec<String>, BenchError> {
    let most = match attack {
        Some(Attack::Whip(_)) => most_calls(time),
        _ => 0,
    };
    let way = attack.map_or(0, Attack::number);
    let names = (0..most).map(|number| format!("whip-{way}-{number}"));
    let tokens = names.map(|name| daemon::token(&name, ELSEWHERE));
    Ok(tokens.collect::<Result<_, _>>()?)
}

/// Lets somebody in who never comes, with an offer that is made longer up to so many bytes. Returns the answer.
async fn join(client: &Client, name: &str, padding: String) -> Result<String, BenchError> {
    let offer = offer(name)? + &padding;
    let answer = hall::join(client, ELSEWHERE, name, Role::Listener, offer).await?;
    Ok(answer.sdp_answer)
}

/// Joins for a while, whatever is answered.
async fn calls(client: &Client, time: Duration, bytes: usize) -> Offered {
    let begun = tokio::time::Instant::now();
    let most = most_calls(time);
    let mut offered = Offered::default();
    let mut under_way = JoinSet::new();
    while begun.elapsed() < time {
        if under_way.len() >= CALLS || offered.count >= most {
            let next = under_way.join_next();
            if tokio::time::timeout_at(begun + time, next)
                .await
                .is_ok_and(|next| next.is_none())
            {
                tokio::time::sleep_until(begun + time).await;
            }
            continue;
        }
        let (client, number) = (client.clone(), offered.count);
        offered.count += 1;
        offered.bytes += bytes as u64;
        under_way.spawn(async move {
            // An offer of one media line has some two kilobytes and 50 lines of text. With these it has as many of
            // both as are read: 68 bytes a line.
            let line = format!("a=x-nothing:{:054}\r\n", 0);
            let padding = line.repeat(bytes.saturating_sub(4_096) / line.len());
            drop(join(&client, &format!("flood-{bytes}-{number}"), padding).await);
        });
    }
    while under_way.join_next().await.is_some() {}
    offered
}

/// Whether people were left in peace. A quick run has no time to judge that.
fn check(rows: &[Row], quick: bool) -> Result<(), BenchError> {
    for row in rows {
        // A handshake of QUIC answers with three times what was asked at most (RFC 9000, section 8.1).
        let allowed = match row.attack {
            Some(Attack::Http3(http3::Way::Initials)) => 3 * row.offered.bytes,
            // They have shown all there is to show. No answer is longer than its question.
            Some(Attack::Admitted(_)) => row.offered.bytes,
            _ => 0,
        };
        if row.offered.answered > allowed {
            return Err(FloodError::Answered(row.name(), row.offered.answered).into());
        }
    }
    let mut floods = rows.iter().skip(1);
    if let Some(row) = floods.find(|row| row.offered.count == 0) {
        return Err(FloodError::Nothing(row.name()).into());
    }
    let Some((peace, floods)) = rows.split_first().filter(|_| !quick) else {
        return Ok(());
    };
    let usual = peace.latency.quantile(0.99);
    let missed = floods.iter().filter(|row| {
        let later = row.latency.quantile(0.99) > usual + MOST_LATER_MS;
        later || row.loss > MOST_LOSS || row.called.failed > 0
    });
    let missed: Vec<_> = missed.map(Row::name).collect();
    match missed.is_empty() {
        true => Ok(()),
        false => Err(FloodError::Missed(missed.join(", ")).into()),
    }
}
