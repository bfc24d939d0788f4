//! What the signalling service has decided, written down beside the node: a second opinion on who may
//! speak, made of the calls alone.
//!
//! Who has left and which rooms there are is taken from the node's events, since that is also decided
//! by clients and timeouts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use stoa_core::{
    LeaveReason, MuteSource, ParticipantChange, ParticipantId, Role, RoomEvent, RoomEventKind,
    RoomId, RoomUpdate, SessionId, SpeakPolicy, Subscription,
};

use crate::{
    ClientId,
    client::Client,
    history::{Moment, Timeline},
};

/// A name in a room.
type Name = (RoomId, ParticipantId);

/// The decisions, with their places among the datagrams.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    members: Vec<Entry>,
    by_session: HashMap<SessionId, ClientId>,
    /// Who had the name last.
    by_name: HashMap<Name, ClientId>,
    policies: BTreeMap<RoomId, SpeakPolicy>,
    moderator_mutes: BTreeSet<Name>,
    slots: BTreeMap<RoomId, Timeline<usize>>,
}

#[derive(Debug)]
struct Entry {
    name: Name,
    role: Role,
    muted_themselves: bool,
    may_speak: Timeline<bool>,
    spoke_until: Option<Duration>,
    is_in: Timeline<bool>,
    choice: Timeline<Subscription>,
}

impl Ledger {
    /// The next client has been admitted.
    pub(super) fn admitted(&mut self, moment: Moment, client: &Client) {
        let id = self.members.len();
        let name = (client.room.clone(), client.id.clone());
        self.by_session.insert(client.session.clone(), id);
        self.by_name.insert(name.clone(), id);
        let mut is_in = Timeline::default();
        is_in.decide(moment, true);
        let mut choice = Timeline::default();
        choice.decide(moment, Subscription::EVERYBODY);
        self.members.push(Entry {
            name,
            role: Role::default(),
            muted_themselves: false,
            may_speak: Timeline::default(),
            spoke_until: None,
            is_in,
            choice,
        });
        self.judge(moment, id);
    }

    /// The next client has been admitted in the place of another one, as who that was.
    pub(super) fn resumed(&mut self, moment: Moment, client: &Client, old: ClientId) {
        self.admitted(moment, client);
        let new = self.members.len() - 1;
        let before = &self.members[old];
        let (role, muted) = (before.role, before.muted_themselves);
        let choice = before.choice.last().cloned();
        let entry = &mut self.members[new];
        (entry.role, entry.muted_themselves) = (role, muted);
        if let Some(choice) = choice {
            entry.choice = Timeline::default();
            entry.choice.decide(moment, choice);
        }
        // Nothing is taken away, so what was handed on to other workers by then still arrives there.
        let spoke = self.members[old].may_speak.last() == Some(&true);
        self.members[old].spoke_until = spoke.then_some(moment.at);
        self.members[old].is_in.decide(moment, false);
        self.judge(moment, old);
        self.members[new].may_speak = Timeline::default();
        self.judge(moment, new);
    }

    /// Whoever has the name of this client now has been changed.
    pub(super) fn changed(&mut self, moment: Moment, id: ClientId, change: &ParticipantChange) {
        let name = self.members[id].name.clone();
        let id = self.by_name.get(&name).copied().unwrap_or(id);
        let entry = &mut self.members[id];
        match change {
            ParticipantChange::Role(role) => entry.role = *role,
            ParticipantChange::Muted { source, muted } => match (source, muted) {
                (MuteSource::Participant, muted) => entry.muted_themselves = *muted,
                (MuteSource::Moderator, true) => {
                    self.moderator_mutes.insert(name);
                }
                (MuteSource::Moderator, false) => {
                    self.moderator_mutes.remove(&name);
                }
            },
            ParticipantChange::Subscription(choice) => {
                entry.choice.decide(moment, choice.clone());
            }
            ParticipantChange::Description { .. } => {}
        }
        self.judge(moment, id);
    }

    /// A room's settings have been changed.
    pub(super) fn room_updated(&mut self, moment: Moment, room: &RoomId, update: &RoomUpdate) {
        if let Some(slots) = update.audio_slots {
            let timeline = self.slots.entry(room.clone()).or_default();
            timeline.decide(moment, slots.count());
        }
        if let Some(policy) = update.speak_policy {
            self.policies.insert(room.clone(), policy);
            for id in 0..self.members.len() {
                if self.members[id].name.0 == *room {
                    self.judge(moment, id);
                }
            }
        }
    }

    /// The node has told something.
    pub(super) fn told(&mut self, moment: Moment, event: &RoomEvent) {
        match &event.kind {
            RoomEventKind::Created(settings) => {
                let room = event.room.clone();
                self.policies.insert(room.clone(), settings.speak_policy);
                let slots = self.slots.entry(room).or_default();
                slots.decide(moment, settings.audio_slots.count());
            }
            RoomEventKind::Left {
                session, reason, ..
            } => {
                if let Some(&id) = self.by_session.get(session) {
                    let entry = &mut self.members[id];
                    let spoke = entry.may_speak.last() == Some(&true);
                    entry.spoke_until = (spoke && !is_by_call(*reason)).then_some(moment.at);
                    self.members[id].is_in.decide(moment, false);
                    self.judge(moment, id);
                }
            }
            RoomEventKind::Closed(_) => {
                self.policies.remove(&event.room);
                self.moderator_mutes.retain(|(room, _)| *room != event.room);
            }
            _ => {}
        }
    }

    /// Decides whether somebody may be heard, as things are now.
    fn judge(&mut self, moment: Moment, id: ClientId) {
        let entry = &mut self.members[id];
        let allowed = match self.policies.get(&entry.name.0) {
            Some(SpeakPolicy::Everyone) => true,
            Some(SpeakPolicy::SpeakersOnly) => entry.role != Role::Listener,
            None => false,
        };
        let muted = entry.muted_themselves || self.moderator_mutes.contains(&entry.name);
        let is_in = entry.is_in.last() == Some(&true);
        entry.may_speak.decide(moment, is_in && allowed && !muted);
    }

    /// Whether the client may be heard, over time.
    pub(super) fn may_speak(&self, id: ClientId) -> &Timeline<bool> {
        &self.members[id].may_speak
    }

    /// When the client's room was told that it had left by itself, if it might speak until then.
    pub(super) fn spoke_until(&self, id: ClientId) -> Option<Duration> {
        self.members[id].spoke_until
    }

    /// Whether the client is in its room, over time.
    pub(super) fn is_in(&self, id: ClientId) -> &Timeline<bool> {
        &self.members[id].is_in
    }

    /// Whom the client wants to hear, over time.
    pub(super) fn choice(&self, id: ClientId) -> &Timeline<Subscription> {
        &self.members[id].choice
    }

    /// How many voices each room lets be heard, over time.
    pub(super) fn slots(&self) -> &BTreeMap<RoomId, Timeline<usize>> {
        &self.slots
    }
}

/// Whether somebody left because the signalling service asked for it.
fn is_by_call(reason: LeaveReason) -> bool {
    use LeaveReason::{Banned, NodeShutdown, Removed, RoomClosed};
    matches!(reason, Removed | Banned | RoomClosed | NodeShutdown)
}
