//! Stoa's control API as a server: gRPC over HTTP/3 and over HTTP/2 on the same port number.
//!
//! One set of handlers and one stack of layers serve both transports, so that deadlines,
//! credentials, limits and errors are the same on both. The crate knows the rooms from a mirror
//! (`directory`) that it keeps from an ordered stream of [`Notice`]s; commands go out through the
//! [`Media`] port, which the daemon implements on its media workers.
//!
//! The way of a call: `server` (TCP or QUIC, TLS) → `gate` (trace, completed errors, deadline,
//! credential) → `services` (validate; for joins the `entrance` with its bans, rates and
//! quotas; [`Media`], wait for the mirror, answer). A [`Tenant`] sees what is its own and nothing else.
//!
//! What needs no credential: `grpc.health.v1.Health`, because probes have none, and it tells only
//! whether the node takes new rooms. Everything else, reflection included, needs one.

#![forbid(unsafe_code)]

mod authenticate;
mod bans;
mod bind_error;
mod calls;
mod capacity;
mod config;
mod connections;
mod convert;
mod deadline;
mod directory;
mod ended;
mod entrance;
mod errors;
#[doc(hidden)]
pub mod fuzz;
mod gate;
mod gauge;
mod handle;
mod idempotency;
mod lifecycle;
mod media;
mod paging;
mod preface;
mod pump;
mod rates;
mod resume;
mod server;
mod services;
mod settings;
mod tasks;
mod tenants;
mod tls;
mod to_its_end;
mod validate;

pub use bans::StateError;
pub use bind_error::BindError;
pub use capacity::{
    CapacitySettings, Cost, Depth, Figures, Level, Newcomer, Report, Resource, WorkerFigures,
    WorkerReport,
};
pub use config::{Clock, ControlConfig, RoomDefaults, ServiceLimits, TlsIdentity, TransportLimits};
pub use connections::{Connections, Crowded, Place};
pub use directory::Headcount;
pub use ended::{CallObserver, EndedCall};
pub use entrance::{Entrance, Entry};
pub use errors::Failure;
pub use handle::{ControlHandle, ControlStats};
pub use media::{BoxFuture, Media, MediaError, Notice, WorkerStatus};
pub use preface::{read_preface, with_preface};
pub use server::{ControlServer, OpenServer, PreparedCertificates, PreparedReload};
pub use tasks::one_ended;
pub use tenants::{ApiKeyHash, CertificateHash, Quotas, Tenant};
