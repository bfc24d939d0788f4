//! How many participants there are, by what they are.

use stoa_api::v1::{ConnectionState, Participant, Role};

use super::Directory;

const ROLES: [(Role, &str); 3] = [
    (Role::Listener, "listener"),
    (Role::Speaker, "speaker"),
    (Role::Moderator, "moderator"),
];

const STATES: [(ConnectionState, &str); 3] = [
    (ConnectionState::Connecting, "connecting"),
    (ConnectionState::Connected, "connected"),
    (ConnectionState::Reconnecting, "reconnecting"),
];

/// How many participants there are on the node, by role and state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headcount([[usize; STATES.len()]; ROLES.len()]);

impl Headcount {
    /// Every role and state, by the names that metrics have for them, with how many there are.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, usize)> {
        ROLES.iter().zip(self.0).flat_map(|((_, role), counts)| {
            let states = STATES.iter().zip(counts);
            states.map(|((_, state), count)| (*role, *state, count))
        })
    }

    /// Counts somebody.
    pub(super) fn count(&mut self, participant: &Participant) {
        let role = ROLES
            .iter()
            .position(|(role, _)| *role == participant.role());
        let state = STATES
            .iter()
            .position(|(state, _)| *state == participant.state());
        if let (Some(role), Some(state)) = (role, state) {
            self.0[role][state] += 1;
        }
    }
}

impl Directory {
    /// Counts everybody.
    pub(crate) fn headcount(&self) -> Headcount {
        // Room by room, so that nobody waits for all of it.
        let rooms: Vec<_> = self.inner().rooms.values().cloned().collect();
        let mut headcount = Headcount::default();
        for room in rooms {
            room.count_into(&mut headcount);
        }
        headcount
    }
}
