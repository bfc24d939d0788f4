//! What `fuzz/` needs beyond the crate's interface: what a server and a coordinator say is read without either. No
//! part of the interface; why it has no feature of its own stands in `stoa-core/src/fuzz.rs`.

use crate::{agents, exposition};

/// Reads what a server says of itself: seconds of processors, bytes of memory, and seconds of each worker.
///
/// # Errors
/// What whoever runs the load test is told.
#[expect(clippy::type_complexity, reason = "three figures, named above")]
pub fn exposition(text: &str) -> Result<(Option<f64>, Option<u64>, Vec<(String, f64)>), String> {
    let exposed = exposition::read(text).map_err(|error| error.to_string())?;
    let busy = exposed.busy_seconds.into_iter().collect();
    Ok((exposed.cpu_seconds, exposed.memory, busy))
}

/// Reads a coordinator's question as an agent does, and writes it again. Nothing where it is none, or describes a
/// peer that nobody can be.
pub fn question(text: &[u8]) -> Option<Vec<u8>> {
    agents::question_again(text)
}
