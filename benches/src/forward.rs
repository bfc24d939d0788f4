//! The bench "forward": one speaker, many listeners.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use stoa_core::{EgressPath, Role};

use crate::{
    BenchError,
    client::PAYLOAD_BYTES,
    floor::{self, crypto::Keys},
    machine,
    path::Path,
    progress,
    report::{Report, Samples},
    room::{Room, RoomError},
};

/// How many packets of the node a round is about, where that is fewer than the speaker was to send: a
/// round of a large room has enough of them.
const PACKETS_PER_ROUND: u32 = 500_000;

/// A packet to a listener: 12 bytes of header, the speaker, the audio level, Opus, the tag.
const PACKET_BYTES: usize = 12 + 4 + 8 + PAYLOAD_BYTES + 16;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many listeners, a row of the table for each number and path.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000,5000,20000", value_name = "N,N,...",
          value_parser = clap::value_parser!(u16).range(1..))]
    listeners: Vec<u16>,
    /// Who writes and encrypts packets for listeners: the node itself, or each listener's media session.
    #[arg(
        long = "path",
        value_delimiter = ',',
        default_value = "direct,reference",
        value_name = "PATH,..."
    )]
    paths: Vec<Path>,
    /// How many packets the speaker sends in each round; 50 are a second of speech. In large rooms fewer.
    #[arg(long, default_value_t = 100, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    packets: u32,
    /// How many rounds: the table shows their median, minimum and maximum.
    #[arg(long, default_value_t = 11, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A small run that only shows that the bench works.
    #[arg(long, conflicts_with_all = ["listeners", "packets", "rounds"])]
    quick: bool,
    /// Also write the results to this file, one JSON object on each line.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the bench.
///
/// # Errors
/// [`BenchError`] if somebody cannot join, or if not exactly one packet reaches each listener for each
/// that is sent.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), BenchError> {
    if arguments.quick {
        arguments.listeners = vec![2, 20];
        (arguments.packets, arguments.rounds) = (20, 3);
    }
    let title = "forward, nanoseconds for each packet forwarded";
    let mut report = Report::open(title, arguments.json.as_deref())?;
    println!(
        "{:>9} {:>9} {:>8} {:>8} {:>8} {:>7} {:>6} {:>11} {:>9} {:>8}",
        "listeners",
        "path",
        "median",
        "min",
        "max",
        "floor",
        "ratio",
        "allocations",
        "hot bytes",
        "RSS KiB"
    );
    let mut is_first = true;
    for &listeners in &arguments.listeners {
        for &path in &arguments.paths {
            let mut row = measure(&arguments, listeners, path)?;
            // What comes after takes the memory that this one leaves.
            row.resident_bytes = row.resident_bytes.filter(|_| is_first);
            is_first = false;
            println!("{}", row.line());
            report.write(row.json())?;
        }
    }
    Ok(())
}

/// The result for one room.
struct Row {
    listeners: u16,
    path: Path,
    /// How many packets left the node while it was timed.
    packets: u64,
    /// Nanoseconds for each packet forwarded, one for each round.
    rounds: Samples,
    /// The same for encryption alone, and how many times as much forwarding took in the same round.
    floor: Samples,
    ratio: Samples,
    /// For each packet of the speaker.
    allocations: u64,
    /// By how much the process grew for each listener, if it had no memory to spare before.
    resident_bytes: Option<u64>,
}

impl Row {
    fn allocations_per_packet(&self) -> f64 {
        // Far below 2^52.
        self.allocations as f64 / f64::from(self.listeners)
    }

    fn hot_bytes(&self) -> Option<usize> {
        self.path.egress().hot_bytes(1)
    }

    fn line(&self) -> String {
        let Self {
            listeners, rounds, ..
        } = self;
        let (median, min, max) = (rounds.median(), rounds.min(), rounds.max());
        let (path, floor, ratio) = (self.path.name(), self.floor.median(), self.ratio.median());
        let allocations = self.allocations_per_packet();
        let hot = self
            .hot_bytes()
            .map_or("-".to_owned(), |bytes| bytes.to_string());
        let resident = self.resident_bytes.map(|bytes| bytes / 1024);
        let resident = resident.map_or("-".to_owned(), |kib| kib.to_string());
        format!(
            "{listeners:>9} {path:>9} {median:>8.0} {min:>8.0} {max:>8.0} {floor:>7.0} {ratio:>6.2} \
             {allocations:>11.3} {hot:>9} {resident:>8}"
        )
    }

    fn json(&self) -> Value {
        json!({
            "bench": "forward",
            "path": self.path.name(),
            "listeners": self.listeners,
            "ns_per_packet": self.rounds.median(),
            "ns_per_packet_min": self.rounds.min(),
            "ns_per_packet_max": self.rounds.max(),
            "crypto_floor_ns": self.floor.median(),
            "ratio": self.ratio.median(),
            "allocations_per_packet": self.allocations_per_packet(),
            "allocations_per_packet_in": self.allocations,
            "hot_bytes_per_listener": self.hot_bytes(),
            "rss_bytes_per_listener": self.resident_bytes,
            "packets": self.packets,
        })
    }
}

