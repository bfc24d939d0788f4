//! The load tester.
#![forbid(unsafe_code)]
#![allow(dead_code, reason = "draft")]
mod ears;
mod histogram;
mod mouth;
mod network;
mod peer;
mod reception;
mod rtp;
mod socket;
mod speech;
mod swarm;
mod talk;
mod tally;
