//! A short random life of two rooms: people come, talk, fall silent, are muted, moved and thrown out,
//! over links that get worse and better, in houses of one or more workers; everything from one seed. In the
//! end everything heals, and whoever may speak has to be heard; then the rooms are closed, and nothing may be
//! left.
//!
//! Each deed draws from a source of its own, so that the others stay what they are when it is left out.

mod deeds;
mod finale;
mod shortest;

use std::{collections::BTreeSet, panic, time::Duration};

use stoa_core::Limits;

use crate::{
    ClientId, FRAME, Layout, Net,
    oracle::{self, Rule, Violation, limits::nothing_is_beyond_its_limit},
    random::Random,
};

pub use self::shortest::shortest;

/// The rooms, of which the net has made the first one.
const ROOMS: [&str; 2] = ["room", "other"];

/// How many frames a life has before its end: 12 to 24 s.
const FRAMES: std::ops::Range<usize> = 600..1_200;

/// Somebody who talks: how loud, and until which frame.
#[derive(Debug, Clone, Copy)]
struct Talk {
    level: u8,
    until: usize,
}

/// One person in one room, by a name that stays.
#[derive(Debug)]
struct Person {
    room: &'static str,
    name: String,
    /// Their present client, or the last one.
    client: Option<ClientId>,
    talk: Option<Talk>,
}

/// Which part of a life is lived; by default all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// No more frames than these, before everything heals.
    pub frames: Option<usize>,
    /// The deeds that are left out, counted from 0.
    pub without: BTreeSet<usize>,
}

/// What came of a life.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was violated, in the order in which it happened.
    pub violations: Vec<Violation>,
    /// What was done, one line for each deed.
    pub story: Vec<String>,
    /// How many packets were heard.
    pub heard: usize,
    /// How often anything happened: a datagram arrived, or somebody had their turn.
    pub steps: u64,
    /// How many deeds there were, those that were left out among them.
    pub deeds: usize,
}

/// What is drawn for something, whatever was drawn for anything else.
#[derive(Debug, Clone, Copy)]
enum Draw {
    /// How the house is laid out, and what its limits are.
    Layout = 3,
    /// Who there is, and when something is done.
    Plan = 2,
    /// How each of them comes first, by their number.
    Arrival = 4,
    /// What is done, by the number of the deed.
    Deed = 5,
    /// How loud each packet is.
    Loudness = 6,
    /// How everything ends.
    End = 7,
}

/// A life under way.
struct Life {
    seed: u64,
    net: Net,
    /// Of what is being done now.
    random: Random,
    /// Of who there is, and of when something is done.
    plan: Random,
    people: Vec<Person>,
    frame: usize,
    story: Vec<String>,
}

/// Lives the life of this seed. What panics in it is a violation of [`Rule::Alive`], and the story then
/// ends before it.
///
/// The same seed gives the same life, as far as the crate's page says.
pub fn live(seed: u64) -> Outcome {
    live_part(seed, &Part::default())
}

/// Lives a part of the life of this seed.
pub fn live_part(seed: u64, part: &Part) -> Outcome {
    let mut told = Outcome::default();
    let lived = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        Life::new(seed).live(part, &mut told);
    }));
    if let Err(payload) = lived {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        told.violations.push(Violation {
            rule: Rule::Alive,
            at: Duration::ZERO,
            what: format!("panic: {}", text.unwrap_or("of no text")),
        });
    }
    told.violations.sort_by_key(|violation| violation.at);
    told
}

fn draw(seed: u64, draw: Draw) -> Random {
    Random::new(seed).child(draw as u64)
}

/// One worker without a lobby, one with a lobby, or a few: each as often.
fn layout(random: &mut Random) -> Layout {
    match random.below(3) {
        0 => Layout::default(),
        1 => Layout {
            workers: 1,
            lobby: true,
        },
        _ => Layout {
            workers: 2 + random.below(3),
            lobby: true,
        },
    }
}

