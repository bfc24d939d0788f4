//! A room carries as many voices as it is set to, and a listener as many as the room and their lines
//! allow; both may change while people talk.

use std::time::Duration;

use stoa_core::{AudioSlots, Error, OfferError, RoomUpdate};
use stoa_sim::{ClientId, Net};

fn resize(net: &mut Net, slots: u32) {
    net.update_room(RoomUpdate {
        audio_slots: Some(AudioSlots::new(slots).unwrap()),
        ..Default::default()
    });
}

/// Who is heard in the second of two seconds in which all of these talk.
fn hears(net: &mut Net, speakers: &[(ClientId, u8)], listener: ClientId) -> Vec<ClientId> {
    net.speak(speakers, Duration::from_secs(1));
    let since = net.elapsed() + net.latency * 2;
    net.speak(speakers, Duration::from_secs(1));
    net.clients[listener].voices_since(since)
}

#[test]
fn more_and_fewer_while_people_talk() {
    let mut net = Net::new();
    resize(&mut net, 8);
    let ids: Vec<ClientId> = (0..8).map(|n| net.join(&format!("p{n}"), 1)).collect();
    // The later, the louder, by more than the ranking's margin.
    let levels = [58, 52, 46, 40, 33, 26, 19, 12];
    let speakers: Vec<_> = ids.iter().copied().zip(levels).collect();
    let (wide, narrow) = (net.join("wide", 8), net.join("narrow", 2));

    assert_eq!(hears(&mut net, &speakers, wide), ids);
    assert_eq!(hears(&mut net, &speakers, narrow), ids[6..]);
    let answer = net.clients[wide].answer.clone();
    resize(&mut net, 2);
    // Those who hold the two slots that are left stay for as long as nobody is clearly louder.
    net.speak(&speakers, Duration::from_secs(10));
    assert_eq!(hears(&mut net, &speakers, wide), ids[6..]);
    assert_eq!(hears(&mut net, &speakers, narrow), ids[6..]);
    resize(&mut net, 5);
    assert_eq!(hears(&mut net, &speakers, wide).len(), 5);
    assert_eq!(hears(&mut net, &speakers, narrow), ids[6..]);
    assert_eq!(net.clients[wide].answer, answer);
}

#[test]
fn an_offer_has_no_more_lines_than_the_room_slots() {
    let mut net = Net::new();
    resize(&mut net, 2);
    let refused = net.admit("room", "three-lines", 3).unwrap_err();
    let (offered, slots) = (3, 2);
    assert_eq!(
        refused,
        Error::Offer(OfferError::TooManyAudioLines { offered, slots })
    );
    resize(&mut net, 3);
    net.join("three-lines", 3);
}

#[test]
fn a_room_can_take_fewer_people_than_the_node_would() {
    let mut net = Net::new();
    net.join("first", 1);
    let update = |max| RoomUpdate {
        max_participants: Some(max),
        ..Default::default()
    };
    net.update_room(update(Some(1)));
    let refused = net.admit("room", "second", 1).unwrap_err();
    assert!(
        matches!(refused, Error::ParticipantLimit { limit: 1, .. }),
        "{refused}"
    );
    net.update_room(update(None));
    net.join("second", 1);
}
