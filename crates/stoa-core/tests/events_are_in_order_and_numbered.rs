//! The events of a room tell its whole story: numbered without a gap, in the order in which things
//! happened, so that whoever follows them knows what a snapshot would say.

use std::{collections::BTreeMap, time::Duration};

use stoa_core::{
    AudioSlots, ParticipantChange, ParticipantInfo, Revision, Role, RoomEventKind, RoomId,
    RoomSettings, RoomSnapshot, RoomUpdate,
};
use stoa_sim::{Net, participant, room};

/// What somebody knows of the rooms who has seen nothing but events.
#[derive(Default)]
struct Follower(BTreeMap<RoomId, Known>);

struct Known {
    revision: Revision,
    settings: RoomSettings,
    members: BTreeMap<String, ParticipantInfo>,
}

impl Follower {
    fn follow(net: &Net) -> Self {
        let mut follower = Self::default();
        for (_, event) in &net.events {
            let rooms = &mut follower.0;
            if let RoomEventKind::Created(settings) = &event.kind {
                assert_eq!(event.revision, Revision(1));
                let known = Known {
                    revision: Revision(1),
                    settings: settings.clone(),
                    members: BTreeMap::new(),
                };
                let before = rooms.insert(event.room.clone(), known);
                assert!(before.is_none(), "created twice");
                continue;
            }
            let Known {
                revision,
                settings,
                members,
            } = rooms.get_mut(&event.room).expect("created before");
            match &event.kind {
                RoomEventKind::ActiveSpeakers(active) => {
                    assert_eq!(event.revision, *revision, "speaking changes nothing");
                    for (speaker, _) in &active.speakers {
                        assert!(members[speaker.as_str()].connected, "{speaker}");
                    }
                    let names = || active.speakers.iter().map(|(speaker, _)| speaker);
                    assert_eq!(active.dominant.is_some(), !active.speakers.is_empty());
                    assert!(
                        active
                            .dominant
                            .iter()
                            .all(|leader| names().any(|name| name == leader))
                    );
                    continue;
                }
                RoomEventKind::Joined(info) => {
                    assert!(!info.connected);
                    let before = members.insert(info.participant.to_string(), info.clone());
                    assert!(before.is_none(), "{} joined twice", info.participant);
                }
                RoomEventKind::Connected { participant } => {
                    let member = members
                        .get_mut(participant.as_str())
                        .expect("joined before");
                    assert!(!member.connected, "{participant} connected twice");
                    member.connected = true;
                }
                RoomEventKind::Left {
                    participant,
                    session,
                    ..
                } => {
                    let member = members.remove(participant.as_str()).expect("joined before");
                    assert_eq!(member.session, *session);
                }
                RoomEventKind::Closed => assert!(members.is_empty(), "closed over somebody"),
                RoomEventKind::Updated(info) => {
                    let before = members.insert(info.participant.to_string(), info.clone());
                    assert_ne!(before.expect("joined before"), *info, "nothing changed");
                }
                RoomEventKind::RoomUpdated(now) => {
                    assert_ne!(settings, now, "nothing changed");
                    *settings = now.clone();
                }
                RoomEventKind::Created(_) => unreachable!("handled above"),
            }
            assert_eq!(event.revision, revision.next(), "{:?}", event.kind);
            *revision = event.revision;
            if event.kind == RoomEventKind::Closed {
                rooms.remove(&event.room);
            }
        }
        follower
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

fn assert_events_tell_all(net: &Net) {
    let mut snapshots = net.node.snapshots();
    snapshots.sort_by(|a, b| a.room.cmp(&b.room));
    assert_eq!(Follower::follow(net).snapshots(), snapshots);
}

#[test]
fn whoever_follows_knows_what_a_snapshot_says() {
    let mut net = Net::new();
    net.node
        .create_room(net.now(), room("other"), Default::default())
        .unwrap();
    net.drain_node();
    let ann = net.join("ann", 3);
    assert_events_tell_all(&net);
    let ben = net.join_room("other", "ben", 1);
    let cem = net.join("cem", 2);
    net.admit("room", "never-connects", 1).unwrap();
    assert_events_tell_all(&net);
    net.speak(&[(ann, 20), (ben, 30), (cem, 40)], Duration::from_secs(2));
    net.change(ann, ParticipantChange::Role(Role::Moderator));
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(5),
        ..Default::default()
    });
    assert_events_tell_all(&net);
    net.hang_up(ann);
    net.vanish(cem);
    net.run_for(Duration::from_secs(20));
    assert_events_tell_all(&net);
    let again = net.join("ann", 3);
    assert_ne!(net.clients[again].session, net.clients[ann].session);
    let now = net.now();
    net.node
        .remove_participant(now, &room("room"), &participant("ann"), None)
        .unwrap();
    net.drain_node();
    assert_events_tell_all(&net);
    net.node.close_room(now, &room("room")).unwrap();
    net.node
        .create_room(now, room("room"), Default::default())
        .unwrap();
    net.drain_node();
    assert_events_tell_all(&net);
    net.node.shut_down(now);
    net.drain_node();
    assert_events_tell_all(&net);
    assert!(net.node.snapshots().is_empty());
}

#[test]
fn answers_carry_the_revision_of_their_event() {
    let mut net = Net::new();
    let offer = stoa_sim::offers::chromium();
    let joined = net.offer("room", "ann", &offer).unwrap();
    let (_, event) = net.events.last().unwrap();
    assert_eq!(event.revision, joined.revision);
    assert_eq!(event.kind, RoomEventKind::Joined(joined.participant));
    let (now, ann) = (net.now(), participant("ann"));
    let revision = net
        .node
        .remove_participant(now, &room("room"), &ann, None)
        .unwrap();
    net.drain_node();
    assert_eq!(net.events.last().unwrap().1.revision, revision);
}
