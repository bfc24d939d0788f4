//! What is shown: a function of two looks at a node.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{look::Look, room::RoomRow};

/// A node as it is shown. Rates are for each second since the look before; `None` where that is not known: at first,
/// and after the node was started anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct View {
    /// Why the node does not answer; everything else is empty then.
    pub(super) gone: Option<String>,
    pub(super) draining: bool,
    pub(super) rooms_total: Option<f64>,
    /// By role.
    pub(super) participants: BTreeMap<String, f64>,
    /// What is refused for want of capacity: 0 nothing, 1 new rooms, 2 listeners, 3 everybody.
    pub(super) saturation_level: Option<f64>,
    /// By resource, parts of 1.
    pub(super) saturation: BTreeMap<String, f64>,
    /// How many more listeners fit.
    pub(super) fitting_listeners: Option<f64>,
    pub(super) workers: Vec<Worker>,
    /// Dropped datagrams a second by reason, the most first; those that are none are left out.
    pub(super) drops: Vec<(String, f64)>,
    /// Joins a second by stage: prepared, keyed, refused, lost.
    pub(super) joins: BTreeMap<String, Option<f64>>,
    /// The largest rooms. None: the control API was not given.
    pub(super) rooms: Option<Vec<RoomRow>>,
}

/// A media worker.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Worker {
    pub(super) worker: String,
    /// Share of a core.
    pub(super) busy: Option<f64>,
    pub(super) packets_in: Option<f64>,
    pub(super) packets_out: Option<f64>,
    pub(super) bytes_in: Option<f64>,
    pub(super) bytes_out: Option<f64>,
    pub(super) seats: Option<f64>,
    /// Datagrams that wait for the kernel.
    pub(super) queue: Option<f64>,
}

impl View {
    /// Of a look, and of the last one before that was answered.
    pub(super) fn of(before: Option<&Look>, now: Result<&Look, String>) -> Self {
        let now = match now {
            Ok(now) => now,
            Err(why) => {
                return Self {
                    gone: Some(why),
                    ..Self::default()
                };
            }
        };
        let since = Since::new(before, now);
        let dropped = since.by("stoa_dropped_total", "reason").into_iter();
        let mut drops: Vec<(String, f64)> = dropped
            .filter_map(|(reason, rate)| Some((reason, rate.filter(|rate| *rate > 0.0)?)))
            .collect();
        drops.sort_by(|a, b| b.1.total_cmp(&a.1));
        Self {
            gone: None,
            draining: now.figure("stoa_draining") == Some(1.0),
            rooms_total: now.figure("stoa_rooms"),
            participants: now.by("stoa_participants", "role"),
            saturation_level: now.figure("stoa_saturation_level"),
            saturation: now.by("stoa_saturation_ratio", "resource"),
            fitting_listeners: now.figure("stoa_listeners_fit"),
            workers: since.workers(),
            drops,
            joins: since.by("stoa_lobby_joins_total", "stage"),
            rooms: now.rooms.clone(),
        }
    }
}

/// Two looks at the same process, or one.
struct Since<'a> {
    before: Option<&'a Look>,
    now: &'a Look,
    seconds: f64,
}

impl<'a> Since<'a> {
    fn new(before: Option<&'a Look>, now: &'a Look) -> Self {
        let started = |look: &Look| look.figure("process_start_time_seconds");
        let before = before.filter(|before| started(before) == started(now));
        let seconds = before.map_or(0.0, |before| {
            now.at.saturating_duration_since(before.at).as_secs_f64()
        });
        Self {
            before,
            now,
            seconds,
        }
    }

    /// What a counter has gone by a second, by a label.
    fn by(&self, name: &str, label: &str) -> BTreeMap<String, Option<f64>> {
        let before = self.before.map(|before| before.by(name, label));
        let rate = |key: &str, now: f64| {
            // A value that was not there is one that nothing was counted of.
            let before = before.as_ref()?.get(key).copied().unwrap_or(0.0);
            (now >= before && self.seconds > 0.0).then(|| (now - before) / self.seconds)
        };
        let now = self.now.by(name, label).into_iter();
        now.map(|(key, now)| (key.clone(), rate(&key, now)))
            .collect()
    }

    fn workers(&self) -> Vec<Worker> {
        let rate = |name| self.by(name, "worker");
        let busy = rate("stoa_worker_busy_seconds_total");
        let (packets_in, packets_out) = (
            rate("stoa_datagrams_received_total"),
            rate("stoa_datagrams_sent_total"),
        );
        let (bytes_in, bytes_out) = (
            rate("stoa_received_bytes_total"),
            rate("stoa_sent_bytes_total"),
        );
        let seats = self.now.by("stoa_worker_seats", "worker");
        let queues = self.now.by("stoa_send_queue_datagrams", "worker");
        let of = |rates: &BTreeMap<String, Option<f64>>, worker: &str| {
            rates.get(worker).copied().flatten()
        };
        let worker = |worker: &String| Worker {
            worker: worker.clone(),
            busy: of(&busy, worker),
            packets_in: of(&packets_in, worker),
            packets_out: of(&packets_out, worker),
            bytes_in: of(&bytes_in, worker),
            bytes_out: of(&bytes_out, worker),
            seats: seats.get(worker).copied(),
            queue: queues.get(worker).copied(),
        };
        let mut workers: Vec<Worker> = busy.keys().map(worker).collect();
        workers.sort_by_key(|worker| worker.worker.parse::<u32>().unwrap_or(u32::MAX));
        workers
    }
}

#[cfg(test)]
pub(super) mod tests;
