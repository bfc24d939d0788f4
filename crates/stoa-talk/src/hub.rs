//! One active room: its event stream in, its browsers out.
//!
//! A hub lives as long as somebody holds a sender of its commands, that is, as long as a browser is
//! in the room. It creates the room with the first, and closes it after the last. What it tells
//! browsers about people is what Stoa tells it; what may be changed is decided by the database.
//!
//! A room's name may be its invitation, so it is logged for debugging only.

mod command;
mod follow;
mod roster;

use std::{collections::HashMap, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use stoa_client::{
    Client, reason,
    v1::{
        CloseRoomRequest, CreateRoomRequest, ErrorReason, Participant, RemoveParticipantRequest,
        Room, SpeakPolicy, UpdateRoomRequest,
    },
};
use tokio::{sync::mpsc, time};
use tonic::Status;

pub(crate) use self::command::{Attach, Command, Handle};
use self::{
    follow::{Followed, follow},
    roster::{Admission, Change, Restart, Roster},
};
use crate::{
    limits,
    outbox::{Closing, Outbox},
    problem::Problem,
    protocol::{ToBrowser, You},
};

/// The task of one room.
#[derive(Debug)]
pub(crate) struct Hub {
    client: Client,
    room: String,
    /// What the ids of this service's own participants begin with.
    instance: Arc<str>,
    roster: Roster,
    members: HashMap<String, Member>,
    /// None while the room is not known to exist.
    events: Option<mpsc::Receiver<Followed>>,
    /// Whether the media server is about to restart.
    restart: Option<Restart>,
}

/// A browser in the room.
#[derive(Debug)]
struct Member {
    /// Which socket.
    seat: u64,
    session_id: String,
    outbox: Outbox,
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
            restart: None,
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

    // A closed channel for an answer means that the socket did not wait.
    async fn command(&mut self, command: Command) {
        match command {
            Command::Present { answer } => {
                let _ = answer.send(self.members.keys().cloned().collect());
            }
            Command::Open { done } => {
                let outcome = self.open().await;
                let _ = done.send(outcome);
            }
            Command::Attach(attach) => self.attach(*attach),
            Command::Close { id, closing } => {
                if let Some(member) = self.members.remove(&id) {
                    member.outbox.close(closing);
                }
            }
            Command::CloseAll { closing } => {
                for (_, member) in self.members.drain() {
                    member.outbox.close(closing);
                }
            }
            Command::Detach { id, seat, was_here } => {
                let here = self.members.get(&id).is_some_and(|m| m.seat == seat);
                if here {
                    self.members.remove(&id);
                }
                let replaced = !here && self.members.contains_key(&id);
                let _ = was_here.send(!replaced);
            }
        }
    }

    /// While this waits, nobody else's messages do: before the first browser is in, there are none.
    async fn open(&mut self) -> Result<(), Problem> {
        if self.events.is_some() {
            return Ok(());
        }
        self.create_room()
            .await
            .map_err(|status| Problem::from_stoa(&status))?;
        self.roster = Roster::default();
        self.restart = None;
        self.events = Some(follow(self.client.clone(), self.room.clone()));
        // So that the first `joined` names everybody. Where it takes too long, they follow.
        if let Ok(item) = time::timeout(limits::SNAPSHOT_TIMEOUT, next(&mut self.events)).await {
            self.followed(item);
        }
        self.remove_left_over();
        Ok(())
    }

    /// The room as this service needs it: speaking is for those who are on the stage.
    async fn create_room(&self) -> Result<(), Status> {
        let settings = Room {
            room_id: self.room.clone(),
            speak_policy: SpeakPolicy::SpeakersOnly.into(),
            ..Default::default()
        };
        let request = CreateRoomRequest {
            room_id: self.room.clone(),
            room: Some(settings.clone()),
            ..Default::default()
        };
        match self.client.rooms().create_room(request).await {
            Ok(_) => tracing::debug!(room = self.room, "room created"),
            Err(status) if reason(&status) == Some(ErrorReason::RoomAlreadyExists) => {
                let request = UpdateRoomRequest {
                    room: Some(settings),
                    update_mask: Some(prost_types::FieldMask {
                        paths: vec!["speak_policy".to_owned()],
                    }),
                };
                self.client.rooms().update_room(request).await?;
            }
            Err(status) => return Err(status),
        }
        Ok(())
    }

    /// Takes out participants of a former run of this service, whose sockets are gone.
    fn remove_left_over(&self) {
        let own = |(id, _): &(&str, &str)| id.starts_with(&*self.instance);
        let left_over: Vec<_> = self
            .roster
            .sessions()
            .filter(own)
            .map(|(id, session)| RemoveParticipantRequest {
                room_id: self.room.clone(),
                participant_id: id.to_owned(),
                session_id: session.to_owned(),
            })
            .collect();
        if left_over.is_empty() {
            return;
        }
        let client = self.client.clone();
        tokio::spawn(async move {
            for request in left_over {
                // One that is gone or has come back meanwhile is as it should be; where Stoa cannot
                // be reached, it notices by itself that their browsers are silent.
                let _ = client.rooms().remove_participant(request).await;
            }
        });
    }

    fn attach(&mut self, attach: Attach) {
        let Attach {
            seat,
            admitted,
            outbox,
            ..
        } = &attach;
        let Some(participant) = &admitted.participant else {
            outbox.close(Closing::StoaFault);
            return;
        };
        let admission = self.roster.admit(participant, admitted.room_revision);
        if admission == Admission::Gone {
            outbox.close(Closing::Gone);
            return;
        }
        let joined = self.welcome(participant, &attach);
        let id = participant.participant_id.clone();
        if let Admission::New(person) = &admission {
            self.tell(
                &ToBrowser::ParticipantJoined {
                    participant: person,
                },
                Some(&id),
            );
        }
        let restart = self.restart.map(|restart| told(Some(restart)).encode());
        if outbox.send(joined) && restart.is_none_or(|restart| outbox.send(restart)) {
            let member = Member {
                seat: *seat,
                session_id: participant.session_id.clone(),
                outbox: outbox.clone(),
            };
            if let Some(former) = self.members.insert(id, member) {
                former.outbox.close(Closing::TakenOver);
            }
        }
    }

    fn welcome(&self, participant: &Participant, attach: &Attach) -> Utf8Bytes {
        let you = You {
            id: &participant.participant_id,
            csrc: participant.csrc,
        };
        let participants = self.roster.people().cloned().collect();
        ToBrowser::Joined {
            answer: &attach.admitted.sdp_answer,
            you,
            room: &self.room,
            title: &attach.title,
            open: attach.open,
            silenced: &attach.silenced,
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
                let (participant, id) = (&person, person.id.as_str());
                self.tell(&ToBrowser::ParticipantJoined { participant }, Some(id));
            }
            Change::Updated(person) => {
                let participant = &person;
                self.tell(&ToBrowser::ParticipantUpdated { participant }, None);
            }
            Change::Left {
                id,
                session_id,
                reason,
            } => {
                let theirs = |member: &Member| member.session_id == session_id;
                if self.members.get(&id).is_some_and(theirs)
                    && let Some(member) = self.members.remove(&id)
                {
                    member.outbox.close(Closing::Left(reason));
                }
                self.tell(&ToBrowser::ParticipantLeft { id: &id, reason }, None);
            }
            Change::Speaking(speakers, dominant) => {
                let text = ToBrowser::Speaking { speakers, dominant }.encode();
                // The next one replaces it: whoever has no room for it misses nothing.
                self.members
                    .values()
                    .for_each(|member| member.outbox.send_if_room(text.clone()));
            }
            Change::Restart(restart) => {
                self.restart = restart;
                self.tell(&told(restart), None);
            }
            Change::RoomClosed => self.room_is_gone(),
        }
    }

    fn room_is_gone(&mut self) {
        tracing::debug!(room = self.room, "room gone");
        self.events = None;
        for (_, member) in self.members.drain() {
            member.outbox.close(Closing::Left("room_closed"));
        }
    }

    /// Sends to everybody but one. A browser that does not keep up is dropped here, its socket
    /// ends, and the others have not waited.
    fn tell(&mut self, message: &ToBrowser<'_>, except: Option<&str>) {
        let text = message.encode();
        self.members
            .retain(|id, member| Some(id.as_str()) == except || member.outbox.send(text.clone()));
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

/// What browsers are told of a restart.
fn told(restart: Option<Restart>) -> ToBrowser<'static> {
    ToBrowser::Restart {
        expected: restart.is_some(),
        at: restart.and_then(|restart| restart.at),
    }
}

/// The next item of the event stream; never, where there is none.
async fn next(events: &mut Option<mpsc::Receiver<Followed>>) -> Followed {
    match events {
        Some(events) => events.recv().await.unwrap_or(Followed::Gone),
        None => std::future::pending().await,
    }
}
