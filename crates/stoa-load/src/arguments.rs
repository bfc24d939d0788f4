//! The command line.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use clap::{Args, Parser, Subcommand};

/// Loads a Stoa with many real WebRTC clients, and says what they heard and what it cost.
///
/// Try it: `stoa-load run conversation --start-stoad PATH-OF-STOAD`.
#[derive(Debug, Parser)]
#[command(name = "stoa-load", version, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   done; of a run: complete and valid, whatever the figures are
  1   a run that ended before its time; its report is written and marked partial
  2   wrong command line
  3   a run whose figures are not valid: the tester itself was the bottleneck
  66  a file cannot be read or written
  69  the server or an agent cannot be reached or started, or does not take the key
  78  the scenario is wrong; the message names the place";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the ready-made scenarios, or show one
    Scenarios {
        /// Which to show
        name: Option<String>,
    },
    /// Play a scenario and report
    Run(Box<Run>),
    /// Have peers for a `run` on another machine, until it is interrupted
    Agent(Agent),
    /// Put two reports side by side and say which differences are beyond noise
    Compare {
        /// A report of `run --json`
        a: PathBuf,
        /// Another one
        b: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The name of a ready-made scenario, or a YAML file
    pub(crate) scenario: String,
    #[command(flatten)]
    pub(crate) target: Target,
    /// How many listeners in each room, instead of what the scenario says; for scenarios with one group
    /// of listeners that have a good network and come before it is measured
    #[arg(long, value_name = "COUNT")]
    pub(crate) listeners: Option<usize>,
    /// How many rooms, instead of what the scenario says
    #[arg(long, value_name = "COUNT")]
    pub(crate) rooms: Option<usize>,
    /// For how long to measure, instead of what the scenario says
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// Who talks when, and what a bad network does, follow from it
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many peers have their packets decrypted and looked at; of the others, headers are counted
    #[arg(long, value_name = "1/N", default_value = "1/50")]
    pub(crate) verify: Share,
    #[command(flatten)]
    pub(crate) peers: Peers,
    /// Let these have the peers, and this process none: `stoa-load agent` on other machines
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', requires = "agent_key_file", conflicts_with_all = ["threads", "local_address"])]
    pub(crate) agents: Vec<String>,
    /// File with the key that the agents were started with
    #[arg(long, value_name = "FILE", requires = "agents")]
    pub(crate) agent_key_file: Option<PathBuf>,
    /// Write the whole report here, for machines and for `compare`
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the report here as one page with plots
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// Where peers are on a machine.
#[derive(Debug, Args)]
pub(crate) struct Peers {
    /// Threads of peers. Without it: half as many as there are cores
    #[arg(long, value_name = "COUNT")]
    pub(crate) threads: Option<usize>,
    /// The address that peers have. Without it: the one that leads to the control API
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) local_address: Option<IpAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Agent {
    /// Where it waits for a coordinator, by UDP
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// File with the key, alone on its first line: whoever has it commands this agent
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    #[command(flatten)]
    pub(crate) peers: Peers,
    /// Take this machine's clock to be ahead by so much, to see that the report does not depend on it
    #[arg(
        long,
        value_name = "MILLISECONDS",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) clock_ahead_ms: i32,
}

#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The control API of the Stoa to load
    #[arg(long = "target", value_name = "https://HOST:PORT", requires_all = ["ca", "api_key_file"], required_unless_present = "start_stoad")]
    pub(crate) url: Option<String>,
    /// PEM file with the certificate authority that vouches for it
    #[arg(long, value_name = "FILE", env = "STOA_CA_FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// File with the API key to use there, alone on its first line
    #[arg(long, value_name = "FILE", env = "STOA_API_KEY_FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// The name in its certificate, if that is not the host
    #[arg(long, value_name = "NAME", conflicts_with = "start_stoad")]
    pub(crate) server_name: Option<String>,
    /// Its process, if it is on this machine: what it uses is measured
    #[arg(long, value_name = "PID", conflicts_with = "start_stoad")]
    pub(crate) server_pid: Option<u32>,
    /// Start this daemon on loopback for the run, instead of loading one that runs
    #[arg(long, value_name = "PROGRAM", conflicts_with = "url")]
    pub(crate) start_stoad: Option<PathBuf>,
}

/// One of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) one_of: u32,
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text
            .strip_prefix("1/")
            .and_then(|number| number.parse().ok());
        match number {
            Some(one_of) if one_of > 0 => Ok(Self { one_of }),
            _ => Err("must be 1/N with N at least 1: 1/1 looks at all, 1/50 at one of 50"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_one_of_so_many() {
        assert_eq!("1/50".parse(), Ok(Share { one_of: 50 }));
        for bad in ["", "50", "2/50", "1/0", "1/x", "1/-1"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_run_needs_one_target() {
        let parse = |rest: &str| {
            let line = format!("stoa-load run stage {rest}");
            Arguments::try_parse_from(line.split_whitespace()).is_ok()
        };
        assert!(parse("--start-stoad ./stoad"));
        assert!(parse("--target https://a:1 --ca c --api-key-file k"));
        assert!(!parse(""));
        assert!(!parse("--target https://a:1"));
        let agents = "--start-stoad ./stoad --agents a:1,b:2 --agent-key-file k";
        assert!(parse(agents));
        for rest in ["--threads 2", "--local-address 10.0.0.1"] {
            assert!(!parse(&format!("{agents} {rest}")), "{rest}");
        }
        assert!(!parse("--start-stoad ./stoad --agents a:1"));
        assert!(!parse(
            "--target https://a:1 --ca c --api-key-file k --start-stoad ./stoad"
        ));
    }
}
