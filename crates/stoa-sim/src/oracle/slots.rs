//! How many voices a listener hears at one time.

use std::collections::BTreeMap;

use super::{Rule, Violation};
use crate::{
    ClientId, FRAME,
    history::{History, Packet},
};

/// [`Rule::Slots`]: in no frame's time packets leave for more lines of a listener than the room has
/// slots. A line carries one voice after the other: if it carried two at a time, its times would run
/// ahead of the wall clock.
pub fn no_more_voices_than_slots(history: &History) -> Vec<Violation> {
    let mut by_listener: BTreeMap<ClientId, Vec<&Packet>> = BTreeMap::new();
    for packet in &history.heard {
        by_listener.entry(packet.listener).or_default().push(packet);
    }
    let mut violations = Vec::new();
    for (listener, mut packets) in by_listener {
        packets.sort_by_key(|packet| packet.datagram);
        violations.extend(most_at_once(history, listener, &packets));
    }
    violations
}

/// The first violation, if there is one: as a rule it goes on for a while.
fn most_at_once(history: &History, listener: ClientId, packets: &[&Packet]) -> Option<Violation> {
    let room = &history.members.get(listener)?.room;
    let slots = |packet: &Packet| {
        let timeline = history.slots.get(room)?;
        timeline.when_sent(packet.datagram).copied()
    };
    let mut first = 0;
    for (index, last) in packets.iter().enumerate() {
        while packets[first].left + FRAME <= last.left {
            first += 1;
        }
        let at_once = &packets[first..=index];
        let mut lines: Vec<usize> = at_once.iter().map(|packet| packet.line).collect();
        lines.sort_unstable();
        lines.dedup();
        // What was sent before the room got fewer is right.
        let allowed = at_once.iter().filter_map(|packet| slots(packet)).max();
        let allowed = allowed.unwrap_or(0);
        if lines.len() > allowed {
            return Some(Violation {
                rule: Rule::Slots,
                at: last.left,
                what: format!(
                    "client {listener} hears lines {lines:?} at one time, in a room of {allowed} \
                     slots"
                ),
            });
        }
    }
    None
}
