//! Those who are in: how they come and go.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use crate::{
    mouth::Voice,
    peer::{Invitation, Plan, Way},
    scenario::{Role, Scenario},
    swarm::{Swarm, SwarmError},
    target::{Entrant, Refusal, Target},
    thread::{Newcomer, SeatKey, ThreadError},
};

/// How many may be on their way in at once: as many as the control API's connection has calls for.
const JOINING: usize = 64;

/// How long ICE and DTLS may take, while a storm of others joins.
const CONNECT: Duration = Duration::from_secs(30);

/// Somebody who is in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) room: String,
    pub(crate) name: String,
    /// The tester's number of them, which is in what they say.
    pub(crate) number: u32,
    pub(crate) at: Part,
    swarm: usize,
    key: SeatKey,
    resume_token: Option<String>,
}

/// What somebody is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) group: usize,
    pub(crate) room: usize,
    /// Among those of the group in the room.
    pub(crate) place: usize,
}

/// How people came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joins {
    pub(crate) asked: u64,
    pub(crate) connected: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) failed: BTreeMap<String, u64>,
    /// What it said last when it refused.
    pub(crate) last_refusal: Option<String>,
}

/// Everybody, and the threads they are on.
pub(crate) struct Troupe {
    pub(crate) target: Arc<dyn Target>,
    pub(crate) swarms: Vec<Swarm>,
    pub(crate) scenario: Scenario,
    /// Names the run's rooms and people.
    run: String,
    seed: u64,
    verify_one_of: u32,
    /// Whether one session both speaks and listens.
    is_two_way: bool,
    /// When the talk in all rooms began, by the clock of this process, which is the run's.
    began: SystemTime,
    numbers: AtomicU32,
    /// How many of each group have been made.
    made: Vec<AtomicU32>,
    people: Mutex<Vec<Person>>,
    joins: Mutex<Joins>,
    permits: Semaphore,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Troupe {
    pub(crate) fn new(
        target: Arc<dyn Target>,
        swarms: Vec<Swarm>,
        scenario: Scenario,
        seed: u64,
        verify_one_of: u32,
        is_one_way: bool,
    ) -> Self {
        Self {
            made: scenario.groups.iter().map(|_| AtomicU32::new(0)).collect(),
            run: format!("load-{:08x}", rand::random::<u32>()),
            is_two_way: target.abilities().is_two_way && !is_one_way,
            target,
            swarms,
            scenario,
            seed,
            verify_one_of,
            began: SystemTime::now(),
            numbers: AtomicU32::new(0),
            people: Mutex::default(),
            joins: Mutex::default(),
            permits: Semaphore::new(JOINING),
        }
    }

    /// The name of a room.
    fn room(&self, number: usize) -> String {
        format!("{}-{number}", self.run)
    }

    /// Makes the rooms.
    ///
    /// # Errors
    /// The first [`Refusal`].
    pub(crate) async fn open_rooms(&self) -> Result<(), Refusal> {
        for number in 0..self.scenario.rooms {
            self.target
                .open_room(&self.room(number), &self.scenario.room)
                .await?;
        }
        Ok(())
    }

    /// Ends the rooms, and says which could not be.
    pub(crate) async fn close_rooms(&self) -> Result<(), Refusal> {
        let mut result = Ok(());
        for number in 0..self.scenario.rooms {
            match self.target.close_room(&self.room(number)).await {
                Err(refusal) if !refusal.is_gone() => result = Err(refusal),
                _ => {}
            }
        }
        result
    }

    /// How people came in until now.
    pub(crate) fn joins(&self) -> Joins {
        lock(&self.joins).clone()
    }

    /// Those of a group who are in.
    pub(crate) fn people_of(&self, group: usize) -> Vec<Person> {
        let people = lock(&self.people);
        people
            .iter()
            .filter(|person| person.at.group == group)
            .cloned()
            .collect()
    }

    /// Takes somebody of a group out of the list, whoever stands at this place of it, so that nobody else
    /// does something with them.
    pub(crate) fn take_one(&self, group: usize, any: usize) -> Option<Person> {
        let mut people = lock(&self.people);
        let of_group =
            |(index, person): (usize, &Person)| (person.at.group == group).then_some(index);
        let indices: Vec<usize> = people.iter().enumerate().filter_map(of_group).collect();
        let index = *indices.get(any.checked_rem(indices.len())?)?;
        Some(people.swap_remove(index))
    }

    /// Brings people in, so many each second, and returns when all are in or are not to be.
    ///
    /// # Errors
    /// [`SwarmError`] if the tester itself has failed.
    pub(crate) async fn bring(
        self: &Arc<Self>,
        parts: Vec<Part>,
        per_second: f64,
    ) -> Result<(), SwarmError> {
        let mut coming = JoinSet::new();
        let began = tokio::time::Instant::now();
        for (number, part) in (0_u32..).zip(parts) {
            let turn = began + Duration::from_secs_f64(f64::from(number) / per_second);
            tokio::time::sleep_until(turn).await;
            let troupe = Arc::clone(self);
            coming.spawn(async move { troupe.join(part, None).await });
        }
        while let Some(joined) = coming.join_next().await {
            let joined = joined.map_err(|error| ThreadError(error.to_string()))?;
            joined?;
        }
        Ok(())
    }

    /// Lets somebody come in, or come back. What the server refuses is counted.
    ///
    /// # Errors
    /// [`SwarmError`] if the tester itself has failed.
    pub(crate) async fn join(&self, part: Part, back: Option<&Person>) -> Result<(), SwarmError> {
        let _permit = self.permits.acquire().await;
        lock(&self.joins).asked += 1;
        let number = match back {
            Some(person) => person.number,
            None => self.numbers.fetch_add(1, Ordering::Relaxed),
        };
        let group = &self.scenario.groups[part.group];
        let swarm = number as usize % self.swarms.len();
        let (room, name) = (self.room(part.room), format!("{}-{number}", group.name));
        let entrant = Entrant {
            room: &room,
            who: &name,
            role: group.role,
            resume_token: back.and_then(|person| person.resume_token.as_deref()),
        };
        let asked = Instant::now();
        let offer = match self.target.invite(&entrant).await {
            Ok(offer) => offer,
            Err(refusal) => {
                self.refused(&refusal);
                return Ok(());
            }
        };
        let newcomer = Newcomer {
            plan: self.plan(part, number),
            invitation: offer.map(|offer| Invitation {
                offer,
                waited: asked.elapsed(),
            }),
            group: part.group,
            network: group.network,
        };
        let (key, sdp) = self.swarms[swarm].open(newcomer).await?;
        let admission = match self.target.join(&entrant, sdp).await {
            Ok(admission) => admission,
            Err(refusal) => {
                self.refused(&refusal);
                return self.swarms[swarm].close(key, false).await;
            }
        };
        let person = Person {
            room,
            name,
            number,
            at: part,
            swarm,
            key,
            resume_token: admission.resume_token,
        };
        let failure = match timeout(CONNECT, self.swarms[swarm].answer(key, admission.answer)).await
        {
            Ok(Ok(Ok(()))) => {
                lock(&self.joins).connected += 1;
                lock(&self.people).push(person);
                return Ok(());
            }
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => return Err(error),
            Err(_) => format!("not connected within {CONNECT:?}"),
        };
        *lock(&self.joins).failed.entry(failure).or_default() += 1;
        self.leave(&person, false).await
    }

    fn plan(&self, part: Part, number: u32) -> Plan {
        let group = &self.scenario.groups[part.group];
        let made = self.made[part.group].fetch_add(1, Ordering::Relaxed);
        let seed = self.seed ^ (part.room as u64) << 20 ^ (part.group as u64) << 56;
        let voice = group.manner().map(|manner| Voice {
            speaker: number,
            manner,
            talkers: group.count,
            seed,
            place: part.place,
            began: self.began,
        });
        let way = match (self.is_two_way, group.role) {
            (true, _) => Way::Both,
            (false, Role::Listener) => Way::Receives,
            (false, Role::Speaker | Role::Moderator) => Way::Sends,
        };
        Plan {
            way,
            lines: self.scenario.room.slots as usize,
            is_verified: made.is_multiple_of(self.verify_one_of),
            late_after: self.scenario.limits.late_after(),
            voice,
        }
    }

    fn refused(&self, refusal: &Refusal) {
        let mut joins = lock(&self.joins);
        *joins.refused.entry(refusal.name().to_owned()).or_default() += 1;
        joins.last_refusal = Some(refusal.to_string());
    }

    /// Lets somebody go who was taken out of the list, with a goodbye or by being cut off.
    ///
    /// # Errors
    /// [`SwarmError`] if the tester itself has failed.
    pub(crate) async fn leave(
        &self,
        person: &Person,
        says_goodbye: bool,
    ) -> Result<(), SwarmError> {
        self.swarms[person.swarm]
            .close(person.key, says_goodbye)
            .await?;
        if says_goodbye && let Err(refusal) = self.target.remove(&person.room, &person.name).await {
            // Their own goodbye may have come first.
            if !refusal.is_gone() {
                self.refused(&refusal);
            }
        }
        Ok(())
    }

    /// Lets everybody say goodbye, and ends the threads.
    ///
    /// # Errors
    /// [`SwarmError`] of the first that had failed.
    pub(crate) async fn end(&self) -> Result<(), SwarmError> {
        let mut result = Ok(());
        for swarm in &self.swarms {
            result = result.and(swarm.end().await);
        }
        result
    }
}
