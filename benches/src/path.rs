//! Which of the two ways to listeners is measured.

use stoa_core::EgressPath;

/// A way to listeners.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Path {
    /// Written once, sealed for each.
    Direct,
    /// By each listener's own session.
    Reference,
}

impl Path {
    /// The same for the core.
    pub(crate) fn egress(self) -> EgressPath {
        match self {
            Self::Direct => EgressPath::Direct,
            Self::Reference => EgressPath::Reference,
        }
    }

    /// As in the daemon's configuration, and in results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Reference => "reference",
        }
    }
}
