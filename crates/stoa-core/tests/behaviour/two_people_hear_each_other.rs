//! Two people in a room hear each other: every packet, in order, unchanged, with the level and the
//! opinion on voice that the speaker's client gave it.

use std::time::Duration;

use stoa_sim::Net;

#[test]
fn every_packet_arrives_unchanged() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.speak(&[(ann, 30), (ben, 35)], Duration::from_secs(2));
    net.run_for(Duration::from_millis(100));

    for (listener, speaker, level) in [(ann, ben, 35), (ben, ann, 30)] {
        let client = &net.clients[listener];
        assert_eq!(client.voices(), [speaker], "heard by {}", client.id);
        let numbers: Vec<u32> = client.heard.iter().map(|heard| heard.number()).collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        for heard in &client.heard {
            assert_eq!(heard.packet.payload.len(), 80);
            assert!(heard.packet.payload[5..].iter().all(|&byte| byte == 0x55));
            assert_eq!(heard.packet.header.ext_vals.audio_level, Some(-level));
            assert_eq!(heard.packet.header.ext_vals.voice_activity, Some(true));
            assert_eq!(heard.csrc(), net.csrc(speaker));
        }
    }
}

#[test]
fn a_pause_in_a_sentence_is_heard_as_it_is() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 1));
    net.speak(&[(ann, 30)], Duration::from_millis(400));
    net.speak(&[(ann, 110)], Duration::from_millis(400));
    net.speak(&[(ann, 30)], Duration::from_millis(400));
    net.run_for(Duration::from_millis(100));

    let heard = &net.clients[ben].heard;
    let levels: Vec<_> = heard
        .iter()
        .map(|heard| heard.packet.header.ext_vals.audio_level.unwrap())
        .collect();
    assert_eq!(levels, [[-30; 20], [-110; 20], [-30; 20]].concat());
    let voice: Vec<_> = heard
        .iter()
        .map(|heard| heard.packet.header.ext_vals.voice_activity.unwrap())
        .collect();
    assert_eq!(voice, [[true; 20], [false; 20], [true; 20]].concat());
}

#[test]
fn a_packet_takes_no_longer_than_the_network() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    let start = net.elapsed();
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    net.run_for(Duration::from_millis(100));
    let arrivals: Vec<_> = net.clients[ben]
        .heard
        .iter()
        .map(|heard| heard.at - start)
        .collect();
    // 5 ms to the node, 5 ms to the listener.
    let expected: Vec<_> = (0..10)
        .map(|n| Duration::from_millis(20 * n + 10))
        .collect();
    assert_eq!(arrivals, expected);
}
