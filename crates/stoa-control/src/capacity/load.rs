//! How much of each resource is taken, and how many more people fit.

/// What a node can run out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The media workers' time.
    Workers,
    /// What may be sent.
    Bandwidth,
    /// The process's memory.
    Memory,
    /// Room in the kernel for datagrams.
    SendQueue,
    /// Joins that wait and sessions that are being set up.
    Lobby,
    /// Seats, which the configuration limits.
    Seats,
}

impl Resource {
    /// As in metrics, logs and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workers => "workers",
            Self::Bandwidth => "bandwidth",
            Self::Memory => "memory",
            Self::SendQueue => "send_queue",
            Self::Lobby => "lobby",
            Self::Seats => "seats",
        }
    }
}

/// One resource of the whole node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) resource: Resource,
    /// The share of it that is taken.
    pub(super) ratio: f64,
    /// What one more listener takes. 0 where nobody can say.
    pub(super) cost: f64,
}

impl Load {
    /// How many more fit below a limit.
    fn room(&self, limit: f64) -> usize {
        fits(limit - self.ratio, self.cost)
    }
}

/// How many times a cost goes into what is left.
fn fits(left: f64, cost: f64) -> usize {
    match (left > 0.0, cost > 0.0) {
        (false, _) => 0,
        // What is too large for it becomes the largest number.
        (true, true) => (left / cost + 1e-9) as usize,
        (true, false) => usize::MAX,
    }
}

/// All resources.
#[derive(Debug)]
pub(super) struct Loads {
    pub(super) node: Vec<Load>,
    /// The share of each worker's time that is taken, and what one more listener takes of it.
    pub(super) workers: Vec<f64>,
    pub(super) worker_cost: f64,
    /// People whom no worker has a seat for yet.
    pub(super) coming: usize,
    /// Seats that the configuration leaves.
    pub(super) seats_left: usize,
}

impl Loads {
    /// How many more listeners fit below a limit of saturation, and what there is least of.
    pub(super) fn room(&self, limit: f64) -> (usize, Resource) {
        // A listener sits at any worker that has time for them.
        let seated = self.workers.iter().fold(0_usize, |sum, ratio| {
            sum.saturating_add(fits(limit - ratio, self.worker_cost))
        });
        let seated = (seated.saturating_sub(self.coming), Resource::Workers);
        let node = self
            .node
            .iter()
            .map(|load| (load.room(limit), load.resource));
        let all = node.chain([seated, (self.seats_left, Resource::Seats)]);
        all.min_by_key(|(room, _)| *room)
            .unwrap_or((usize::MAX, Resource::Workers))
    }

    /// What is taken most.
    pub(super) fn fullest(&self) -> Load {
        let mut loads = self.node.iter();
        let first = loads.next().copied().unwrap_or(Load {
            resource: Resource::Workers,
            ratio: 0.0,
            cost: 0.0,
        });
        loads.fold(first, |most, load| match load.ratio > most.ratio {
            true => *load,
            false => most,
        })
    }
}
