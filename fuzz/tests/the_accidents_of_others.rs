//! What has happened to others does not happen here: one test for each accident, named after it.
//!
//! docs/accidents.md has them all, with where it was told, what keeps it from happening here, and whether the
//! test was seen to fail without that.

use std::{net::SocketAddr, time::Duration};

use stoa_core::{DropReason, Transmit, fuzz};
use stoa_fuzz::{
    find,
    scene::{self, Person, Scene},
};

/// How much of memory may be held for somebody who only begins a handshake, in bytes.
const MOST_HELD: u64 = 256 * 1024;

fn spoof() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 99], 9999))
}

/// The client's next datagrams of DTLS, once ICE is done.
fn hello_of(scene: &mut Scene, client: &mut Person) -> Vec<u8> {
    loop {
        scene.now += Duration::from_millis(5);
        for datagram in client.say(scene.now) {
            if matches!(datagram[..], [22, ..]) {
                return datagram;
            }
            for sent in scene.inject(client.address, &datagram) {
                client.receive(scene.now, &sent.contents);
            }
        }
    }
}

fn newcomer(scene: &mut Scene) -> (Person, stoa_core::ParticipantId) {
    let mut client = Person::new(scene.now, SocketAddr::from(([203, 0, 113, 9], 9000)));
    let (guest, joined) = scene.let_in(&client.offer()).expect("a good offer");
    client.accept(scene.now, "guest", &joined);
    (client, guest)
}

/// A ClientHello that offers nothing but `TLS_NULL_WITH_NULL_NULL`, of any that is real.
fn null_hello(mut hello: Vec<u8>) -> Vec<u8> {
    // Record and message headers, version, random; then session and cookie with their lengths.
    let mut at = 13 + 12 + 2 + 32;
    at += 1 + usize::from(hello[at]);
    at += 1 + usize::from(hello[at]);
    let suites = usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
    hello[at + 2..at + 2 + suites].fill(0);
    hello
}

/// CVE-2023-51443 (FreeSWITCH), and the same in Asterisk and RTPEngine: whoever was faster than the caller with a
/// ClientHello without a usable cipher, from anywhere, ended the call.
#[test]
fn dtls_client_hello_race() {
    scene::with(|scene| {
        let (mut client, guest) = newcomer(scene);
        let hello = hello_of(scene, &mut client);
        let before = scene.stats().dropped(DropReason::UnknownAddress);
        for port in 1..=500 {
            let from = SocketAddr::from(([198, 51, 100, 99], port));
            assert!(scene.inject(from, &null_hello(hello.clone())).is_empty());
        }
        let dropped = scene.stats().dropped(DropReason::UnknownAddress) - before;
        assert_eq!(dropped, 500);
        // And the caller connects as if nothing had been.
        let mut flight = vec![hello];
        for _ in 0..100 {
            for datagram in flight.drain(..) {
                for sent in scene.inject(client.address, &datagram) {
                    client.receive(scene.now, &sent.contents);
                }
            }
            scene.now += Duration::from_millis(5);
            flight = client.say(scene.now);
        }
        assert!(client.is_connected());
        scene.let_out(&guest);
        scene.others_hear_each_other();
    });
}

/// RTP bleed, CVE-2017-14099 (Asterisk, AST-2017-005 and AST-2017-008; RTPproxy and others): a media server sent
/// the call to whoever sent it any RTP.
#[test]
fn media_from_an_address_that_never_authenticated() {
    scene::with(|scene| {
        scene.pass(Duration::from_millis(20));
        scene.ann.speak(scene.now);
        let voice = scene.ann.say(scene.now);
        let before = scene.ben.heard;
        for datagram in &voice {
            for _ in 0..50 {
                assert!(scene.inject(spoof(), datagram).is_empty());
            }
        }
        assert_eq!(scene.ben.heard, before, "Ben hears what nobody sent him");
        assert!(!scene.node.is_known(spoof().into()));
        // What was meant for Ann goes to Ann.
        for _ in 0..20 {
            scene.liar_speaks();
            let sent = scene.sent_in(Duration::from_millis(20));
            let is_for_spoof = |sent: &&Transmit| sent.destination == spoof().into();
            assert_eq!(sent.iter().filter(is_for_spoof).count(), 0);
        }
        scene.others_hear_each_other();
    });
}

/// A packet whose tag is wrong, cut off or missing, or that came before: from the address of somebody who is known,
/// which anybody can write on a datagram. (CVE-2015-6360: libSRTP believed the lengths in a header.)
#[test]
fn bad_srtp_tags() {
    scene::with(|scene| {
        scene.others_hear_each_other();
        scene.ann.speak(scene.now);
        let voice = scene.ann.say(scene.now);
        let from = scene.ann.address;
        let good = voice.iter().find(|datagram| datagram[0] & 0xc0 == 0x80);
        let good = good.expect("a packet").clone();
        let (heard, refused) = (scene.ben.heard, scene.stats());
        let mut bad: Vec<Vec<u8>> = (0..good.len())
            .map(|length| good[..length].to_vec())
            .collect();
        bad.extend((2..good.len()).map(|at| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        }));
        for datagram in &bad {
            let sent = scene.inject(from, datagram);
            assert!(sent.is_empty(), "{datagram:?}");
        }
        assert_eq!(scene.ben.heard, heard, "Ben hears what Ann has not said");
        let refusals = scene.stats().dropped(DropReason::RtpRefused);
        assert!(refusals >= refused.dropped(DropReason::RtpRefused) + good.len() as u64);
        // The good one is as good as before, once.
        scene.inject(from, &good);
        assert_eq!(scene.ben.heard, heard + 1);
        scene.inject(from, &good);
        assert_eq!(scene.ben.heard, heard + 1, "the same packet is heard twice");
        scene.others_hear_each_other();
    });
}

