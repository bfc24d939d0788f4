//! A tenant's rooms forward no more packets a second than it may. What is beyond is counted one by one, takes
//! nothing from other tenants, and looks like silence to listeners, not like loss.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use stoa_core::{
    AudioSlots, DropReason, PacketQuota, ParticipantChange, RoomUpdate, SpeechPreroll,
    Subscription, TenantId,
};
use stoa_sim::{ClientId, FRAME, Heard, Net, oracle};

fn quota(tenant: &str, packets_per_second: u64) -> PacketQuota {
    PacketQuota {
        tenant: TenantId::new(tenant).unwrap(),
        packets_per_second,
    }
}

fn set_quotas(net: &mut Net, quotas: &[PacketQuota]) {
    net.node.set_quotas(net.now(), quotas);
}

/// A room, somebody who talks in it, and so many who listen.
fn talk(net: &mut Net, room: &str, listeners: usize) -> (ClientId, Vec<ClientId>) {
    net.create_room(room);
    let mut join = |number: usize| net.join_room(room, &number.to_string(), 3);
    let talker = join(0);
    (talker, (1..=listeners).map(join).collect())
}

fn heard(net: &Net, listeners: &[ClientId]) -> u64 {
    let heard = listeners.iter().map(|&id| net.clients[id].heard.len());
    heard.sum::<usize>() as u64
}

fn withheld(net: &Net) -> u64 {
    net.stats().dropped(DropReason::OverQuota)
}

/// The most that left for these listeners in any second.
fn most_in_a_second(net: &Net, listeners: &[ClientId]) -> usize {
    let history = net.history();
    let packets = history.heard.iter();
    let mut left: Vec<_> = packets
        .filter(|packet| listeners.contains(&packet.listener))
        .map(|packet| packet.left)
        .collect();
    left.sort_unstable();
    let in_a_second = |&from: &Duration| {
        let until = left.partition_point(|&left| left < from + Duration::from_secs(1));
        until - left.partition_point(|&left| left < from)
    };
    left.iter().map(in_a_second).max().unwrap_or(0)
}

#[test]
fn what_is_beyond_is_counted_and_nobody_else_hears_less() {
    let mut net = Net::new();
    // 50 packets a second to four are 200.
    let (over, listeners) = talk(&mut net, "over/room", 4);
    let (within, theirs) = talk(&mut net, "within/room", 4);
    let (free, others) = talk(&mut net, "free/room", 4);
    set_quotas(&mut net, &[quota("over", 100), quota("within", 300)]);
    net.speak(
        &[(over, 30), (within, 30), (free, 30)],
        Duration::from_secs(10),
    );
    net.run_for(FRAME);

    assert_eq!(heard(&net, &theirs), 2_000);
    assert_eq!(heard(&net, &others), 2_000);
    let forwarded = heard(&net, &listeners);
    assert_eq!(forwarded + withheld(&net), 2_000, "each one is counted");
    assert!((1_000..=1_024).contains(&forwarded), "{forwarded}");
    let most = most_in_a_second(&net, &listeners);
    assert!(most < 100 + 20 + 4, "{most} in a second");
    for &listener in &listeners {
        assert_eq!(net.clients[listener].heard.len() as u64, forwarded / 4);
    }
    oracle::assert_holds(&net);
}

#[test]
fn two_rooms_of_a_tenant_have_one_quota() {
    let mut net = Net::new();
    let (ann, mut listeners) = talk(&mut net, "a/one", 3);
    let (ben, theirs) = talk(&mut net, "a/two", 2);
    listeners.extend(theirs);
    set_quotas(&mut net, &[quota("a", 125)]);
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(10));
    net.run_for(FRAME);
    let forwarded = heard(&net, &listeners);
    assert_eq!(forwarded + withheld(&net), 2_500);
    assert!((1_250..=1_278).contains(&forwarded), "{forwarded}");

    // A room that is made later belongs to it, too.
    let (cem, theirs) = talk(&mut net, "a/three", 5);
    net.speak(&[(cem, 30)], Duration::from_secs(4));
    net.run_for(FRAME);
    let forwarded = heard(&net, &theirs);
    assert!((500..=530).contains(&forwarded), "{forwarded}");
}

#[test]
fn a_listener_finds_silence_where_something_is_withheld() {
    let mut net = Net::new();
    let (ann, listeners) = talk(&mut net, "a/room", 1);
    set_quotas(&mut net, &[quota("a", 30)]);
    net.speak(&[(ann, 30)], Duration::from_secs(4));
    net.run_for(FRAME);

    let heard = &net.clients[listeners[0]].heard;
    assert!((120..=127).contains(&heard.len()), "{}", heard.len());
    let first = &heard[0].packet;
    let mut was_withheld = 0;
    for (before, pair) in (1_u64..).zip(heard.windows(2)) {
        let [last, next] = pair else { unreachable!() };
        assert_eq!(*next.packet.seq_no, *first.seq_no + before, "no gap");
        let skipped = next.number() - last.number() - 1;
        was_withheld += skipped;
        // Time goes on as the clock does, and a mark says that something begins (RFC 3551, section 4.1).
        let ticks = next.packet.header.timestamp;
        let ticks = ticks.wrapping_sub(last.packet.header.timestamp);
        assert_eq!(ticks, 960 * (1 + skipped));
        assert_eq!(next.packet.header.marker, skipped > 0);
    }
    assert_eq!(
        u64::from(was_withheld) + (199 - u64::from(heard.last().unwrap().number())),
        withheld(&net)
    );
    oracle::assert_holds(&net);

    // What was withheld is gone, and without the quota all else is heard.
    set_quotas(&mut net, &[]);
    net.forget_heard();
    net.speak(&[(ann, 30)], Duration::from_secs(1));
    net.run_for(FRAME);
    let numbers: Vec<_> = net.clients[listeners[0]]
        .heard
        .iter()
        .map(|heard| heard.number())
        .collect();
    assert_eq!(numbers, Vec::from_iter(200..250));
    oracle::assert_holds(&net);
}

