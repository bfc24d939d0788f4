//! The protobuf package `stoa.control.v1` and the code generated from it.
//!
//! The contract itself, with every message, field and error reason documented, is in
//! `proto/stoa/control/v1`. This crate adds nothing to it.

#![forbid(unsafe_code)]

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