/// So few that people are refused now and then.
fn limits(random: &mut Random) -> Limits {
    Limits {
        participants_per_room: 3 + random.below(8),
        participants: 5 + random.below(20),
        ..Limits::default()
    }
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = draw(seed, Draw::Layout);
        let layout = layout(&mut random);
        let mut net = Net::laid_out_with(layout, limits(&mut random), seed);
        let mut plan = draw(seed, Draw::Plan);
        net.create_room(ROOMS[1]);
        let people = |(room, count): (&'static str, usize)| {
            (0..count).map(move |n| Person {
                room,
                name: format!("p{n}"),
                client: None,
                talk: None,
            })
        };
        let counts = [3 + plan.below(5), 1 + plan.below(3)];
        let people = ROOMS.into_iter().zip(counts).flat_map(people).collect();
        Self {
            seed,
            net,
            random,
            plan,
            people,
            frame: 0,
            story: Vec::new(),
        }
    }

    fn live(mut self, part: &Part, told: &mut Outcome) {
        let layout = self.net.node.layout();
        self.tell(format!("there are {layout}"));
        let frames = FRAMES.start + self.plan.below(FRAMES.len());
        let frames = part.frames.unwrap_or(frames).min(frames);
        // Sometimes quiet, sometimes hectic: a deed in 60 to 600 ms.
        let pace = 3 + self.plan.below(28);
        for index in 0..self.people.len() {
            self.random = draw(self.seed, Draw::Arrival).child(index as u64);
            self.come(index);
        }
        while self.frame < frames {
            // At any moment: what is on its way between workers then is there for a millisecond or two.
            let deed = (self.plan.below(pace) == 0).then(|| self.plan.time_below(FRAME));
            let number = told.deeds;
            told.deeds += usize::from(deed.is_some());
            let deed = deed.filter(|_| !part.without.contains(&number));
            self.random = draw(self.seed, Draw::Deed).child(number as u64);
            self.talk_for_a_frame(deed);
            told.story.append(&mut self.story);
            let fills = self.net.node.fill();
            let beyond = nothing_is_beyond_its_limit(self.net.elapsed(), &fills);
            told.violations.extend(beyond);
            self.frame += 1;
        }
        self.random = draw(self.seed, Draw::End);
        told.violations.extend(self.finale());
        told.story.append(&mut self.story);
        told.violations.extend(oracle::judge(&self.net));
        let heard = self.net.clients.iter().map(|client| client.heard.len());
        told.heard = heard.sum();
        told.violations.extend(self.close());
        told.story.append(&mut self.story);
        told.steps = self.net.steps;
    }

    /// Whoever talks sends a packet, each at their own moment of the frame. So long after its beginning,
    /// something may happen.
    fn talk_for_a_frame(&mut self, deed: Option<Duration>) {
        const MOMENTS: u32 = 4;
        let frame = self.net.elapsed();
        let mut loudness = draw(self.seed, Draw::Loudness).child(self.frame as u64);
        let quieter: Vec<_> = self.people.iter().map(|_| loudness.level(0, 9)).collect();
        for moment in 0..MOMENTS {
            for (index, &quieter) in quieter.iter().enumerate() {
                let Some(id) = self.present(index) else {
                    continue;
                };
                let person = &mut self.people[index];
                person.talk = person.talk.filter(|talk| talk.until > self.frame);
                if let Some(talk) = person.talk
                    && id as u32 % MOMENTS == moment
                {
                    // Speech is no tone.
                    let level = talk.level.saturating_add(quieter).min(127);
                    self.net.say(id, level);
                }
            }
            let [now, end] = [moment, moment + 1].map(|moment| FRAME * moment / MOMENTS);
            if let Some(deed) = deed.filter(|deed| (now..end).contains(deed)) {
                self.net.run_for(deed - now);
                self.do_something();
            }
            self.net.run_for(frame + end - self.net.elapsed());
        }
    }

    /// The client of somebody, if it is in the room and connected, as it sees it.
    fn present(&self, index: usize) -> Option<ClientId> {
        let id = self.people[index].client?;
        let client = &self.net.clients[id];
        let is_there = client.connected && !client.closed && !client.vanished;
        (is_there && self.net.is_in(id)).then_some(id)
    }

    fn tell(&mut self, what: String) {
        let seconds = self.net.elapsed().as_secs_f64();
        self.story.push(format!("{seconds:9.4} {what}"));
    }
}
