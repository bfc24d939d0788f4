//! However often the speakers change, each line of a listener is one RTP stream: one SSRC, numbers
//! without a gap, timestamps that follow the wall clock, a marker where a new voice begins, and a
//! CSRC that says whose it is.

use std::time::Duration;

use stoa_sim::{
    ClientId, FRAME, Net,
    oracle::{
        assert_none, changes_of_voice, lines_are_continuous_streams, packets_name_their_speaker,
    },
    random::Random,
};

/// Sequence, CSRC, marker and time of all that anybody heard on any line.
fn assert_continuous(net: &Net) {
    let history = net.history();
    assert_none(&lines_are_continuous_streams(&history));
    assert_none(&packets_name_their_speaker(&history));
}

/// Six people talk in turns, over each other, and pause: some stop sending then, some go on with
/// silence, as browsers do. Their packets never come at the same moment.
fn long_conversation(net: &mut Net, speakers: &[ClientId], turns: usize) {
    let mut random = Random::new(42);
    for _ in 0..turns {
        let levels: Vec<Option<u8>> = speakers
            .iter()
            .map(|_| match random.below(6) {
                0 | 1 => Some(random.level(15, 54)),
                2 | 3 => Some(127),
                _ => None,
            })
            .collect();
        let frames = 10 + random.below(110);
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

    assert_continuous(&net);
    let history = net.history();
    let changes_at = |client| {
        (0..3)
            .map(|line| changes_of_voice(&history, client, line))
            .sum()
    };
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

    assert_continuous(&net);
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
    assert_continuous(&net);
    for listener in [ann, ben] {
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
    assert_continuous(&net);
    assert_eq!(net.clients[ben].on_line(0).count(), 80);
}
