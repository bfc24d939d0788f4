//! Whether what a listener hears on one line is one RTP stream.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use stoa_core::limits::MAX_SPEECH_PREROLL;

use super::{Rule, Violation};
use crate::{
    ClientId,
    history::{History, Packet, SentPacket},
};

/// A tick of the Opus clock takes 1/48 ms.
const TICKS_PER_SECOND: f64 = 48_000.0;

/// The longest step of RTP time from one packet to the next: a minute.
const LONGEST_STEP: u32 = 48_000 * 60;

/// How far a stream's time may be from the wall clock, where the packets of its speakers come as
/// evenly as they were sent: the longest pre-roll, and some frames.
const OFF_THE_CLOCK: Duration = Duration::from_millis(300);

const _: () = assert!(MAX_SPEECH_PREROLL.as_millis() < OFF_THE_CLOCK.as_millis());

/// How long before and after a packet something may have happened that explains a gap beside it.
const NEARBY: Duration = Duration::from_secs(1);

/// The most numbers that a listener may miss in a row: an hour of speech.
const MOST_LOST: u64 = 180_000;

/// [`Rule::Stream`].
pub fn lines_are_continuous_streams(history: &History) -> Vec<Violation> {
    let lines = by_line(history);
    let lines = lines.iter();
    lines
        .flat_map(|(&(listener, line), packets)| {
            let judge = Line::new(history, listener, line);
            judge.map_or_else(Vec::new, |judge| judge.violations(packets))
        })
        .collect()
}

/// How often another voice begins on a line of a listener.
pub fn changes_of_voice(history: &History, listener: ClientId, line: usize) -> usize {
    let lines = by_line(history);
    let packets = lines.get(&(listener, line));
    packets.map_or(0, |packets| {
        let pairs = packets.windows(2);
        pairs
            .filter(|pair| pair[0].sender != pair[1].sender)
            .count()
    })
}

/// What was heard on each line of each listener, in the order of the stream.
fn by_line(history: &History) -> BTreeMap<(ClientId, usize), Vec<&Packet>> {
    let mut lines: BTreeMap<_, Vec<&Packet>> = BTreeMap::new();
    for packet in &history.heard {
        let place = (packet.listener, packet.line);
        lines.entry(place).or_default().push(packet);
    }
    for packets in lines.values_mut() {
        packets.sort_by_key(|packet| packet.seq);
    }
    lines
}

/// The judge of one line.
struct Line<'a> {
    history: &'a History,
    place: String,
    lost: HashMap<(u32, u16), Vec<&'a SentPacket>>,
}

impl<'a> Line<'a> {
    fn new(history: &'a History, listener: ClientId, line: usize) -> Option<Self> {
        let mut lost: HashMap<_, Vec<_>> = HashMap::new();
        for packet in &history.members.get(listener)?.lost {
            let key = (packet.ssrc, packet.sequence_number);
            lost.entry(key).or_default().push(packet);
        }
        Some(Self {
            history,
            place: format!("on line {line} of client {listener}"),
            lost,
        })
    }

