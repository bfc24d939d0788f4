//! The crate's error types; h3's own do not leave it.

use std::error::Error;
use std::sync::Arc;

use h3::error::{Code, ConnectionError, LocalError, StreamError};
use h3::quic::ConnectionErrorIncoming;

/// Any error, as bodies and services have it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a connection is no more.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectionLost {
    /// Nothing was heard from the peer for the idle timeout.
    #[error("nothing was heard from the peer for the idle timeout")]
    TimedOut,
    /// The peer closed it.
    #[error("the peer closed the connection with code {code:#x}")]
    ClosedByPeer {
        /// The HTTP/3 error code (RFC 9114 section 8.1).
        code: u64,
    },
    /// This side closed it.
    #[error("this side closed the connection with code {code:#x}: {reason}")]
    ClosedHere {
        /// The HTTP/3 error code (RFC 9114 section 8.1).
        code: u64,
        /// What was wrong.
        reason: String,
    },
    /// QUIC could not go on.
    #[error("the QUIC connection failed")]
    Transport(#[source] Arc<dyn Error + Send + Sync>),
}

impl ConnectionLost {
    /// Whether the connection was closed on purpose, without an error.
    pub fn is_clean(&self) -> bool {
        match self {
            // Code 0 is what QUIC libraries send where the application named none.
            Self::ClosedByPeer { code } => *code == Code::H3_NO_ERROR.value() || *code == 0,
            Self::ClosedHere { code, .. } => *code == Code::H3_NO_ERROR.value(),
            Self::TimedOut | Self::Transport(_) => false,
        }
    }
}

impl From<ConnectionError> for ConnectionLost {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Local { error } => match error {
                LocalError::Application { code, reason, .. } => Self::ClosedHere {
                    code: code.value(),
                    reason,
                },
                other => Self::ClosedHere {
                    code: Code::H3_NO_ERROR.value(),
                    reason: format!("{other:?}"),
                },
            },
            ConnectionError::Timeout => Self::TimedOut,
            ConnectionError::Remote(error) => Self::from(error),
            other => Self::Transport(Arc::new(other)),
        }
    }
}

impl From<ConnectionErrorIncoming> for ConnectionLost {
    fn from(error: ConnectionErrorIncoming) -> Self {
        match error {
            ConnectionErrorIncoming::ApplicationClose { error_code } => {
                Self::ClosedByPeer { code: error_code }
            }
            ConnectionErrorIncoming::Timeout => Self::TimedOut,
            ConnectionErrorIncoming::InternalError(reason) => Self::ClosedHere {
                code: Code::H3_INTERNAL_ERROR.value(),
                reason,
            },
            ConnectionErrorIncoming::Undefined(error) => {
                // Our own adapter puts either of these in.
                if let Some(lost) = error.downcast_ref::<ConnectionLost>() {
                    return lost.clone();
                }
                match error.downcast_ref::<quinn::ConnectionError>() {
                    Some(quinn::ConnectionError::ConnectionClosed(close))
                        if close.error_code == quinn::TransportErrorCode::NO_ERROR =>
                    {
                        Self::ClosedByPeer { code: 0 }
                    }
                    _ => Self::Transport(error),
                }
            }
        }
    }
}

/// Why a request or response could not be carried to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// The connection ended. Whether the request was worked on is not known.
    #[error("the connection was lost")]
    Lost(#[source] ConnectionLost),
    /// The peer said GOAWAY before this request was sent: it may be sent again elsewhere.
    #[error("the peer is going away and takes no more requests")]
    GoingAway,
    /// The peer reset the stream, or stopped reading it.
    #[error("the peer ended the stream with code {code:#x}")]
    Reset {
        /// The HTTP/3 error code (RFC 9114 section 8.1).
        code: u64,
    },
    /// A header or trailer section is larger than the receiver accepts.
    #[error("a header section of {actual} bytes exceeds the limit of {limit}")]
    HeadersTooLarge {
        /// Its size, counted as RFC 9114 section 4.2.2 does.
        actual: u64,
        /// The limit of whoever would have received it.
        limit: u64,
    },
    /// A message that breaks HTTP/3's or HTTP's rules.
    #[error("a malformed message: {reason}")]
    Malformed {
        /// What was wrong.
        reason: String,
    },
    /// The body that the application gave failed.
    #[error("the request's body failed")]
    Body(#[source] Arc<dyn Error + Send + Sync>),
    /// The request was given up before its body ended.
    #[error("the request was cancelled before its body ended")]
    Cancelled,
}

impl From<StreamError> for TransportError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::ConnectionError(error) => Self::Lost(error.into()),
            StreamError::RemoteTerminate { code } => Self::Reset { code: code.value() },
            StreamError::HeaderTooBig {
                actual_size,
                max_size,
            } => Self::HeadersTooLarge {
                actual: actual_size,
                limit: max_size,
            },
            StreamError::RemoteClosing => Self::GoingAway,
            StreamError::StreamError { reason, .. } => Self::Malformed { reason },
            other => Self::Malformed {
                reason: other.to_string(),
            },
        }
    }
}
