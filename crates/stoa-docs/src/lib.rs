//! Development only: what the documents say of programs and names, for the tests that hold it together with the code.
//!
//! What is true is known where it is defined. So each program has a test that gives its own command line to
//! [`assert_commands`], and whoever defines names (metrics, reasons, configuration keys) looks for them in [`Document::code`].
//! This crate knows nothing of either; it reads Markdown ([`Document`]) and as much of a shell as documents need.
//!
//! # What counts as a command
//!
//! A line in a fenced block of `sh`, `bash` or `console`, or code within a line, that begins with one of [`PROGRAMS`]: by
//! its name, by a path to it, by `cargo run`, by `docker run` of the image `stoa:TAG`, or by `kubectl exec`. Variables set before it, pipes,
//! redirections and comments are cut off; what `$(...)` runs is a command of its own; a line that ends in `\` goes on. On a
//! page about one program, code within a line that begins with `--` is flags of that program (`flags.rs`).
//!
//! # What is not looked at
//!
//! - **Placeholders.** A word in capitals (`FILE`, `HOST:PORT`), `<in angle brackets>`, with an ellipsis or with a `$`
//!   stands for a value. In a command that has one, values may be anything; subcommands and flags are looked at.
//! - **What is left out.** Code within a line mentions a command: what it requires may be missing, and the value of the
//!   flag at its end. In a block nothing may be missing but what an `export` in the same document sets.

#![forbid(unsafe_code)]

mod commands;
mod document;
mod flags;
mod shell;

pub use commands::{PROGRAMS, assert_commands};
pub use document::{Code, Document, Kind, documents};
