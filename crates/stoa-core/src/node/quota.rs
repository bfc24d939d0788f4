//! What a tenant's rooms may forward: looked at once for each packet of a speaker, at the home of the room.

use std::time::Instant;

use super::Node;
use crate::{
    compose::{Composed, Destination},
    keys::{BankKey, ParticipantKey, RoomKey},
    quota::{Demand, PacketQuota, QuotaIndex},
    stage::SpeakerPacket,
    stats::DropReason,
};

impl Node {
    /// Limits what the rooms of these tenants forward from now on, those that are there and those to come. Rooms of
    /// others have no limit. A packet is forwarded to all who hear it or to nobody, and to all as soon as anything is
    /// left: so a tenant is over its quota by less than a packet to its largest room, and makes up for it. A tenant
    /// that had a quota before has what was left of it, or owes what it owed.
    pub fn set_quotas(&mut self, now: Instant, quotas: &[PacketQuota]) {
        self.advance(now);
        self.quotas.replace(self.now, quotas);
        for room in self.rooms.values_mut() {
            room.quota = self.quotas.of(room.id.tenant());
        }
    }

    /// Tells what each of those tenants was to forward since the last call, in their order, and takes how many
    /// packets a second it may from now on.
    pub fn renew_quotas(&mut self, now: Instant, renew: impl FnMut(usize, Demand) -> u64) {
        self.advance(now);
        self.quotas.renew(self.now, renew);
    }

    /// Takes a packet of somebody in whose room nothing may be forwarded now.
    pub(super) fn withhold(
        &mut self,
        (room_key, quota): (RoomKey, QuotaIndex),
        key: ParticipantKey,
        packet: &SpeakerPacket,
    ) {
        let Some(room) = self.rooms.get_mut(room_key) else {
            return;
        };
        let mut streams = std::mem::take(&mut self.withheld);
        let heard = room
            .stage
            .withhold(self.now, key, packet, |bank, to| streams.push((bank, to)));
        let hearers = |(bank, to): (_, _)| self.hearers(room_key, bank, &to);
        let packets = streams.drain(..).map(hearers).sum();
        self.withheld = streams;
        self.quotas.withhold(quota, packets);
        self.stats.count_drops(DropReason::OverQuota, packets);
        if let Some(room) = self.rooms.get_mut(room_key) {
            room.over_quota += packets;
        }
        self.follow(room_key, heard);
    }

    /// Takes from a quota what is about to be forwarded.
    pub(super) fn spend(&mut self, (room, quota): (RoomKey, QuotaIndex), composed: &[Composed]) {
        let hearers = |packet: &Composed| {
            let Composed {
                stream,
                destination,
                ..
            } = packet;
            self.hearers(room, stream.bank, destination)
        };
        let packets = composed.iter().map(hearers).sum();
        self.quotas.spend(quota, packets);
    }

    /// How many hear a packet of this bank, wherever their seats are.
    fn hearers(&self, room: RoomKey, bank: BankKey, to: &Destination) -> u64 {
        let hears = |key: ParticipantKey| {
            let participant = self.participants.get(key);
            participant.is_some_and(|participant| participant.hears_by(bank))
        };
        let left_out = match to {
            Destination::Only(listener) => return hears(*listener).into(),
            Destination::AllBut(speaker) => usize::from(hears(*speaker)),
            Destination::NewTo { speaker, knew } => {
                let knew = knew.iter().flatten().filter(|knew| *knew != speaker);
                let all = knew.chain([speaker]);
                all.filter(|key| hears(**key)).count()
            }
        };
        let hearing = self.rooms.get(room).map(|room| room.stage.hearing(bank));
        hearing.unwrap_or(0).saturating_sub(left_out) as u64
    }
}
