//! What a worker is told to do.

use std::{sync::mpsc, time::Instant};

use super::Worker;
use crate::mailbox::Command;

/// Commands in a turn.
const COMMANDS_PER_TURN: usize = 16;

/// What one turn's commands came to.
#[derive(Debug, Default)]
pub(super) struct Handled {
    pub(super) any: bool,
    pub(super) commands_wait: bool,
    pub(super) shut_down: bool,
}

impl Worker {
    /// Whether commands are taken: not while something has to leave first.
    pub(super) fn may_obey(&self) -> bool {
        !self.is_blocked() && !self.is_behind() && !self.held.is_full()
    }

    /// Does what it is told, unless what was done before has yet to leave.
    pub(super) fn obey(&mut self) -> Handled {
        let mut handled = Handled {
            commands_wait: true,
            ..Handled::default()
        };
        if !self.may_obey() {
            return handled;
        }
        for _ in 0..COMMANDS_PER_TURN {
            match self.commands.try_recv() {
                Ok(Command::ShutDown) | Err(mpsc::TryRecvError::Disconnected) => {
                    self.node.shut_down(Instant::now());
                    handled.shut_down = true;
                    return handled;
                }
                Ok(command) => {
                    handled.any = true;
                    self.handle(command);
                }
                Err(mpsc::TryRecvError::Empty) => {
                    handled.commands_wait = false;
                    return handled;
                }
            }
        }
        handled
    }

    fn handle(&mut self, command: Command) {
        let now = Instant::now();
        let Self {
            node,
            held,
            ways,
            tcp,
            ..
        } = self;
        // Whoever asked may have gone meanwhile; that is theirs to know.
        match command {
            Command::CreateRoom {
                room,
                settings,
                reply,
            } => drop(reply.send(node.create_room(now, room, settings))),
            Command::UpdateRoom {
                room,
                update,
                reply,
            } => held.answer(
                (ways, tcp.as_mut()),
                reply,
                node.update_room(now, &room, update),
            ),
            Command::ChangeParticipant {
                target,
                change,
                reply,
            } => {
                let session = target.session.as_ref();
                let (room, who) = (&target.room, &target.participant);
                let changed = node.change_participant(now, room, who, session, change);
                held.answer((ways, tcp.as_mut()), reply, changed);
            }
            Command::CloseRoom { room, reply } => {
                held.answer((ways, tcp.as_mut()), reply, node.close_room(now, &room));
            }
            Command::Admit {
                join,
                prepared,
                reply,
            } => {
                // Nobody waits for the answer any more, so nobody would ever use it.
                if reply.is_closed() {
                    node.turn_away(prepared);
                } else {
                    let admitted = node.admit(now, *join, prepared);
                    drop(reply.send(admitted.map_err(Into::into)));
                }
            }
            Command::AddIceCandidate {
                target,
                candidate,
                reply,
            } => {
                let session = target.session.as_ref();
                let (room, who) = (&target.room, &target.participant);
                drop(reply.send(node.add_ice_candidate(now, room, who, session, &candidate)));
            }
            Command::SeatOf { target, reply } => {
                let session = target.session.as_ref();
                let found = node.seat_of(&target.room, &target.participant, session);
                drop(reply.send(found));
            }
            Command::RestartIce { seat, offer, reply } => {
                // Nobody would tell the client of the answer.
                if !reply.is_closed() {
                    drop(reply.send(node.restart_ice(now, seat, &offer)));
                }
            }
            Command::RemoveParticipant {
                target,
                reason,
                reply,
            } => {
                let session = target.session.as_ref();
                let (room, who) = (&target.room, &target.participant);
                let removed = node.remove_participant(now, room, who, session, reason);
                held.answer((ways, tcp.as_mut()), reply, removed);
            }
            Command::InspectRoom { room, reply } => {
                drop(reply.send(node.inspect_room(now, &room)));
            }
            Command::InspectSeats { seats, reply } => {
                drop(reply.send(node.inspect_seats(now, &seats)));
            }
            Command::Snapshots { reply } => drop(reply.send(node.snapshots())),
            Command::ShutDown => {}
        }
    }
}