#[test]
fn those_who_are_away_cost_nothing() {
    let mut net = Net::new();
    let (ann, listeners) = talk(&mut net, "a/room", 3);
    set_quotas(&mut net, &[quota("a", 0)]);
    let costs = |net: &mut Net| {
        let before = withheld(net);
        net.speak(&[(ann, 30)], Duration::from_secs(1));
        (withheld(net) - before) / 50
    };
    assert_eq!(costs(&mut net), 3);
    for id in &listeners[..2] {
        net.set_cut(*id, true);
    }
    net.run_for(Duration::from_secs(20));
    assert_eq!(costs(&mut net), 1);
    net.set_cut(listeners[0], false);
    net.run_for(Duration::from_secs(5));
    assert_eq!(costs(&mut net), 2, "back by themselves");
    let again = net.come_again(listeners[1]).unwrap();
    net.wait_until_connected(again);
    assert_eq!(costs(&mut net), 3);
    net.remove(again).unwrap();
    assert_eq!(costs(&mut net), 2);
}

/// Two talk, and each hears the other: one in the slot, who holds it the understudy.
#[test]
fn whoever_holds_a_slot_finds_silence_too() {
    let mut net = Net::new();
    net.create_room("a/room");
    let one = RoomUpdate {
        audio_slots: AudioSlots::new(1),
        ..RoomUpdate::default()
    };
    net.update_room_of("a/room", one);
    let people = ["ann", "ben"].map(|name| net.join_room("a/room", name, 1));
    set_quotas(&mut net, &[quota("a", 60)]);
    net.speak(&people.map(|id| (id, 30)), Duration::from_secs(4));
    net.run_for(FRAME);
    assert_eq!(heard(&net, &people) + withheld(&net), 400);
    let skips = |pair: &[Heard]| pair[1].number() > pair[0].number() + 1;
    let heard = |id: ClientId| &net.clients[id].heard;
    let skipped = people.iter().any(|&id| heard(id).windows(2).any(skips));
    assert!(skipped, "some is withheld in between");
    for id in people {
        let heard = heard(id);
        let has_gap = |pair: &[Heard]| *pair[1].packet.seq_no != *pair[0].packet.seq_no + 1;
        assert!(!heard.windows(2).any(has_gap));
    }
    oracle::assert_holds(&net);
}

/// Several talk at once, so that those who hold a slot hear another one in it; there are listeners with fewer
/// lines and with a choice of their own, and they come and go. Returns how often each was heard.
fn crowd(quotas: &[PacketQuota]) -> (Net, BTreeMap<ClientId, usize>) {
    let mut net = Net::new();
    net.create_room("a/room");
    net.update_room_of(
        "a/room",
        RoomUpdate {
            audio_slots: AudioSlots::new(3),
            // Which packets are early hangs on what has been heard before.
            speech_preroll: Some(SpeechPreroll::NONE),
            ..RoomUpdate::default()
        },
    );
    set_quotas(&mut net, quotas);
    let people = [3, 3, 3, 3, 1, 2, 3, 3].into_iter().enumerate();
    let people: Vec<_> = people
        .map(|(number, lines)| net.join_room("a/room", &number.to_string(), lines))
        .collect();
    let all = |from: usize| {
        let levels = people[from..5].iter().zip(20_u8..);
        Vec::from_iter(levels.map(|(&id, level)| (id, level)))
    };
    let second = Duration::from_secs(1);
    net.speak(&all(0), second);
    let silenced = BTreeSet::from([net.clients[people[1]].id.clone()]);
    let choice = Subscription::all_except(silenced).unwrap();
    for listener in [0, 6] {
        let change = ParticipantChange::Subscription(choice.clone());
        net.change(people[listener], change);
    }
    net.speak(&all(0), second);
    net.remove(people[0]).unwrap();
    net.remove(people[7]).unwrap();
    net.speak(&all(1), second);
    net.join_room("a/room", "late", 3);
    let change = ParticipantChange::Subscription(Subscription::EVERYBODY);
    net.change(people[6], change);
    net.speak(&all(1), second);
    net.run_for(FRAME);
    let heard = net.clients.iter().map(|client| client.heard.len());
    let heard = heard.enumerate().collect();
    (net, heard)
}

#[test]
fn each_copy_is_counted_whoever_hears_whom() {
    let (free, all) = crowd(&[]);
    let (net, some) = crowd(&[quota("a", 0)]);
    assert!(some.values().all(|&heard| heard == 0));
    assert_eq!(withheld(&free), 0);
    assert_eq!(withheld(&net), all.values().sum::<usize>() as u64);
    oracle::assert_holds(&free);

    // And what is forwarded costs as much.
    let (net, some) = crowd(&[quota("a", 400)]);
    let (forwarded, all) = (some.values().sum::<usize>(), all.values().sum::<usize>());
    assert_eq!(forwarded as u64 + withheld(&net), all as u64);
    assert!(
        forwarded < 4 * 400 + 80 + 8 && forwarded > 4 * 400 - 100,
        "{forwarded}"
    );
    oracle::assert_holds(&net);
}
