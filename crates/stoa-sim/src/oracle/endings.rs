//! Whether rooms end by themselves when their settings say so, and not otherwise.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use stoa_core::{
    CloseReason, ParticipantId, RoomEvent, RoomEventKind, RoomId, RoomSettings, RoomTimeout,
};

use super::{Rule, Violation};

/// What happens at the same moment in the node is told within this.
const MOMENT: Duration = Duration::from_millis(1);

/// A room that there is.
struct Open {
    settings: RoomSettings,
    created_at: Duration,
    members: BTreeSet<ParticipantId>,
    /// Since when nobody is in it, and since when its settings are what they are.
    empty_since: Duration,
    set_at: Duration,
}

/// [`Rule::Endings`]: rooms that are empty end when their time is over, and those that end as empty or idle
/// were told to.
pub fn in_time(events: &[(Duration, RoomEvent)]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut open: BTreeMap<RoomId, Open> = BTreeMap::new();
    for (at, event) in events {
        if let RoomEventKind::Created(settings) = &event.kind {
            let room = Open::new(*at, settings);
            open.insert(event.room.clone(), room);
        } else if let Some(room) = open.get_mut(&event.room)
            && let Err(wrong) = room.take(*at, &event.kind)
        {
            violations.push(Violation {
                rule: Rule::Endings,
                at: *at,
                what: format!("{}: {wrong}", event.room),
            });
        }
        if matches!(event.kind, RoomEventKind::Closed(_)) {
            open.remove(&event.room);
        }
    }
    violations
}

impl Open {
    fn new(at: Duration, settings: &RoomSettings) -> Self {
        Self {
            settings: settings.clone(),
            created_at: at,
            members: BTreeSet::new(),
            empty_since: at,
            set_at: at,
        }
    }

    fn take(&mut self, at: Duration, kind: &RoomEventKind) -> Result<(), &'static str> {
        let empty = self.settings.empty_timeout.map(RoomTimeout::duration);
        let is_overdue = empty.is_some_and(|timeout| {
            let from = self.empty_since.max(self.set_at.saturating_sub(timeout));
            self.members.is_empty() && at > from + timeout + MOMENT
        });
        match kind {
            RoomEventKind::Joined(info) => {
                self.members.insert(info.participant.clone());
            }
            RoomEventKind::Left { participant, .. } => {
                self.members.remove(participant);
                self.empty_since = at;
            }
            RoomEventKind::RoomUpdated(settings) => {
                self.settings = settings.clone();
                self.set_at = at;
            }
            RoomEventKind::Closed(CloseReason::Empty) => match empty {
                Some(timeout) if at + MOMENT >= self.empty_since + timeout => {}
                Some(_) => return Err("it ends as empty before its time"),
                None => return Err("it ends as empty and has no time for that"),
            },
            RoomEventKind::Closed(CloseReason::Idle) => {
                let idle = self.settings.idle_timeout.map(RoomTimeout::duration);
                match idle {
                    Some(timeout) if at + MOMENT >= self.created_at + timeout => {}
                    Some(_) => return Err("it ends as idle before its time"),
                    None => return Err("it ends as idle and has no time for that"),
                }
            }
            _ => {}
        }
        match is_overdue {
            true => Err("it was empty for longer than it may be"),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use stoa_core::Revision;

    use super::*;
    use crate::room;

    fn story(timeout: Option<u64>, then: &[(u64, RoomEventKind)]) -> Vec<Violation> {
        let timeout = timeout.and_then(|seconds| RoomTimeout::new(Duration::from_secs(seconds)));
        let settings = RoomSettings {
            empty_timeout: timeout,
            ..RoomSettings::default()
        };
        let created = (0, RoomEventKind::Created(settings));
        let all = std::iter::once(&created).chain(then);
        let event = |(seconds, kind): &(u64, RoomEventKind)| {
            let event = RoomEvent {
                room: room("room"),
                revision: Revision(1),
                kind: kind.clone(),
            };
            (Duration::from_secs(*seconds), event)
        };
        in_time(&all.map(event).collect::<Vec<_>>())
    }

    #[test]
    fn endings_at_a_wrong_time_are_found() {
        let empty = RoomEventKind::Closed(CloseReason::Empty);
        let idle = RoomEventKind::Closed(CloseReason::Idle);
        let other = RoomEventKind::Closed(CloseReason::Closed);
        assert_eq!(story(Some(5), &[(5, empty.clone())]), []);
        assert_eq!(story(Some(5), &[(3, other.clone())]), []);
        for (timeout, last) in [
            (Some(5), (4, empty.clone())),
            (Some(5), (6, empty.clone())),
            (Some(5), (6, other)),
            (None, (5, empty)),
            (None, (5, idle)),
        ] {
            assert_eq!(
                story(timeout, std::slice::from_ref(&last)).len(),
                1,
                "{last:?}"
            );
        }
    }
}
