//! What can happen to people and rooms.

use std::{collections::BTreeSet, time::Duration};

use stoa_core::{
    AudioMode, AudioSlots, MuteSource, ParticipantChange, Role, RoomTimeout, RoomUpdate,
    SpeakPolicy, SpeechPreroll, Subscription, limits::MAX_SPEECH_PREROLL,
};

use super::{Life, ROOMS, Talk};
use crate::{
    ClientId, Lie,
    link::{Bursts, Direction, Link, Loss, Reordering},
    random::Random,
    room,
};

impl Life {
    /// Something happens to somebody or to a room.
    pub(super) fn do_something(&mut self) {
        self.open_rooms();
        let index = self.random.below(self.people.len());
        let deed = self.random.below(115);
        let Some(id) = self.present(index) else {
            return self.come(index);
        };
        match deed {
            100..105 => self.cut(id),
            105..110 => self.restart_ice(id),
            110..115 => self.come_again(index, id),
            0..30 => self.begin_to_talk(index),
            30..36 => self.leave(index, id),
            36..40 => self.restart(index, id),
            40..50 => self.give_role(id),
            50..60 => self.mute(id),
            60..68 => self.update_room(index),
            68..76 => self.choose(index, id),
            76..81 => self.rebind(id),
            81..93 => self.another_link(id),
            93..96 => self.another_mode(id),
            _ => self.lie(id),
        }
    }

    fn name(&self, id: ClientId) -> String {
        let client = &self.net.clients[id];
        format!("{} of {} (client {id})", client.id, client.room)
    }

    /// Somebody who is not there comes, unless their client is about to connect: then they may go again.
    pub(super) fn come(&mut self, index: usize) {
        let person = &self.people[index];
        if let Some(id) = person.client {
            let client = &self.net.clients[id];
            let is_coming = !client.connected && !client.vanished && !client.closed;
            if self.net.is_in(id) && is_coming {
                if self.random.happens(0.3) {
                    self.leave(index, id);
                }
                return;
            }
            if self.net.is_in(id) {
                return self.restart(index, id);
            }
        }
        let (to, name) = (person.room, person.name.clone());
        let slots = self.net.snapshot(to).settings.audio_slots.count();
        let lines = 1 + self.random.below(slots);
        match self.net.admit(to, &name, lines) {
            Ok(id) => {
                self.people[index].client = Some(id);
                self.people[index].talk = None;
                if self.random.happens(0.5) {
                    self.another_link(id);
                }
                let who = self.name(id);
                self.tell(format!("{who} comes with {lines} lines"));
            }
            Err(error) => self.tell(format!("{name} of {to} is refused: {error}")),
        }
    }

    fn begin_to_talk(&mut self, index: usize) {
        let level = match self.random.below(4) {
            // An open microphone in a quiet room.
            0 => self.random.level(65, 127),
            _ => self.random.level(5, 60),
        };
        let until = self.frame + 5 + self.random.below(300);
        self.people[index].talk = Some(Talk { level, until });
        let name = self.people[index].name.clone();
        let (room, frames) = (self.people[index].room, until - self.frame);
        self.tell(format!(
            "{name} of {room} talks at -{level} dBov for {frames} frames"
        ));
    }

    fn leave(&mut self, index: usize, id: ClientId) {
        self.people[index].talk = None;
        let who = self.name(id);
        match self.random.below(3) {
            0 => {
                self.net.hang_up(id);
                self.tell(format!("{who} hangs up"));
            }
            1 => {
                self.net.vanish(id);
                self.tell(format!("{who} vanishes"));
            }
            _ => {
                let removed = self.net.remove(id);
                self.tell(format!("{who} is sent away: {removed:?}"));
            }
        }
    }

    fn restart(&mut self, index: usize, id: ClientId) {
        let who = self.name(id);
        let restarted = self.net.restart(id);
        self.people[index].talk = None;
        self.tell(format!("{who} starts again as client {restarted:?}"));
        if let Ok(id) = restarted {
            self.people[index].client = Some(id);
        }
    }

    /// Somebody's network is gone, or there again.
    fn cut(&mut self, id: ClientId) {
        let is_cut = self.random.happens(0.6);
        self.net.set_cut(id, is_cut);
        let who = self.name(id);
        self.tell(format!("{who} is cut off: {is_cut}"));
    }

