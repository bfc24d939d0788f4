//! How full the node is.

use stoa_control::{ControlHandle, Newcomer, Resource};

use super::{catalogue, family::Family};

/// Everything that can run out, so that a counter is there before it moves.
const RESOURCES: [Resource; 6] = [
    Resource::Workers,
    Resource::Bandwidth,
    Resource::Memory,
    Resource::SendQueue,
    Resource::Lobby,
    Resource::Seats,
];

/// The families, of what was measured last.
pub(super) fn families(control: &ControlHandle) -> Vec<Family> {
    let mut refused = Family::of(&catalogue::ADMISSION_REFUSED);
    let counts = control.refused_for_capacity();
    for newcomer in Newcomer::ALL {
        for resource in RESOURCES {
            let count = counts.get(&(newcomer, resource)).copied();
            let labels = [newcomer.name(), resource.name()];
            refused.count(&labels, count.unwrap_or_default());
        }
    }
    let mut families = vec![refused];
    let Some(report) = control.capacity() else {
        return families;
    };
    let mut saturation = Family::of(&catalogue::SATURATION);
    for (resource, ratio) in &report.ratios {
        saturation.value(&[resource.name()], *ratio);
    }
    let mut workers = Family::of(&catalogue::WORKER_SATURATION);
    for (number, worker) in report.workers.iter().enumerate() {
        workers.value(&[&number.to_string()], worker.ratio);
    }
    let one = |metric, value| {
        let mut family = Family::of(metric);
        family.value(&[], value);
        family
    };
    let fits = report.fits(control.people());
    families.extend([
        saturation,
        workers,
        one(&catalogue::SATURATION_LEVEL, f64::from(report.level as u8)),
        one(&catalogue::LISTENERS_FIT, fits as f64),
        one(&catalogue::LISTENER_COST, report.cost.worker),
    ]);
    families
}
