//! A short random life of two rooms: people come, talk, fall silent, are muted, moved and thrown out,
//! over links that get worse and better, in houses of one or more workers; everything from one seed. In the end everything heals, and
//! whoever may speak has to be heard; then the rooms are closed, and nothing may be left.

mod deeds;
mod finale;

use std::{panic, time::Duration};

use crate::{
    ClientId, FRAME, Layout, Net,
    oracle::{self, Rule, Violation},
    random::Random,
};

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

/// What came of a life.
#[derive(Debug)]
pub struct Outcome {
    /// What was violated, in the order in which it happened.
    pub violations: Vec<Violation>,
    /// What was done, one line for each deed.
    pub story: Vec<String>,
    /// How many packets were heard.
    pub heard: usize,
}

/// A life under way.
struct Life {
    net: Net,
    random: Random,
    people: Vec<Person>,
    frame: usize,
    story: Vec<String>,
}

/// Lives the life of this seed. What panics in it is a violation of [`Rule::Alive`], and the story then
/// ends before it.
///
/// The same seed gives the same life, as far as the crate's page says.
pub fn live(seed: u64) -> Outcome {
    let mut story = Vec::new();
    let lived = panic::catch_unwind(panic::AssertUnwindSafe(|| Life::new(seed).live(&mut story)));
    let (violations, heard) = lived.unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        let violation = Violation {
            rule: Rule::Alive,
            at: Duration::ZERO,
            what: format!("panic: {}", text.unwrap_or("of no text")),
        };
        (vec![violation], 0)
    });
    Outcome {
        violations,
        story,
        heard,
    }
}

/// One worker without a lobby, one with a lobby, or a few: each as often.
fn layout(seed: u64) -> Layout {
    let mut random = Random::new(seed).child(3);
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

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed).child(2);
        let mut net = Net::laid_out(layout(seed), seed);
        net.create_room(ROOMS[1]);
        let people = |(room, count): (&'static str, usize)| {
            (0..count).map(move |n| Person {
                room,
                name: format!("p{n}"),
                client: None,
                talk: None,
            })
        };
        let counts = [3 + random.below(5), 1 + random.below(3)];
        let people = ROOMS.into_iter().zip(counts).flat_map(people).collect();
        Self {
            net,
            random,
            people,
            frame: 0,
            story: Vec::new(),
        }
    }

    fn live(mut self, story: &mut Vec<String>) -> (Vec<Violation>, usize) {
        let layout = self.net.node.layout();
        self.tell(format!("there are {layout}"));
        let frames = FRAMES.start + self.random.below(FRAMES.len());
        // Sometimes quiet, sometimes hectic: a deed in 60 to 600 ms.
        let pace = 3 + self.random.below(28);
        for index in 0..self.people.len() {
            self.come(index);
        }
        while self.frame < frames {
            // At any moment: what is on its way between workers then is there for a millisecond or two.
            let deed = (self.random.below(pace) == 0).then(|| self.random.time_below(FRAME));
            self.talk_for_a_frame(deed);
            story.append(&mut self.story);
            self.frame += 1;
        }
        let mut violations = self.finale();
        story.append(&mut self.story);
        violations.extend(oracle::judge(&self.net));
        let heard = self.net.clients.iter().map(|client| client.heard.len());
        let heard = heard.sum();
        violations.extend(self.close());
        story.append(&mut self.story);
        violations.sort_by_key(|violation| violation.at);
        (violations, heard)
    }

    /// Whoever talks sends a packet, each at their own moment of the frame. So long after its beginning,
    /// something may happen.
    fn talk_for_a_frame(&mut self, deed: Option<Duration>) {
        const MOMENTS: u32 = 4;
        let frame = self.net.elapsed();
        for moment in 0..MOMENTS {
            for index in 0..self.people.len() {
                let Some(id) = self.present(index) else {
                    continue;
                };
                let person = &mut self.people[index];
                person.talk = person.talk.filter(|talk| talk.until > self.frame);
                if let Some(talk) = person.talk
                    && id as u32 % MOMENTS == moment
                {
                    // Speech is no tone.
                    let quieter = self.random.level(0, 9);
                    self.net
                        .say(id, talk.level.saturating_add(quieter).min(127));
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
