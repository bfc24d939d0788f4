//! The bench "stage": what a change of who may speak, who listens and who is heard costs, and that it
//! does not grow with the audience.

mod operations;
mod table;

use std::path::PathBuf;

use stoa_core::{EgressPath, Role, RoomSettings, SpeakPolicy};

use crate::{
    BenchError, progress,
    report::Report,
    room::{Room, RoomError},
};

use self::operations::{Measured, OPERATIONS};

/// As many lines as the room has slots.
const LINES: usize = 3;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many listeners, one column of the table for each number.
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000", value_name = "N,N,...",
          value_parser = clap::value_parser!(u16).range(2..=60_000))]
    listeners: Vec<u16>,
    /// How many speakers are on stage; more would not all talk within the ranking's memory.
    #[arg(long, default_value_t = 20, value_name = "N",
          value_parser = clap::value_parser!(u16).range(4..=60))]
    stage: u16,
    /// How often each operation is done.
    #[arg(long, default_value_t = 200, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// A small run that only shows that the bench works.
    #[arg(long, conflicts_with_all = ["listeners", "stage", "samples"])]
    quick: bool,
    /// Also write the results to this file, one JSON object on each line.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the bench.
///
/// # Errors
/// [`BenchError`] if somebody cannot join, or if something that is timed does not have its effect.
pub(crate) fn run(mut arguments: Arguments) -> Result<(), BenchError> {
    if arguments.quick {
        arguments.listeners = vec![5, 20];
        (arguments.stage, arguments.samples) = (5, 5);
    }
    let title = format!(
        "stage, {} speakers on it, microseconds for each operation",
        arguments.stage
    );
    let mut report = Report::open(&title, arguments.json.as_deref())?;
    let mut columns = Vec::new();
    for &listeners in &arguments.listeners {
        let mut stage = Stage::open(&arguments, listeners)?;
        let progress = progress::bar("measuring", OPERATIONS.len() as u64);
        let mut column = Vec::new();
        for operation in OPERATIONS {
            column.extend(operation(&mut stage)?);
            progress.inc(1);
        }
        progress.finish_and_clear();
        columns.push((listeners, column));
    }
    print!("{}", table::text(&columns));
    for object in table::json(&columns, arguments.stage) {
        report.write(object)?;
    }
    Ok(())
}

/// A room in which speakers and moderators speak, with its stage and its audience.
struct Stage {
    room: Room,
    /// The speakers' clients, which stay.
    speakers: Vec<usize>,
    /// A listener whose client stays.
    listener: usize,
    /// The other listeners have the numbers below this one.
    listeners: u16,
    samples: u32,
}

impl Stage {
    fn open(plan: &Arguments, listeners: u16) -> Result<Self, RoomError> {
        let mut room = Room::open(
            RoomSettings {
                speak_policy: SpeakPolicy::SpeakersOnly,
                ..RoomSettings::default()
            },
            EgressPath::Direct,
        )?;
        let progress = progress::bar("joining", u64::from(listeners) + u64::from(plan.stage));
        // The audience first, because the clients that stay have their timers served at each join.
        for number in 0..listeners - 1 {
            let client = room.client_to_be(number, LINES);
            room.connect(client, Role::Listener)?;
            progress.inc(1);
        }
        let mut keep = |number: u16, role: Role| {
            let client = room.client_to_be(number, LINES);
            let admitted = room.connect(client, role)?;
            progress.inc(1);
            Ok::<_, RoomError>(room.keep(admitted.client))
        };
        let listener = keep(listeners - 1, Role::Listener)?;
        let speakers = (listeners..listeners + plan.stage)
            .map(|number| keep(number, Role::Speaker))
            .collect::<Result<_, _>>()?;
        progress.finish_and_clear();
        Ok(Self {
            room,
            speakers,
            listener,
            listeners: listeners - 1,
            samples: plan.samples,
        })
    }

    /// The numbers of listeners, as many as there are samples, spread over all of them: the next one
    /// shall not be in the processor's caches because the last one was.
    fn spread(&self) -> impl Iterator<Item = u16> + use<> {
        // A prime: everybody has a turn before somebody has a second one.
        const STRIDE: u64 = 7_919;
        let listeners = u64::from(self.listeners);
        let at = move |sample: u32| u64::from(sample) * STRIDE % listeners;
        (0..self.samples).map(move |sample| u16::try_from(at(sample)).unwrap_or_default())
    }

    /// Every speaker says 20 ms, all at once.
    fn all_talk(&mut self) -> Result<(), RoomError> {
        self.room.pass_a_frame()?;
        for speaker in self.speakers.clone() {
            self.say(speaker)?;
        }
        Ok(())
    }

    /// One of those who stay says 20 ms, in no time: the sessions of ten thousand listeners would have
    /// their timers served otherwise. Returns to how many it went, and how long it took.
    fn say(&mut self, who: usize) -> Result<(usize, f64), RoomError> {
        let packet = self.room.speak(who)?;
        let step = self.room.receive(who, &packet);
        let spent = operations::microseconds(step.spent);
        self.room.deliver(step.kept)?;
        Ok((step.packets, spent))
    }
}

/// What was measured in one room.
type Column = (u16, Vec<Measured>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_effect_in_a_small_room() -> Result<(), RoomError> {
        let plan = Arguments {
            listeners: vec![4],
            stage: 4,
            samples: 3,
            quick: false,
            json: None,
        };
        let mut stage = Stage::open(&plan, 4)?;
        for operation in OPERATIONS {
            for measured in operation(&mut stage)? {
                assert!(measured.samples.count() > 0, "{}", measured.name);
            }
        }
        Ok(())
    }
}
