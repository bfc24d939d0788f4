//! Each oracle finds the fault that is planted for it, and nothing in a run that is as it should be.

use std::collections::{BTreeMap, BTreeSet};

use stoa_core::{Csrc, Subscription};

use super::{voices::all_hear, *};
use crate::{
    FRAME,
    history::{Member, Moment, Packet, SentPacket, Timeline},
    participant, room,
    sealed::Reuse,
};

mod comes_back;
mod elsewhere;

/// After a datagram of [`history`].
fn after(datagram: u64) -> Moment {
    let at = FRAME * u32::try_from(datagram / 10).unwrap();
    Moment { datagram, at }
}

fn since(datagram: u64, value: bool) -> Timeline<bool> {
    let mut timeline = Timeline::default();
    timeline.decide(after(datagram), value);
    timeline
}

fn member(name: &str, of: &str, number: u32) -> Member {
    Member {
        participant: participant(name),
        room: room(of),
        csrc: Csrc(100 + number),
        may_speak: since(0, true),
        is_in: since(0, true),
        spoke_until: None,
        is_seated_elsewhere: false,
        choice: Timeline::default(),
        missing: BTreeMap::new(),
        lost: Vec::new(),
        unheard: Vec::new(),
        reused: Vec::new(),
    }
}

/// Ann, Ben and Cem are in a room of two slots and hear each other for 2 s; Dan is next door. The
/// n-th packets of all of them leave as datagrams 10 n and up.
fn history() -> History {
    let members = ["ann", "ben", "cem"];
    let mut members: Vec<_> = (0..)
        .zip(members)
        .map(|(n, name)| member(name, "room", n))
        .collect();
    members.push(member("dan", "other", 3));
    let mut heard = Vec::new();
    // Who hears whom, on which line.
    for (listener, sender, line) in [(0, 1, 1), (1, 0, 0), (2, 0, 0), (2, 1, 1)] {
        for number in 0..100_u32 {
            let left = FRAME * number;
            heard.push(Packet {
                listener,
                line,
                sender,
                number,
                csrc: Some(Csrc(100 + sender as u32)),
                ssrc: 7,
                seq: 500 + u64::from(number),
                time: 5 + 960 * number,
                marker: number == 0,
                datagram: 10 * u64::from(number) + 1,
                left,
                at: left + FRAME,
            });
        }
    }
    let mut slots = Timeline::default();
    slots.decide(after(0), 2);
    History {
        members,
        heard,
        slots: BTreeMap::from([(room("room"), slots.clone()), (room("other"), slots)]),
        spread: Duration::ZERO,
        between_workers: Duration::ZERO,
    }
}

