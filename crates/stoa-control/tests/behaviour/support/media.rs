//! Rooms in memory: what the control service needs of the media workers, with switches to make the
//! rare things happen.

// Named, since the tests of another crate take this file by its path.
#[path = "media/port.rs"]
mod port;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use stoa_control::{MediaError, Notice};
use stoa_core::{
    ActiveSpeakers, AudioLevel, CloseReason, ConnectionState, Csrc, Error, Join, Joined,
    LeaveReason, MuteSource, Mutes, OfferError, ParticipantChange, ParticipantId, ParticipantInfo,
    Revision, RoomEvent, RoomEventKind, RoomId, RoomSettings, SessionId, Subscription, TenantId,
};
use tokio::sync::{mpsc, watch};

/// What becomes of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// They are sent at once.
    Prompt,
    /// They wait for [`MemoryMedia::deliver`].
    Held,
    /// They are lost.
    Lost,
}

pub struct MemoryMedia {
    state: Mutex<State>,
    notices: mpsc::Sender<Notice>,
    gate: watch::Sender<bool>,
    /// Commands that have begun.
    pub commands: AtomicUsize,
    /// Whether commands panic.
    pub panics: AtomicBool,
}

struct State {
    rooms: BTreeMap<RoomId, Vec<ParticipantInfo>>,
    settings: BTreeMap<RoomId, RoomSettings>,
    revisions: BTreeMap<RoomId, u64>,
    sessions: u32,
    delivery: Delivery,
    held: Vec<Notice>,
    lost: usize,
    refusal: Option<MediaError>,
    choices: Vec<Subscription>,
    history: Vec<RoomEvent>,
}

