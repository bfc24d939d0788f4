//! The operations that are timed, and how each shows that it had its effect.

use std::time::Duration;

use stoa_core::{
    AudioSlots, DropReason, MuteSource, ParticipantChange, Revision, Role, RoomEventKind,
    RoomUpdate, SpeakPolicy,
};

use crate::{
    report::Samples,
    room::{RoomError, Step, name},
};

use super::{LINES, Stage};

/// How often the whole audience is touched on purpose: each time is long enough to be measured well.
const POLICY_SAMPLES: u32 = 20;

/// Does one thing again and again; some things have several sides, each with figures of its own.
pub(super) type Operation = fn(&mut Stage) -> Result<Vec<Measured>, RoomError>;

/// The figures of one side.
pub(super) struct Measured {
    pub(super) name: &'static str,
    /// Whether it may cost more in a larger audience.
    pub(super) touches_audience: bool,
    /// Microseconds.
    pub(super) samples: Samples,
}

impl Measured {
    fn of_stage(name: &'static str, microseconds: Vec<f64>) -> Self {
        Self {
            name,
            touches_audience: false,
            samples: Samples::new(microseconds),
        }
    }
}

/// In the order of the table.
pub(super) const OPERATIONS: &[Operation] = &[
    roles,
    mutes,
    membership,
    ranking,
    refused_packets,
    small_settings,
    policy,
];

