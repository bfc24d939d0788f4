//! Join tokens: what a signalling service signs, offline, so that somebody may enter a room.
//!
//! A token is a JWT (RFC 7519) in the compact form of a JWS (RFC 7515). [`Verifier::verify`] turns one
//! into a [`Grant`] or refuses it with a [`Reason`], which is for the node's counters; whoever showed
//! the token hears the same about every bad one ([`Refused`]).
//!
//! Which algorithm is right follows from the key that the node's configuration has under the token's
//! `kid`, never from the token (RFC 8725, section 3.1). A token's `typ` keeps it apart from other tokens
//! that the same keys may sign (section 3.11), its `iss` from those of other tenants.
//!
//! The crate reads no clock: the time is an argument.

#![forbid(unsafe_code)]

mod claims;
mod grant;
mod header;
mod keys;
mod limits;
mod mint;
mod reason;
mod used;
mod verify;

pub use claims::{Audience, Claims};
pub use grant::{Grant, MAX_NAME_BYTES, MAX_TOKEN_ID_LENGTH, Publish};
pub use header::{TYPE, Unverified};
pub use keys::{Algorithm, KeyError, Keys, MAX_KEYS, MIN_SECRET_BYTES, TokenKey};
pub use limits::{LEEWAY, LONGEST_LIFETIME, MAX_TOKEN_BYTES, ONCE_TOKENS_PER_TENANT};
pub use mint::{MintError, SigningKey, generate};
pub use reason::{Reason, Refused};
pub use used::{Once, Used};
pub use verify::Verifier;
