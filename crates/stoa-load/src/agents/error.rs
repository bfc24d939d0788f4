//! What can go wrong with an agent.

use std::path::PathBuf;

/// Why there is no agent, or no longer one.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AgentError {
    #[error("the agents' key in {path} cannot be used: {why}")]
    Key { path: PathBuf, why: String },
    #[error("cannot begin with agents: {0}")]
    Start(String),
    #[error("cannot come to the agent at {agent}: {why}")]
    Unreachable { agent: String, why: String },
    #[error("the agent at {agent} is gone: {why}")]
    Gone { agent: String, why: String },
    #[error("the agent at {agent}: {why}")]
    Refused { agent: String, why: String },
}
