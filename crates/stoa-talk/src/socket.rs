//! One browser's WebSocket, from its opening to its end.
//!
//! Two halves run side by side: this file reads what the browser says and calls Stoa; the writer
//! sends what the hub and this half have for it, and pings. A browser that does not read stops its
//! own writer only.

mod outbox;
mod pace;
mod writer;

use std::{future::ready, sync::Arc};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{StreamExt as _, stream::SplitStream};
use stoa_client::v1::{AddIceCandidateRequest, JoinRequest, RemoveParticipantRequest};
use tokio::{
    sync::{mpsc, oneshot},
    time::{self, Instant},
};
use tonic::Code;

pub(crate) use self::outbox::{Closing, Outbox};
use self::pace::Pace;
use crate::{
    hub::Command,
    limits,
    problem::Problem,
    protocol::{self, FromBrowser, Join, ToBrowser},
    talk::Talk,
};

/// Serves one WebSocket to its end, and takes its participant out of the room.
pub(crate) async fn serve(socket: WebSocket, talk: Arc<Talk>) {
    let (sink, stream) = socket.split();
    let (outbox, queues) = Outbox::new(Arc::clone(&talk));
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

/// A participant in a room, from the attempt to join on.
struct Seat {
    talk: Arc<Talk>,
    room: String,
    id: String,
    session_id: String,
    /// Keeps the room's hub alive.
    hub: mpsc::Sender<Command>,
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
            FromBrowser::Join(join) => self.join(join).await,
            FromBrowser::Candidate { candidate } => self.seat()?.candidate(candidate).await,
            FromBrowser::Mute { muted } => self.seat()?.mute(muted).await,
            // Handled where it ends the socket.
            FromBrowser::Leave {} => Ok(()),
        }
    }

    fn seat(&self) -> Result<&Seat, Problem> {
        let refusal = || Problem::precondition("NOT_JOINED", "join a room first");
        self.seat.as_ref().ok_or_else(refusal)
    }

    async fn join(&mut self, join: Join) -> Result<(), Problem> {
        let hub = self.talk.directory().enter(&join.room).await;
        let (done, opened) = oneshot::channel();
        send(&hub, Command::Open { done }).await?;
        opened.await.map_err(|_| hub_lost())??;

        let id = self.talk.new_participant_id();
        let request = JoinRequest {
            room_id: join.room.clone(),
            participant_id: id.clone(),
            display_name: join.name,
            sdp_offer: join.sdp,
            request_id: String::new(),
            ..Default::default()
        };
        let talk = Arc::clone(&self.talk);
        // Kept from here on: should this future be dropped half-way, or the call's outcome be
        // unknown, the seat is vacated all the same.
        let seat = Seat {
            talk,
            room: join.room,
            id,
            session_id: String::new(),
            hub: hub.clone(),
        };
        let seat = self.seat.insert(seat);
        match self.talk.client().rooms().join(request).await {
            Ok(admitted) => {
                let admitted = Box::new(admitted.into_inner());
                seat.session_id = admitted
                    .participant
                    .as_ref()
                    .map(|p| p.session_id.clone())
                    .unwrap_or_default();
                send(
                    &hub,
                    Command::Attach {
                        admitted,
                        outbox: self.outbox.clone(),
                    },
                )
                .await
            }
            Err(status) => {
                if let Some(seat) = self.seat.take()
                    && outcome_unknown(status.code())
                {
                    seat.vacate().await;
                }
                Err(Problem::from_stoa(&status))
            }
        }
    }

    fn refuse(&self, problem: &Problem) {
        self.talk.stats().refused(problem.reason());
        // Where it does not fit, the outbox has ended the socket.
        self.outbox.send(ToBrowser::Error(problem).encode());
    }
}

impl Seat {
    async fn candidate(&self, candidate: String) -> Result<(), Problem> {
        let request = AddIceCandidateRequest {
            room_id: self.room.clone(),
            participant_id: self.id.clone(),
            session_id: self.session_id.clone(),
            candidate,
        };
        let answer = self.talk.client().rooms().add_ice_candidate(request).await;
        answer
            .map(drop)
            .map_err(|status| Problem::from_stoa(&status))
    }

    async fn mute(&self, muted: bool) -> Result<(), Problem> {
        send(
            &self.hub,
            Command::Mute {
                id: self.id.clone(),
                muted,
            },
        )
        .await
    }

    /// Takes the participant out of the room, where Stoa has not done so already.
    async fn vacate(self) {
        // A hub that is gone sends nothing anyway.
        let _ = send(
            &self.hub,
            Command::Detach {
                id: self.id.clone(),
            },
        )
        .await;
        let request = RemoveParticipantRequest {
            room_id: self.room,
            participant_id: self.id,
            session_id: self.session_id,
        };
        match self.talk.client().rooms().remove_participant(request).await {
            Ok(_) => {}
            Err(status) if matches!(status.code(), Code::NotFound | Code::FailedPrecondition) => {}
            Err(status) => {
                // Stoa notices by itself that the browser has stopped.
                tracing::warn!(code = ?status.code(), "participant not removed");
            }
        }
    }
}

async fn send(hub: &mpsc::Sender<Command>, command: Command) -> Result<(), Problem> {
    hub.send(command).await.map_err(|_| hub_lost())
}

fn hub_lost() -> Problem {
    Problem::unavailable("ROOM_LOST", "the room's task has failed; try again")
}

/// Whether a Join that failed with this code may have let the participant in.
fn outcome_unknown(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
    )
}
