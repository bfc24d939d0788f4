//! Whether the events of the node tell the whole story of its rooms.

use std::{collections::BTreeMap, time::Duration};

use stoa_core::{
    ActiveSpeakers, ConnectionState, ParticipantInfo, Revision, RoomEvent, RoomEventKind, RoomId,
    RoomSettings, RoomSnapshot,
};

use super::{Rule, Violation};

/// What somebody knows of the rooms who has seen nothing but events.
#[derive(Default)]
struct Follower(BTreeMap<RoomId, Known>);

struct Known {
    revision: Revision,
    settings: RoomSettings,
    members: BTreeMap<String, ParticipantInfo>,
}

/// [`Rule::Events`]: the events so far, followed one by one, lead to these snapshots.
pub fn tell_all(
    events: &[(Duration, RoomEvent)],
    mut snapshots: Vec<RoomSnapshot>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut find = |at: Duration, what: String| {
        let rule = Rule::Events;
        violations.push(Violation { rule, at, what });
    };
    let mut follower = Follower::default();
    for (at, event) in events {
        if let Err(wrong) = follower.take(event) {
            find(*at, format!("{wrong}: {event:?}"));
        }
    }
    snapshots.sort_by(|a, b| a.room.cmp(&b.room));
    let told = follower.snapshots();
    if told != snapshots {
        let at = events.last().map_or(Duration::ZERO, |(at, _)| *at);
        find(at, format!("told is {told:?}, true is {snapshots:?}"));
    }
    violations
}

impl Follower {
    fn take(&mut self, event: &RoomEvent) -> Result<(), &'static str> {
        if let RoomEventKind::Created(settings) = &event.kind {
            let known = Known {
                revision: event.revision,
                settings: settings.clone(),
                members: BTreeMap::new(),
            };
            let before = self.0.insert(event.room.clone(), known);
            return match (before, event.revision) {
                (None, Revision(1)) => Ok(()),
                (Some(_), _) => Err("a room is created twice"),
                (None, _) => Err("a room does not begin with revision 1"),
            };
        }
        let known = self.0.get_mut(&event.room);
        let known = known.ok_or("something happens in a room that there is not")?;
        known.take(event)?;
        if matches!(event.kind, RoomEventKind::Closed(_)) {
            self.0.remove(&event.room);
        }
        Ok(())
    }

    fn snapshots(&self) -> Vec<RoomSnapshot> {
        let snapshot = |(room, known): (&RoomId, &Known)| RoomSnapshot {
            room: room.clone(),
            revision: known.revision,
            settings: known.settings.clone(),
            participants: known.members.values().cloned().collect(),
        };
        self.0.iter().map(snapshot).collect()
    }
}

