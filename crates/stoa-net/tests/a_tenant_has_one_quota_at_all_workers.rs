//! What a tenant may forward a second is shared by the workers where its rooms are at home: together they keep to
//! it, each says what it has withheld, and no room is silent because of the other. Another quota holds at once.

mod support;

use std::{
    cell::Cell,
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

use stoa_core::{PacketQuota, RoomSettings, TenantId};
use stoa_net::{Media, Started, start};
use support::{Client, config, room, until};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const PER_SECOND: u64 = 40;

/// What may go at once: a fifth of a second's, and at each worker less than a packet to its two listeners.
const BURST: u64 = PER_SECOND / 5 + 2 * 2;

/// Three people in a new room: one who talks, and two who listen.
async fn people(media: &Media, name: &str) -> Vec<Client> {
    let created = media.create_room(room(name), RoomSettings::default());
    created.await.unwrap();
    let mut clients = Vec::new();
    for who in ["talker", "one", "two"] {
        clients.push(Client::join(media, IP, name, who).await.unwrap());
    }
    clients
}

/// The names of two rooms of a tenant that are at home with different workers.
fn two_rooms(media: &Media) -> [String; 2] {
    let home = |name: &String| media.home(&room(name));
    let first = "a/0".to_owned();
    let mut others = (1..).map(|number| format!("a/{number}"));
    let second = others.find(|other| home(other) != home(&first));
    [first, second.expect("there is always another number")]
}

/// Three people in each of these rooms, all of them connected.
async fn all_in(media: &Media, rooms: &[String]) -> Vec<Client> {
    let mut clients = Vec::new();
    for room in rooms {
        clients.extend(people(media, room).await);
    }
    let mut all: Vec<&mut Client> = clients.iter_mut().collect();
    until(&mut all, |clients| {
        clients.iter().all(|client| client.connected)
    });
    clients
}

fn withheld(media: &Media) -> Vec<u64> {
    let workers = media.status().into_iter();
    let of = |worker: stoa_net::WorkerStatus| {
        worker.datagrams_dropped.get("packets_over_quota").copied()
    };
    workers.map(|worker| of(worker).unwrap_or(0)).collect()
}

fn quota(tenant: &str, packets_per_second: u64) -> PacketQuota {
    PacketQuota {
        tenant: TenantId::new(tenant).unwrap(),
        packets_per_second,
    }
}

/// Lets both rooms of a tenant with a quota talk, and each time does something before they do.
async fn both_are_heard_within_it(before_each: impl Fn(&Media)) {
    let mut config = config(&["127.0.0.1"]);
    config.workers = 2;
    config.quotas = vec![quota("a", PER_SECOND)];
    let Started { workers, media, .. } = start(&config).unwrap();
    let mut clients = all_in(&media, &two_rooms(&media)).await;
    let began = Instant::now();
    let mut all: Vec<&mut Client> = clients.iter_mut().collect();
    until(&mut all, |clients| {
        before_each(&media);
        clients[0].speak(b"here");
        clients[3].speak(b"there");
        let listeners = [1, 2, 4, 5];
        let is_heard = |&id: &usize| clients[id].heard.len() >= 20;
        listeners.iter().all(is_heard) && withheld(&media).iter().all(|&packets| packets > 0)
    });
    let heard: usize = clients.iter().map(|client| client.heard.len()).sum();
    let milliseconds = began.elapsed().as_millis() + 1;
    let most = u128::from(PER_SECOND) * milliseconds / 1_000 + u128::from(BURST);
    assert!(heard as u128 <= most, "{heard} of {most}");
    for client in &clients {
        let numbers: Vec<u64> = client.heard.iter().map(|packet| *packet.seq_no).collect();
        let has_gap = |pair: &[u64]| pair[1] != pair[0] + 1;
        assert!(!numbers.windows(2).any(has_gap), "{numbers:?}");
    }
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}

#[tokio::test]
async fn and_both_rooms_are_heard() {
    both_are_heard_within_it(|_| {}).await;
}

/// What a tenant has used is not forgotten, however often others get a quota or lose theirs.
#[tokio::test]
async fn other_quotas_are_no_burst_for_it() {
    let turn = Cell::new(0);
    both_are_heard_within_it(|media| {
        turn.set(turn.get() + 1);
        let quotas = [quota("other", turn.get()), quota("a", PER_SECOND)];
        // With the other, without, and in another place.
        media.set_packet_quotas(&quotas[turn.get() as usize % 2..]);
    })
    .await;
}

/// Three rooms, two of `a` and one of `b`, in each of which the first of three clients talks.
struct Rooms {
    media: Media,
    names: [String; 3],
    clients: Vec<Client>,
}

/// How often it is looked whether something has come to be so.
const LOOKS: usize = 100;

impl Rooms {
    async fn open(media: Media) -> Self {
        let [first, second] = two_rooms(&media);
        let names = [first, second, "b/0".to_owned()];
        let clients = all_in(&media, &names).await;
        Self {
            media,
            names,
            clients,
        }
    }

    /// Lets all talk for a while. Returns how many packets of each room were withheld until then.
    async fn talk(&mut self) -> Vec<u64> {
        let mut spoken = 0;
        let mut all: Vec<&mut Client> = self.clients.iter_mut().collect();
        until(&mut all, |clients| {
            for talker in [0, 3, 6] {
                clients[talker].speak(b"to all");
            }
            spoken += 1;
            spoken == 20
        });
        let mut withheld = Vec::new();
        for name in &self.names {
            let inspected = self.media.inspect(room(name)).await.unwrap();
            withheld.push(inspected.0.over_quota);
        }
        withheld
    }

    /// Gives tenants these quotas, and lets all talk until packets of these rooms are withheld, and of no others.
    async fn under(&mut self, quotas: &[PacketQuota], expected: [bool; 3]) {
        self.media.set_packet_quotas(quotas);
        let mut before = self.talk().await;
        let mut is_limited = Vec::new();
        for _ in 0..LOOKS {
            let now = self.talk().await;
            let pairs = before.iter().zip(&now);
            is_limited = pairs.map(|(before, now)| now > before).collect();
            if is_limited == expected {
                return;
            }
            before = now;
        }
        panic!("{quotas:?} come to {is_limited:?}");
    }
}

#[tokio::test]
async fn who_gets_loses_or_changes_one_is_limited_at_once_where_its_rooms_are() {
    let (few, many) = (10, 1_000_000);
    let mut config = config(&["127.0.0.1"]);
    config.workers = 2;
    let Started { workers, media, .. } = start(&config).unwrap();
    let mut rooms = Rooms::open(media).await;
    rooms.under(&[], [false; 3]).await;
    rooms.under(&[quota("a", few)], [true, true, false]).await;
    // Another one is in its place.
    rooms.under(&[quota("b", few)], [false, false, true]).await;
    let both = [quota("a", many), quota("b", few)];
    rooms.under(&both, [false, false, true]).await;
    let both = [quota("a", few), quota("b", many)];
    rooms.under(&both, [true, true, false]).await;
    rooms.under(&[], [false; 3]).await;
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}
