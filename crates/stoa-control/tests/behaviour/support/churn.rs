//! A signalling service that never rests: rooms and participants come, change and go.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use stoa_api::v1::*;
use tokio::task::JoinHandle;

use super::{Rig, Rooms, Wire, create_request, join_request};

/// Calls until it is told to stop.
pub struct Churn {
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Churn {
    /// Changes these rooms; with `with_rooms` it also creates and closes them.
    pub fn begin(rig: &Rig, wire: Wire, names: &'static [&'static str], with_rooms: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (until, mut rooms) = (Arc::clone(&stop), rig.rooms(wire));
        let media = Arc::clone(&rig.media);
        let task = tokio::spawn(async move {
            for turn in 0.. {
                if until.load(Ordering::Relaxed) {
                    break;
                }
                let room = names[turn % names.len()];
                let who = format!("p{}", turn % 7);
                // Whatever is refused, because the one or the other is or is not there, changes nothing.
                match turn % 5 {
                    0 | 1 => {
                        let joined = rooms.join(join_request(room, &who)).await;
                        if joined.is_ok() {
                            media.connect(room, &who);
                            media.speak(room, &who, 20);
                        }
                    }
                    2 => change(&mut rooms, room, &who).await,
                    3 => remove(&mut rooms, room, &who).await,
                    _ if with_rooms && turn % 3 == 0 => {
                        let close = CloseRoomRequest {
                            room_id: room.into(),
                        };
                        if rooms.close_room(close).await.is_err() {
                            let _exists = rooms.create_room(create_request(room, "")).await;
                        }
                    }
                    _ => {}
                }
            }
            for room in names {
                all_are_shown(&mut rooms, room).await;
            }
        });
        Self { stop, task }
    }

    /// Stops it, and waits until everything that it did is shown to callers.
    pub async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("no panic");
    }
}

/// Waits until whoever is in the room is shown as connected: calls are answered when others can see what they did,
/// but that somebody connects is nobody's call.
async fn all_are_shown(rooms: &mut Rooms, room: &str) {
    let request = GetRoomRequest {
        room_id: room.into(),
    };
    while let Ok(shown) = rooms.get_room(request.clone()).await {
        let connected = ConnectionState::Connected;
        let mut participants = shown.into_inner().participants.into_iter();
        if participants.all(|participant| participant.state() == connected) {
            break;
        }
    }
}

async fn change(rooms: &mut Rooms, room: &str, who: &str) {
    for role in [Role::Speaker, Role::Listener] {
        let request = SetRoleRequest {
            room_id: room.into(),
            participant_id: who.into(),
            session_id: String::new(),
            role: role.into(),
        };
        let _not_there = rooms.set_role(request).await;
    }
}

async fn remove(rooms: &mut Rooms, room: &str, who: &str) {
    let request = RemoveParticipantRequest {
        room_id: room.into(),
        participant_id: who.into(),
        session_id: String::new(),
    };
    let _not_there = rooms.remove_participant(request).await;
}
