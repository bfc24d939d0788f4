//! quinn's errors as h3 wants them.

use std::sync::Arc;

use h3::quic::{ConnectionErrorIncoming, StreamErrorIncoming};
use quinn::{ConnectionError, ReadError, VarInt, WriteError};

use crate::error::ConnectionLost;

/// What the adapter itself finds wrong with a stream; the connection lives on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamFault {
    #[error("a frame of type {kind:#x} with {length} bytes exceeds the limit of {limit}")]
    FrameTooLarge { kind: u64, length: u64, limit: u64 },
    #[error("the stream was read after this side stopped it")]
    Stopped,
    #[error("data was sent before the data before it was written")]
    NotReady,
}

pub(super) fn fault(fault: StreamFault) -> StreamErrorIncoming {
    StreamErrorIncoming::Unknown(Box::new(fault))
}

pub(super) fn connection_error(error: ConnectionError) -> ConnectionErrorIncoming {
    match error {
        ConnectionError::ApplicationClosed(close) => ConnectionErrorIncoming::ApplicationClose {
            error_code: close.error_code.into_inner(),
        },
        ConnectionError::TimedOut => ConnectionErrorIncoming::Timeout,
        other => ConnectionErrorIncoming::Undefined(Arc::new(other)),
    }
}

pub(super) fn on_stream(error: ConnectionError) -> StreamErrorIncoming {
    StreamErrorIncoming::ConnectionErrorIncoming {
        connection_error: connection_error(error),
    }
}

pub(super) fn read_error(error: ReadError) -> StreamErrorIncoming {
    match error {
        ReadError::Reset(code) => StreamErrorIncoming::StreamTerminated {
            error_code: code.into_inner(),
        },
        ReadError::ConnectionLost(error) => on_stream(error),
        other => StreamErrorIncoming::Unknown(Box::new(other)),
    }
}

pub(super) fn write_error(error: WriteError) -> StreamErrorIncoming {
    match error {
        WriteError::Stopped(code) => StreamErrorIncoming::StreamTerminated {
            error_code: code.into_inner(),
        },
        WriteError::ConnectionLost(error) => on_stream(error),
        other => StreamErrorIncoming::Unknown(Box::new(other)),
    }
}

/// An error code for the wire. h3 only ever has codes that came from a variable-length integer or
/// are constants, so the fallback (`H3_INTERNAL_ERROR`) is never taken.
pub(super) fn wire_code(code: u64) -> VarInt {
    VarInt::from_u64(code).unwrap_or(VarInt::from_u32(0x102))
}

/// A connection's end as the rest of the crate has it.
pub(crate) fn connection_lost(error: ConnectionError) -> ConnectionLost {
    connection_error(error).into()
}
