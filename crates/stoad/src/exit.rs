//! Why the daemon ended, for people and for scripts.

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode};

use stoa_control::BindError;
use stoa_secret::SecretFileError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration is wrong. The text begins with the file's name and has the place.
    #[error("{0}")]
    Config(String),
    /// A file that the configuration names is missing or wrong.
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    /// An address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    /// The media workers did not start.
    #[error("cannot start the media workers: {0}")]
    Media(#[from] stoa_net::StartError),
    /// The control server did not start.
    #[error("the control API: {0}")]
    Control(#[from] BindError),
    /// The server for WHIP and WHEP did not start.
    #[error("WHIP and WHEP: {0}")]
    Whip(#[from] stoa_whip::BindError),
    /// The ops port did not open.
    #[error(transparent)]
    Ops(#[from] stoa_ops::BindError),
    /// A media worker ended that was not told to, or another thread beside the workers.
    #[error("{0} has failed; the log says why")]
    MediaPart(stoa_net::Part),
    /// Something on the control side ended that was not told to.
    #[error("{0} has failed; the log says why")]
    Task(&'static str),
    /// An argument is not what it should be, and clap could not see that.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers there.
    #[error("cannot connect to {0}")]
    Unreachable(String),
    /// `stoad doctor` has found so many things that have to be mended.
    #[error("{0} of the checks failed")]
    Unwell(usize),
    /// Something else went wrong while running.
    #[error("{0}")]
    Running(String),
}

impl From<SecretFileError> for Failure {
    fn from(error: SecretFileError) -> Self {
        Self::File {
            path: error.path,
            reason: error.problem.to_string(),
        }
    }
}

impl Failure {
    /// The exit code, after the conventions of sysexits.h.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) => 78,
            Self::Media(stoa_net::StartError::Socket { .. })
            | Self::Control(BindError::Address { .. })
            | Self::Whip(stoa_whip::BindError::Address { .. })
            | Self::Ops(stoa_ops::BindError::Address { .. })
            | Self::Listen { .. } => 69,
            Self::Media(stoa_net::StartError::Thread(_)) => 1,
            Self::Media(_) => 78,
            Self::Control(_) | Self::Whip(_) | Self::File { .. } => 66,
            Self::Unwell(_) => 71,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 69,
            Self::MediaPart(_) | Self::Task(_) | Self::Running(_) => 1,
        })
    }
}
