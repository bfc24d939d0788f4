//! Who hears whom.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{Rule, Violation};
use crate::history::{History, Packet, SentPacket};

fn violations(
    history: &History,
    rule: Rule,
    judge: impl Fn(&Packet) -> Option<String>,
) -> Vec<Violation> {
    let heard = history.heard.iter();
    heard
        .filter_map(|packet| {
            let what = judge(packet)?;
            let at = packet.left;
            Some(Violation { rule, at, what })
        })
        .collect()
}

fn hears(packet: &Packet) -> String {
    let Packet {
        listener,
        sender,
        number,
        ..
    } = packet;
    format!("client {listener} hears packet {number} of client {sender}")
}

/// [`Rule::MaySpeak`]. But who leaves by themselves takes no call back: what their room had handed on to
/// other workers by then still arrives there.
pub fn nobody_hears_who_may_not_speak(history: &History) -> Vec<Violation> {
    violations(history, Rule::MaySpeak, |packet| {
        let sender = history.members.get(packet.sender);
        let may_speak = sender.and_then(|sender| sender.may_speak.when_sent(packet.datagram));
        let until = sender.and_then(|sender| sender.spoke_until);
        let lag = history.members.get(packet.listener);
        let lag = lag.map_or(Duration::ZERO, |listener| history.lag(listener));
        let is_under_way = until.is_some_and(|until| packet.left <= until + lag) && !lag.is_zero();
        let is_right = may_speak == Some(&true) || is_under_way;
        (!is_right).then(|| format!("{}, who may not speak", hears(packet)))
    })
}

/// [`Rule::OwnVoice`]. An earlier session of the same name is the same person.
pub fn nobody_hears_themselves(history: &History) -> Vec<Violation> {
    violations(history, Rule::OwnVoice, |packet| {
        let listener = history.members.get(packet.listener)?;
        let by_name = history.members.get(packet.sender).is_some_and(|sender| {
            (&sender.room, &sender.participant) == (&listener.room, &listener.participant)
        });
        let by_number = packet.sender == packet.listener;
        let by_csrc = packet.csrc == Some(listener.csrc);
        (by_name || by_number || by_csrc).then(|| format!("{}: themselves", hears(packet)))
    })
}

/// [`Rule::OwnRoom`].
pub fn nobody_hears_another_room(history: &History) -> Vec<Violation> {
    violations(history, Rule::OwnRoom, |packet| {
        let room = |id: usize| history.members.get(id).map(|member| &member.room);
        let (here, there) = (room(packet.listener)?, room(packet.sender)?);
        (here != there).then(|| format!("{}, from {there} in {here}", hears(packet)))
    })
}

/// [`Rule::Choice`]. But a seat elsewhere hears of a change only a moment after its room: what was wanted
/// until then may still come.
pub fn nobody_hears_whom_they_do_not_want(history: &History) -> Vec<Violation> {
    violations(history, Rule::Choice, |packet| {
        let listener = history.members.get(packet.listener)?;
        let sender = history.members.get(packet.sender)?;
        let choices = &listener.choice;
        choices.when_sent(packet.datagram)?;
        let mut lately = choices.lately(packet.datagram, packet.left, history.lag(listener));
        let is_wanted = lately.any(|choice| choice.wants(&sender.participant));
        (!is_wanted).then(|| format!("{}, whom they do not want", hears(packet)))
    })
}

/// [`Rule::Once`]. But the same packet goes to each choice for itself. While a seat elsewhere hears of a
/// change, one that came before it by the old choice may come after it by the new one, too.
pub fn nobody_hears_anything_twice(history: &History) -> Vec<Violation> {
    let mut heard = BTreeMap::new();
    let mut violations = Vec::new();
    for packet in &history.heard {
        let key = (packet.listener, packet.sender, packet.number);
        if let Some(line) = heard.insert(key, packet.line)
            && !chooses_anew(history, packet)
        {
            violations.push(Violation {
                rule: Rule::Once,
                at: packet.left,
                what: format!(
                    "{} on line {}, and has heard it on line {line}",
                    hears(packet),
                    packet.line
                ),
            });
        }
    }
    violations
}

/// Whether a packet may have been under way while its listener's seat elsewhere heard of a new choice: that
/// takes until it is there, and as long again for a packet that was handed on at that moment.
fn chooses_anew(history: &History, packet: &Packet) -> bool {
    let Some(listener) = history.members.get(packet.listener) else {
        return false;
    };
    let lag = history.lag(listener) * 2;
    let choices = &listener.choice;
    choices.lately(packet.datagram, packet.left, lag).count() > 1
}

/// [`Rule::Presence`]. But a seat elsewhere hears a moment later that it is over.
pub fn nobody_hears_after_leaving(history: &History) -> Vec<Violation> {
    violations(history, Rule::Presence, |packet| {
        let listener = history.members.get(packet.listener)?;
        let presence = &listener.is_in;
        let mut lately = presence.lately(packet.datagram, packet.left, history.lag(listener));
        let is_in = lately.any(|&is_in| is_in);
        (!is_in).then(|| format!("{} without being in the room", hears(packet)))
    })
}

/// [`Rule::Intact`]. But str0m 0.25 takes no packet that is older than the first one of its stream that
/// came.
pub fn what_arrives_is_heard(history: &History) -> Vec<Violation> {
    let mut first_heard = HashMap::new();
    for packet in &history.heard {
        let first = first_heard.entry((packet.listener, packet.ssrc));
        let first = first.or_insert(packet.seq);
        *first = packet.seq.min(*first);
    }
    let is_older = |id: usize, packet: &SentPacket| {
        let first = first_heard.get(&(id, packet.ssrc));
        // The wire has 16 bits of the number; half of them are behind.
        let ahead = first.map(|&first| packet.sequence_number.wrapping_sub(first as u16));
        ahead.is_some_and(|ahead| ahead > u16::MAX / 2)
    };
    let unheard = history.members.iter().enumerate();
    let unheard = unheard.flat_map(|(id, member)| {
        let unheard = member.unheard.iter();
        unheard.map(move |packet| (id, packet))
    });
    unheard
        .filter(|&(id, packet)| !is_older(id, packet))
        .map(|(id, packet)| Violation {
            rule: Rule::Intact,
            at: packet.left,
            what: format!("client {id} cannot hear {packet:?}"),
        })
        .collect()
}

/// [`Rule::Speaker`].
pub fn packets_name_their_speaker(history: &History) -> Vec<Violation> {
    violations(history, Rule::Speaker, |packet| {
        let sender = history.members.get(packet.sender);
        let names = sender.is_some_and(|sender| packet.csrc == Some(sender.csrc));
        (!names).then(|| format!("{}, which names {:?}", hears(packet), packet.csrc))
    })
}

/// What those of `listeners` did not hear of the packets `numbers` of a speaker that should all have
/// heard all of them: [`Rule::Heard`].
pub fn all_hear(
    history: &History,
    speaker: usize,
    numbers: std::ops::Range<u32>,
    listeners: &[usize],
    at: Duration,
) -> Vec<Violation> {
    let missed = |&listener: &usize| {
        let heard = history.heard.iter();
        let count = heard
            .filter(|packet| packet.listener == listener && packet.sender == speaker)
            .filter(|packet| numbers.contains(&packet.number))
            .count();
        let sent = numbers.len();
        (count != sent).then(|| Violation {
            rule: Rule::Heard,
            at,
            what: format!("client {listener} heard {count} of {sent} packets of client {speaker}"),
        })
    };
    listeners.iter().filter_map(missed).collect()
}
