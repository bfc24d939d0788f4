//! Two sessions shake hands; what each hears of the keys fits what the other does.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use str0m::{
    Candidate, Input, Output,
    change::SdpAnswer,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
};

use super::*;
use crate::seal::{RtcpOpener, RtcpSealer};

/// What a session wants to send, until it wants nothing but its next turn.
fn drain(rtc: &mut Rtc) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    loop {
        match rtc.poll_output().unwrap() {
            Output::Transmit(transmit) => datagrams.push(transmit.contents.to_vec()),
            Output::Event(_) => {}
            Output::Timeout(_) => return datagrams,
        }
    }
}

/// Two sessions say to each other what they have to, for two seconds.
fn talk(sessions: &mut [(Rtc, SocketAddr); 2], start: Instant) {
    let mut in_flight: [Vec<Vec<u8>>; 2] = Default::default();
    for tick in 0..200 {
        let now = start + tick * Duration::from_millis(10);
        for to in 0..2 {
            let source = sessions[1 - to].1;
            let (rtc, address) = &mut sessions[to];
            rtc.handle_input(Input::Timeout(now)).unwrap();
            let mut sent = drain(rtc);
            for datagram in std::mem::take(&mut in_flight[to]) {
                let receive = Receive::new(Protocol::Udp, source, *address, &datagram).unwrap();
                rtc.handle_input(Input::Receive(now, receive)).unwrap();
                sent.extend(drain(rtc));
            }
            in_flight[1 - to].extend(sent);
        }
    }
}

fn session(now: Instant, port: u16) -> (Rtc, SocketAddr, PendingKeys) {
    let config = RtcConfig::new()
        .set_crypto_provider(Arc::new(crypto()))
        .set_rtp_mode(true);
    let (mut rtc, keys) = build(config, now);
    let address = SocketAddr::from(([10, 0, 0, 1], port));
    rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
    (rtc, address, keys)
}

#[test]
fn both_sides_hear_the_same_keys() {
    let now = Instant::now();
    let (mut left, left_address, mut left_keys) = session(now, 1);
    let (mut right, right_address, mut right_keys) = session(now, 2);
    assert!(left_keys.take().is_none(), "before the handshake");

    let mut changes = left.sdp_api();
    changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
    let (offer, pending) = changes.apply().unwrap();
    let answer = right.sdp_api().accept_offer(offer).unwrap();
    let answer = SdpAnswer::from_sdp_string(&answer.to_sdp_string()).unwrap();
    left.sdp_api().accept_answer(pending, answer).unwrap();
    let mut sessions = [(left, left_address), (right, right_address)];
    talk(&mut sessions, now);

    let (left, right) = (left_keys.take().unwrap(), right_keys.take().unwrap());
    assert!(left_keys.take().is_none(), "once");
    for (local, remote) in [(&left.local, &right.remote), (&right.local, &left.remote)] {
        let mut packet = vec![0; 28];
        RtcpSealer::new(local).unwrap().seal(&mut packet).unwrap();
        let mut plain = Vec::new();
        let mut opener = RtcpOpener::new(remote).unwrap();
        opener.open(&packet, &mut plain).unwrap();
        assert_eq!(plain, [0; 28]);
    }
}

#[test]
fn nothing_is_left_behind() {
    let now = Instant::now();
    let (_rtc, mut keys) = build(RtcConfig::new(), now);
    assert!(HAND_OVER.take().is_none());
    assert!(keys.take().is_none());
    // A session that is not built here has no ear.
    let config = RtcConfig::new().set_crypto_provider(Arc::new(crypto()));
    drop(config.build(now));
    assert!(HAND_OVER.take().is_none());
}
