//! One active room: its event stream in, its browsers out.
//!
//! A hub lives as long as somebody holds a sender of its commands, that is, as long as a browser is
//! in the room. It creates the room with the first, and closes it after the last.
//!
//! A room's name is its invitation, so it is logged for debugging only.

mod follow;
mod roster;

use std::{collections::HashMap, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use stoa_client::{
    Client, reason,
    v1::{CloseRoomRequest, CreateRoomRequest, ErrorReason, JoinResponse, Participant},
};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

use self::{
    follow::{Followed, follow},
    roster::{Admission, Change, Roster},
};
use crate::{
    limits,
    problem::Problem,
    protocol::{ToBrowser, You},
    socket::{Closing, Outbox},
};

/// What sockets ask of their room's hub.
#[derive(Debug)]
pub(crate) enum Command {
    /// See to it that the room exists and its events are followed.
    Open {
        /// Gets the outcome.
        done: oneshot::Sender<Result<(), Problem>>,
    },
    /// Stoa has admitted this participant. Sends `joined` to the socket, tells the others, and
    /// keeps the socket posted from now on.
    Attach {
        /// Stoa's answer.
        admitted: Box<JoinResponse>,
        /// Where the socket's messages go.
        outbox: Outbox,
    },
    /// The participant has switched their microphone off or on.
    Mute {
        /// Who.
        id: String,
        /// Whether it is off now.
        muted: bool,
    },
    /// The socket is gone; send it nothing more.
    Detach {
        /// Whose.
        id: String,
    },
}

/// The task of one room.
#[derive(Debug)]
pub(crate) struct Hub {
    client: Client,
    room: String,
    /// What the ids of this service's own participants begin with.
    instance: Arc<str>,
    roster: Roster,
    members: HashMap<String, Outbox>,
    /// None while the room is not known to exist.
    events: Option<mpsc::Receiver<Followed>>,
}

impl Hub {
    /// A hub for the room of this name; nothing happens before the first command.
    pub(crate) fn new(client: Client, room: String, instance: Arc<str>) -> Self {
        let (roster, members) = (Roster::default(), HashMap::new());
        Self {
            client,
            room,
            instance,
            roster,
            members,
            events: None,
        }
    }

    /// Serves until all senders of commands are gone.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.command(command).await,
                    None => break,
                },
                item = next(&mut self.events) => self.followed(item),
            }
        }
        self.close().await;
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Open { done } => {
                let outcome = self.open().await;
                // A closed channel means that the socket did not wait.
                let _ = done.send(outcome);
            }
            Command::Attach { admitted, outbox } => self.attach(&admitted, outbox),
            Command::Mute { id, muted } => {
                if self.members.contains_key(&id) && self.roster.set_muted(&id, muted) {
                    self.tell(&ToBrowser::Muted { id: &id, muted }, Some(&id));
                }
            }
            Command::Detach { id } => {
                self.members.remove(&id);
            }
        }
    }

    /// While this waits, nobody else's messages do: before the first browser is in, there are none.
    async fn open(&mut self) -> Result<(), Problem> {
        if self.events.is_some() {
            return Ok(());
        }
        let request = CreateRoomRequest {
            room_id: self.room.clone(),
            ..Default::default()
        };
        match self.client.rooms().create_room(request).await {
            Ok(_) => tracing::debug!(room = self.room, "room created"),
            Err(status) if reason(&status) == Some(ErrorReason::RoomAlreadyExists) => {}
            Err(status) => return Err(Problem::from_stoa(&status)),
        }
        self.roster = Roster::default();
        self.events = Some(follow(self.client.clone(), self.room.clone()));
        // So that the first `joined` names everybody. Where it takes too long, they follow.
        if let Ok(item) = time::timeout(limits::SNAPSHOT_TIMEOUT, next(&mut self.events)).await {
            self.followed(item);
        }
        Ok(())
    }

    fn attach(&mut self, admitted: &JoinResponse, outbox: Outbox) {
        let Some(participant) = &admitted.participant else {
            outbox.close(Closing::StoaFault);
            return;
        };
        let admission = self.roster.admit(participant, admitted.room_revision);
        if admission == Admission::Gone {
            outbox.close(Closing::Gone);
            return;
        }
        let joined = self.welcome(participant, &admitted.sdp_answer);
        if let Admission::New(person) = &admission {
            self.tell(
                &ToBrowser::ParticipantJoined {
                    participant: person,
                },
                None,
            );
        }
        if outbox.send(joined) {
            self.members
                .insert(participant.participant_id.clone(), outbox);
        }
    }

    fn welcome(&self, participant: &Participant, answer: &str) -> Utf8Bytes {
        let you = You {
            id: &participant.participant_id,
            csrc: participant.csrc,
        };
        let participants = self.roster.people().cloned().collect();
        ToBrowser::Joined {
            answer,
            you,
            room: &self.room,
            participants,
        }
        .encode()
    }

    fn followed(&mut self, item: Followed) {
        match item {
            Followed::Message(message) => {
                for change in self.roster.apply(*message) {
                    self.changed(change);
                }
            }
            Followed::Gone => self.room_is_gone(),
        }
    }

    fn changed(&mut self, change: Change) {
        match change {
            Change::Joined(person) => {
                let id = person.id.as_str();
                self.tell(
                    &ToBrowser::ParticipantJoined {
                        participant: &person,
                    },
                    Some(id),
                );
            }
            Change::Connected(id) => {
                self.tell(&ToBrowser::ParticipantConnected { id: &id }, None);
            }
            Change::Left(id, reason) => {
                if let Some(outbox) = self.members.remove(&id) {
                    outbox.close(Closing::Left(reason));
                }
                self.tell(&ToBrowser::ParticipantLeft { id: &id, reason }, None);
            }
            Change::Speaking(speakers) => {
                let text = ToBrowser::Speaking { speakers }.encode();
                // The next one replaces it: whoever has no room for it misses nothing.
                self.members
                    .values()
                    .for_each(|outbox| outbox.send_if_room(text.clone()));
            }
            Change::RoomClosed => self.room_is_gone(),
        }
    }

    fn room_is_gone(&mut self) {
        tracing::debug!(room = self.room, "room gone");
        self.events = None;
        for (_, outbox) in self.members.drain() {
            outbox.close(Closing::Left("room_closed"));
        }
    }

    /// Sends to everybody but one. A browser that does not keep up is dropped here, its socket
    /// ends, and the others have not waited.
    fn tell(&mut self, message: &ToBrowser<'_>, except: Option<&str>) {
        let text = message.encode();
        self.members
            .retain(|id, outbox| Some(id.as_str()) == except || outbox.send(text.clone()));
    }

    async fn close(self) {
        if self.events.is_none() {
            return;
        }
        // Participants whom another service has let in are not cut off. This one's own may still be
        // in the roster, but all of them have been removed by now.
        if self
            .roster
            .people()
            .any(|p| !p.id.starts_with(&*self.instance))
        {
            tracing::debug!(room = self.room, "room left open: others are in it");
            return;
        }
        let request = CloseRoomRequest {
            room_id: self.room.clone(),
        };
        match self.client.rooms().close_room(request).await {
            Ok(_) => tracing::debug!(room = self.room, "room closed"),
            Err(status) if reason(&status) == Some(ErrorReason::RoomNotFound) => {}
            Err(status) => {
                tracing::warn!(code = ?status.code(), "room not closed");
            }
        }
    }
}

/// The next item of the event stream; never, where there is none.
async fn next(events: &mut Option<mpsc::Receiver<Followed>>) -> Followed {
    match events {
        Some(events) => events.recv().await.unwrap_or(Followed::Gone),
        None => std::future::pending().await,
    }
}
