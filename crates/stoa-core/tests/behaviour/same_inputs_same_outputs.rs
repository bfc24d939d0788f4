//! The same conversation with the same seed gives the same run: events, names, answers, and who is
//! heard when.
//!
//! What is not the same is what str0m 0.25 and its DTLS draw for themselves, without a way to hand in
//! the randomness: DTLS randoms and keys, SSRCs, `cname`, `msid`, the session number of the answer,
//! STUN transaction numbers, the ICE tie-breaker, and the moments of RTCP reports. So datagrams differ
//! in their bytes, and those parts of an answer are left out here.

use std::time::Duration;

use stoa_core::{Limits, RoomEvent};
use stoa_sim::Net;

/// One packet that somebody heard: when, on which line, whose, its numbers and its marker.
type Placement = (Duration, usize, usize, u64, u32, bool);

struct Run {
    events: Vec<(Duration, RoomEvent)>,
    answers: Vec<Vec<String>>,
    heard: Vec<Vec<Placement>>,
}

/// The parts of an answer that are the node's own: neither drawn by str0m nor taken from the offer,
/// where the client's str0m draws its `mid`s.
fn own_lines(answer: &str) -> Vec<String> {
    let foreign = ["o=", "a=ssrc:", "a=msid", "a=mid", "a=group"];
    let lines = answer.lines().map(str::to_owned);
    lines
        .filter(|line| !foreign.iter().any(|prefix| line.starts_with(prefix)))
        .collect()
}

fn run(seed: [u8; 32]) -> Run {
    let mut net = Net::with(Limits::default(), seed);
    let speakers: Vec<_> = (0..5)
        .map(|n| net.join(&format!("speaker-{n}"), 1 + n % 3))
        .collect();
    let listener = net.join("listener", 3);
    // All equally loud: nothing but the node decides.
    for round in 0..6 {
        let talking: Vec<_> = speakers
            .iter()
            .filter(|&&speaker| (speaker + round) % 5 != 0)
            .map(|&speaker| (speaker, 30))
            .collect();
        net.speak(&talking, Duration::from_millis(1_700));
        net.run_for(Duration::from_millis(900));
    }
    net.hang_up(speakers[1]);
    net.vanish(listener);
    net.run_for(Duration::from_secs(20));
    let clients = net.clients.iter();
    let heard = clients.map(|client| {
        let heard = client.heard.iter();
        heard
            .map(|heard| {
                let header = &heard.packet.header;
                let seq = *heard.packet.seq_no;
                let place = (seq, header.timestamp, header.marker);
                (
                    heard.at,
                    heard.line,
                    heard.sender(),
                    place.0,
                    place.1,
                    place.2,
                )
            })
            .collect()
    });
    Run {
        heard: heard.collect(),
        answers: net.clients.iter().map(|c| own_lines(&c.answer)).collect(),
        events: net.events,
    }
}

#[test]
fn one_seed_one_run() {
    let first = run([1; 32]);
    assert!(first.events.len() > 30 && first.heard.iter().all(|heard| !heard.is_empty()));
    let second = run([1; 32]);
    assert_eq!(second.events, first.events);
    assert_eq!(second.answers, first.answers);
    for (client, (second, first)) in second.heard.iter().zip(&first.heard).enumerate() {
        assert_eq!(
            second.len(),
            first.len(),
            "packets heard by client {client}"
        );
        for (second, first) in second.iter().zip(first) {
            assert_eq!(second, first, "a packet heard by client {client}");
        }
    }
    let other = run([2; 32]);
    assert_ne!(
        other.answers, first.answers,
        "another seed, other credentials"
    );
    assert_ne!(
        other.events, first.events,
        "another seed, other session names"
    );
}
