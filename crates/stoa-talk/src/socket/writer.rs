//! The sending half of one WebSocket.

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::{SinkExt as _, stream::SplitSink};
use tokio::time::{self, MissedTickBehavior};

use crate::{
    limits,
    outbox::{Closing, Queues},
};

/// Sends what is queued, and pings, until the socket breaks or is to be closed.
pub(super) async fn run(mut sink: SplitSink<WebSocket, Message>, queues: Queues) {
    let Queues {
        mut messages,
        mut closing,
    } = queues;
    let reason = tokio::select! {
        biased;
        reason = closing.recv() => reason,
        () = send_all(&mut sink, &mut messages) => None,
    };
    let Some(reason) = reason else { return };
    let goodbye = say_goodbye(&mut sink, &mut messages, reason);
    if time::timeout(limits::GOODBYE_TIMEOUT, goodbye)
        .await
        .is_err()
    {
        tracing::debug!(
            reason = reason.reason(),
            "the browser did not read the goodbye"
        );
    }
}

/// Returns when the browser is gone or nobody can queue anything any more.
async fn send_all(
    sink: &mut SplitSink<WebSocket, Message>,
    messages: &mut tokio::sync::mpsc::Receiver<Utf8Bytes>,
) {
    let mut ping = time::interval(limits::PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = messages.recv() => match message {
                Some(text) => Message::Text(text),
                None => return,
            },
            _ = ping.tick() => Message::Ping(Default::default()),
        };
        if sink.send(message).await.is_err() {
            return;
        }
    }
}

async fn say_goodbye(
    sink: &mut SplitSink<WebSocket, Message>,
    messages: &mut tokio::sync::mpsc::Receiver<Utf8Bytes>,
    reason: Closing,
) {
    // What came before the goodbye belongs before it, an error's text above all; but a browser that
    // was too slow for it is not made to read it now.
    if reason != Closing::TooSlow {
        while let Ok(text) = messages.try_recv() {
            if sink.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    }
    // Errors mean that the browser is gone, which is what this is about.
    let _ = sink.send(Message::Text(reason.message())).await;
    let _ = sink.send(Message::Close(Some(reason.frame()))).await;
}
