//! Why something was not done, as a browser is told.

use std::{borrow::Cow, fmt};

use serde::Serialize;
use stoa_client::{code_name, reason, v1::ErrorReason};
use tonic::{Code, Status};

/// A refusal or failure. Carries nothing that only the operator should see.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    /// The canonical gRPC code's name.
    code: &'static str,
    /// For machines: one of Stoa's error reasons, or one of this service's own.
    reason: Cow<'static, str>,
    /// For people who debug.
    message: String,
}

impl Problem {
    /// The browser said something that it should not.
    pub(crate) fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: "INVALID_ARGUMENT",
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// The browser said it at the wrong time.
    pub(crate) fn precondition(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: "FAILED_PRECONDITION",
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// The browser's person may not do this.
    pub(crate) fn denied(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: "PERMISSION_DENIED",
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// What the browser names does not exist.
    pub(crate) fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: "NOT_FOUND",
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// What the browser wants to make exists.
    pub(crate) fn exists(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: "ALREADY_EXISTS",
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// The browser wants too much.
    pub(crate) fn exhausted(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: "RESOURCE_EXHAUSTED",
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// This service cannot do it now.
    pub(crate) fn unavailable(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: "UNAVAILABLE",
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// What Stoa said. Where it speaks about the browser's own doing it is passed on; where it
    /// speaks about this service's credential or the way to Stoa, only the log has the details.
    pub(crate) fn from_stoa(status: &Status) -> Self {
        let Some(reason) = reason(status) else {
            tracing::warn!(code = ?status.code(), message = status.message(), "stoa cannot be reached");
            return Self::unavailable("STOA_UNREACHABLE", "the media server cannot be reached");
        };
        if reason == ErrorReason::SubjectBanned {
            let message = "a moderator has taken you out meanwhile; come in again if you may";
            return Self::denied("REMOVED", message);
        }
        if matches!(
            status.code(),
            Code::Unauthenticated | Code::PermissionDenied
        ) {
            tracing::error!(
                reason = reason.as_str_name(),
                "stoa refuses this service's credential"
            );
            return Self::unavailable("STOA_UNREACHABLE", "the media server refuses this service");
        }
        Self {
            code: code_name(status.code()),
            reason: reason.as_str_name().into(),
            message: status.message().to_owned(),
        }
    }

    /// The machine-readable reason.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// The text for people who debug.
    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
