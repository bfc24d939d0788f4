//! The command line.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};

pub(crate) mod rooms;
pub(crate) mod token;
pub(crate) mod top;

/// Moves the media of live voice rooms.
///
/// Try it: `stoad dev`, then open the address it prints in two browser windows.
#[derive(Debug, Parser)]
#[command(name = "stoad", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   ended as it was asked to
  1   failed while running
  2   wrong command line
  66  a file that the configuration names cannot be read or is not what it should be
  69  an address cannot be used: taken, not this machine's, or nobody answers there
  71  the doctor has found something that has to be mended
  78  the configuration is wrong; the message names the place";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run with an embedded configuration and a page to try it in the browser
    Dev(Dev),
    /// Run with a configuration file
    Run {
        /// The YAML file; docs/configuration.md describes every key
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check a configuration file and what it names, without opening any port
    Check {
        /// The YAML file
        file: PathBuf,
    },
    /// Look for what will keep a node from working well on this machine, and say what mends it
    Doctor(Doctor),
    /// Look at a configuration
    #[command(subcommand)]
    Config(Configuration),
    /// List the rooms of a running node
    Rooms(rooms::Rooms),
    /// List who is in a room of a running node
    Participants(rooms::Participants),
    /// Put somebody out of a room
    Kick(rooms::Kick),
    /// Watch a running node: its workers, rooms and joins, and how many more listeners fit
    Top(top::Top),
    /// Have a node take nothing new, by its ops port; and wait until nobody is on it any more
    Drain(Drain),
    /// Have a node that drains take everything again
    Undrain(Ops),
    /// Make join tokens and look into them
    #[command(subcommand)]
    Token(token::Token),
    /// Print the version
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where the page is served; browsers give the microphone to localhost only
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) page: SocketAddr,
    /// Where the control API is served, over HTTP/2 (TCP) and HTTP/3 (UDP)
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7443")]
    pub(crate) control: SocketAddr,
    /// The UDP port for media; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 40_000)]
    pub(crate) media_port: u16,
    /// Where probes and metrics are served, over plain HTTP; without it, nowhere
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) ops: Option<SocketAddr>,
    /// An IPv4 address at which browsers reach this machine; may be repeated. Without it: 127.0.0.1
    /// and the addresses of this machine's interfaces
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) advertise: Vec<IpAddr>,
    /// Keep certificates, API key and configuration here, and use them again the next time. Without
    /// it they are in a temporary folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The YAML file that `stoad run` is to be given; without it, what `stoad dev` runs with
    pub(crate) file: Option<PathBuf>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Configuration {
    /// Print what holds, by the file, the environment and the defaults together; secrets are hidden
    Print {
        /// The YAML file
        file: PathBuf,
    },
    /// Print what every key means, as Markdown
    Reference,
    /// Print a JSON schema of the file, for editors that complete and check YAML
    Schema,
}

/// The ops port of a running node.
#[derive(Debug, Args)]
pub(crate) struct Ops {
    /// Where it is
    #[arg(long, value_name = "http://HOST:PORT", env = "STOA_OPS_URL")]
    pub(crate) ops: hyper::Uri,
    /// File with the ops key, alone on its first line
    #[arg(long, value_name = "FILE", env = "STOA_OPS_KEY_FILE")]
    pub(crate) ops_key_file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Drain {
    #[command(flatten)]
    pub(crate) node: Ops,
    /// End the node so many seconds from now, a week at the most, with whoever is left then; watchers and participants
    /// are told when that is. Without it the node drains until it is ended, or undrained
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) deadline_seconds: Option<u64>,
    /// Wait for so long until nobody is in a room any more; 0 does not wait. That the time is over is no failure:
    /// whoever is left is told when the node ends
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) wait_seconds: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_commands_of_the_documents_are_taken() {
        stoa_docs::assert_commands("stoad", &Arguments::command());
    }
}
