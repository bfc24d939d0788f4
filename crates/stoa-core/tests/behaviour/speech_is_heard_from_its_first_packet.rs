//! Whoever begins to speak is heard at once where a slot is free, and after the ranking's next turn
//! where somebody else has to give way.

use std::time::Duration;

use stoa_core::limits::RANKING_INTERVAL;
use stoa_sim::{ClientId, FRAME, Net};

/// Longer than a silent speaker keeps a slot.
const SILENCE: Duration = Duration::from_secs(2);

/// How many of the next packets of a speaker the listener misses before the first that is heard.
fn missed_at_onset(
    net: &mut Net,
    speaker: ClientId,
    listener: ClientId,
    others: &[(ClientId, u8)],
) -> u32 {
    let next = net.clients[speaker].next_number();
    let before = net.clients[listener].heard.len();
    let mut all = others.to_vec();
    all.push((speaker, 12));
    net.speak(&all, Duration::from_millis(500));
    net.run_for(Duration::from_millis(50));
    let heard = net.clients[listener].heard[before..].iter();
    let first = heard
        .filter(|heard| heard.sender() == speaker)
        .map(|heard| heard.number())
        .min();
    first.expect("heard at all") - next
}

#[test]
fn from_silence_none_of_200_utterances_loses_its_first_packet() {
    let mut net = Net::new();
    let speakers = ["a", "b", "c", "d"].map(|name| net.join(name, 3));
    let listener = net.join("listener", 3);
    for utterance in 0..200 {
        let speaker = speakers[utterance % speakers.len()];
        assert_eq!(
            missed_at_onset(&mut net, speaker, listener, &[]),
            0,
            "utterance {utterance}"
        );
        net.run_for(SILENCE);
    }
}

#[test]
fn where_all_slots_are_taken_a_clear_voice_waits_for_one_turn_of_the_ranking() {
    let mut net = Net::new();
    let holders = ["a", "b", "c"].map(|name| net.join(name, 3));
    let newcomer = net.join("newcomer", 3);
    let listener = net.join("listener", 3);
    let talk = holders.map(|id| (id, 40));
    // The level has to rise above the others' first, which takes three packets at most.
    let stated = (RANKING_INTERVAL + 3 * FRAME).as_millis() / FRAME.as_millis();
    for utterance in 0..50 {
        // Until the holders have held their slots for longer than anybody may keep one.
        net.speak(&talk, Duration::from_secs(3));
        let missed = missed_at_onset(&mut net, newcomer, listener, &talk);
        assert!(
            u128::from(missed) <= stated,
            "utterance {utterance} lost {missed} packets"
        );
    }
}
