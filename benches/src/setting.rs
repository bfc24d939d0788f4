//! What the benches of a whole daemon with people in one room have in common on their command lines.

use std::path::PathBuf;

/// The daemon, and who speaks.
#[derive(clap::Args)]
pub(crate) struct Setting {
    /// How many speak at the same time; the room has as many slots.
    #[arg(long, default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=8))]
    pub(crate) speakers: u32,
    /// How many media workers the daemon has.
    #[arg(long, default_value_t = 1, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) workers: u32,
    /// The daemon's program; without it, the `stoad` beside this one.
    #[arg(long, value_name = "FILE")]
    pub(crate) stoad: Option<PathBuf>,
}
