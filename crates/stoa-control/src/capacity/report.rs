//! What is said of how full a node is.

use super::{Level, Resource};

/// What one more listener takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Of a worker's time: seconds in a second.
    pub worker: f64,
    /// Bits a second that are sent to them.
    pub bits: f64,
    /// Bytes of memory.
    pub memory: f64,
}

/// One media worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkerReport {
    /// The share of its time that is taken.
    pub ratio: f64,
    /// How full it is: what is at home with it is refused by this.
    pub level: Level,
}

/// How full a node is.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What is refused.
    pub level: Level,
    /// What the node runs out of first.
    pub limiting: Resource,
    /// How much is taken of what is limited.
    pub ratios: Vec<(Resource, f64)>,
    /// What one more listener takes.
    pub cost: Cost,
    /// How many people were in its rooms.
    pub(super) people: usize,
    /// How many there may be before listeners are refused, and for want of what.
    pub(super) listeners: (usize, Resource),
    /// The same of those who may speak.
    pub(super) stage: (usize, Resource),
    /// The media workers, in the order of their ports.
    pub workers: Vec<WorkerReport>,
}

impl Report {
    /// How much is taken of a resource; 0 where it has no limit.
    pub fn ratio(&self, resource: Resource) -> f64 {
        let of = self.ratios.iter().find(|(known, _)| *known == resource);
        of.map_or(0.0, |(_, ratio)| *ratio)
    }

    /// How much is taken of what the node runs out of first.
    pub fn saturation(&self) -> f64 {
        self.ratio(self.limiting)
    }

    /// How many more listeners fit while there are so many people.
    pub fn fits(&self, people: usize) -> usize {
        self.listeners.0.saturating_sub(people)
    }
}