    /// Somebody begins ICE anew, perhaps at another address; sometimes the answer does not reach them.
    fn restart_ice(&mut self, id: ClientId) {
        let who = self.name(id);
        if self.random.happens(0.3) {
            let offer = self.net.clients[id].offer_restart();
            let answer = self.net.renegotiate(id, &offer).map(drop);
            return self.tell(format!("{who} restarts ICE and gets no answer: {answer:?}"));
        }
        if self.random.happens(0.5) {
            self.net.set_cut(id, false);
            self.net.rebind_anywhere(id);
        }
        let restarted = self.net.restart_ice(id);
        self.tell(format!("{who} restarts ICE: {restarted:?}"));
    }

    /// Somebody's program is started again, and they come back by a new session.
    fn come_again(&mut self, index: usize, id: ClientId) {
        let who = self.name(id);
        let again = self.net.come_again(id);
        self.people[index].talk = None;
        self.tell(format!("{who} comes back as client {again:?}"));
        if let Ok(id) = again {
            self.people[index].client = Some(id);
        }
    }

    fn give_role(&mut self, id: ClientId) {
        let roles = [Role::Listener, Role::Speaker, Role::Moderator];
        let role = roles[self.random.below(roles.len())];
        self.net.set_role(id, role);
        let who = self.name(id);
        self.tell(format!("{who} is a {role:?}"));
    }

    fn mute(&mut self, id: ClientId) {
        let sources = [MuteSource::Moderator, MuteSource::Participant];
        let source = sources[self.random.below(sources.len())];
        let muted = self.random.happens(0.5);
        self.net.set_muted(id, source, muted);
        let who = self.name(id);
        self.tell(format!("{who} is muted by {source:?}: {muted}"));
    }

    fn update_room(&mut self, index: usize) {
        let of = self.people[index].room;
        let policies = [SpeakPolicy::Everyone, SpeakPolicy::SpeakersOnly];
        let update = match self.random.below(5) {
            0 => RoomUpdate {
                audio_slots: AudioSlots::new(1 + self.random.below(4) as u32),
                ..RoomUpdate::default()
            },
            1 => RoomUpdate {
                speech_preroll: SpeechPreroll::new(self.random.time_below(MAX_SPEECH_PREROLL)),
                ..RoomUpdate::default()
            },
            2 => RoomUpdate {
                empty_timeout: Some(self.timeout()),
                ..RoomUpdate::default()
            },
            3 => RoomUpdate {
                idle_timeout: Some(self.timeout()),
                ..RoomUpdate::default()
            },
            _ => RoomUpdate {
                speak_policy: self.random.one_of(&policies).copied(),
                ..RoomUpdate::default()
            },
        };
        self.tell(format!("{of} is updated: {update:?}"));
        self.net.update_room_of(of, update);
    }

    /// How long a room waits before it ends by itself, in a life of a few seconds.
    fn timeout(&mut self) -> Option<RoomTimeout> {
        let longest = Duration::from_secs(6);
        RoomTimeout::new(self.random.time_below(longest))
    }

    /// Rooms that have ended by themselves are made anew.
    pub(super) fn open_rooms(&mut self) {
        for name in ROOMS {
            let rooms = self.net.node.snapshots();
            if !rooms.iter().any(|there| there.room == room(name)) {
                self.net.create_room(name);
                self.tell(format!("{name} is made anew"));
            }
        }
    }

    fn choose(&mut self, index: usize, id: ClientId) {
        let here = self.people[index].room;
        let those = self.people.iter().filter(|person| person.room == here);
        let names: Vec<_> = those.map(|person| person.name.clone()).collect();
        let mut some = BTreeSet::new();
        for name in names {
            if self.random.happens(0.4) {
                some.insert(crate::participant(&name));
            }
        }
        let who = self.name(id);
        let choice = match self.random.below(3) {
            0 => Ok(Subscription::EVERYBODY),
            1 => Subscription::all_except(some),
            _ => Subscription::only(some),
        };
        if let Ok(choice) = choice {
            self.tell(format!("{who} wants to hear {choice:?}"));
            self.net.change(id, ParticipantChange::Subscription(choice));
        }
    }

    fn rebind(&mut self, id: ClientId) {
        let who = self.name(id);
        match self.random.below(3) {
            0 => {
                let every = Duration::from_millis(500 + 100 * self.random.below(80) as u64);
                self.net.set_nat(id, Some(every));
                self.tell(format!("the NAT of {who} changes once in {every:?}"));
            }
            1 => {
                self.net.set_nat(id, None);
                self.tell(format!("the NAT of {who} holds"));
            }
            _ => {
                self.net.rebind_anywhere(id);
                self.tell(format!("the NAT of {who} changes"));
            }
        }
    }

