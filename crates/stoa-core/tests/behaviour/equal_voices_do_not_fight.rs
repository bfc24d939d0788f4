//! Two people who talk at the same level do not take the slot from each other.

use std::time::Duration;

use stoa_core::{AudioSlots, RoomUpdate};
use stoa_sim::{FRAME, Net};

#[test]
fn two_voices_of_equal_level_change_a_slot_at_most_once_in_a_minute() {
    let mut net = Net::new();
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(1),
        ..Default::default()
    });
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    let listener = net.join("listener", 1);
    // The same on average, and never the same at the same time: speech is not a tone.
    let wave = [24, 30, 36, 42, 48, 42, 36, 30];
    for frame in 0..Duration::from_secs(60).as_millis() / FRAME.as_millis() {
        let at = |shift: u128| wave[usize::try_from((frame + shift) / 3).unwrap() % wave.len()];
        net.say(ann, at(0));
        net.say(ben, at(12));
        net.run_for(FRAME);
    }
    let heard: Vec<_> = net.clients[listener]
        .heard
        .iter()
        .map(|heard| heard.sender())
        .collect();
    let changes = heard.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(heard.len() > 2_900, "{} packets", heard.len());
    assert!(changes <= 1, "{changes} changes");
}
