//! The bench "forward": one speaker, many listeners.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    report::Row,
    room::{Room, RoomError},
};

/// What to measure.
pub(crate) struct Plan {
    /// One room for each.
    pub(crate) listeners: Vec<u16>,
    /// Packets of the speaker in each round.
    pub(crate) packets: u32,
    pub(crate) rounds: u32,
}

/// Measures one room.
///
/// # Errors
/// [`RoomError`] if somebody cannot join, or if not exactly one packet reaches each listener for each
/// that is sent.
pub(crate) fn measure(plan: &Plan, listeners: u16) -> Result<Row, RoomError> {
    let mut room = Room::open()?;
    let progress = progress("joining", listeners.into());
    for number in 1..=listeners {
        room.add_listener(number)?;
        progress.inc(1);
    }
    progress.finish_and_clear();

    let progress = self::progress("forwarding", (plan.rounds + 1).into());
    // The first round is for caches and the allocator, and is not counted.
    forward_round(&mut room, plan.packets)?;
    progress.inc(1);
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        let spent = forward_round(&mut room, plan.packets)?;
        let packets = f64::from(plan.packets) * f64::from(listeners);
        rounds.push(spent.as_secs_f64() * 1e6 / packets);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(Row::new(
        listeners,
        u64::from(plan.packets) * u64::from(plan.rounds) * u64::from(listeners),
        rounds,
    ))
}

/// The time that the node needs for so many packets of the speaker.
fn forward_round(room: &mut Room, packets: u32) -> Result<Duration, RoomError> {
    (0..packets).map(|_| room.forward_one()).sum()
}

/// Shown on a terminal only.
fn progress(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>10} {wide_bar} {pos}/{len}")
        .expect("the template is valid");
    ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr())
        .with_style(style)
        .with_message(what)
}