    fn another_link(&mut self, id: ClientId) {
        let direction = match self.random.below(2) {
            0 => Direction::Up,
            _ => Direction::Down,
        };
        let link = random_link(&mut self.random);
        self.net.set_link(id, direction, link);
        let who = self.name(id);
        self.tell(format!("{who} has {direction:?} {link:?}"));
    }

    fn another_mode(&mut self, id: ClientId) {
        let who = self.name(id);
        if self.random.happens(0.5) {
            let client = &mut self.net.clients[id];
            client.speaks_redundantly = !client.speaks_redundantly;
            let redundantly = client.speaks_redundantly;
            return self.tell(format!("{who} speaks redundantly: {redundantly}"));
        }
        let modes = [AudioMode::Speech, AudioMode::Music];
        let audio_mode = self.random.one_of(&modes).copied();
        self.tell(format!("{who} has mode {audio_mode:?}"));
        let change = ParticipantChange::Description {
            display_name: None,
            metadata: None,
            audio_mode,
        };
        self.net.change(id, change);
    }

    fn lie(&mut self, id: ClientId) {
        let line = self.random.below(self.net.clients[id].line_count());
        let lie = match line {
            0 => Lie::PayloadType,
            line => Lie::Line(line),
        };
        self.net.lie(id, 0, lie);
        let who = self.name(id);
        self.tell(format!("{who} lies: {lie:?}"));
    }

    /// Whatever is bad gets good, and everybody falls silent.
    pub(super) fn heal(&mut self) {
        for id in 0..self.net.clients.len() {
            self.net.set_links(id, Link::default());
            self.net.set_nat(id, None);
            self.net.set_cut(id, false);
        }
        for person in &mut self.people {
            person.talk = None;
        }
        self.open_rooms();
        for name in ROOMS {
            let update = RoomUpdate {
                empty_timeout: Some(None),
                idle_timeout: Some(None),
                ..RoomUpdate::default()
            };
            self.net.update_room_of(name, update);
        }
        self.tell("everything heals".to_owned());
    }

    /// The rooms are closed, or all of the node.
    pub(super) fn end_rooms(&mut self) {
        if self.random.happens(0.5) {
            let now = self.net.now();
            self.net.node.shut_down(now);
            self.net.drain_node();
        } else {
            for name in ROOMS {
                self.net.close_room(name);
            }
        }
        self.tell("the rooms are closed".to_owned());
    }

    /// Who is in the room of somebody and connected, but for themselves, and wants to hear them.
    pub(super) fn listeners_of(&self, index: usize) -> Vec<ClientId> {
        let speaker = &self.people[index];
        let history = self.net.history();
        let wants = |&id: &ClientId| {
            let choice = history.members[id].choice.last();
            choice.is_some_and(|choice| choice.wants(&crate::participant(&speaker.name)))
        };
        let others = (0..self.people.len()).filter(|&other| other != index);
        others
            .filter(|&other| room(self.people[other].room) == room(speaker.room))
            .filter_map(|other| self.present(other))
            .filter(wants)
            .collect()
    }
}

fn random_link(random: &mut Random) -> Link {
    let milliseconds =
        |random: &mut Random, end: u64| random.time_below(Duration::from_millis(end));
    let share = |random: &mut Random, end: f64| {
        end * random.time_below(Duration::from_secs(1)).as_secs_f64()
    };
    let loss = match random.below(4) {
        0 => Loss::None,
        1 => Loss::Independent(share(random, 0.05)),
        2 => Loss::Independent(share(random, 0.4)),
        _ => Loss::Bursts(Bursts {
            good: Duration::from_millis(200) + milliseconds(random, 4_000),
            bad: Duration::from_millis(20) + milliseconds(random, 400),
            loss_while_good: share(random, 0.02),
            loss_while_bad: 1.0 - share(random, 0.5),
        }),
    };
    match random.below(4) {
        0 => Link::default(),
        1 => Link {
            loss,
            ..Link::default()
        },
        _ => Link {
            loss,
            delay: milliseconds(random, 150),
            jitter: milliseconds(random, 50),
            reordering: Reordering {
                share: share(random, 0.05),
                held_back: milliseconds(random, 80),
            },
            duplication: share(random, 0.05),
        },
    }
}
