//! Nobody hears themselves, however many talk: everybody hears the three loudest of the others.

use std::time::Duration;

use stoa_sim::{ClientId, Net, oracle};

/// Levels that differ by more than the ranking's margin, quietest first: whoever comes first is the
/// one who has to give way.
const LEVELS: [u8; 6] = [58, 50, 42, 34, 26, 18];

fn loudest_others(speakers: &[(ClientId, u8)], listener: ClientId, slots: usize) -> Vec<ClientId> {
    let mut others = speakers.to_vec();
    others.retain(|&(id, _)| id != listener);
    others.sort_by_key(|&(_, level)| level);
    others.truncate(slots);
    let mut ids: Vec<_> = others.into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids
}

fn everybody_hears_the_loudest_others(speakers: usize) {
    let mut net = Net::new();
    let speakers: Vec<(ClientId, u8)> = (0..speakers)
        .map(|n| (net.join(&format!("speaker-{n}"), 3), LEVELS[n]))
        .collect();
    let listener = net.join("listener", 3);
    net.speak(&speakers, Duration::from_secs(6));
    let settled = net.elapsed();
    net.speak(&speakers, Duration::from_secs(2));
    net.run_for(Duration::from_millis(100));

    oracle::assert_holds(&net);
    for client in 0..=listener {
        let expected = loudest_others(&speakers, client, 3);
        let since = net.clients[client].voices_since(settled + Duration::from_millis(20));
        assert_eq!(since, expected, "heard by {client} in the end");
        // And all of what they said: no voice comes and goes.
        for &speaker in &expected {
            let heard = net.clients[client].heard.iter();
            let packets =
                heard.filter(|h| h.at > settled + net.latency * 2 && h.sender() == speaker);
            assert_eq!(packets.count(), 99, "packets of {speaker} at {client}");
        }
    }
}

#[test]
fn two_speakers() {
    everybody_hears_the_loudest_others(2);
}

#[test]
fn three_speakers() {
    everybody_hears_the_loudest_others(3);
}

#[test]
fn four_speakers() {
    everybody_hears_the_loudest_others(4);
}

#[test]
fn six_speakers() {
    everybody_hears_the_loudest_others(6);
}
