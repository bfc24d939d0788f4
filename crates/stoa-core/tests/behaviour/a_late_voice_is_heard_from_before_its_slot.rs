//! Whoever takes a slot is heard from before: what they said in the moment in which the ranking had yet
//! to notice them goes first.

use std::{collections::BTreeSet, time::Duration};

use stoa_core::{
    AudioSlots, ParticipantChange, RoomUpdate, SpeechPreroll, Subscription,
    limits::DEFAULT_SPEECH_PREROLL,
};
use stoa_sim::{ClientId, FRAME, Net, oracle, participant};

fn set_preroll(net: &mut Net, preroll: Duration) {
    net.update_room(RoomUpdate {
        speech_preroll: SpeechPreroll::new(preroll),
        ..Default::default()
    });
}

/// Three people hold the slots and a fourth begins. How many packets of the fourth each of the utterances
/// has lost at its beginning.
fn lost_at_onset(preroll: Duration) -> Vec<u32> {
    let mut net = Net::new();
    set_preroll(&mut net, preroll);
    let holders = ["a", "b", "c"].map(|name| net.join(name, 3));
    let newcomer = net.join("newcomer", 3);
    let listener = net.join("listener", 3);
    let talk = holders.map(|id| (id, 45));
    (0..20)
        .map(|utterance| {
            net.speak(&talk, Duration::from_secs(3) + FRAME * (utterance % 7));
            // Who never breathes is not believed.
            net.speak(&talk.map(|(id, _)| (id, 75)), Duration::from_millis(200));
            net.speak(&talk, Duration::from_millis(200));
            net.forget_heard();
            let next = net.clients[newcomer].next_number();
            let all = [&talk[..], &[(newcomer, 10)]].concat();
            net.speak(&all, Duration::from_millis(600));
            net.run_for(Duration::from_millis(50));
            let heard = net.clients[listener].heard.iter();
            let first = heard
                .filter(|heard| heard.sender() == newcomer)
                .map(|heard| heard.number());
            first.min().expect("heard at all") - next
        })
        .collect()
}

#[test]
fn the_preroll_gives_back_what_the_ranking_takes() {
    let with = lost_at_onset(DEFAULT_SPEECH_PREROLL);
    let without: u32 = lost_at_onset(Duration::ZERO).iter().sum();
    let with_preroll: u32 = with.iter().sum();
    assert!(without >= 20 * 2, "the ranking takes its time: {without}");
    assert!(
        with_preroll + 20 * 2 <= without,
        "{with:?} instead of {without} in all"
    );
    assert!(with.iter().all(|&lost| lost <= 3), "{with:?}");
}

#[test]
fn where_a_slot_is_free_the_breath_before_the_first_word_is_heard() {
    let mut net = Net::new();
    let (ann, listener) = (net.join("ann", 3), net.join("listener", 3));
    // Below what counts as a voice: nobody hears it, and it is kept for a moment.
    net.speak(&[(ann, 70)], Duration::from_secs(1));
    let next = net.clients[ann].next_number();
    assert_eq!(net.clients[listener].heard.len(), 0);
    net.speak(&[(ann, 20)], Duration::from_millis(200));
    net.run_for(Duration::from_millis(50));
    let heard = &net.clients[listener].heard;
    let numbers: Vec<_> = heard.iter().map(|heard| heard.number()).collect();
    let expected: Vec<_> = (next - 3..next + 10).collect();
    assert_eq!(numbers, expected, "60 ms before, and everything after");
    // The timestamps say when each was spoken, though the first ones came late.
    let times = heard.windows(2).map(|pair| {
        let [before, after] = [0, 1].map(|n| pair[n].packet.header.timestamp);
        after.wrapping_sub(before)
    });
    assert_eq!(times.collect::<Vec<_>>(), [960; 12]);
}

/// They were heard until a moment ago: what they have said unheard in between would only put their
/// listeners behind.
#[test]
fn whoever_comes_back_in_the_middle_of_their_talk_goes_on_from_there() {
    let mut net = Net::new();
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(1),
        ..Default::default()
    });
    let [holder, newcomer, listener] =
        ["holder", "newcomer", "listener"].map(|name| net.join(name, 1));
    net.speak(&[(holder, 45)], Duration::from_secs(2));
    net.speak(&[(holder, 45), (newcomer, 10)], Duration::from_secs(1));
    assert_eq!(net.clients[listener].voices(), [holder, newcomer]);
    net.forget_heard();
    // The newcomer ends, and the holder, who has talked all the time, has the slot again.
    while net.clients[listener].voices() != [holder] {
        net.forget_heard();
        net.speak(&[(holder, 45)], FRAME);
    }
    net.run_for(Duration::from_millis(50));
    assert_eq!(
        net.clients[listener].heard.len(),
        1,
        "and nothing of before"
    );
}

