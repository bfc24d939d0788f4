//! What a server said instead of doing it.

use std::fmt;

/// What a server said instead of doing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    name: String,
    message: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It would not.
    Refused,
    /// What it is about was gone already.
    Gone,
    /// It did not answer, or there was no way to it.
    Unreachable,
}

impl Refusal {
    /// It would not; `name` is what it is counted as.
    pub(crate) fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
            kind: Kind::Refused,
        }
    }

    /// The same, of something that was gone already.
    pub(crate) fn gone(self) -> Self {
        let kind = Kind::Gone;
        Self { kind, ..self }
    }

    /// The same, of a server that there is no way to.
    pub(crate) fn unreachable(self) -> Self {
        let kind = Kind::Unreachable;
        Self { kind, ..self }
    }

    /// A server of this kind has no such thing.
    pub(crate) fn unable(what: &str) -> Self {
        Self::new("UNABLE", format!("this server cannot {what}"))
    }

    /// What it is counted as.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether what it is about was gone already.
    pub(crate) fn is_gone(&self) -> bool {
        self.kind == Kind::Gone
    }

    /// Whether there is no way to the server.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.kind == Kind::Unreachable
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}
