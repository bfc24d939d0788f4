//! The node as the ops port sees it.

use stoa_control::ControlHandle;
use stoa_net::Media;

use crate::{log_lines::LogLines, panics::Panics, reloads::Reloads, spans::Spans};

/// The parts whose figures are shown.
#[derive(Clone)]
pub struct Node {
    /// The media workers and lobbies.
    pub media: Media,
    /// The control API.
    pub control: ControlHandle,
    /// How the configuration was read.
    pub reloads: Reloads,
    /// Log lines that were not written.
    pub log_lines: LogLines,
    /// Panics on the threads of the control side.
    pub panics: Panics,
    /// Spans of calls, if there are any.
    pub spans: Spans,
}