impl MemoryMedia {
    pub fn new() -> (Arc<Self>, mpsc::Receiver<Notice>) {
        let (notices, receiver) = mpsc::channel(4096);
        let state = State {
            rooms: BTreeMap::new(),
            settings: BTreeMap::new(),
            revisions: BTreeMap::new(),
            sessions: 0,
            delivery: Delivery::Prompt,
            held: Vec::new(),
            lost: 0,
            refusal: None,
            choices: Vec::new(),
            history: Vec::new(),
        };
        let gate = watch::Sender::new(true);
        let (commands, panics) = Default::default();
        (
            Arc::new(Self {
                state: Mutex::new(state),
                notices,
                gate,
                commands,
                panics,
            }),
            receiver,
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds this")
    }

    /// Every command fails like this from now on.
    pub fn refuse_with(&self, refusal: Option<MediaError>) {
        self.state().refusal = refusal;
    }

    /// Whether commands go on or wait.
    pub fn set_open(&self, open: bool) {
        self.gate.send_replace(open);
    }

    pub fn set_delivery(&self, delivery: Delivery) {
        self.state().delivery = delivery;
    }

    /// Sends what was held, and everything promptly again.
    pub fn deliver(&self) {
        let mut state = self.state();
        state.delivery = Delivery::Prompt;
        for notice in std::mem::take(&mut state.held) {
            self.notices.try_send(notice).expect("there is room");
        }
    }

    /// Whom participants have wanted to hear, in the order in which they said so.
    pub fn choices(&self) -> Vec<Subscription> {
        self.state().choices.clone()
    }

    /// Everything that has happened, whether it was told or not.
    pub fn history(&self) -> Vec<RoomEvent> {
        self.state().history.clone()
    }

    /// A room closes by itself.
    pub fn expire(&self, room: &str, reason: CloseReason) {
        let room = room_id(room);
        let mut state = self.state();
        state.rooms.remove(&room).expect("a room");
        state.settings.remove(&room);
        self.tell(&mut state, &room, RoomEventKind::Closed(reason));
    }

    /// How many events are held back.
    pub fn held(&self) -> usize {
        self.state().held.len()
    }

    /// How many events were lost.
    pub fn lost(&self) -> usize {
        self.state().lost
    }

    /// Says that events were lost, and sends everything promptly again.
    pub fn report_loss(&self) {
        self.state().delivery = Delivery::Prompt;
        self.notices.try_send(Notice::Lost).expect("there is room");
    }

    fn tell(&self, state: &mut State, room: &RoomId, kind: RoomEventKind) -> Revision {
        let revision = state.revisions.entry(room.clone()).or_default();
        if !matches!(kind, RoomEventKind::ActiveSpeakers(_)) {
            *revision += 1;
        }
        let revision = Revision(*revision);
        let event = RoomEvent {
            room: room.clone(),
            revision,
            kind,
        };
        state.history.push(event.clone());
        let notice = Notice::Event(event);
        match state.delivery {
            Delivery::Prompt => self.notices.try_send(notice).expect("there is room"),
            Delivery::Held => state.held.push(notice),
            Delivery::Lost => state.lost += 1,
        }
        revision
    }

    /// Somebody's ICE and DTLS are done.
    pub fn connect(&self, room: &str, participant: &str) {
        let (room, participant) = (room_id(room), participant_id(participant));
        let mut state = self.state();
        let here = state.rooms.get_mut(&room).expect("a room");
        let info = here
            .iter_mut()
            .find(|p| p.participant == participant)
            .expect("they are in");
        let before = std::mem::replace(&mut info.state, ConnectionState::Connected);
        let kind = match before {
            ConnectionState::Reconnecting => RoomEventKind::Resumed(info.clone()),
            _ => RoomEventKind::Connected { participant },
        };
        self.tell(&mut state, &room, kind);
    }

    /// Nothing comes from somebody any more.
    pub fn lose(&self, room: &str, participant: &str) {
        let (room, participant) = (room_id(room), participant_id(participant));
        let mut state = self.state();
        let here = state.rooms.get_mut(&room).expect("a room");
        let info = here.iter_mut().find(|p| p.participant == participant);
        let info = info.expect("they are in");
        info.state = ConnectionState::Reconnecting;
        let kind = RoomEventKind::Reconnecting(info.clone());
        self.tell(&mut state, &room, kind);
    }

    /// Somebody leaves by themselves.
    pub fn leave(&self, room: &str, participant: &str, reason: LeaveReason) {
        let mut state = self.state();
        let session = None;
        self.take(
            &mut state,
            &room_id(room),
            &participant_id(participant),
            session,
            reason,
        )
        .expect("they are in");
    }

    /// Somebody is heard.
    pub fn speak(&self, room: &str, participant: &str, minus_dbov: u8) {
        let level = AudioLevel::from_minus_dbov(minus_dbov);
        let speakers = ActiveSpeakers {
            speakers: vec![(participant_id(participant), level)],
            dominant: Some(participant_id(participant)),
        };
        self.tell(
            &mut self.state(),
            &room_id(room),
            RoomEventKind::ActiveSpeakers(speakers),
        );
    }

    fn take(
        &self,
        state: &mut State,
        room: &RoomId,
        who: &ParticipantId,
        session: Option<SessionId>,
        reason: LeaveReason,
    ) -> Result<Revision, Error> {
        let here = state.rooms.get_mut(room).ok_or(Error::RoomNotFound)?;
        let at = here.iter().position(|p| p.participant == *who);
        let at = at.ok_or(Error::ParticipantNotFound)?;
        if session.is_some_and(|session| session != here[at].session) {
            return Err(Error::SessionMismatch);
        }
        let gone = here.remove(at);
        let kind = RoomEventKind::Left {
            participant: gone.participant,
            session: gone.session,
            reason,
        };
        Ok(self.tell(state, room, kind))
    }

    fn change(
        &self,
        room: &RoomId,
        who: &ParticipantId,
        session: Option<SessionId>,
        change: ParticipantChange,
    ) -> Result<Revision, Error> {
        let mut state = self.state();
        let here = state.rooms.get_mut(room).ok_or(Error::RoomNotFound)?;
        let known = here.iter_mut().find(|p| p.participant == *who);
        let known = known.ok_or(Error::ParticipantNotFound)?;
        if session.is_some_and(|session| session != known.session) {
            return Err(Error::SessionMismatch);
        }
        match change {
            ParticipantChange::Role(role) => known.role = role,
            ParticipantChange::Muted { source, muted } => match source {
                MuteSource::Moderator => known.mutes.by_moderator = muted,
                MuteSource::Participant => known.mutes.by_participant = muted,
            },
            ParticipantChange::Description {
                display_name,
                metadata,
                audio_mode,
            } => {
                known.display_name = display_name.unwrap_or(known.display_name.clone());
                known.metadata = metadata.unwrap_or(known.metadata.clone());
                known.audio_mode = audio_mode.unwrap_or(known.audio_mode);
            }
            ParticipantChange::Subscription(choice) => {
                state.choices.push(choice);
                return Ok(Revision(state.revisions[room]));
            }
        }
        let kind = RoomEventKind::Updated(known.clone());
        Ok(self.tell(&mut state, room, kind))
    }

    /// Begins a command: counts it, waits while they are to wait, and fails if it is to fail.
    async fn begin(&self) -> Result<(), MediaError> {
        self.commands.fetch_add(1, Ordering::SeqCst);
        let mut gate = self.gate.subscribe();
        gate.wait_for(|open| *open)
            .await
            .expect("the sender is ours");
        assert!(!self.panics.load(Ordering::SeqCst), "as the test wants");
        self.state().refusal.clone().map_or(Ok(()), Err)
    }

    fn admit(&self, join: Join) -> Result<Joined, MediaError> {
        let mut state = self.state();
        state.sessions += 1;
        let number = state.sessions;
        let Join {
            room,
            participant,
            display_name,
            offer,
            role,
            metadata,
            audio_mode,
            subscription,
            resume,
            may_publish: _,
        } = join;
        let here = state.rooms.get_mut(&room).ok_or(Error::RoomNotFound)?;
        if let Some(session) = resume {
            let known = here.iter_mut().find(|p| p.participant == participant);
            let known = known.ok_or(Error::ParticipantNotFound)?;
            if known.session != session {
                return Err(Error::SessionMismatch.into());
            }
            judge(&offer).map_err(Error::from)?;
            known.session = SessionId::new(&format!("session-{number}")).expect("an identifier");
            known.state = ConnectionState::Reconnecting;
            let info = known.clone();
            let kind = RoomEventKind::Reconnecting(info.clone());
            let revision = self.tell(&mut state, &room, kind);
            return Ok(Joined {
                answer: format!("answer to {offer}"),
                participant: info,
                revision,
            });
        }
        if here.iter().any(|p| p.participant == participant) {
            return Err(Error::ParticipantExists.into());
        }
        judge(&offer).map_err(Error::from)?;
        let info = ParticipantInfo {
            participant,
            session: SessionId::new(&format!("session-{number}")).expect("an identifier"),
            display_name,
            csrc: Csrc(number),
            state: ConnectionState::Connecting,
            role,
            mutes: Mutes::default(),
            metadata,
            audio_mode,
            connection_quality: None,
            level_distrusted: false,
        };
        here.push(info.clone());
        here.sort_by(|a, b| a.participant.cmp(&b.participant));
        state.choices.push(subscription);
        let revision = self.tell(&mut state, &room, RoomEventKind::Joined(info.clone()));
        Ok(Joined {
            answer: format!("answer to {offer}"),
            participant: info,
            revision,
        })
    }
}

fn judge(offer: &str) -> Result<(), OfferError> {
    match offer {
        "malformed" => Err(OfferError::Malformed("line 1".into())),
        "no audio" => Err(OfferError::NoAudio),
        "no opus" => Err(OfferError::NoCommonCodec),
        "too many" => Err(OfferError::TooManyAudioLines {
            offered: 4,
            slots: 3,
        }),
        "unusable" => Err(OfferError::Unusable("no ICE credentials".into())),
        _ => Ok(()),
    }
}

/// A room of the tenant that tests are of.
fn room_id(name: &str) -> RoomId {
    let home = TenantId::new("home").expect("an identifier");
    RoomId::of_tenant(&home, name).expect("an identifier")
}

fn participant_id(text: &str) -> ParticipantId {
    ParticipantId::new(text).expect("an identifier")
}
