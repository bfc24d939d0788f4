//! The crate as its users see it: real endpoints on the loopback interface.

mod back_pressure;
mod broken_body;
mod cancel;
mod early_answer;
mod hostile_peer;
mod limits;
mod lost_connection;
mod many_requests;
mod raw;
mod shutdown;
mod streaming;
mod support;
mod unary;