/// The node's silence about somebody who may not speak has no exception.
#[test]
fn nothing_of_before_a_right_was_given_is_heard() {
    use stoa_core::MuteSource::Moderator;
    let mut net = Net::new();
    let (ann, listener) = (net.join("ann", 3), net.join("listener", 3));
    net.set_muted(ann, Moderator, true);
    net.speak(&[(ann, 70)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));
    let next = net.clients[ann].next_number();
    net.set_muted(ann, Moderator, false);
    net.speak(&[(ann, 20)], Duration::from_millis(200));
    net.run_for(Duration::from_millis(50));
    let first = net.clients[listener].heard[0].number();
    assert_eq!(first, next);
}

/// Nobody hears a syllable twice, wherever its speaker was heard before: by everybody, by those who hold
/// the slots, or by those with fewer lines.
#[test]
fn nobody_hears_a_packet_twice() {
    let mut net = Net::new();
    set_preroll(&mut net, stoa_core::limits::MAX_SPEECH_PREROLL);
    let speakers: Vec<ClientId> = (0..5)
        .map(|n| net.join(&format!("s{n}"), 1 + n % 3))
        .collect();
    let listeners = [net.join("three", 3), net.join("one", 1)];
    for turn in 0..60 {
        let talk: Vec<_> = speakers
            .iter()
            .zip(0..)
            .map(|(&id, n)| (id, 10 + u8::try_from((turn * 7 + n * 23) % 75).unwrap()))
            .collect();
        net.speak(&talk, Duration::from_millis(700));
    }
    net.run_for(Duration::from_millis(50));
    for &id in speakers.iter().chain(&listeners) {
        let heard = net.clients[id].heard.iter();
        let mut all: Vec<_> = heard
            .map(|heard| (heard.sender(), heard.number()))
            .collect();
        let count = all.len();
        assert!(count > 500, "client {id} heard {count} packets");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "client {id} heard something twice");
    }
}

/// Ann holds the only slot and hears Ben in it, and nobody else hears him.
fn ann_hears_ben_as_understudy(net: &mut Net) -> [ClientId; 3] {
    net.update_room(RoomUpdate {
        audio_slots: AudioSlots::new(1),
        ..Default::default()
    });
    let ids = ["ann", "ben", "cem"].map(|name| net.join(name, 1));
    net.speak(&[(ids[0], 10), (ids[1], 40)], Duration::from_secs(2));
    assert_eq!(net.clients[ids[0]].voices(), [ids[1]]);
    assert_eq!(net.clients[ids[2]].voices(), [ids[0]]);
    ids
}

#[test]
fn nor_when_their_speaker_was_understudy_a_moment_ago() {
    use stoa_core::MuteSource::Moderator;
    // Sooner or later Cem is the understudy in the place of Ben; and then nobody but Ben may speak.
    for frames in 1..20 {
        let mut net = Net::new();
        let [ann, ben, cem] = ann_hears_ben_as_understudy(&mut net);
        net.speak(&[(ann, 10), (ben, 40), (cem, 20)], FRAME * frames);
        net.set_muted(ann, Moderator, true);
        net.set_muted(cem, Moderator, true);
        net.speak(&[(ben, 40)], Duration::from_millis(500));
        net.run_for(Duration::from_millis(50));
        oracle::assert_holds(&net);
        assert!(net.clients[cem].voices().contains(&ben));
    }
}

#[test]
fn nor_when_the_listener_makes_another_choice() {
    let mut net = Net::new();
    let [ann, ben, _] = ann_hears_ben_as_understudy(&mut net);
    let nobody_there = BTreeSet::from([participant("somebody-else")]);
    let choice = Subscription::all_except(nobody_there).unwrap();
    net.change(ann, ParticipantChange::Subscription(choice));
    net.speak(&[(ann, 10), (ben, 40)], Duration::from_millis(500));
    net.run_for(Duration::from_millis(50));
    oracle::assert_holds(&net);
}
