//! How full the node is, and whether it takes somebody more.
//!
//! Once a second whoever runs the media workers tells what is measured ([`Figures`]). A pure model makes of it how
//! much of each resource is taken, what one more listener takes, and how many more fit; between two measurements
//! those who come are counted, so that a storm does not go past a limit. What is refused follows a written order,
//! docs/operations.md, "When a node is full": new rooms first, then new listeners, then those who may speak, and
//! nobody ever who is in.

mod figures;
mod gate;
mod learned;
mod load;
mod memory;
mod model;
mod report;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use stoa_api::v1::ErrorReason;
use stoa_core::Role;

use crate::errors::Failure;
use model::Model;

pub use figures::{Depth, Figures, WorkerFigures};
pub use gate::Level;
pub use load::Resource;
pub use report::{Cost, Report, WorkerReport};

/// When to come back for a room: the load of a node changes within minutes.
const ROOM_RETRY: Duration = Duration::from_secs(30);

/// When to come back as a participant: whenever somebody leaves there is a place.
const JOIN_RETRY: Duration = Duration::from_secs(5);

/// What a node may use.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacitySettings {
    /// Whether anything is refused. If not, it is only told how full the node is.
    pub enforce: bool,
    /// From which share of any resource on no rooms are created.
    pub soft_ratio: f64,
    /// From which share on no listeners are let in. Half of what it leaves is for those who speak.
    pub hard_ratio: f64,
    /// How many bits the node may send in a second. `None`: as many as it can.
    pub bandwidth: Option<u64>,
    /// How many bytes of memory the process may have. `None`: it has no limit.
    pub memory: Option<u64>,
    /// How many processors' time the media workers may have together.
    pub processors: f64,
    /// Seats that a media worker may have.
    pub seats_per_worker: usize,
}

impl Default for CapacitySettings {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            enforce: true,
            soft_ratio: 0.7,
            hard_ratio: 0.9,
            bandwidth: None,
            memory: None,
            processors: processors as f64,
            seats_per_worker: usize::MAX,
        }
    }
}

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Newcomer {
    /// A room.
    Room,
    /// Somebody who comes to listen.
    Listener,
    /// Somebody who comes as a speaker or moderator.
    Stage,
}

impl Newcomer {
    /// All of them, in the order in which they are refused.
    pub const ALL: [Self; 3] = [Self::Room, Self::Listener, Self::Stage];

    /// As in metrics and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Listener => "listener",
            Self::Stage => "stage",
        }
    }

    fn of(role: Role) -> Self {
        match role {
            Role::Listener => Self::Listener,
            Role::Speaker | Role::Moderator => Self::Stage,
        }
    }
}

/// The capacity of the node. Clones are the same.
#[derive(Clone)]
pub(crate) struct Capacity(Arc<Shared>);

struct Shared {
    enforce: AtomicBool,
    state: Mutex<State>,
}

struct State {
    model: Model,
    report: Option<Arc<Report>>,
    /// How often something was refused, and for want of what.
    refused: BTreeMap<(Newcomer, Resource), u64>,
}

impl Capacity {
    pub(crate) fn new(settings: CapacitySettings) -> Self {
        Self(Arc::new(Shared {
            enforce: AtomicBool::new(settings.enforce),
            state: Mutex::new(State {
                model: Model::new(settings),
                report: None,
                refused: BTreeMap::new(),
            }),
        }))
    }

    /// Goes by other settings from now on, with what is learned of the node. How many seats a worker may have is
    /// the workers' own, and stays.
    pub(crate) fn set(&self, settings: CapacitySettings) {
        self.0.enforce.store(settings.enforce, Ordering::Relaxed);
        self.state().model.set(settings);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was measured while so many people were in the node's rooms.
    pub(crate) fn measure(&self, figures: &Figures, people: usize) -> Arc<Report> {
        let mut state = self.state();
        let report = Arc::new(state.model.take(figures, people));
        let before = state.report.replace(Arc::clone(&report));
        drop(state);
        let before = before.map_or(Level::Normal, |report| report.level);
        tell(before, &report);
        report
    }

    /// How full the node is, since something was measured.
    pub(crate) fn report(&self) -> Option<Arc<Report>> {
        self.state().report.clone()
    }

    /// How often something was refused, and for want of what.
    pub(crate) fn refused(&self) -> BTreeMap<(Newcomer, Resource), u64> {
        self.state().refused.clone()
    }

    /// Whether a room may be created at this worker.
    ///
    /// # Errors
    /// NODE_SATURATED.
    pub(crate) fn may_create(&self, home: usize) -> Result<(), Failure> {
        let Some(report) = self.enforced() else {
            return Ok(());
        };
        if report.level >= Level::Soft {
            return Err(self.refuse(Newcomer::Room, report.limiting, &report));
        }
        self.may_use(home, Level::Soft, Newcomer::Room, &report)
    }

    /// Whether somebody of this role may come into a room that is at home with this worker, while so many people
    /// are in the node's rooms or on their way.
    ///
    /// # Errors
    /// NODE_SATURATED.
    pub(crate) fn may_join(&self, role: Role, home: usize, people: usize) -> Result<(), Failure> {
        let Some(report) = self.enforced() else {
            return Ok(());
        };
        let newcomer = Newcomer::of(role);
        let (allowed, resource) = match newcomer {
            Newcomer::Room | Newcomer::Listener => report.listeners,
            Newcomer::Stage => report.stage,
        };
        if people >= allowed {
            return Err(self.refuse(newcomer, resource, &report));
        }
        match newcomer {
            // They sit wherever there is time for them.
            Newcomer::Room | Newcomer::Listener => Ok(()),
            Newcomer::Stage => self.may_use(home, Level::Full, newcomer, &report),
        }
    }

    fn enforced(&self) -> Option<Arc<Report>> {
        self.report()
            .filter(|_| self.0.enforce.load(Ordering::Relaxed))
    }

    /// Whether a worker is below a level.
    fn may_use(
        &self,
        worker: usize,
        level: Level,
        newcomer: Newcomer,
        report: &Report,
    ) -> Result<(), Failure> {
        match report.workers.get(worker) {
            Some(worker) if worker.level >= level => {
                Err(self.refuse(newcomer, Resource::Workers, report))
            }
            _ => Ok(()),
        }
    }

    fn refuse(&self, newcomer: Newcomer, resource: Resource, report: &Report) -> Failure {
        *self
            .state()
            .refused
            .entry((newcomer, resource))
            .or_default() += 1;
        let (what, retry) = match newcomer {
            Newcomer::Room => ("rooms", ROOM_RETRY),
            Newcomer::Listener => ("listeners", JOIN_RETRY),
            Newcomer::Stage => ("participants", JOIN_RETRY),
        };
        let message = format!(
            "the node has too little left of its {} for new {what}; use another node, or repeat the call after \
             the given delay",
            resource.name().replace('_', " ")
        );
        Failure::new(ErrorReason::NodeSaturated, message)
            .with("resource", resource.name())
            .with("level", report.level.name())
            .with("refused", newcomer.name())
            .after(retry)
    }
}

/// Whoever reads the log sees each change once.
fn tell(before: Level, report: &Report) {
    let (resource, level) = (report.limiting.name(), report.level.name());
    let ratio = report.saturation();
    match report.level.cmp(&before) {
        std::cmp::Ordering::Greater => {
            tracing::warn!(level, resource, ratio, "the node is fuller than it was");
        }
        std::cmp::Ordering::Less => {
            tracing::info!(level, resource, ratio, "the node is less full than it was");
        }
        std::cmp::Ordering::Equal => {}
    }
}

#[cfg(test)]
mod tests;