/// Measures one room.
fn measure(plan: &Arguments, listeners: u16, path: Path) -> Result<Row, BenchError> {
    let mut room = Conversation::open(path.egress())?;
    let before = machine::resident_bytes();
    let progress = progress::bar("joining", listeners.into());
    for number in 1..=listeners {
        room.add_listener(number)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    let resident = machine::resident_bytes().saturating_sub(before);

    let mut floor = Keys::new(PACKET_BYTES, listeners.into())?;
    let count = plan
        .packets
        .min(PACKETS_PER_ROUND / u32::from(listeners))
        .max(1);
    let packets = f64::from(count) * f64::from(listeners);
    let progress = progress::bar("forwarding", (plan.rounds + 1).into());
    // The first round is for caches and the allocator, and is not counted.
    round(&mut room, &mut floor, count)?;
    progress.inc(1);
    let (mut rounds, mut floors, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let (spent, least) = round(&mut room, &mut floor, count)?;
        let (spent, least) = (spent.as_secs_f64(), least.as_secs_f64());
        rounds.push(spent * 1e9 / packets);
        floors.push(least * 1e9 / packets);
        ratios.push(spent / least);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(Row {
        listeners,
        path,
        packets: u64::from(count) * u64::from(plan.rounds) * u64::from(listeners),
        rounds: Samples::new(rounds),
        floor: Samples::new(floors),
        ratio: Samples::new(ratios),
        allocations: room.count_allocations()?,
        resident_bytes: Some(resident / u64::from(listeners)),
    })
}

/// The time that the node needs for so many packets of the speaker, and that of encryption alone: after
/// each packet, so that both find the processor's caches as others have left them.
fn round(
    room: &mut Conversation,
    floor: &mut Keys,
    packets: u32,
) -> Result<(Duration, Duration), BenchError> {
    let (mut spent, mut least) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..packets {
        spent += room.forward_one()?;
        least += floor.round()?;
    }
    Ok((spent, least))
}

/// A room with one speaker. Clients are dropped once connected, but for the speaker's and the first
/// listener's: a thousand of them would only get in the way.
struct Conversation {
    room: Room,
    speaker: usize,
    /// Whose client stays, to show that what leaves is a voice.
    witness: Option<usize>,
    listeners: usize,
}

impl Conversation {
    fn open(egress: EgressPath) -> Result<Self, RoomError> {
        let mut room = Room::open(Default::default(), egress)?;
        let client = room.client_to_be(0, 1);
        let speaker = room.connect(client, Role::Listener)?;
        let speaker = room.keep(speaker.client);
        Ok(Self {
            room,
            speaker,
            witness: None,
            listeners: 0,
        })
    }

    fn add_listener(&mut self, number: u16) -> Result<(), RoomError> {
        let client = self.room.client_to_be(number, 1);
        let admitted = self.room.connect(client, Role::Listener)?;
        self.witness
            .get_or_insert_with(|| self.room.keep(admitted.client));
        self.listeners += 1;
        Ok(())
    }

    /// The speaker says 20 ms, and every listener hears it. Returns how long the node took.
    fn forward_one(&mut self) -> Result<Duration, BenchError> {
        self.room.pass_a_frame()?;
        let heard_before = self.heard_by_witness();
        let packet = self.room.speak(self.speaker)?;
        let began = floor::thread_time()?;
        let step = self.room.receive(self.speaker, &packet);
        let spent = floor::thread_time()? - began;
        let left = step.packets;
        if left != self.listeners {
            let expected = self.listeners;
            return Err(RoomError::WrongCount { expected, left }.into());
        }
        self.room.deliver(step.kept)?;
        if self.heard_by_witness() != heard_before + 1 {
            return Err(RoomError::NotHeard.into());
        }
        Ok(spent)
    }

    /// What the node allocates on the way of one packet of the speaker.
    fn count_allocations(&mut self) -> Result<u64, RoomError> {
        self.room.pass_a_frame()?;
        let packet = self.room.speak(self.speaker)?;
        Ok(self.room.count_allocations(self.speaker, &packet))
    }

    fn heard_by_witness(&self) -> u64 {
        self.witness.map_or(0, |witness| self.room.heard(witness))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::name;

    #[test]
    fn every_listener_is_counted() -> Result<(), BenchError> {
        let mut conversation = Conversation::open(EgressPath::Direct)?;
        for number in 1..=3 {
            conversation.add_listener(number)?;
        }
        for _ in 0..5 {
            conversation.forward_one()?;
        }
        Ok(())
    }

    #[test]
    fn a_packet_that_does_not_leave_is_an_error() -> Result<(), BenchError> {
        let mut conversation = Conversation::open(EgressPath::Direct)?;
        for number in 1..=3 {
            conversation.add_listener(number)?;
        }
        conversation.forward_one()?;
        conversation.room.remove(&name(3))?;
        let error = conversation.forward_one().expect_err("one packet too few");
        let expected = matches!(
            error,
            BenchError::Room(RoomError::WrongCount {
                expected: 3,
                left: 2
            })
        );
        assert!(expected, "{error}");
        Ok(())
    }

    #[test]
    fn a_row_has_median_minimum_and_maximum() {
        let row = Row {
            listeners: 10,
            path: Path::Reference,
            packets: 300,
            rounds: Samples::new(vec![300.0, 100.0, 200.0]),
            floor: Samples::new(vec![100.0]),
            ratio: Samples::new(vec![2.5]),
            allocations: 5,
            resident_bytes: Some(4_096),
        };
        let line = "10 reference 200 100 300 100 2.50 0.500 - 4";
        let words = row.line();
        let words: Vec<&str> = words.split_whitespace().collect();
        assert_eq!(words.join(" "), line);
        assert_eq!(row.json()["ns_per_packet"], 200.0);
        assert_eq!(row.json()["hot_bytes_per_listener"], Value::Null);
    }
}