pub(super) fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A listener becomes a speaker, a listener again, and once more a speaker: the first time they are in
/// none of the processor's caches, the second time they are.
fn roles(stage: &mut Stage) -> Result<Vec<Measured>, RoomError> {
    let (mut up, mut down, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for number in stage.spread() {
        let who = name(number);
        for (role, times) in [
            (Role::Speaker, Some(&mut up)),
            (Role::Listener, Some(&mut down)),
            (Role::Speaker, Some(&mut again)),
            (Role::Listener, None),
        ] {
            let step = stage.room.timed(|node, now, room| {
                node.change_participant(now, room, &who, None, ParticipantChange::Role(role))
            });
            let changed = |event: &RoomEventKind| {
                matches!(event, RoomEventKind::Updated(info)
                    if info.participant == who && info.role == role)
            };
            let time = told(step, "role", changed)?;
            times.into_iter().for_each(|times| times.push(time));
        }
    }
    // Once with a voice, because an event is not yet a right: from a stage that leaves a slot free.
    let everybody_else = usize::from(stage.listeners) + stage.speakers.len();
    let who = name(stage.listeners);
    for (role, expected) in [(Role::Speaker, everybody_else), (Role::Listener, 0)] {
        let change = ParticipantChange::Role(role);
        let step = (stage.room)
            .timed(|node, now, room| node.change_participant(now, room, &who, None, change));
        step.result?;
        let (left, _) = stage.say(stage.listener)?;
        if left != expected {
            return Err(RoomError::WrongCount { expected, left });
        }
    }
    Ok(vec![
        Measured::of_stage("role: listener to speaker", up),
        Measured::of_stage("role: speaker to listener", down),
        Measured::of_stage("role: the first change again", again),
    ])
}

/// Speakers who talk are muted, one by one, and may speak again. Some of them hold slots, which others
/// take then.
fn mutes(stage: &mut Stage) -> Result<Vec<Measured>, RoomError> {
    stage.all_talk()?;
    let (mut mute, mut unmute) = (Vec::new(), Vec::new());
    let first = stage.listeners + 1;
    for (sample, speaker) in (0..stage.samples).zip((0..stage.speakers.len()).cycle()) {
        let who = name(first + u16::try_from(speaker).unwrap_or_default());
        let source = if sample % 2 == 0 {
            MuteSource::Moderator
        } else {
            MuteSource::Participant
        };
        for (muted, times) in [(true, &mut mute), (false, &mut unmute)] {
            let change = ParticipantChange::Muted { source, muted };
            let step = (stage.room)
                .timed(|node, now, room| node.change_participant(now, room, &who, None, change));
            let changed = |event: &RoomEventKind| {
                matches!(event, RoomEventKind::Updated(info)
                    if info.participant == who && info.mutes.any() == muted)
            };
            times.push(told(step, "mute", changed)?);
        }
        // Among those who talk again. The slots are taken, so it is not sent to the audience, which
        // would push everything else out of the processor's caches.
        let (left, _) = stage.say(stage.speakers[speaker])?;
        if left > LINES {
            return Err(RoomError::WrongCount { expected: 0, left });
        }
    }
    Ok(vec![
        Measured::of_stage("mute of somebody who talks", mute),
        Measured::of_stage("end of the mute", unmute),
    ])
}

/// A listener leaves and comes back.
fn membership(stage: &mut Stage) -> Result<Vec<Measured>, RoomError> {
    let (mut leave, mut join, mut handshake) = (Vec::new(), Vec::new(), Vec::new());
    for number in stage.spread() {
        let who = name(number);
        let step = stage.room.remove(&who)?;
        let left = |event: &RoomEventKind| matches!(event, RoomEventKind::Left { participant, .. } if *participant == who);
        let time = microseconds(step.spent);
        if !step.events.iter().any(left) {
            return Err(RoomError::NoEffect("leave"));
        }
        leave.push(time);
        let client = stage.room.client_to_be(number, LINES);
        let admitted = stage.room.connect(client, Role::Listener)?;
        join.push(microseconds(admitted.join));
        handshake.push(microseconds(admitted.handshake));
    }
    Ok(vec![
        Measured::of_stage("leave", leave),
        Measured::of_stage("join: offer to answer", join),
        Measured::of_stage("join: ICE and DTLS", handshake),
    ])
}

/// All talk, and the room is ranked every 100 ms: for 1.5 s they count as talking.
fn ranking(stage: &mut Stage) -> Result<Vec<Measured>, RoomError> {
    let mut times = Vec::new();
    // Until those who talked before are silent.
    stage.room.rank_until_silent()?;
    while times.len() < stage.samples as usize {
        stage.room.pass_a_moment()?;
        stage.all_talk()?;
        let measured = stage.room.rank_until_silent()?;
        if measured.is_empty() {
            return Err(RoomError::NoEffect("ranking"));
        }
        times.extend(measured.into_iter().map(microseconds));
    }
    Ok(vec![Measured::of_stage("ranking, all talk", times)])
}

/// A packet of somebody who is on stage but has no slot, of somebody who is muted, and of somebody who
/// is not on stage.
fn refused_packets(stage: &mut Stage) -> Result<Vec<Measured>, RoomError> {
    let last = stage.speakers[stage.speakers.len() - 1];
    let who = name(stage.listeners + u16::try_from(stage.speakers.len()).unwrap_or(0));
    // Whatever slot they hold is another's then, who is louder by more than the ranking's margin.
    stage.mute(&who, true)?;
    stage.all_talk()?;
    stage.mute(&who, false)?;
    stage.room.client(last).level = -50;
    let mut without_slot = Vec::new();
    stage.all_talk()?;
    for _ in 0..stage.samples {
        let (left, time) = stage.say(last)?;
        // At most to the holders of slots, who hear somebody else in the place of their own voice.
        if left > LINES {
            return Err(RoomError::WrongCount { expected: 0, left });
        }
        without_slot.push(time);
    }

    let muted = stage.speakers[0];
    let who = name(stage.listeners + 1);
    stage.mute(&who, true)?;
    let of_muted = stage.refused(muted)?;
    stage.mute(&who, false)?;
    let of_listener = stage.refused(stage.listener)?;
    Ok(vec![
        Measured::of_stage("packet of a speaker without a slot", without_slot),
        Measured::of_stage("packet of a muted speaker", of_muted),
        Measured::of_stage("packet of a listener", of_listener),
    ])
}

impl Stage {
    fn mute(&mut self, who: &stoa_core::ParticipantId, muted: bool) -> Result<Revision, RoomError> {
        let source = MuteSource::Moderator;
        let change = ParticipantChange::Muted { source, muted };
        let step = (self.room)
            .timed(|node, now, room| node.change_participant(now, room, who, None, change));
        Ok(step.result?)
    }

    /// Packets that go nowhere, each counted by the node.
    fn refused(&mut self, who: usize) -> Result<Vec<f64>, RoomError> {
        let mut times = Vec::new();
        for _ in 0..self.samples {
            let before = self.room.dropped(DropReason::NotAllowed);
            let (left, time) = self.say(who)?;
            if left > 0 {
                return Err(RoomError::WrongCount { expected: 0, left });
            }
            if self.room.dropped(DropReason::NotAllowed) != before + 1 {
                return Err(RoomError::NoEffect("refused packet"));
            }
            times.push(time);
        }
        Ok(times)
    }
}

/// Settings that concern the stage alone, or nobody.
fn small_settings(stage: &mut Stage) -> Result<Vec<Measured>, RoomError> {
    let (mut slots, mut limit) = (Vec::new(), Vec::new());
    for sample in 0..stage.samples {
        let update = RoomUpdate {
            audio_slots: AudioSlots::new(2 + sample % 2),
            ..RoomUpdate::default()
        };
        slots.push(stage.update(update)?);
        let update = RoomUpdate {
            max_participants: Some(Some(60_000 + usize::from(sample % 2 == 0))),
            ..RoomUpdate::default()
        };
        limit.push(stage.update(update)?);
    }
    Ok(vec![
        Measured::of_stage("setting: slots", slots),
        Measured::of_stage("setting: limit of participants", limit),
    ])
}

/// Whom the room lets speak: the one setting that concerns everybody.
fn policy(stage: &mut Stage) -> Result<Vec<Measured>, RoomError> {
    let mut times = Vec::new();
    for _ in 0..POLICY_SAMPLES.min(stage.samples) {
        for policy in [SpeakPolicy::Everyone, SpeakPolicy::SpeakersOnly] {
            let update = RoomUpdate {
                speak_policy: Some(policy),
                ..RoomUpdate::default()
            };
            times.push(stage.update(update)?);
        }
    }
    Ok(vec![Measured {
        name: "setting: who may speak",
        touches_audience: true,
        samples: Samples::new(times),
    }])
}

impl Stage {
    fn update(&mut self, update: RoomUpdate) -> Result<f64, RoomError> {
        let step = (self.room).timed(|node, now, room| node.update_room(now, room, update));
        let changed = |event: &RoomEventKind| matches!(event, RoomEventKind::RoomUpdated(_));
        told(step, "setting", changed)
    }
}

/// The time of a step that succeeded and told of it.
fn told(
    step: Step<Result<Revision, stoa_core::Error>>,
    what: &'static str,
    event: impl Fn(&RoomEventKind) -> bool,
) -> Result<f64, RoomError> {
    step.result?;
    if !step.events.iter().any(event) {
        return Err(RoomError::NoEffect(what));
    }
    Ok(microseconds(step.spent))
}
