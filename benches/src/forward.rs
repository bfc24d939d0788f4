//! The bench "forward": one speaker, many listeners.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use stoa_core::Role;

use crate::{
    BenchError, progress,
    report::{Report, Samples},
    room::{Room, RoomError},
};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many listeners, one row of the table for each number.
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000", value_name = "N,N,...",
          value_parser = clap::value_parser!(u16).range(1..))]
    listeners: Vec<u16>,
    /// How many packets the speaker sends in each round; 50 are a second of speech.
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
    let title = "forward, reference path, microseconds for each packet forwarded";
    let mut report = Report::open(title, arguments.json.as_deref())?;
    println!(
        "{:>9} {:>12} {:>9} {:>9} {:>9}",
        "listeners", "packets", "median", "min", "max"
    );
    for &listeners in &arguments.listeners {
        let row = measure(&arguments, listeners)?;
        println!("{}", row.line());
        report.write(row.json())?;
    }
    Ok(())
}

/// The result for one room.
struct Row {
    listeners: u16,
    /// How many packets left the node while it was timed.
    packets: u64,
    /// Microseconds for each packet forwarded, one for each round.
    rounds: Samples,
}

impl Row {
    fn line(&self) -> String {
        let Self {
            listeners,
            packets,
            rounds,
        } = self;
        let (median, min, max) = (rounds.median(), rounds.min(), rounds.max());
        format!("{listeners:>9} {packets:>12} {median:>9.2} {min:>9.2} {max:>9.2}")
    }

    fn json(&self) -> Value {
        json!({
            "bench": "forward",
            "path": "reference",
            "listeners": self.listeners,
            "us_per_packet": self.rounds.median(),
            "us_per_packet_min": self.rounds.min(),
            "us_per_packet_max": self.rounds.max(),
            "packets": self.packets,
        })
    }
}

/// Measures one room.
fn measure(plan: &Arguments, listeners: u16) -> Result<Row, RoomError> {
    let mut room = Conversation::open()?;
    let progress = progress::bar("joining", listeners.into());
    for number in 1..=listeners {
        room.add_listener(number)?;
        progress.inc(1);
    }
    progress.finish_and_clear();

    let progress = progress::bar("forwarding", (plan.rounds + 1).into());
    // The first round is for caches and the allocator, and is not counted.
    room.forward(plan.packets)?;
    progress.inc(1);
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        let spent = room.forward(plan.packets)?;
        let packets = f64::from(plan.packets) * f64::from(listeners);
        rounds.push(spent.as_secs_f64() * 1e6 / packets);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(Row {
        listeners,
        packets: u64::from(plan.packets) * u64::from(plan.rounds) * u64::from(listeners),
        rounds: Samples::new(rounds),
    })
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
    fn open() -> Result<Self, RoomError> {
        let mut room = Room::open(Default::default())?;
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

    /// The time that the node needs for so many packets of the speaker.
    fn forward(&mut self, packets: u32) -> Result<Duration, RoomError> {
        (0..packets).map(|_| self.forward_one()).sum()
    }

    /// The speaker says 20 ms, and every listener hears it. Returns how long the node took.
    fn forward_one(&mut self) -> Result<Duration, RoomError> {
        self.room.pass_a_frame()?;
        let heard_before = self.heard_by_witness();
        let packet = self.room.speak(self.speaker)?;
        let step = self.room.receive(self.speaker, &packet);
        let (spent, left) = (step.spent, step.packets);
        if left != self.listeners {
            return Err(RoomError::WrongCount {
                expected: self.listeners,
                left,
            });
        }
        self.room.deliver(step.kept)?;
        if self.heard_by_witness() != heard_before + 1 {
            return Err(RoomError::NotHeard);
        }
        Ok(spent)
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
    fn every_listener_is_counted() -> Result<(), RoomError> {
        let mut conversation = Conversation::open()?;
        for number in 1..=3 {
            conversation.add_listener(number)?;
        }
        conversation.forward(5)?;
        Ok(())
    }

    #[test]
    fn a_packet_that_does_not_leave_is_an_error() -> Result<(), RoomError> {
        let mut conversation = Conversation::open()?;
        for number in 1..=3 {
            conversation.add_listener(number)?;
        }
        conversation.forward_one()?;
        conversation.room.remove(&name(3))?;
        let error = conversation.forward_one().expect_err("one packet too few");
        let expected = matches!(
            error,
            RoomError::WrongCount {
                expected: 3,
                left: 2
            }
        );
        assert!(expected, "{error}");
        Ok(())
    }

    #[test]
    fn a_row_has_median_minimum_and_maximum() {
        let row = Row {
            listeners: 10,
            packets: 300,
            rounds: Samples::new(vec![3.0, 1.0, 2.0]),
        };
        assert!(
            row.line()
                .ends_with("10          300      2.00      1.00      3.00")
        );
        assert_eq!(row.json()["us_per_packet"], 2.0);
    }
}
