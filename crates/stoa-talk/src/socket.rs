//! One browser's WebSocket, from its opening to its end.
//!
//! Two halves run side by side: this file reads what the browser says and calls Stoa; the writer
//! sends what the hub and this half have for it, and pings. A browser that does not read stops its
//! own writer only.

mod join;
mod pace;
mod requests;
mod seat;
mod writer;

use std::{future::ready, sync::Arc};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{StreamExt as _, stream::SplitStream};
use tokio::time::{self, Instant};

pub(crate) use self::seat::remove_from_stoa;
use self::{pace::Pace, seat::Seat};
use crate::{
    limits,
    outbox::{Closing, Outbox},
    problem::Problem,
    protocol::{self, FromBrowser, ToBrowser},
    talk::Talk,
};

/// Serves one WebSocket to its end, and takes its participant out of the room.
pub(crate) async fn serve(socket: WebSocket, talk: Arc<Talk>) {
    let (sink, stream) = socket.split();
    let (outbox, queues) = Outbox::new(Arc::clone(talk.stats()));
    let mut writer = tokio::spawn(writer::run(sink, queues));
    let mut reader = Reader {
        talk: Arc::clone(&talk),
        stream,
        outbox,
        seat: None,
    };
    let mut shutdown = talk.shutdown();
    let closing = tokio::select! {
        closing = reader.run() => closing,
        () = shutdown.wait() => Some(Closing::ShuttingDown),
        // The browser is gone, or has been told that it is dropped.
        _ = &mut writer => None,
    };
    if let Some(closing) = closing {
        reader.outbox.close(closing);
    }
    let Reader { seat, stream, .. } = reader;
    if let Some(seat) = seat {
        seat.vacate().await;
    }
    if closing.is_none() {
        writer.abort();
    } else if !writer.is_finished() {
        // The writer bounds its own goodbye; its outcome is of no further interest.
        let _ = writer.await;
    }
    // Until the browser has read the goodbye: closing over unread data would take it away.
    let _ = time::timeout(limits::GOODBYE_TIMEOUT, stream.for_each(|_| ready(()))).await;
}

struct Reader {
    talk: Arc<Talk>,
    stream: SplitStream<WebSocket>,
    outbox: Outbox,
    seat: Option<Seat>,
}

impl Reader {
    /// Reads until the socket is to be closed, or, with `None`, is closed.
    async fn run(&mut self) -> Option<Closing> {
        let mut pace = Pace::new(Instant::now());
        let join_by = Instant::now() + limits::JOIN_TIMEOUT;
        loop {
            let silent_at = Instant::now() + limits::IDLE_TIMEOUT;
            let wait_until = if self.seat.is_some() {
                silent_at
            } else {
                silent_at.min(join_by)
            };
            let message = match time::timeout_at(wait_until, self.stream.next()).await {
                Err(_) if self.seat.is_none() => return Some(Closing::NotJoined),
                Err(_) => return Some(Closing::Idle),
                Ok(Some(Ok(message))) => message,
                // Also a message beyond what is read at all.
                Ok(Some(Err(_)) | None) => return None,
            };
            if !pace.allows(Instant::now()) {
                let text = "more messages than a person makes";
                self.refuse(&Problem::exhausted("TOO_MANY_MESSAGES", text));
                continue;
            }
            match message {
                Message::Text(text) => match FromBrowser::parse(&text) {
                    Ok(FromBrowser::Leave {}) => return Some(Closing::Left("left")),
                    Ok(message) => {
                        if let Err(problem) = self.handle(message).await {
                            self.refuse(&problem);
                        }
                    }
                    Err(problem) => self.refuse(&problem),
                },
                Message::Binary(data) if data.len() > limits::MAX_MESSAGE_BYTES => {
                    self.refuse(&protocol::too_large(data.len()));
                }
                Message::Binary(_) => {
                    self.refuse(&Problem::invalid("MESSAGE_MALFORMED", "not a text message"));
                }
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    }

    async fn handle(&mut self, message: FromBrowser) -> Result<(), Problem> {
        match message {
            FromBrowser::Join(_) if self.seat.is_some() => Err(Problem::precondition(
                "ALREADY_JOINED",
                "this socket is in a room",
            )),
            FromBrowser::Join(join) => self.join(*join).await,
            message => {
                let seat = self.seat.as_ref();
                let not_joined = || Problem::precondition("NOT_JOINED", "join a room first");
                let seat = seat.ok_or_else(not_joined)?;
                if let Some(answer) = seat.handle(message).await? {
                    // Where it does not fit, the outbox has ended the socket.
                    self.outbox.send(answer);
                }
                Ok(())
            }
        }
    }

    fn refuse(&self, problem: &Problem) {
        self.talk.stats().refused(problem.reason());
        // Where it does not fit, the outbox has ended the socket.
        self.outbox.send(ToBrowser::Error(problem).encode());
    }
}
