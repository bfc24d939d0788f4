//! Why a command failed, for people and for scripts.

use std::{io, path::PathBuf, process::ExitCode};

use stoa_secret::{SecretFileError, SecretFileProblem};

use crate::{
    agents::AgentError,
    metrics::MetricsError,
    play::PlayError,
    scenario::ScenarioError,
    server::StartError,
    target::{TargetError, Unfit},
};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such scenario.
    #[error(
        "there is no scenario {0:?}, and no such file; `stoa-load scenarios` lists those that come along"
    )]
    NoScenario(String),
    /// The scenario cannot be played.
    #[error("{place}: {source}")]
    Scenario {
        /// The scenario.
        place: String,
        #[source]
        #[doc(hidden)]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server cannot do what the scenario needs.
    #[error("{0}")]
    Unfit(String),
    /// What the command line changes of the scenario does not go with it.
    #[error("{0}")]
    Change(String),
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no server.
    #[error("{0}")]
    Target(String),
    /// There is no such agent, or it cannot be one.
    #[error("{0}")]
    Agent(String),
    /// The tester cannot run.
    #[error("{0}")]
    Tester(String),
    /// The run ended before its time.
    #[error("the run is partial: {0}")]
    Partial(String),
    /// The tester was the bottleneck.
    #[error("the run is not valid: {0}")]
    NotValid(String),
}

impl Failure {
    pub(crate) fn scenario(place: impl Into<String>, source: ScenarioError) -> Self {
        Self::Scenario {
            place: place.into(),
            source: source.into(),
        }
    }

    /// The exit code, where sysexits.h has one that fits, that.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Partial(_) | Self::Tester(_) => 1,
            Self::NoScenario(_) | Self::Change(_) => 2,
            Self::NotValid(_) => 3,
            Self::Read { .. } | Self::Write { .. } => 66,
            Self::Target(_) | Self::Agent(_) => 69,
            Self::Scenario { .. } | Self::Unfit(_) => 78,
        })
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Read { path, source } => Self::Read {
                path,
                reason: source.to_string(),
            },
            TargetError::Secret(SecretFileError { path, problem })
                if !matches!(problem, SecretFileProblem::NoKey) =>
            {
                Self::Read {
                    path,
                    reason: problem.to_string(),
                }
            }
            error => Self::Target(error.to_string()),
        }
    }
}

impl From<Unfit> for Failure {
    fn from(error: Unfit) -> Self {
        Self::Unfit(error.to_string())
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Key { path, why } => Self::Read { path, reason: why },
            error => Self::Agent(error.to_string()),
        }
    }
}

impl From<MetricsError> for Failure {
    fn from(error: MetricsError) -> Self {
        Self::Target(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Target(error.to_string())
    }
}

impl From<PlayError> for Failure {
    fn from(error: PlayError) -> Self {
        Self::Tester(error.to_string())
    }
}
