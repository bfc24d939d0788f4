//! Looking into a house.

use stoa_core::{Fill, Lobby, LobbyStats, Node, Stats};

use super::{House, LOBBY_SESSIONS};

impl House {
    /// What all nodes have counted.
    pub fn stats(&self) -> Stats {
        self.nodes.iter().map(Node::stats).sum()
    }

    /// How full everything is that has a limit, of all nodes and of the lobby.
    pub fn fill(&self) -> Vec<Fill> {
        let lobby = self.lobby.as_ref().map(|lobby| Fill {
            what: "sessions in the lobby",
            count: lobby.stats().sessions,
            limit: LOBBY_SESSIONS,
        });
        self.nodes
            .iter()
            .flat_map(Node::fill)
            .chain(lobby)
            .collect()
    }

    /// What the lobby has counted; nothing at all where there is none.
    pub fn lobby_stats(&self) -> LobbyStats {
        self.lobby
            .as_ref()
            .map_or_else(LobbyStats::default, Lobby::stats)
    }

    /// How much is on its way between the nodes and the lobby.
    pub fn letters(&self) -> usize {
        self.post.count()
    }
}
