//! DTLS records of somebody who has shown a valid ICE credential and nothing else.
//!
//! The first byte says how much of the handshake is done as it should be before. Nobody else notices, what the node
//! sends is bounded by what it was sent, and whoever is thrown out leaves nothing behind.

use std::{net::SocketAddr, time::Duration};

use crate::{
    input::Input,
    scene::{self, Person, Scene},
};

/// What a handshake's longest flight has at most: certificate, key exchange and all that belongs to it.
const FLIGHT_BYTES: usize = 6_000;

/// How many records of an input are sent.
const MOST_RECORDS: usize = 32;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let honest = usize::from(input.byte() % 4);
    scene::with(|scene| {
        let address = SocketAddr::from(([203, 0, 113, 9], 9000));
        let mut client = Person::new(scene.now, address);
        let (guest, joined) = scene.let_in(&client.offer()).expect("a good offer");
        client.accept(scene.now, "guest", &joined);
        shake_hands(scene, &mut client, honest);
        for _ in 0..MOST_RECORDS {
            let Some(record) = input.piece() else {
                break;
            };
            let sent = scene.inject(address, record);
            let bytes: usize = sent.iter().map(|transmit| transmit.contents.len()).sum();
            assert!(bytes <= FLIGHT_BYTES, "{bytes} bytes for one record");
            let is_theirs = |to| to == address.into();
            assert!(sent.iter().all(|sent| is_theirs(sent.destination)));
        }
        // Retransmissions and whatever else waits.
        scene.pass(Duration::from_millis(1_100));
        scene.others_hear_each_other();
        scene.let_out(&guest);
    });
}

/// ICE, and so many datagrams of DTLS.
fn shake_hands(scene: &mut Scene, client: &mut Person, mut honest: usize) {
    for _ in 0..20 {
        scene.now += Duration::from_millis(5);
        for datagram in client.say(scene.now) {
            let is_dtls = matches!(datagram[..], [20..=63, ..]);
            if is_dtls && honest == 0 {
                return;
            }
            honest -= usize::from(is_dtls);
            for sent in scene.inject(client.address, &datagram) {
                client.receive(scene.now, &sent.contents);
            }
        }
    }
}

/// The first datagram of a real handshake, for the corpus.
pub(crate) fn client_hello() -> Vec<u8> {
    scene::with(|scene| {
        let address = SocketAddr::from(([203, 0, 113, 9], 9000));
        let mut client = Person::new(scene.now, address);
        let (guest, joined) = scene.let_in(&client.offer()).expect("a good offer");
        client.accept(scene.now, "guest", &joined);
        let mut hello = Vec::new();
        while hello.is_empty() {
            scene.now += Duration::from_millis(5);
            for datagram in client.say(scene.now) {
                if matches!(datagram[..], [22, ..]) {
                    hello = datagram;
                    break;
                }
                for sent in scene.inject(client.address, &datagram) {
                    client.receive(scene.now, &sent.contents);
                }
            }
        }
        scene.let_out(&guest);
        hello
    })
}
