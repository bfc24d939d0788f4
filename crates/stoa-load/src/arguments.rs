//! The command line.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use clap::{Args, Parser, Subcommand};

use crate::target::whip::Template;

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
  69  the server or an agent cannot be reached or started, is not installed, or does not take the key
  78  the scenario is wrong, or the server cannot play it; the message says why";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the ready-made scenarios, or show one
    Scenarios {
        /// Which to show
        name: Option<String>,
    },
    /// Play a scenario and report
    Run(Box<Run>),
    /// Play the same against a Stoa and a Janus on this machine, in turns, and put them side by side
    Peers(Box<Beside>),
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
    #[command(flatten)]
    pub(crate) playing: Playing,
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

/// How a scenario is played.
#[derive(Debug, Clone, Args)]
pub(crate) struct Playing {
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
}

#[derive(Debug, Args)]
pub(crate) struct Beside {
    /// Which scenarios: names of ready-made ones, or YAML files
    #[arg(default_values_t = ["peers-one".to_owned(), "peers-three".to_owned()])]
    pub(crate) scenarios: Vec<String>,
    /// The daemon
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) start_stoad: PathBuf,
    /// The Janus, as Debian's package `janus` has it. It is not installed by this command
    #[arg(long, value_name = "PROGRAM", default_value = "janus")]
    pub(crate) start_janus: PathBuf,
    /// How often each server plays each scenario. What is beyond noise can be told from three on; take five
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    #[command(flatten)]
    pub(crate) playing: Playing,
    /// Write all reports here, for machines
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the comparison here as one page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// Where peers are on a machine.
#[derive(Debug, Clone, Args)]
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

#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The control API of the Stoa to load; with --whip, the one by which rooms are made
    #[arg(long = "target", value_name = "https://HOST:PORT", requires_all = ["ca", "api_key_file"], required_unless_present_any = ["start_stoad", "whip", "janus", "start_janus"])]
    pub(crate) url: Option<String>,
    /// PEM file with the certificate authority that vouches for it, and for a server by WHIP or a Janus
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
    /// Where it has its figures for Prometheus, such as a Stoa's ops port: processor time, memory, and how busy its
    /// workers are, also of a server on another machine. They are read once a second
    #[arg(
        long,
        value_name = "http://HOST:PORT/metrics",
        conflicts_with = "start_stoad"
    )]
    pub(crate) server_metrics: Option<String>,
    /// Start this daemon on loopback for the run, instead of loading one that runs
    #[arg(long, value_name = "PROGRAM", conflicts_with = "url")]
    pub(crate) start_stoad: Option<PathBuf>,
    /// Load any server by WHIP: where those who speak enter, with {room} and {who} for the names
    #[arg(long, value_name = "URL", requires = "whep", conflicts_with_all = ["start_stoad", "janus", "start_janus"])]
    pub(crate) whip: Option<Template>,
    /// And by WHEP: where those who listen enter
    #[arg(long, value_name = "URL", requires = "whip")]
    pub(crate) whep: Option<Template>,
    /// File with the token that everybody shows there, alone on its first line
    #[arg(long, value_name = "FILE", requires = "whip")]
    pub(crate) token_file: Option<PathBuf>,
    /// File with a tenant's key, with which a join token of a Stoa is made for each
    #[arg(long, value_name = "FILE", requires_all = ["whip", "token_kid", "token_tenant"], conflicts_with = "token_file")]
    pub(crate) token_key_file: Option<PathBuf>,
    /// The key's name
    #[arg(long, value_name = "KID", requires = "token_key_file")]
    pub(crate) token_kid: Option<String>,
    /// Whose key it is
    #[arg(long, value_name = "TENANT", requires = "token_key_file")]
    pub(crate) token_tenant: Option<String>,
    /// Load a Janus: its HTTP API
    #[arg(long, value_name = "https://HOST:PORT/janus", conflicts_with_all = ["url", "start_stoad", "start_janus"])]
    pub(crate) janus: Option<String>,
    /// Start this Janus on loopback for the run
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["url", "start_stoad", "server_pid"])]
    pub(crate) start_janus: Option<PathBuf>,
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_of_the_documents_are_taken() {
        stoa_docs::assert_commands("stoa-load", &Arguments::command());
    }

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
        assert!(parse("--whip https://a/{room} --whep https://a/{room}"));
        assert!(parse(
            "--whip http://a/ --whep http://a/ --target https://a:1 --ca c --api-key-file k"
        ));
        assert!(parse("--janus http://127.0.0.1:8088/janus"));
        assert!(parse("--start-janus janus"));
        assert!(!parse("--whip https://a/{room}"));
        assert!(!parse("--whip https://a/{rom} --whep https://a/{room}"));
        assert!(!parse(
            "--whip http://a/ --whep http://a/ --token-key-file k"
        ));
        assert!(!parse("--start-janus janus --start-stoad stoad"));
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
