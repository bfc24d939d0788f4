//! A client says itself how loud it is. One that claims the loudest level for ever holds a slot only as
//! long as nobody else wants it, and everybody sees that.

use std::time::Duration;

use stoa_core::{AudioSlots, RoomEventKind, RoomUpdate};
use stoa_sim::{ClientId, FRAME, Net};

fn is_distrusted(net: &Net, id: ClientId) -> bool {
    let participants = net.snapshot("room").participants;
    let info = participants
        .iter()
        .find(|info| info.participant == net.clients[id].id);
    info.unwrap().level_distrusted
}

/// Speech as it is: half a second of words, and a breath.
fn speak_naturally(net: &mut Net, liars: &[ClientId], speaker: ClientId, duration: Duration) {
    let frames = duration.as_millis() / FRAME.as_millis();
    for frame in 0..frames {
        liars.iter().for_each(|&id| net.say(id, 0));
        let level = match frame % 30 {
            0..23 => 30,
            _ => 75,
        };
        net.say(speaker, level);
        net.run_for(FRAME);
    }
}

#[test]
fn whoever_is_loud_without_a_breath_gives_way_to_voices() {
    let mut net = Net::new();
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(1),
        ..Default::default()
    });
    let [liar, honest, listener] = ["liar", "honest", "listener"].map(|name| net.join(name, 1));
    speak_naturally(&mut net, &[liar], honest, Duration::from_secs(25));
    assert!(is_distrusted(&net, liar) && !is_distrusted(&net, honest));
    net.forget_heard();
    speak_naturally(&mut net, &[liar], honest, Duration::from_secs(60));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[listener].voices(), [honest]);

    // Where nobody else talks, nothing is taken from anybody.
    net.speak(&[(liar, 0)], Duration::from_secs(3));
    net.forget_heard();
    net.speak(&[(liar, 0)], Duration::from_secs(1));
    assert_eq!(net.clients[listener].voices(), [liar]);

    // A pause makes good, and is told.
    net.run_for(Duration::from_secs(3));
    assert!(!is_distrusted(&net, liar));
    let told = net
        .events
        .iter()
        .filter_map(|(_, event)| match &event.kind {
            RoomEventKind::Updated(info) if info.participant == net.clients[liar].id => {
                Some(info.level_distrusted)
            }
            _ => None,
        });
    // Other things are told of them as well, with what is known of their levels.
    let mut told: Vec<_> = told.collect();
    told.dedup();
    assert_eq!(told.iter().filter(|distrusted| **distrusted).count(), 1);
    assert_eq!(told.last(), Some(&false));
}

#[test]
fn three_liars_leave_a_voice_its_slot() {
    let mut net = Net::new();
    let liars = ["x", "y", "z"].map(|name| net.join(name, 3));
    let (honest, listener) = (net.join("honest", 3), net.join("listener", 3));
    speak_naturally(&mut net, &liars, honest, Duration::from_secs(25));
    net.forget_heard();
    speak_naturally(&mut net, &liars, honest, Duration::from_secs(30));
    net.run_for(Duration::from_millis(50));
    let heard = net.clients[listener].heard.iter();
    let of_honest = heard.filter(|heard| heard.sender() == honest).count();
    assert!(of_honest >= 1_490, "{of_honest} of 1,500 packets");
}

/// A level on a packet that says that there is nothing to hear (RFC 7587, section 3.1.3) is a lie, too;
/// `stage/level.rs` has its test. Whoever is muted in the middle of a lie is clean afterwards.
#[test]
fn a_mute_ends_the_distrust() {
    let mut net = Net::new();
    let liar = net.join("liar", 1);
    net.join("listener", 1);
    net.speak(&[(liar, 0)], Duration::from_secs(25));
    assert!(is_distrusted(&net, liar));
    net.set_muted(liar, stoa_core::MuteSource::Moderator, true);
    assert!(!is_distrusted(&net, liar));
}
