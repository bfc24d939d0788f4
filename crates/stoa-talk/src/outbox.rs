//! What waits for one browser: messages, bounded, and the order to end.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Utf8Bytes, close_code};
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::{limits, protocol::ToBrowser, stats::Stats};

/// Why this service ends a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The participant left, or was taken out; the reason is Stoa's, or `left`.
    Left(&'static str),
    /// Stoa admitted the participant and had taken them out before anybody could be told.
    Gone,
    /// Stoa's answer made no sense.
    StoaFault,
    /// The same person has come in by another window.
    TakenOver,
    /// A moderator has removed the person.
    RemovedByModerator,
    /// The administrator has banned the person from the service.
    Banned,
    /// A moderator has ended the room.
    RoomEnded,
    /// The browser did not read what it was sent.
    TooSlow,
    /// Nothing came from the browser, not even a pong.
    Idle,
    /// The browser did not ask to join in time.
    NotJoined,
    /// This service is about to end.
    ShuttingDown,
}

impl Closing {
    /// The reason as the browser is told.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Left(reason) => reason,
            Self::Gone => "gone",
            Self::StoaFault => "server_fault",
            Self::TakenOver => "taken_over",
            Self::RemovedByModerator => "removed_by_moderator",
            Self::Banned => "banned",
            Self::RoomEnded => "room_ended",
            Self::TooSlow => "too_slow",
            Self::Idle => "idle",
            Self::NotJoined => "not_joined",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// The last message.
    pub(crate) fn message(self) -> Utf8Bytes {
        ToBrowser::Closed {
            reason: self.reason(),
        }
        .encode()
    }

    /// The WebSocket's own goodbye.
    pub(crate) fn frame(self) -> CloseFrame {
        let code = match self {
            Self::Left(_)
            | Self::Gone
            | Self::TakenOver
            | Self::RemovedByModerator
            | Self::Banned
            | Self::RoomEnded => close_code::NORMAL,
            Self::StoaFault => close_code::ERROR,
            Self::TooSlow | Self::Idle | Self::NotJoined => close_code::POLICY,
            Self::ShuttingDown => close_code::AWAY,
        };
        CloseFrame {
            code,
            reason: self.reason().into(),
        }
    }
}

/// The sending end of one browser's messages. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    stats: Arc<Stats>,
    messages: mpsc::Sender<Utf8Bytes>,
    closing: mpsc::Sender<Closing>,
}

/// The writer's ends.
#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) messages: mpsc::Receiver<Utf8Bytes>,
    pub(crate) closing: mpsc::Receiver<Closing>,
}

impl Outbox {
    pub(crate) fn new(stats: Arc<Stats>) -> (Self, Queues) {
        let (messages, messages_out) = mpsc::channel(limits::SOCKET_QUEUE);
        let (closing, closing_out) = mpsc::channel(1);
        let queues = Queues {
            messages: messages_out,
            closing: closing_out,
        };
        (
            Self {
                stats,
                messages,
                closing,
            },
            queues,
        )
    }

    /// Queues the message. False if the socket is ending, or ends now because the browser has not
    /// kept up.
    pub(crate) fn send(&self, message: Utf8Bytes) -> bool {
        match self.messages.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.close(Closing::TooSlow);
                false
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }

    /// Queues a message that may be missed: only while the queue is less than half full.
    pub(crate) fn send_if_room(&self, message: Utf8Bytes) {
        if self.messages.capacity() > limits::SOCKET_QUEUE / 2 {
            self.send(message);
        }
    }

    /// Has the writer say goodbye. The first reason counts.
    pub(crate) fn close(&self, closing: Closing) {
        if self.closing.try_send(closing).is_ok() {
            self.stats.closed(closing.reason());
        }
    }
}
