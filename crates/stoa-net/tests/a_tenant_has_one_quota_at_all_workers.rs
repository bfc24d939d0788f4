//! What a tenant may forward a second is shared by the workers where its rooms are at home: together they keep to
//! it, each says what it has withheld, and no room is silent because of the other.

mod support;

use std::time::Instant;

use stoa_core::{PacketQuota, RoomSettings, TenantId};
use stoa_net::{Media, Started, start};
use support::{Client, config, room, until};

const PER_SECOND: u64 = 40;

/// What may go at once: a fifth of a second's, and at each worker less than a packet to its two listeners.
const BURST: u64 = PER_SECOND / 5 + 2 * 2;

/// A room of three at each of two workers: one who talks, and two who listen.
async fn two_rooms(media: &Media) -> Vec<Client> {
    let ip = "127.0.0.1".parse().unwrap();
    let mut clients: Vec<Client> = Vec::new();
    for number in 0.. {
        let name = format!("a/{number}");
        let created = media.create_room(room(&name), RoomSettings::default());
        created.await.unwrap();
        let talker = Client::join(media, ip, &name, "talker").await.unwrap();
        if clients
            .first()
            .is_some_and(|first| first.seat == talker.seat)
        {
            continue;
        }
        clients.push(talker);
        for listener in ["one", "two"] {
            clients.push(Client::join(media, ip, &name, listener).await.unwrap());
        }
        if clients.len() == 6 {
            break;
        }
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

#[tokio::test]
async fn and_both_rooms_are_heard() {
    let mut config = config(&["127.0.0.1"]);
    config.workers = 2;
    config.quotas = vec![PacketQuota {
        tenant: TenantId::new("a").unwrap(),
        packets_per_second: PER_SECOND,
    }];
    let Started { workers, media, .. } = start(&config).unwrap();
    let mut clients = two_rooms(&media).await;
    let began = Instant::now();
    let mut all: Vec<&mut Client> = clients.iter_mut().collect();
    until(&mut all, |clients| {
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
