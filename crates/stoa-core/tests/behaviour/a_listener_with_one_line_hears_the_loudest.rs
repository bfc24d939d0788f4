//! A listener hears as many voices as they have lines: with one line the loudest of the others,
//! with two the two loudest.

use std::time::Duration;

use stoa_sim::Net;

#[test]
fn as_many_voices_as_lines() {
    let mut net = Net::new();
    let quiet = net.join("quiet", 1);
    let middle = net.join("middle", 1);
    let loud = net.join("loud", 1);
    let one = net.join("one-line", 1);
    let two = net.join("two-lines", 2);
    let three = net.join("three-lines", 3);
    let speakers = [(quiet, 50), (middle, 35), (loud, 20)];
    net.speak(&speakers, Duration::from_secs(5));
    let settled = net.elapsed() + Duration::from_millis(20);
    net.speak(&speakers, Duration::from_secs(1));

    let hears = |client: usize| net.clients[client].voices_since(settled);
    assert_eq!(hears(one), [loud]);
    assert_eq!(hears(two), [middle, loud]);
    assert_eq!(hears(three), [quiet, middle, loud]);
    // The loudest has one line, and does not hear themselves on it.
    assert_eq!(hears(loud), [middle]);
    assert_eq!(hears(middle), [loud]);
    assert_eq!(hears(quiet), [loud]);
}

#[test]
fn the_slot_goes_to_whoever_is_clearly_louder() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    let listener = net.join("listener", 1);
    net.speak(&[(ann, 40)], Duration::from_secs(2));
    // As loud as Ann: no reason to change.
    net.speak(&[(ann, 40), (ben, 38)], Duration::from_secs(3));
    assert_eq!(net.clients[listener].voices(), [ann]);
    net.speak(&[(ann, 40), (ben, 20)], Duration::from_secs(1));
    assert_eq!(net.clients[listener].voices(), [ann, ben]);
}
