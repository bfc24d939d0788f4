//! The command line of `stoad rooms`, `participants` and `kick`.

use std::path::PathBuf;

use clap::Args;

/// The control API of a running node.
#[derive(Debug, Args)]
pub(crate) struct Control {
    /// Where it is
    #[arg(long, value_name = "https://HOST:PORT", env = "STOA_TARGET")]
    pub(crate) target: String,
    /// PEM file with the certificate authority that vouches for it
    #[arg(long, value_name = "FILE", env = "STOA_CA_FILE")]
    pub(crate) ca: PathBuf,
    /// File with an API key of the tenant whose rooms they are, alone on its first line
    #[arg(long, value_name = "FILE", env = "STOA_API_KEY_FILE")]
    pub(crate) api_key_file: PathBuf,
    /// The name in its certificate, if that is not the host
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rooms {
    #[command(flatten)]
    pub(crate) control: Control,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Participants {
    /// The room
    pub(crate) room: String,
    #[command(flatten)]
    pub(crate) control: Control,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Kick {
    /// The room
    pub(crate) room: String,
    /// Who is put out of it. What let them in is refused from now on; a new token or join of a signalling service lets
    /// them in again
    pub(crate) participant: String,
    #[command(flatten)]
    pub(crate) control: Control,
}
