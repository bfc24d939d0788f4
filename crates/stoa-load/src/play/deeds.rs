//! What happens while it is measured: a ramp, churn, moderation.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::future::select_all;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{
    bell::Stop,
    recorder::Shared,
    troupe::{Part, Person, Troupe},
};
use crate::{
    histogram::Histogram,
    judge::bottlenecks,
    report::{self, Ramp, Step},
    scenario::{self, Role},
    swarm::SwarmError,
    tally::Tally,
    target::Refusal,
};

/// How long after the last of a step have come it is looked at: their sessions settle.
const SETTLE_SECONDS: u64 = 2;

/// How long somebody who was promoted may take to be heard.
const AUDIBLE: Duration = Duration::from_secs(5);

/// How long they talk then, and how long it is watched that they are not heard afterwards.
const TALK: Duration = Duration::from_millis(300);
const WATCH: Duration = Duration::from_millis(300);

/// What has come of it, so far.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    pub(crate) ramp: Option<Ramp>,
    pub(crate) moderation: Option<Moderation>,
}

/// Some came to the stage and went back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moderation {
    pub(crate) promoted: u64,
    pub(crate) unheard: u64,
    pub(crate) audible: Histogram,
}

/// The same, for those who do and those who look.
#[derive(Clone, Default)]
pub(crate) struct Diary(Arc<Mutex<Deeds>>);

impl Diary {
    pub(crate) fn look<T>(&self, with: impl FnOnce(&mut Deeds) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn tester_failed(error: SwarmError) -> Stop {
    Stop::Tester(error.to_string())
}

fn refused(refusal: Refusal) -> Stop {
    Stop::Refused(refusal.to_string())
}

/// More and more come, until the server has no more room or a limit breaks.
pub(crate) async fn ramp(
    troupe: &Arc<Troupe>,
    shared: &Shared,
    diary: &Diary,
    plan: &scenario::Ramp,
) -> Result<(), Stop> {
    diary.look(|deeds| deeds.ramp = Some(Ramp::default()));
    let group = troupe.scenario.group_named(&plan.group).unwrap_or(0);
    let per_second = troupe.scenario.groups[group].joins_per_second;
    let rooms = troupe.scenario.rooms;
    let mut come = troupe.people_of(group).len();
    while come < plan.most {
        let step = plan.step.min(plan.most - come);
        let parts = (come..come + step).map(|number| Part {
            group,
            room: number % rooms,
            place: number / rooms,
        });
        let before = troupe.joins();
        troupe
            .bring(parts.collect(), per_second)
            .await
            .map_err(tester_failed)?;
        come += step;
        let joins = troupe.joins();
        if let Some(refusal) = joins.last_refusal {
            end(diary, format!("the server takes no more: {refusal}"));
            return Ok(());
        }
        if joins.connected == before.connected {
            end(diary, "nobody of the last step came in".to_owned());
            return Ok(());
        }
        shared.wait(SETTLE_SECONDS).await;
        shared.open_window();
        let from = shared.look().seconds.len();
        shared.wait(plan.hold_seconds).await;
        let step = look(troupe, shared, from);
        let broken = step.broken.join("; ");
        diary.look(|deeds| {
            let ramp = deeds.ramp.get_or_insert_default();
            if step.broken.is_empty() {
                ramp.knee = Some(step.peers);
            }
            ramp.steps.push(step);
        });
        if !broken.is_empty() {
            end(diary, broken);
            return Ok(());
        }
    }
    Ok(())
}

fn end(diary: &Diary, why: String) {
    diary.look(|deeds| deeds.ramp.get_or_insert_default().broke = Some(why));
}

/// How a step of a ramp went.
fn look(troupe: &Troupe, shared: &Shared, from: usize) -> Step {
    let record = shared.look();
    let groups = &troupe.scenario.groups;
    let mut sound = Tally::default();
    for (tally, _) in record
        .window
        .iter()
        .zip(groups)
        .filter(|(_, group)| group.network.is_none())
    {
        sound.merge(tally);
    }
    let seconds = &record.seconds[from..];
    let cpu: Vec<f64> = seconds
        .iter()
        .filter_map(|second| second.server_cpu_percent)
        .collect();
    let mut broken = report::broken(&troupe.scenario.limits, &sound);
    let bottleneck = bottlenecks(&seconds.iter().collect::<Vec<_>>());
    broken.extend(
        bottleneck
            .into_iter()
            .map(|why| format!("the tester: {why}")),
    );
    Step {
        peers: seconds.last().map_or(0, |second| second.peers),
        loss_percent: sound.loss_percent(),
        gap_ms_per_minute: sound.gap_ms_per_minute(),
        latency_ms: sound.latency.percentiles(),
        server_cpu_percent: (!cpu.is_empty()).then(|| cpu.iter().sum::<f64>() / cpu.len() as f64),
        server_memory_bytes: seconds
            .iter()
            .filter_map(|second| second.server_memory_bytes)
            .max(),
        broken,
    }
}

/// Some leave and others come, until it is dropped.
pub(crate) async fn churn(
    troupe: &Arc<Troupe>,
    plan: &scenario::Churn,
    seed: u64,
) -> Result<(), Stop> {
    let group = troupe.scenario.group_named(&plan.group).unwrap_or(0);
    let mut random = StdRng::seed_from_u64(seed);
    let mut turn = interval(Duration::from_secs_f64(1.0 / plan.per_second));
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            _ = turn.tick() => {}
            Some(done) = under_way.join_next() => {
                let done: Result<(), SwarmError> = done.map_err(|error| Stop::Tester(error.to_string()))?;
                done.map_err(tester_failed)?;
                continue;
            }
        }
        // Where all of them are on their way already, the next turn will do.
        let Some(person) = troupe.take_one(group, random.random_range(0..usize::MAX)) else {
            continue;
        };
        let comes_back = random.random_bool(plan.reconnect_percent / 100.0);
        let troupe = Arc::clone(troupe);
        under_way.spawn(async move {
            troupe.leave(&person, !comes_back).await?;
            troupe.join(person.at, comes_back.then_some(&person)).await
        });
    }
}

