//! Properties of everything that parses what comes from outside, as functions of any bytes.
//!
//! A target ([`targets`]) is a plain function: it takes bytes, hands them to the real code, and panics where
//! something does not hold that must hold for every input. So the same function is
//!
//! - replayed with the corpus (`corpus/TARGET/`) and with a short run of mutations by an ordinary test;
//! - searched by libFuzzer, which sees where in the code an input leads: `cargo xtask fuzz` (`bin/search.rs`).
//!
//! What the corpus begins with is made by the real code, too: `cargo run -p stoa-fuzz --bin seeds`. An input that
//! broke a property stays there under the name of what it did.
//!
//! [`scene`] is a node with three people, one of whom says what the bytes want, with a valid credential and valid
//! keys; the other two have to hear each other all the same.

#![forbid(unsafe_code)]

pub mod corpus;
pub mod input;
pub mod mutate;
pub mod scene;
pub mod seeds;
pub mod targets;

pub use targets::{TARGETS, Target, find};
