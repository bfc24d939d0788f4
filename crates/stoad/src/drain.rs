//! `stoad drain` and `stoad undrain`: what an orchestrator calls before it ends a node.

use std::time::{Duration, Instant};

use stoa_client::exposition::samples;

use crate::{
    arguments::{Drain, Ops},
    exit::Failure,
    ops_port::OpsPort,
};

/// How often one looks whether somebody is still there.
const LOOK: Duration = Duration::from_secs(1);

/// The metric that says how many are.
const PARTICIPANTS: &str = "stoa_participants";

/// Has the node take nothing new, and waits as long as it is told to.
///
/// # Errors
/// [`Failure`] if it does not do that, or if it cannot be asked any more while one waits.
pub(crate) async fn drain(drain: Drain) -> Result<(), Failure> {
    let node = open(&drain.node)?;
    let begin = Instant::now();
    let ends = drain.deadline_seconds.map(Duration::from_secs);
    match drain.deadline_seconds {
        None => node.change("/drain").await?,
        Some(seconds) => {
            let path = format!("/drain?deadline_seconds={seconds}");
            node.change(&path).await?;
        }
    }
    eprintln!("{} takes nothing new", drain.node.ops);
    let until = Instant::now() + Duration::from_secs(drain.wait_seconds);
    loop {
        if drain.wait_seconds == 0 {
            return Ok(());
        }
        let left = participants(&node).await;
        // It may have gone already, or have nobody since it has put them out.
        if ends.is_some_and(|ends| begin.elapsed() >= ends) {
            eprintln!("the deadline is there, and the node ends");
            return Ok(());
        }
        let left = left?;
        if left == 0 {
            eprintln!("nobody is in a room any more");
            return Ok(());
        }
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            eprintln!("{left} participants are left");
            return Ok(());
        }
        tokio::time::sleep(LOOK.min(rest)).await;
    }
}

/// Has the node take everything again.
///
/// # Errors
/// [`Failure`] if it does not.
pub(crate) async fn undrain(node: Ops) -> Result<(), Failure> {
    open(&node)?.change("/undrain").await?;
    eprintln!("{} takes everything again", node.ops);
    Ok(())
}

fn open(node: &Ops) -> Result<OpsPort, Failure> {
    OpsPort::new(&node.ops, Some(&node.ops_key_file))
}

/// How many are in a room.
async fn participants(node: &OpsPort) -> Result<u64, Failure> {
    let text = node.metrics().await?;
    let unknown = || node.failed("/metrics: does not say how many participants there are");
    sum(&text).ok_or_else(unknown)
}

/// The sum of the metric over its labels. `None`: it is not there, or no whole number.
fn sum(text: &str) -> Option<u64> {
    let samples = samples(text).ok()?;
    let values = samples.iter().filter(|sample| sample.name == PARTICIPANTS);
    let mut sum = None;
    for value in values.map(|sample| sample.value) {
        if value.fract() != 0.0 || value < 0.0 {
            return None;
        }
        sum = Some(sum.unwrap_or(0) + value as u64);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn participants_are_added_up() {
        let text = "# HELP stoa_participants x\nstoa_participants{role=\"listener\",state=\"connected\"} 3\n\
                    stoa_participants{role=\"speaker\",state=\"connected\"} 2\nstoa_rooms 1\n";
        assert_eq!(sum(text), Some(5));
        assert_eq!(sum("stoa_rooms 1\n"), None);
        assert_eq!(sum("stoa_participants{role=\"x\"} NaN\n"), None);
    }
}
