//! The protobuf package `stoa.control.v1` and the code generated from it.
//!
//! The contract itself, with every message, field and error reason documented, is in
//! `proto/stoa/control/v1`. This crate adds nothing to it but the names of gRPC's codes, and that messages with an
//! SDP or a token do not show it.

#![forbid(unsafe_code)]

mod shown;

use tonic::Code;

/// The package `stoa.control.v1`.
pub mod v1 {
    #![allow(
        missing_docs,
        clippy::all,
        clippy::allow_attributes_without_reason,
        rustdoc::all,
        reason = "generated code; its documentation is the proto files'"
    )]
    tonic::include_proto!("stoa.control.v1");

    /// The encoded `google.protobuf.FileDescriptorSet` of the package, for gRPC server reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/stoa.control.v1.bin"));

    /// The `domain` of every `google.rpc.ErrorInfo` that Stoa sends.
    pub const ERROR_DOMAIN: &str = "stoa.control.v1";
}

/// The name of a canonical code as gRPC's documentation writes it, `INVALID_ARGUMENT` for example: for metrics, and
/// for whoever hands an error on.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
