//! A participant in music mode keeps their slot whatever the levels are, and asks for stereo.

use std::time::Duration;

use stoa_core::{AudioMode, AudioSlots, ParticipantChange, RoomUpdate};
use stoa_sim::{ClientId, Net};

fn set_mode(net: &mut Net, id: ClientId, mode: AudioMode) {
    net.change(
        id,
        ParticipantChange::Description {
            display_name: None,
            metadata: None,
            audio_mode: Some(mode),
        },
    );
}

/// A room with one slot, somebody who plays and somebody who talks, and a listener.
fn room() -> (Net, [ClientId; 3]) {
    let mut net = Net::new();
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(1),
        ..Default::default()
    });
    let all = ["plays", "talks", "listens"].map(|name| net.join(name, 1));
    (net, all)
}

#[test]
fn a_quiet_passage_is_heard_beside_a_loud_voice() {
    let (mut net, [plays, talks, listens]) = room();
    set_mode(&mut net, plays, AudioMode::Music);
    net.speak(&[(talks, 10)], Duration::from_secs(3));
    net.forget_heard();
    // It does not wait until the voice has had its time.
    net.speak(&[(plays, 80), (talks, 10)], Duration::from_secs(5));
    net.run_for(Duration::from_millis(50));
    let of = |who| {
        net.clients[listens]
            .heard
            .iter()
            .filter(|heard| heard.sender() == who)
            .count()
    };
    assert!(of(plays) >= 249, "{} packets of the music", of(plays));
    assert!(of(talks) <= 1, "{} packets of the voice", of(talks));
    // Whoever plays hears the voice.
    assert_eq!(net.clients[plays].voices(), [talks]);

    net.forget_heard();
    net.speak(&[(talks, 10)], Duration::from_secs(3));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[listens].voices(), [talks], "the music is over");
}

#[test]
fn speech_mode_takes_the_privilege_away_at_once() {
    let (mut net, [plays, talks, listens]) = room();
    set_mode(&mut net, plays, AudioMode::Music);
    net.speak(&[(plays, 50), (talks, 10)], Duration::from_secs(3));
    set_mode(&mut net, plays, AudioMode::Speech);
    net.speak(&[(plays, 50), (talks, 10)], Duration::from_secs(1));
    net.forget_heard();
    net.speak(&[(plays, 50), (talks, 10)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[listens].voices(), [talks]);
}