/// Listeners are promoted, heard, and sent back, one after the other, until it is dropped.
pub(crate) async fn moderation(
    troupe: &Arc<Troupe>,
    diary: &Diary,
    plan: &scenario::Moderation,
) -> Result<(), Stop> {
    diary.look(|deeds| deeds.moderation = Some(Moderation::default()));
    let group = troupe.scenario.group_named(&plan.group).unwrap_or(0);
    let mut turn = interval(Duration::from_secs_f64(1.0 / plan.per_second));
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_usize;
    loop {
        turn.tick().await;
        let people = troupe.people_of(group);
        let Some(person) = number.checked_rem(people.len()).map(|index| &people[index]) else {
            return Err(Stop::Refused(format!(
                "nobody of the group {:?} is in",
                plan.group
            )));
        };
        let audible = promote(troupe, person).await?;
        diary.look(|deeds| {
            let moderation = deeds.moderation.get_or_insert_default();
            moderation.promoted += 1;
            match audible {
                Some(audible) => moderation.audible.add(audible),
                None => moderation.unheard += 1,
            }
        });
        // bounded: a constant
        tokio::time::sleep(TALK).await;
        send_back(troupe, person, number.is_multiple_of(2)).await?;
        number += 1;
    }
}

/// Promotes somebody. Returns how long it took until they were heard.
async fn promote(troupe: &Troupe, person: &Person) -> Result<Option<Duration>, Stop> {
    for swarm in &troupe.swarms {
        swarm
            .forbid(person.number, None)
            .await
            .map_err(tester_failed)?;
    }
    let mut heard = Vec::new();
    for swarm in &troupe.swarms {
        heard.push(swarm.hears(person.number).await.map_err(tester_failed)?);
    }
    let called = SystemTime::now();
    let promoted = troupe
        .target
        .set_role(&person.room, &person.name, Role::Speaker)
        .await;
    promoted.map_err(refused)?;
    let first = timeout(AUDIBLE, select_all(heard)).await;
    let arrived = first.ok().and_then(|(arrived, ..)| arrived.ok());
    Ok(arrived.map(|arrived| arrived.duration_since(called).unwrap_or_default()))
}

/// Takes the right to speak away, by a mute or by the role, and watches that they are not heard.
async fn send_back(troupe: &Troupe, person: &Person, by_mute: bool) -> Result<(), Stop> {
    let (room, name) = (&person.room, &person.name);
    let taken = match by_mute {
        true => troupe.target.set_muted(room, name, true).await,
        false => troupe.target.set_role(room, name, Role::Listener).await,
    };
    taken.map_err(refused)?;
    let since = SystemTime::now();
    for swarm in &troupe.swarms {
        swarm
            .forbid(person.number, Some(since))
            .await
            .map_err(tester_failed)?;
    }
    // bounded: a constant
    tokio::time::sleep(WATCH).await;
    if by_mute {
        troupe
            .target
            .set_role(room, name, Role::Listener)
            .await
            .map_err(refused)?;
        troupe
            .target
            .set_muted(room, name, false)
            .await
            .map_err(refused)?;
    }
    Ok(())
}
