//! The load tester.
#![forbid(unsafe_code)]
fn main() {}
