//! What a gRPC client needs to know of a failure.

use h3::error::Code as H3;
use tonic::{Code, Status};

use crate::error::TransportError;

/// A failure of the transport beneath a [`Channel`](crate::Channel).
///
/// tonic walks an error's sources in search of a [`Status`], and calls everything without one
/// `UNKNOWN`. So the source of this error is the status that fits: a lost connection, a server that
/// is going away and a rejected request are `UNAVAILABLE`, a cancel is `CANCELLED`, a limit is
/// `RESOURCE_EXHAUSTED`, what breaks the protocol is `INTERNAL`. The cause is at
/// [`transport`](Self::transport); from a status that tonic returned it is reached by downcasting
/// its source to this type.
#[derive(Debug, thiserror::Error)]
#[error("{transport}")]
pub struct ChannelError {
    transport: TransportError,
    #[source]
    status: Status,
}

impl ChannelError {
    /// The cause.
    pub fn transport(&self) -> &TransportError {
        &self.transport
    }
}

impl From<TransportError> for ChannelError {
    fn from(transport: TransportError) -> Self {
        let status = status(&transport);
        Self { transport, status }
    }
}

fn status(error: &TransportError) -> Status {
    let code = match error {
        TransportError::Lost(lost) => {
            return Status::unavailable(format!("{error}: {lost}"));
        }
        TransportError::GoingAway => Code::Unavailable,
        TransportError::Reset { code } => match H3::from(*code) {
            H3::H3_REQUEST_REJECTED => Code::Unavailable,
            H3::H3_REQUEST_CANCELLED => Code::Cancelled,
            H3::H3_EXCESSIVE_LOAD => Code::ResourceExhausted,
            _ => Code::Internal,
        },
        TransportError::HeadersTooLarge { .. } => Code::ResourceExhausted,
        TransportError::Malformed { .. } => Code::Internal,
        TransportError::Body(cause) => match cause.downcast_ref::<Status>() {
            Some(status) => return status.clone(),
            None => Code::Internal,
        },
        TransportError::Cancelled => Code::Cancelled,
    };
    Status::new(code, error.to_string())
}
