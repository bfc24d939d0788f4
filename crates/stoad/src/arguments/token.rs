//! The command line of `stoad token`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const ABOUT_TOKENS: &str = "\
A join token lets one person into one room for a short time. A signalling service makes them by itself,
with a key whose public half (or secret) the node's configuration has: docs/tokens.md. These commands are
for trying it out and for looking into what went wrong.";

#[derive(Debug, Subcommand)]
#[command(after_help = ABOUT_TOKENS)]
pub(crate) enum Token {
    /// Make a key: write the private half to a file, print what the configuration needs
    Keygen(Keygen),
    /// Make a token and print it
    Make(Make),
    /// Say what a token claims and whether it is good; a token is read from standard input if none is
    /// given. Ends with 1 if it is not good
    Explain(Explain),
}

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Algorithm {
    /// Ed25519: the node cannot make tokens
    #[value(name = "EdDSA", alias = "eddsa")]
    EdDsa,
    /// A secret that the signalling service and the node share
    #[value(name = "HS256", alias = "hs256")]
    Hs256,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Listener,
    Speaker,
    Moderator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Media {
    Audio,
    Music,
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// The key's name; it is in each token, and unique across the node's tenants
    #[arg(long, value_name = "NAME")]
    pub(crate) kid: String,
    /// What the key signs with
    #[arg(long, value_enum, default_value = "EdDSA")]
    pub(crate) algorithm: Algorithm,
    /// Where to write the private key or the secret; readable by its owner only, and never overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// A key in a file.
#[derive(Debug, Args)]
pub(crate) struct KeyFile {
    /// The file: for EdDSA a PEM private key, for HS256 the secret
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What the key signs with
    #[arg(long, value_enum, default_value = "EdDSA")]
    pub(crate) algorithm: Algorithm,
}

#[derive(Debug, Args)]
pub(crate) struct Make {
    #[command(flatten)]
    pub(crate) key: KeyFile,
    /// The key's name, as the configuration has it
    #[arg(long, value_name = "NAME")]
    pub(crate) kid: String,
    /// The tenant that the key belongs to
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: String,
    /// Which room
    #[arg(long, value_name = "ROOM_ID")]
    pub(crate) room: String,
    /// Who: the participant_id
    #[arg(long, value_name = "PARTICIPANT_ID")]
    pub(crate) participant: String,
    /// What they may be at most
    #[arg(long, value_enum, default_value = "listener")]
    pub(crate) role: Role,
    /// What they may send; without it they only listen
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) publish: Vec<Media>,
    /// The name to show
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) name: String,
    /// For how long it is good: 1 to 3600 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) lifetime: u64,
    /// Good once, not until it expires
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The token; without it, the first line of standard input, so that it is in no list of processes
    pub(crate) token: Option<String>,
    /// Check it as a node with this configuration would
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) config: Option<PathBuf>,
    /// Check it with this key alone: for EdDSA a PEM public or private key, for HS256 the secret
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// What that key signs with
    #[arg(long, value_enum, default_value = "EdDSA")]
    pub(crate) algorithm: Algorithm,
}