impl Known {
    fn take(&mut self, event: &RoomEvent) -> Result<(), &'static str> {
        if let RoomEventKind::ActiveSpeakers(active) = &event.kind {
            return match event.revision == self.revision {
                true => self.active(active),
                false => Err("speaking changes the room"),
            };
        }
        let expected = self.revision.next();
        self.revision = event.revision;
        self.change(&event.kind)?;
        match event.revision == expected {
            true => Ok(()),
            false => Err("the revision is not the next one"),
        }
    }

    fn active(&self, active: &ActiveSpeakers) -> Result<(), &'static str> {
        let ActiveSpeakers { speakers, dominant } = active;
        let connected = |name: &str| {
            let info = self.members.get(name);
            info.is_some_and(|info| info.state == ConnectionState::Connected)
        };
        if !speakers.iter().all(|(who, _)| connected(who.as_str())) {
            return Err("somebody speaks who is not connected");
        }
        let is_among = |leader| speakers.iter().any(|(who, _)| who == leader);
        match dominant {
            None if speakers.is_empty() => Ok(()),
            None => Err("somebody speaks and nobody leads"),
            Some(leader) if is_among(leader) => Ok(()),
            Some(_) => Err("somebody leads who does not speak"),
        }
    }

    /// Who is away is who they are; a new session is of unknown quality, and its levels are believed.
    fn reconnecting(&mut self, info: &ParticipantInfo) -> Result<(), &'static str> {
        let member = self.members.get_mut(info.participant.as_str());
        let member = member.ok_or("somebody is away who was not in")?;
        let mut expected = ParticipantInfo {
            state: ConnectionState::Reconnecting,
            ..member.clone()
        };
        let is_another = info.session != member.session;
        if is_another {
            expected.session = info.session.clone();
            expected.connection_quality = None;
            expected.level_distrusted = false;
        }
        let before = std::mem::replace(member, info.clone());
        match before.state {
            _ if *info != expected => Err("somebody is away as another"),
            ConnectionState::Connected => Ok(()),
            _ if is_another => Ok(()),
            _ => Err("somebody is away who was not connected"),
        }
    }

    fn change(&mut self, kind: &RoomEventKind) -> Result<(), &'static str> {
        match kind {
            RoomEventKind::Joined(info) => {
                let before = self
                    .members
                    .insert(info.participant.to_string(), info.clone());
                match before {
                    Some(_) => Err("somebody joins twice"),
                    None if info.state == ConnectionState::Connecting => Ok(()),
                    None => Err("somebody joins who is connected already"),
                }
            }
            RoomEventKind::Connected { participant } => {
                let member = self.members.get_mut(participant.as_str());
                let member = member.ok_or("somebody connects who has not joined")?;
                match std::mem::replace(&mut member.state, ConnectionState::Connected) {
                    ConnectionState::Connecting => Ok(()),
                    _ => Err("somebody connects twice"),
                }
            }
            RoomEventKind::Reconnecting(info) => self.reconnecting(info),
            RoomEventKind::Resumed(info) => {
                let member = self.members.get_mut(info.participant.as_str());
                let member = member.ok_or("somebody is back who was not in")?;
                let expected = ParticipantInfo {
                    state: ConnectionState::Connected,
                    ..member.clone()
                };
                let before = std::mem::replace(member, info.clone());
                match before.state {
                    ConnectionState::Reconnecting if *info == expected => Ok(()),
                    ConnectionState::Reconnecting => Err("somebody is back as another"),
                    _ => Err("somebody is back who was not away"),
                }
            }
            RoomEventKind::Left {
                participant,
                session,
                ..
            } => match self.members.remove(participant.as_str()) {
                Some(member) if member.session == *session => Ok(()),
                Some(_) => Err("another session leaves than the one that is in"),
                None => Err("somebody leaves who is not in"),
            },
            RoomEventKind::Updated(info) => {
                let name = info.participant.to_string();
                match self.members.insert(name, info.clone()) {
                    Some(before) if before != *info => Ok(()),
                    Some(_) => Err("an update changes nothing"),
                    None => Err("somebody is updated who is not in"),
                }
            }
            RoomEventKind::RoomUpdated(settings) => {
                match std::mem::replace(&mut self.settings, settings.clone()) != *settings {
                    true => Ok(()),
                    false => Err("an update of the room changes nothing"),
                }
            }
            RoomEventKind::Closed(_) if self.members.is_empty() => Ok(()),
            RoomEventKind::Closed(_) => Err("a room is closed over somebody"),
            RoomEventKind::Created(_) | RoomEventKind::ActiveSpeakers(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use stoa_core::CloseReason;

    use super::*;
    use crate::participant;

    fn event(revision: u64, kind: RoomEventKind) -> (Duration, RoomEvent) {
        let event = RoomEvent {
            room: RoomId::new("room").unwrap(),
            revision: Revision(revision),
            kind,
        };
        (Duration::ZERO, event)
    }

    #[test]
    fn events_that_do_not_tell_all_are_found() {
        let closed = |revision| event(revision, RoomEventKind::Closed(CloseReason::Closed));
        let created = || event(1, RoomEventKind::Created(RoomSettings::default()));
        let connected = || RoomEventKind::Connected {
            participant: participant("ann"),
        };
        assert_eq!(tell_all(&[created(), closed(2)], Vec::new()), []);
        // A room that nobody was told of the end of; a number left out; somebody who never joined; a room
        // that was never created.
        let stories = [
            vec![created()],
            vec![created(), closed(3)],
            vec![created(), event(2, connected()), closed(3)],
            vec![closed(2)],
        ];
        for story in stories {
            assert!(!tell_all(&story, Vec::new()).is_empty(), "{story:?}");
        }
    }
}
