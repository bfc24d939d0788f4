//! The command line of `stoad top`.

use std::path::PathBuf;

use clap::Args;

use super::rooms::Control;

#[derive(Debug, Args)]
pub(crate) struct Top {
    /// The ops port of the node
    #[arg(long, value_name = "http://HOST:PORT", env = "STOA_OPS_URL")]
    pub(crate) ops: hyper::Uri,
    /// How often to look; a node has new figures once a second
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) interval: u64,
    /// Print one view as plain text, and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Print one view as JSON, and end
    #[arg(long, conflicts_with = "once")]
    pub(crate) json: bool,
    /// Where the control API of the node is: the largest rooms are shown, too
    #[arg(long, value_name = "https://HOST:PORT", env = "STOA_TARGET", requires_all = ["ca", "api_key_file"])]
    pub(crate) target: Option<String>,
    /// PEM file with the certificate authority that vouches for it
    #[arg(long, value_name = "FILE", env = "STOA_CA_FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// File with an API key of the tenant whose rooms they are, alone on its first line
    #[arg(long, value_name = "FILE", env = "STOA_API_KEY_FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// The name in its certificate, if that is not the host
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,
}

impl Top {
    /// The control API, if it was named.
    pub(crate) fn control(&self) -> Option<Control> {
        Some(Control {
            target: self.target.clone()?,
            ca: self.ca.clone()?,
            api_key_file: self.api_key_file.clone()?,
            server_name: self.server_name.clone(),
        })
    }
}
