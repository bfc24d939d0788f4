//! What a node's own figures say of how full it is.
//!
//! What counts of a resource is what is measured, or what those who are in would take if they were talked to as
//! much as lately, whichever is more: silence is not taken for room.

use std::time::{Duration, Instant};

use super::{
    CapacitySettings, Figures, Level, Resource, WorkerFigures,
    gate::{Gate, Limits},
    learned::{Smoothed, Talk, Worst},
    load::{Load, Loads},
    memory::Memory,
    report::{Cost, Report, WorkerReport},
};

/// Processor time for a datagram before it was measured, in seconds: docs/performance.md, "A whole node".
const PACKET_PRIOR: f64 = 4.2e-6;

/// Bytes of a datagram before they were measured, from the same place, with the headers of IP and UDP.
const SIZE_PRIOR: f64 = 160.0;

/// Processor time a second that somebody in a silent room takes, in seconds: from the same place.
const SILENCE: f64 = 18e-6;

/// Packets a second of a voice.
const VOICE: f64 = 50.0;

/// How many voices a listener gets where all slots of a room are taken, until it is seen.
const SLOTS: f64 = 3.0;

/// The least and the most that a listener is taken to get: one voice, and eight slots.
const TALK: (f64, f64) = (VOICE, 8.0 * VOICE);

/// From how many packets a second for each seat on somebody talks: a tenth of a voice.
const TALKS: f64 = VOICE / 10.0;

/// From how many packets a second of a worker on it can be told what a packet costs.
const ENOUGH: f64 = 1_000.0;

/// What IPv6 and UDP add to a datagram, in bytes; IPv4 adds less.
const HEADERS: f64 = 48.0;

/// The least time between two sayings of a worker that are compared.
const SPAN: Duration = Duration::from_millis(500);

/// After so long without a word a worker has no time left. It says something every second.
const STALLED: Duration = Duration::from_secs(3);

/// One worker, since it was looked at before.
struct Worker {
    before: WorkerFigures,
    busy: Smoothed,
    /// Its last share of time at work, and how many packets a second it has sent in that.
    work: f64,
    packets: f64,
    /// Bytes a second, with headers.
    bytes: f64,
    /// Whether datagrams had to be dropped because they waited too long.
    drops: bool,
    level: Level,
}

/// What is known of the node.
pub(super) struct Model {
    settings: CapacitySettings,
    limits: Limits,
    taken: Option<Instant>,
    workers: Vec<Worker>,
    packet: Worst,
    size: Worst,
    talk: Talk,
    packets_each: Smoothed,
    bandwidth: Smoothed,
    send_queue: Smoothed,
    lobby: Smoothed,
    memory: Memory,
    listeners: Gate,
    stage: Gate,
    rooms: Level,
}

impl Model {
    pub(super) fn new(settings: CapacitySettings) -> Self {
        let limits = Limits::of(&settings);
        Self {
            settings,
            limits,
            taken: None,
            workers: Vec::new(),
            packet: Worst::prior(PACKET_PRIOR),
            size: Worst::prior(SIZE_PRIOR),
            talk: Talk::prior(SLOTS * VOICE),
            packets_each: Smoothed::default(),
            bandwidth: Smoothed::default(),
            send_queue: Smoothed::default(),
            lobby: Smoothed::default(),
            memory: Memory::new(),
            listeners: Gate::new(limits.hard),
            stage: Gate::new(limits.full()),
            rooms: Level::Normal,
        }
    }

    /// Goes by other settings from the next measurement on. Seats are the workers' own, and stay.
    pub(super) fn set(&mut self, settings: CapacitySettings) {
        self.limits = Limits::of(&settings);
        self.listeners.set_limit(self.limits.hard);
        self.stage.set_limit(self.limits.full());
        self.settings = CapacitySettings {
            seats_per_worker: self.settings.seats_per_worker,
            ..settings
        };
    }

    /// Takes what was measured, with so many people in the node's rooms, and says how full it is.
    pub(super) fn take(&mut self, figures: &Figures, people: usize) -> Report {
        let passed = self
            .taken
            .map_or(SPAN, |before| figures.at.saturating_duration_since(before));
        self.taken = Some(figures.at);
        self.look_at_workers(figures);
        self.learn(passed);
        let loads = self.loads(figures, people, passed);
        self.listeners.measure(people, &loads);
        self.stage.measure(people, &loads);
        let fullest = loads.fullest();
        self.rooms = self.limits.level(self.rooms, fullest.ratio);
        let level = match (self.stage.is_closed, self.listeners.is_closed) {
            (true, _) => Level::Full,
            (false, true) => Level::Hard,
            (false, false) => self.rooms.min(Level::Soft),
        };
        let limiting = match fullest.ratio >= self.limits.soft {
            true => fullest.resource,
            false => self.listeners.resource,
        };
        let ratio_of = |load: &Load| (load.resource, load.ratio);
        Report {
            level,
            limiting,
            ratios: loads.node.iter().map(ratio_of).collect(),
            cost: self.cost(),
            people,
            listeners: (self.listeners.allowed, self.listeners.resource),
            stage: (self.stage.allowed, self.stage.resource),
            workers: self.levels(&loads.workers),
        }
    }

    fn look_at_workers(&mut self, figures: &Figures) {
        for (index, now) in figures.workers.iter().enumerate() {
            let Some(worker) = self.workers.get_mut(index) else {
                self.workers.push(Worker::new(now.clone()));
                continue;
            };
            worker.look(now);
            let silent = figures.at.saturating_duration_since(now.at);
            if silent >= STALLED {
                worker.busy.take(1.0, silent);
            }
        }
    }