    fn violations(&self, packets: &[&Packet]) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut find = |packet: &Packet, what: String| {
            violations.push(Violation {
                rule: Rule::Stream,
                at: packet.left,
                what: format!("{what} {}", self.place),
            });
        };
        for pair in packets.windows(2) {
            for what in self.step(pair[0], pair[1]) {
                find(pair[1], what);
            }
        }
        if let Some((packet, what)) = self.off_the_clock(packets) {
            find(packet, what);
        }
        violations
    }

    /// From one packet to the next.
    fn step(&self, before: &Packet, after: &Packet) -> Vec<String> {
        let mut found = Vec::new();
        if after.ssrc != before.ssrc {
            found.push("the SSRC is another one".to_owned());
        }
        if after.seq == before.seq {
            found.push(format!("the number {} is there twice", after.seq));
            return found;
        }
        let unexplained = self.unexplained(before, after);
        if unexplained > 0 {
            found.push(format!(
                "between {} and {}, {unexplained} numbers are missing that no loss explains",
                before.seq, after.seq
            ));
        }
        let ticks = after.time.wrapping_sub(before.time);
        if !(1..LONGEST_STEP).contains(&ticks) {
            found.push(format!("the time moves by {ticks} ticks"));
        }
        let is_next = after.seq == before.seq + 1;
        if is_next && after.sender != before.sender && !after.marker {
            let (from, to) = (before.sender, after.sender);
            found.push(format!("no marker at the change from {from} to {to}"));
        }
        found
    }

    /// How many numbers between two packets are missing without a reason.
    fn unexplained(&self, before: &Packet, after: &Packet) -> usize {
        if after.seq - before.seq > MOST_LOST {
            return usize::try_from(after.seq - before.seq).unwrap_or(usize::MAX);
        }
        let mut speakers = BTreeSet::from([before.sender, after.sender]);
        let (mut missing, mut overtook) = (0_usize, 0);
        for seq in before.seq + 1..after.seq {
            // The wire has 16 bits of the number.
            match self.lost_near(after, seq as u16) {
                Some(lost) => {
                    speakers.extend(self.speakers(lost));
                    overtook += self.overtook(lost, after);
                }
                None => missing += 1,
            }
        }
        let explained = if speakers.len() == 1 {
            self.missing_between(before, after)
        } else {
            let all = speakers.iter();
            all.map(|&speaker| self.missing_near(speaker, before, after))
                .sum()
        };
        missing.saturating_sub(explained + overtook)
    }

    /// The packet of this number that the network lost on its way to the listener.
    fn lost_near(&self, near: &Packet, sequence_number: u16) -> Option<&SentPacket> {
        let lost = self.lost.get(&(near.ssrc, sequence_number))?;
        // The same number comes again after 65,536 packets: at least seven minutes.
        let is_near =
            |lost: &&&SentPacket| lost.left.abs_diff(near.left) < NEARBY + Duration::from_secs(60);
        lost.iter().find(is_near).copied()
    }

    /// Whose voice it may have been: whoever comes back by a new session keeps their CSRC.
    fn speakers(&self, lost: &SentPacket) -> impl Iterator<Item = ClientId> {
        let (members, csrc) = (self.history.members.iter().enumerate(), lost.csrc);
        let theirs = members.filter(move |(_, member)| Some(member.csrc) == csrc);
        theirs.map(|(id, _)| id)
    }

    /// How many packets of one voice did not reach the node in time, from one of its packets to
    /// another. Those that overtook one of the first packets of a voice came before it began.
    fn missing_between(&self, before: &Packet, after: &Packet) -> usize {
        let Some(member) = self.history.members.get(before.sender) else {
            return 0;
        };
        let between = before.number.saturating_add(1)..after.number.max(before.number + 1);
        match member.missing.contains_key(&before.number) {
            true => between.len(),
            false => member.missing.range(between).count(),
        }
    }

    /// How many packets of a voice overtook the first one of it that was for the listener, which the network
    /// lost then: they came before the voice began there, and their numbers were kept for them.
    fn overtook(&self, lost: &SentPacket, after: &Packet) -> usize {
        let Some(member) = self.history.members.get(after.sender) else {
            return 0;
        };
        let on_the_way = self.history.between_workers * 2;
        let came = |at: &Duration| (*at..=*at + on_the_way).contains(&lost.left);
        let late = member.missing.iter().find(|(_, at)| came(at));
        match late {
            Some((&number, _)) if lost.csrc == Some(member.csrc) => {
                (number.saturating_add(1)..after.number).len()
            }
            _ => 0,
        }
    }

    /// The same, of any voice, by the time.
    fn missing_near(&self, speaker: ClientId, before: &Packet, after: &Packet) -> usize {
        let from = before.left.min(after.left).saturating_sub(NEARBY);
        let to = before.left.max(after.left) + NEARBY;
        let member = self.history.members.get(speaker);
        member.map_or(0, |member| {
            let missing = member.missing.values().copied();
            missing.filter(|at| (from..=to).contains(at)).count()
        })
    }

    /// The first packet whose time is too far from the wall clock.
    ///
    /// Of those that leave together, only the last is of this moment: the others are a pre-roll. One that
    /// has come from another worker may be spread over the time that this takes.
    fn off_the_clock<'p>(&self, packets: &[&'p Packet]) -> Option<(&'p Packet, String)> {
        let tolerance = (OFF_THE_CLOCK + self.history.spread * 2).as_secs_f64();
        let last_together = packets.chunk_by(|before, after| {
            after.left.abs_diff(before.left) <= self.history.between_workers
        });
        let mut of_their_moment = last_together.filter_map(<[_]>::last).copied();
        let first = of_their_moment.next()?;
        let mut ticks = 0.0;
        let mut time = first.time;
        for packet in of_their_moment {
            ticks += f64::from(packet.time.wrapping_sub(time) as i32);
            time = packet.time;
            let wall = packet.left.as_secs_f64() - first.left.as_secs_f64();
            let stream = ticks / TICKS_PER_SECOND;
            if (wall - stream).abs() > tolerance {
                let what = format!("{stream:.3} s have passed in the stream, {wall:.3} s outside");
                return Some((packet, what));
            }
        }
        None
    }
}
