//! However often the speakers change, each line of a listener is one RTP stream: one SSRC, numbers
//! without a gap, timestamps that follow the wall clock, a marker where a new voice begins, and a
//! CSRC that says whose it is.

use std::time::Duration;

use stoa_sim::{ClientId, FRAME, Heard, Net};

/// A tick of the Opus clock takes 1/48 ms.
const TICKS_PER_SECOND: f64 = 48_000.0;

/// Sequence, CSRC, marker and time of everything that one client heard on one line.
fn check_line(net: &Net, listener: ClientId, line: usize) -> usize {
    let heard: Vec<&Heard> = net.clients[listener].on_line(line).collect();
    let Some(first) = heard.first() else {
        return 0;
    };
    let mut changes = 0;
    for pair in heard.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        let place = format!("at {:?} on line {line} of client {listener}", after.at);
        assert_eq!(
            after.packet.header.ssrc, first.packet.header.ssrc,
            "SSRC {place}"
        );
        assert_eq!(
            *after.packet.seq_no,
            *before.packet.seq_no + 1,
            "sequence {place}"
        );
        let ticks = after
            .packet
            .header
            .timestamp
            .wrapping_sub(before.packet.header.timestamp);
        assert!(
            (1..48_000 * 60).contains(&ticks),
            "time moved by {ticks} ticks {place}"
        );
        if after.sender() != before.sender() {
            changes += 1;
            assert!(after.packet.header.marker, "no marker {place}");
        }
    }
    let mut elapsed_ticks = 0.0;
    for (index, packet) in heard.iter().enumerate() {
        assert_eq!(packet.csrc(), net.csrc(packet.sender()), "CSRC");
        if index > 0 {
            let before = heard[index - 1].packet.header.timestamp;
            elapsed_ticks += f64::from(packet.packet.header.timestamp.wrapping_sub(before));
        }
        let wall = (packet.at - first.at).as_secs_f64();
        let stream = elapsed_ticks / TICKS_PER_SECOND;
        assert!(
            (wall - stream).abs() < 0.2,
            "line {line} of client {listener}: {stream} s in the stream, {wall} s on the wall"
        );
    }
    changes
}

/// Small numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Six people talk in turns, over each other, and pause: some stop sending then, some go on with
/// silence, as browsers do. Their packets never come at the same moment.
fn long_conversation(net: &mut Net, speakers: &[ClientId], turns: usize) {
    let mut dice = Dice(42);
    for _ in 0..turns {
        let levels: Vec<Option<u8>> = speakers
            .iter()
            .map(|_| match dice.roll(6) {
                0 | 1 => Some(u8::try_from(15 + dice.roll(40)).unwrap()),
                2 | 3 => Some(127),
                _ => None,
            })
            .collect();
        let frames = 10 + dice.roll(110);
        for _ in 0..frames {
            for (&speaker, &level) in speakers.iter().zip(&levels) {
                if let Some(level) = level {
                    net.say(speaker, level);
                }
                net.run_for(FRAME / u32::try_from(speakers.len()).unwrap());
            }
        }
    }
}

#[test]
fn hundreds_of_changes_of_speaker() {
    let mut net = Net::new();
    let speakers: Vec<_> = (0..6)
        .map(|n| net.join(&format!("speaker-{n}"), 1 + n % 3))
        .collect();
    let listeners = [net.join("three", 3), net.join("two", 2), net.join("one", 1)];
    let answers: Vec<String> = net.clients.iter().map(|c| c.answer.clone()).collect();
    long_conversation(&mut net, &speakers, 250);
    net.run_for(Duration::from_millis(100));

    let changes_at = |client| (0..3).map(|line| check_line(&net, client, line)).sum();
    let changes: Vec<usize> = (0..net.clients.len()).map(changes_at).collect();
    for listener in listeners {
        assert!(
            changes[listener] > 100,
            "only {} changes at {listener}",
            changes[listener]
        );
    }
    assert!(changes.iter().sum::<usize>() > 1_000, "{changes:?}");
    // Nothing was renegotiated: every client has its first answer still, and nobody had to leave.
    for (client, answer) in net.clients.iter().zip(answers) {
        assert_eq!(client.answer, answer);
        assert!(!client.closed);
    }
    assert_eq!(net.snapshot("room").participants.len(), 9);
}

#[test]
fn somebody_who_is_silent_for_a_while_leaves_no_gap() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    net.speak(&[(ann, 30)], Duration::from_secs(2));
    // The microphone stays open: packets of silence go on, long enough to lose the slot.
    net.speak(&[(ann, 127)], Duration::from_secs(4));
    net.speak(&[(ann, 30)], Duration::from_secs(2));
    net.run_for(Duration::from_millis(100));

    check_line(&net, ben, 0);
    let resumed = net.clients[ben]
        .heard
        .windows(2)
        .find(|pair| pair[1].number() != pair[0].number() + 1)
        .expect("the silence should not have been sent");
    assert!(
        resumed[1].packet.header.marker,
        "a new talk spurt has no marker"
    );
}

#[test]
fn somebody_who_holds_the_slot_in_between_sees_no_gap() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    for _ in 0..3 {
        net.speak(&[(ben, 30)], Duration::from_secs(2));
        net.run_for(Duration::from_secs(2));
        // While Ann talks, the room's stream goes on without her.
        net.speak(&[(ann, 30)], Duration::from_secs(2));
        net.run_for(Duration::from_secs(2));
    }
    for listener in [ann, ben] {
        check_line(&net, listener, 0);
        assert_eq!(net.clients[listener].on_line(0).count(), 300);
    }
}

#[test]
fn a_jump_in_a_speakers_numbers_does_not_reach_the_listeners() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 1), net.join("ben", 1));
    for _ in 0..40 {
        // Two such jumps are a roll-over. A listener who misses one packet in between would lose
        // count of them, and with it the stream's encryption (RFC 3711, section 3.3.1).
        net.clients[ann].seq += 20_000;
        net.speak(&[(ann, 30)], Duration::from_millis(40));
    }
    net.run_for(Duration::from_millis(100));
    check_line(&net, ben, 0);
    assert_eq!(net.clients[ben].on_line(0).count(), 80);
}