    /// Learns what a packet costs, how large it is, and how many of them somebody gets.
    fn learn(&mut self, passed: Duration) {
        let costs = self.workers.iter().filter_map(Worker::packet_cost);
        if let Some(worst) = costs.max_by(f64::total_cmp) {
            self.packet.take(worst, passed);
        }
        let (packets, bytes) = self.sent();
        let seats: usize = self.workers.iter().map(|worker| worker.before.seats).sum();
        if packets >= VOICE {
            self.size.take(bytes / packets, passed);
        }
        if seats > 0 {
            self.packets_each.take(packets / seats as f64, passed);
            let each = self.packets_each.value();
            if each >= TALKS {
                self.talk.take(each.clamp(TALK.0, TALK.1), passed);
            }
        }
        self.bandwidth.take(bytes * 8.0, passed);
    }

    /// Packets and bytes a second of all workers.
    fn sent(&self) -> (f64, f64) {
        let workers = self.workers.iter();
        workers.fold((0.0, 0.0), |(packets, bytes), worker| {
            (packets + worker.packets, bytes + worker.bytes)
        })
    }

    fn cost(&self) -> Cost {
        let packets = self.talk.value();
        Cost {
            worker: packets * self.packet.value() + SILENCE,
            bits: packets * self.size.value() * 8.0,
            memory: self.memory.each(),
        }
    }

    fn loads(&mut self, figures: &Figures, people: usize, passed: Duration) -> Loads {
        let here = people as f64;
        let memory = figures.memory.zip(self.settings.memory);
        let memory = memory
            .map(|(resident, limit)| (self.memory.take(resident, people, passed), limit as f64));
        let cost = self.cost();
        let seats: usize = figures.workers.iter().map(|worker| worker.seats).sum();
        let coming = people.saturating_sub(seats);
        let expected = |worker: &Worker| {
            let expected = worker.before.seats as f64 * cost.worker;
            worker.busy.value().max(expected)
        };
        let workers: Vec<f64> = self.workers.iter().map(expected).collect();
        let cores = self.settings.processors.min(workers.len().max(1) as f64);
        let busy = workers.iter().sum::<f64>() + coming as f64 * cost.worker;
        let mut node = vec![Load {
            resource: Resource::Workers,
            ratio: busy / cores,
            cost: cost.worker / cores,
        }];
        if let Some(limit) = self.settings.bandwidth {
            let limit = limit as f64;
            node.push(Load {
                resource: Resource::Bandwidth,
                ratio: self.bandwidth.value().max(here * cost.bits) / limit,
                cost: cost.bits / limit,
            });
        }
        if let Some((taken, limit)) = memory {
            node.push(Load {
                resource: Resource::Memory,
                ratio: taken / limit,
                cost: cost.memory / limit,
            });
        }
        node.extend(self.queues(figures, passed));
        let all_seats = self.settings.seats_per_worker.saturating_mul(workers.len());
        Loads {
            node,
            workers,
            worker_cost: cost.worker,
            coming,
            seats_left: all_seats.saturating_sub(people),
        }
    }

    /// What waits, of which nobody can say how much of it one more listener makes.
    fn queues(&mut self, figures: &Figures, passed: Duration) -> [Load; 2] {
        let full = |worker: &Worker| match worker.drops {
            true => 1.0,
            false => worker.before.send_queue.ratio(),
        };
        let fullest = self.workers.iter().map(full).fold(0.0, f64::max);
        self.send_queue.take(fullest, passed);
        let lobbies = figures.lobbies.iter().map(|lobby| lobby.ratio());
        self.lobby.take(lobbies.fold(0.0, f64::max), passed);
        let load = |resource, ratio| Load {
            resource,
            ratio,
            cost: 0.0,
        };
        [
            load(Resource::SendQueue, self.send_queue.value()),
            load(Resource::Lobby, self.lobby.value()),
        ]
    }

    fn levels(&mut self, ratios: &[f64]) -> Vec<WorkerReport> {
        let workers = self.workers.iter_mut().zip(ratios);
        let limits = self.limits;
        workers
            .map(|(worker, &ratio)| {
                worker.level = limits.level(worker.level, ratio);
                WorkerReport {
                    ratio,
                    level: worker.level,
                }
            })
            .collect()
    }
}

impl Worker {
    fn new(before: WorkerFigures) -> Self {
        Self {
            before,
            busy: Smoothed::default(),
            work: 0.0,
            packets: 0.0,
            bytes: 0.0,
            drops: false,
            level: Level::Normal,
        }
    }

    fn look(&mut self, now: &WorkerFigures) {
        let passed = now.at.saturating_duration_since(self.before.at);
        if passed < SPAN {
            return;
        }
        let a_second =
            |now: u64, before: u64| now.saturating_sub(before) as f64 / passed.as_secs_f64();
        let busy = now.busy.saturating_sub(self.before.busy);
        self.work = busy.as_secs_f64() / passed.as_secs_f64();
        self.busy.take(self.work, passed);
        self.packets = a_second(now.datagrams_sent, self.before.datagrams_sent);
        let bytes = a_second(now.bytes_sent, self.before.bytes_sent);
        self.bytes = bytes + self.packets * HEADERS;
        self.drops = now.datagrams_unsent > self.before.datagrams_unsent;
        self.before = now.clone();
    }

    /// What a packet costs, where so many are sent that it can be told from all else.
    fn packet_cost(&self) -> Option<f64> {
        let idle = self.before.seats as f64 * SILENCE;
        let work = self.work - idle;
        (self.packets >= ENOUGH && work > 0.0).then(|| work / self.packets)
    }
}