fn rules(history: &History) -> Vec<Rule> {
    let mut rules: Vec<_> = ALL
        .iter()
        .flat_map(|oracle| oracle(history))
        .map(|violation| violation.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// The packets of one listener on one line.
fn line(history: &mut History, listener: usize, line: usize) -> Vec<&mut Packet> {
    let heard = history.heard.iter_mut();
    heard
        .filter(|packet| (packet.listener, packet.line) == (listener, line))
        .collect()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(rules(&history()), []);
    assert_eq!(rules(&History::default()), []);
}

#[test]
fn a_packet_sent_after_the_right_was_taken_is_found_and_one_under_way_is_not() {
    let mut history = history();
    // Datagram 501 carries Ann's packet 50.
    history.members[0].may_speak.decide(after(501), false);
    let found = nobody_hears_who_may_not_speak(&history);
    // By Ben and by Cem.
    assert_eq!(found.len(), 2 * 49);
    assert_eq!(found[0].at, FRAME * 51);
    history.members[0].may_speak = Timeline::default();
    assert_eq!(nobody_hears_who_may_not_speak(&history).len(), 2 * 100);
}

#[test]
fn ones_own_voice_is_found_by_whatever_it_shows() {
    let planted: [fn(&mut History); 3] = [
        |history| history.heard[7].sender = 0,
        |history| history.heard[7].csrc = Some(Csrc(100)),
        // Ann has come back; what she hears is of her old session.
        |history| history.members[1].participant = participant("ann"),
    ];
    for plant in planted {
        let mut history = history();
        plant(&mut history);
        assert!(!nobody_hears_themselves(&history).is_empty());
    }
}

#[test]
fn a_voice_from_next_door_is_found() {
    let mut history = history();
    history.heard[7].sender = 3;
    assert_eq!(nobody_hears_another_room(&history).len(), 1);
}

#[test]
fn a_voice_that_was_silenced_is_found() {
    let mut history = history();
    let but_ann = Subscription::all_except(BTreeSet::from([participant("ann")])).unwrap();
    history.members[2]
        .choice
        .decide(after(0), Subscription::EVERYBODY);
    history.members[2].choice.decide(after(501), but_ann);
    assert_eq!(nobody_hears_whom_they_do_not_want(&history).len(), 49);
}

#[test]
fn a_packet_that_is_heard_twice_is_found() {
    let mut history = history();
    let again = Packet {
        line: 1,
        ..history.heard[150]
    };
    history.heard.push(again);
    assert_eq!(nobody_hears_anything_twice(&history).len(), 1);
}

#[test]
fn a_packet_to_somebody_who_has_left_is_found() {
    let mut history = history();
    history.members[2].is_in.decide(after(971), false);
    assert_eq!(nobody_hears_after_leaving(&history).len(), 2 * 2);
}

#[test]
fn a_packet_that_cannot_be_heard_is_found() {
    let mut history = history();
    history.members[1].unheard.push(SentPacket {
        left: FRAME,
        ssrc: 7,
        sequence_number: 501,
        csrc: Some(Csrc(100)),
    });
    assert_eq!(what_arrives_is_heard(&history).len(), 1);
}

#[test]
fn a_wrong_or_missing_name_of_the_speaker_is_found() {
    for csrc in [None, Some(Csrc(102)), Some(Csrc(9))] {
        let mut history = history();
        history.heard[7].csrc = csrc;
        assert_eq!(packets_name_their_speaker(&history).len(), 1);
    }
}

/// Something that is made wrong on one line.
type Plant = fn(&mut [&mut Packet]);

#[test]
fn faults_of_a_stream_are_found() {
    let planted: [(&str, Plant); 8] = [
        ("SSRC", |line| line[50].ssrc = 8),
        ("twice", |line| line[50].seq -= 1),
        ("no loss", |line| {
            line[50..].iter_mut().for_each(|packet| packet.seq += 1);
        }),
        ("no loss", |line| line[99].seq += 1 << 40),
        ("moves by 0", |line| line[50].time -= 960),
        ("moves by", |line| line[50].time -= 2_000),
        ("no marker", |line| line[50].sender = 2),
        ("outside", |line| {
            line[50..]
                .iter_mut()
                .for_each(|packet| packet.time += 48_000);
        }),
    ];
    for (what, plant) in planted {
        let mut history = history();
        plant(&mut line(&mut history, 1, 0));
        let found = lines_are_continuous_streams(&history);
        assert!(
            found.iter().any(|violation| violation.what.contains(what)),
            "{what}: {found:?}"
        );
    }
}

#[test]
fn two_voices_at_a_time_on_one_line_are_found() {
    let mut history = history();
    for (index, packet) in (0_u32..).zip(line(&mut history, 1, 0)) {
        // Twice as many packets as one voice has, each of them a step of the stream.
        packet.left = FRAME / 2 * index;
        packet.sender = if index % 2 == 0 { 0 } else { 2 };
        packet.marker = true;
    }
    let found = lines_are_continuous_streams(&history);
    assert!(found.iter().any(|found| found.what.contains("outside")));
}

#[test]
fn a_preroll_is_no_fault() {
    let mut history = history();
    for packet in &mut line(&mut history, 1, 0)[..20] {
        packet.left = FRAME * 19;
    }
    assert_eq!(rules(&history), []);
}

#[test]
fn a_change_of_voice_with_a_marker_is_right_and_counted() {
    let mut history = history();
    for packet in &mut line(&mut history, 1, 0)[50..] {
        packet.sender = 2;
        packet.csrc = Some(Csrc(102));
        packet.marker = packet.number == 50;
    }
    assert_eq!(rules(&history), []);
    assert_eq!(changes_of_voice(&history, 1, 0), 1);
    assert_eq!(changes_of_voice(&history, 1, 5), 0);
}

#[test]
fn gaps_are_right_where_the_network_lost_packets() {
    let mut history = history();
    // Ann's packets 10 to 12 do not reach the node; 30 and 31 do not reach Ben.
    history.heard.retain(|packet| {
        let on_the_way_up = packet.sender == 0 && (10..13).contains(&packet.number);
        let on_the_way_down = packet.listener == 1 && (30..32).contains(&packet.number);
        !on_the_way_up && !on_the_way_down
    });
    assert_eq!(rules(&history), [Rule::Stream]);
    for number in 10..13 {
        history.members[0].missing.insert(number, FRAME * number);
    }
    for number in 30..32_u16 {
        history.members[1].lost.push(SentPacket {
            left: FRAME * u32::from(number),
            ssrc: 7,
            sequence_number: 500 + number,
            csrc: Some(Csrc(100)),
        });
    }
    assert_eq!(rules(&history), []);
    // As many were lost, but others.
    history.members[0].missing.clear();
    history.members[0]
        .missing
        .extend((60..63).map(|n| (n, FRAME * n)));
    assert_eq!(rules(&history), [Rule::Stream]);
}

#[test]
fn a_voice_may_begin_with_a_packet_that_others_overtook() {
    let mut history = history();
    // Ben begins to be heard anew with packet 20, when 21 and 22 have passed.
    history.heard.retain(|packet| {
        packet.sender != 1 || !(packet.number < 20 || (21..23).contains(&packet.number))
    });
    let first = |packet: &&mut Packet| (packet.sender, packet.number) == (1, 20);
    history
        .heard
        .iter_mut()
        .filter(first)
        .for_each(|packet| packet.marker = true);
    assert_eq!(rules(&history), [Rule::Stream]);
    history.members[1].missing.insert(20, FRAME * 23);
    assert_eq!(rules(&history), []);
}

#[test]
fn the_first_packet_of_a_voice_may_be_overtaken_and_then_be_lost() {
    let mut history = history();
    // Ben is heard anew with packet 20, when 21 and 22 have passed; and 20 is lost on the way down.
    history
        .heard
        .retain(|packet| packet.sender != 1 || !(10..23).contains(&packet.number));
    for packet in &mut history.heard {
        if packet.sender == 1 && packet.number >= 23 {
            packet.seq -= 10;
        }
    }
    let late = FRAME * 22;
    for listener in [0, 2] {
        history.members[listener].lost.push(SentPacket {
            left: late,
            ssrc: 7,
            sequence_number: 510,
            csrc: Some(Csrc(101)),
        });
    }
    history.members[1].missing.insert(20, FRAME * 21);
    assert_eq!(rules(&history), [Rule::Stream], "another one came late");
    history.members[1].missing.insert(20, late);
    assert_eq!(rules(&history), []);
}

#[test]
fn packets_that_come_out_of_order_are_no_fault() {
    let mut history = history();
    history.heard.swap(104, 105);
    let [first, second] = [104, 105].map(|index| history.heard[index]);
    history.heard[104].left = second.left;
    history.heard[105].left = first.left;
    history.spread = FRAME * 2;
    assert_eq!(rules(&history), []);
}

#[test]
fn one_voice_too_many_is_found() {
    let mut history = history();
    let slots = history.slots.get_mut(&room("room")).unwrap();
    // What was sent until datagram 501 was still right.
    slots.decide(after(501), 1);
    let found = no_more_voices_than_slots(&history);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].at >= FRAME * 51 && found[0].at <= FRAME * 52,
        "{found:?}"
    );
    history.slots.clear();
    assert_eq!(no_more_voices_than_slots(&history).len(), 3);
}

#[test]
fn a_listener_who_misses_a_packet_is_found() {
    let mut history = history();
    let at = Duration::ZERO;
    assert_eq!(all_hear(&history, 0, 0..100, &[1, 2], at), []);
    history
        .heard
        .retain(|packet| (packet.listener, packet.number) != (2, 99));
    assert_eq!(all_hear(&history, 0, 0..100, &[1, 2], at).len(), 1);
}

#[test]
fn a_nonce_that_is_used_twice_is_found() {
    let mut history = history();
    let reuse = Reuse {
        is_rtcp: false,
        ssrc: 7,
        index: 500,
    };
    history.members[1].reused.push((FRAME * 7, reuse));
    let found = no_nonce_is_used_twice(&history);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].at, FRAME * 7);
    assert_eq!(rules(&history), [Rule::Nonce]);
}

#[test]
#[should_panic(expected = "nobody hears themselves")]
fn what_is_found_is_told() {
    let mut history = history();
    history.heard[7].sender = 0;
    assert_none(&nobody_hears_themselves(&history));
}
