//! Whoever has not shown a valid ICE credential gets nothing from the node, not one byte, and is
//! counted by the reason; and what forged packets say of those who have is not believed.

use std::{net::SocketAddr, time::Duration};

use stoa_core::{DropReason, limits::MAX_DATAGRAM_BYTES};
use stoa_sim::{
    ClientId, Net,
    stun::{attribute, check, check_of, encode},
};
use str0m::ice::{StunMessage, StunMessageBuilder, TransId};

fn stranger() -> SocketAddr {
    "198.51.100.66:6666".parse().unwrap()
}

/// A room in which Ann and Ben are; and how a check of Ann would name her.
fn room_with_two() -> (Net, ClientId, ClientId, String) {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    let user = format!("{}:somebody", attribute(&net.clients[ann], "a=ice-ufrag:"));
    (net, ann, ben, user)
}

/// The datagram is dropped for this reason, nothing is sent to anybody, and nobody is disturbed.
fn is_dropped(net: &mut Net, from: SocketAddr, datagram: &[u8], reason: DropReason) {
    let counts = |net: &Net| DropReason::ALL.map(|reason| net.stats().dropped(reason));
    let mut expected = counts(net);
    expected[DropReason::ALL.iter().position(|&r| r == reason).unwrap()] += 1;
    let transmits = net.inject(from, datagram);
    assert!(transmits.is_empty(), "{transmits:?}");
    assert_eq!(counts(net), expected, "not counted as {}", reason.name());
}

fn both_hear_each_other(net: &mut Net, ann: ClientId, ben: ClientId) {
    net.forget_heard();
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_millis(500));
    net.run_for(Duration::from_millis(50));
    for client in [ann, ben] {
        assert_eq!(net.clients[client].heard.len(), 25);
    }
}

#[test]
fn what_is_not_stun() {
    let (mut net, ann, ben, _) = room_with_two();
    let client_hello = [[22, 254, 253].as_slice(), &[0; 120]].concat();
    let rtp = [[0x90, 111].as_slice(), &[7; 120]].concat();
    let rtcp = [[0x81, 201].as_slice(), &[0; 30]].concat();
    for datagram in [
        &[][..],
        &[255; 50],
        b"GET / HTTP/1.1\r\n",
        &client_hello,
        &rtp,
        &rtcp,
    ] {
        is_dropped(&mut net, stranger(), datagram, DropReason::UnknownAddress);
    }
    let long = vec![0; MAX_DATAGRAM_BYTES + 1];
    is_dropped(&mut net, stranger(), &long, DropReason::Oversized);
    both_hear_each_other(&mut net, ann, ben);
}

#[test]
fn stun_without_a_credential() {
    let (mut net, ann, ben, user) = room_with_two();
    let mut drops = |datagram: &[u8], reason| is_dropped(&mut net, stranger(), datagram, reason);
    drops(&[0], DropReason::Malformed);
    drops(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], DropReason::Malformed);
    drops(
        &check("nobody:somebody", "secret", true),
        DropReason::UnknownUfrag,
    );
    drops(&check("nobody", "secret", true), DropReason::Malformed);
    drops(
        &check(&user, "wrong password", true),
        DropReason::StunRefused,
    );
    // Without any integrity it is not even taken for STUN.
    let unsigned = StunMessage::binding_request(&user, TransId::new(), true, 1, 1, true);
    drops(&encode(unsigned, None), DropReason::Malformed);
    let response = StunMessage::binding_reply(TransId::new(), stranger());
    drops(&encode(response, Some("secret")), DropReason::UnknownUfrag);
    both_hear_each_other(&mut net, ann, ben);
}

#[test]
fn stun_that_is_not_a_check() {
    let (mut net, ann, ben, user) = room_with_two();
    let password = attribute(&net.clients[ann], "a=ice-pwd:").to_owned();
    // With a credential that holds: what a lite agent never asks for, it does not take.
    let indication = StunMessageBuilder::new()
        .binding()
        .indication()
        .username(&user)
        .build(TransId::new());
    let success = StunMessageBuilder::new()
        .binding()
        .success()
        .username(&user)
        .xor_mapped_address(stranger())
        .build(TransId::new());
    let allocate = StunMessageBuilder::new()
        .allocate()
        .request()
        .username(&user)
        .build(TransId::new());
    for message in [indication, success, allocate] {
        let datagram = encode(message, Some(&password));
        is_dropped(&mut net, stranger(), &datagram, DropReason::StunRefused);
    }
    // Nothing of it made the address known.
    is_dropped(
        &mut net,
        stranger(),
        &[0x80; 50],
        DropReason::UnknownAddress,
    );
    both_hear_each_other(&mut net, ann, ben);
}

#[test]
fn over_an_ip_version_without_candidate() {
    let (mut net, ann, _, user) = room_with_two();
    let password = attribute(&net.clients[ann], "a=ice-pwd:").to_owned();
    let from = "[2001:db8::66]:6666".parse().unwrap();
    let datagram = check(&user, &password, true);
    is_dropped(&mut net, from, &datagram, DropReason::NoCandidate);
}

#[test]
fn no_answer_is_larger_than_the_question() {
    let (mut net, ann, _, _) = room_with_two();
    // Somebody who knows Ann's credential and names her client, from another address.
    let datagram = check_of(&mut net.clients[ann], false);
    let transmits = net.inject(stranger(), &datagram);
    assert_eq!(transmits.len(), 1);
    assert_eq!(transmits[0].destination, stranger().into());
    assert!(transmits[0].contents.len() <= datagram.len());
    // And it is the only one until the next question.
    net.run_for(Duration::from_secs(20));
    assert!(!net.traffic[&stranger()].amplified);
}

#[test]
fn before_dtls_begins_only_checks_are_answered() {
    let mut net = Net::new();
    // Nothing of the client's DTLS arrives (RFC 7983, section 7).
    net.on_uplink(|_, datagram| match datagram[0] {
        20..=63 => stoa_sim::Fate::Lose,
        _ => stoa_sim::Fate::Deliver,
    });
    let ann = net.admit("room", "ann", 3).unwrap();
    net.run_for(Duration::from_secs(10));
    let traffic = net.traffic[&net.clients[ann].outer];
    assert!(traffic.bytes_out > 0 && !traffic.amplified, "{traffic:?}");
}

#[test]
fn forged_packets_from_a_known_address() {
    let (mut net, ann, ben, _) = room_with_two();
    let address = net.clients[ann].outer;
    let (before, handshake) = (net.stats(), [[22, 254, 253].as_slice(), &[0; 120]].concat());
    // A goodbye in the clear: DTLS 1.2 alert, epoch 0, warning, close_notify.
    let goodbye = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0];
    // RTCP BYE without encryption.
    let bye = [0x81, 203, 0, 1, 0, 0, 0, 1];
    let rtp = [[0x90, 111].as_slice(), &[7; 120]].concat();
    for datagram in [
        &goodbye[..],
        &bye,
        &handshake,
        &rtp,
        &[255; 50],
        &[20; 3],
        &[],
    ] {
        for _ in 0..3 {
            let transmits = net.inject(address, datagram);
            assert!(transmits.is_empty(), "{transmits:?}");
            net.run_for(Duration::from_millis(10));
        }
    }
    assert_eq!(net.stats().participants, before.participants);
    let malformed = net.stats().dropped(DropReason::Malformed);
    assert!(malformed >= before.dropped(DropReason::Malformed) + 3);
    both_hear_each_other(&mut net, ann, ben);
}
