//! The Rust client of Stoa's control API: gRPC over HTTP/3 and QUIC.
//!
//! A [`Client`] holds one QUIC connection to one node. It is cheap to clone, and every clone and
//! every stub made from it shares that connection. A connection that is lost is made anew by the
//! next call; a call that was under way on it fails with [`tonic::Code::Unavailable`], because
//! nobody can say whether it took effect. CreateRoom and Join are safe to repeat with the same
//! `request_id`.
//!
//! ```no_run
//! use stoa_client::{Client, ClientConfig, Credential, TrustAnchors, reason};
//! use stoa_client::v1::{CreateRoomRequest, ErrorReason, watch_response::Event};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect(ClientConfig::new(
//!     "https://stoa.example.org:7443",
//!     TrustAnchors::Pem(std::fs::read("ca.pem")?),
//!     Credential::ApiKey(std::env::var("STOA_API_KEY")?.into()),
//! ))
//! .await?;
//!
//! let mut rooms = client.rooms();
//! let created = rooms
//!     .create_room(CreateRoomRequest { room_id: "standup".into(), ..Default::default() })
//!     .await;
//! match created {
//!     Ok(_) => {}
//!     Err(status) if reason(&status) == Some(ErrorReason::RoomAlreadyExists) => {}
//!     Err(status) => return Err(status.into()),
//! }
//!
//! // The stub's own `watch` ends with its connection; this one goes on.
//! let mut events = client.watch_room("standup", 0);
//! while let Some(message) = events.next().await? {
//!     if let Some(Event::ParticipantJoined(joined)) = message.event {
//!         println!("{} is here", joined.participant.unwrap_or_default().display_name);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod client;
mod config;
mod connection;
mod deadline;
mod error;
pub mod exposition;
mod reason;
mod service;
mod watch;

pub use client::{Client, NodeStub, RoomsStub};
pub use config::{ClientConfig, Credential, Timeouts, TrustAnchors};
pub use error::ConnectError;
pub use reason::reason;
pub use service::ClientService;
pub use stoa_api::code_name;
/// The messages, services and error reasons of the API.
pub use stoa_api::v1;
pub use watch::{RoomWatch, RoomsWatch};