/// GHSA-f26w-gh5m-qq77 (Pion, which panicked), str0m (its change 212; it panicked, too): padding that is longer than what it
/// is to pad.
#[test]
fn padding_larger_than_the_packet() {
    let rtp = find("rtp").expect("a target").run;
    for length in 0..=8 {
        for padding in [0, 1, 4, 5, 8, 9, 100, 255] {
            let header = [0, 0xa0, 111, 0, 0, 0, 0, 3, 192, 0, 0, 0, 1];
            let mut payload = vec![0x55; length];
            if let Some(last) = payload.last_mut() {
                *last = padding;
            }
            // With a valid tag. Ann and Ben hear each other, or it panics.
            rtp(&[&header[..], &payload].concat());
        }
    }
    let rtcp = find("rtcp").expect("a target").run;
    for padding in [0, 4, 8, 12, 255] {
        rtcp(&[0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, padding]);
    }
}

/// CVE-2022-29189 (Pion DTLS): fragments of handshake messages that are never whole were kept, however many there were.
#[test]
fn dtls_fragment_hoarding() {
    scene::with(|scene| {
        let (mut client, guest) = newcomer(scene);
        hello_of(scene, &mut client);
        let held = allocation_counter::measure(|| {
            for number in 0..5_000 {
                let fragment = fragment(number);
                let answer = scene.inject(client.address, &fragment);
                assert!(answer.is_empty(), "nothing is whole");
            }
        });
        let held = held.bytes_current;
        assert!(held < MOST_HELD as i64, "{held} bytes are held");
        scene.let_out(&guest);
        scene.others_hear_each_other();
    });
}

/// A piece of 1 KiB of a message of nearly 16 MiB (RFC 6347, section 4.2.2), each from another place in another record.
fn fragment(number: u32) -> Vec<u8> {
    let message = (number % 8) as u16;
    let mut handshake = vec![11];
    handshake.extend(&0xff_ff_ff_u32.to_be_bytes()[1..]);
    handshake.extend(message.to_be_bytes());
    handshake.extend(&(number * 1_024).to_be_bytes()[1..]);
    handshake.extend(&1_024_u32.to_be_bytes()[1..]);
    handshake.extend([number as u8; 1_024]);
    let mut record = vec![22, 254, 253, 0, 0];
    record.extend(&u64::from(number + 10).to_be_bytes()[2..]);
    record.extend((handshake.len() as u16).to_be_bytes());
    record.extend(handshake);
    record
}

/// CVE-2019-20786 (Pion DTLS): data that was not encrypted was taken as if it had been. And what is said in the clear ends
/// nothing either.
#[test]
fn data_in_epoch_0() {
    scene::with(|scene| {
        let record = |kind: u8, sequence: u8, data: &[u8]| {
            let head = [
                kind,
                254,
                253,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                sequence,
                0,
                data.len() as u8,
            ];
            [&head[..], data].concat()
        };
        let (from, before) = (scene.ann.address, scene.stats());
        for sequence in 0..100 {
            for datagram in [
                record(23, sequence, b"hello"),
                // close_notify, and a fatal alert.
                record(21, sequence, &[1, 0]),
                record(21, sequence, &[2, 40]),
                record(20, sequence, &[1]),
            ] {
                assert!(scene.inject(from, &datagram).is_empty());
            }
        }
        scene.pass(Duration::from_secs(2));
        assert_eq!(scene.stats().participants, before.participants);
        scene.others_hear_each_other();
    });
}

/// CVE-2026-40613 (coturn) and many before it: the lengths and kinds of attributes were believed before anybody had
/// shown a credential.
#[test]
fn malformed_stun_attributes() {
    let run = find("stun").expect("a target").run;
    let datagram = find("datagram").expect("a target").run;
    // Each kind that there is and some that there are not, with each length but its own.
    for kind in (0..=0x30).chain(0x8020..=0x8030).chain([0xc057, 0xffff]) {
        for length in [0_u16, 1, 3, 4, 5, 8, 20, 255, 0xfffc, 0xffff] {
            let kind: u16 = kind;
            let attribute = [kind.to_be_bytes(), length.to_be_bytes(), [1, 1], [2, 2]].concat();
            // With a valid integrity, from a new address; and of nobody.
            run(&[&[1, 1][..], &attribute].concat());
            let head = [0, 0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42];
            datagram(&[&head[..], b"transaction!", &attribute].concat());
        }
    }
}

/// The parsers' own property for what is not a packet at all, so that the file says it once: RED is refused where its
/// blocks are longer than it (as CVE-2015-6360 was of extensions).
#[test]
fn blocks_longer_than_the_packet() {
    for length in 0..=1_023_u16 {
        let [high, low] = length.to_be_bytes();
        let payload = [0x80 | 111, 0, high & 3, low, 111, 1, 2, 3];
        let primary = fuzz::primary_of_red(&payload, 111);
        assert_eq!(primary.is_some(), length <= 3, "{length}");
    }
}
