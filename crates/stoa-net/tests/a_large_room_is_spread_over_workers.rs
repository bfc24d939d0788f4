//! The audience of a large room has seats at every worker, and hears one room: whoever speaks, wherever
//! their own seat is. A right that is taken away is gone everywhere when the call is answered.

mod support;

use std::collections::BTreeSet;

use stoa_core::{LeaveReason, ParticipantChange, Role, RoomSettings, SpeakPolicy};
use stoa_net::{Media, Started, start};
use support::{Client, config, room, until, who};

/// More than a worker takes before it lets others have some.
const LISTENERS: usize = 72;

/// A room with a speaker and an audience at two workers, all of them connected.
async fn large_room() -> (Started, Vec<Client>) {
    let mut config = config(&["127.0.0.1"]);
    config.workers = 2;
    let started = start(&config).unwrap();
    let settings = RoomSettings {
        speak_policy: SpeakPolicy::SpeakersOnly,
        ..RoomSettings::default()
    };
    let media = &started.media;
    media.create_room(room("r"), settings).await.unwrap();
    let ip = "127.0.0.1".parse().unwrap();
    let mut clients = vec![Client::join(media, ip, "r", "speaker").await.unwrap()];
    for number in 0..LISTENERS {
        let (name, role) = (format!("listener-{number}"), Role::Listener);
        let listener = Client::join_as(media, ip, "r", &name, role).await.unwrap();
        clients.push(listener);
        // The others have nothing to do meanwhile.
        let newest = clients.len() - 1;
        all_until(&mut clients[newest..], |clients| clients[0].connected);
    }
    all_until(&mut clients[..1], |clients| clients[0].connected);
    (started, clients)
}

fn all_until(clients: &mut [Client], holds: impl Fn(&[&mut Client]) -> bool) {
    let mut all: Vec<&mut Client> = clients.iter_mut().collect();
    until(&mut all, |clients| holds(clients));
}

/// Client 0 speaks until everybody else has heard it so often.
fn heard_by_all(clients: &mut [Client], speaker: usize, payload: &[u8], times: usize) {
    let mut all: Vec<&mut Client> = clients.iter_mut().collect();
    until(&mut all, |clients| {
        clients[speaker].speak(payload);
        let mut others = clients
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != speaker);
        others.all(|(_, client)| count(client, payload) >= times)
    });
}

fn count(client: &Client, payload: &[u8]) -> usize {
    let packets = client.heard.iter();
    packets.filter(|packet| *packet.payload == *payload).count()
}

async fn set_role(media: &Media, name: &str, role: Role) {
    media
        .change_participant(room("r"), who(name), None, ParticipantChange::Role(role))
        .await
        .unwrap();
}

#[tokio::test]
async fn one_room_over_two_workers() {
    let (Started { workers, media, .. }, mut clients) = large_room().await;
    let ports: BTreeSet<u16> = clients.iter().map(|client| client.seat).collect();
    assert_eq!(ports.len(), 2, "seats at both workers");

    heard_by_all(&mut clients, 0, b"from home", 20);
    for client in &clients[1..] {
        let numbers: Vec<u64> = client.heard.iter().map(|packet| *packet.seq_no).collect();
        assert!(
            numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "{numbers:?}"
        );
    }

    // Somebody whose seat is not where the room is at home.
    let home = clients[0].seat;
    let elsewhere = clients
        .iter()
        .rposition(|client| client.seat != home)
        .unwrap();
    let name = format!("listener-{}", elsewhere - 1);
    set_role(&media, &name, Role::Speaker).await;
    heard_by_all(&mut clients, elsewhere, b"from elsewhere", 5);

    set_role(&media, &name, Role::Listener).await;
    // What was sent before the answer is in the clients' sockets by now.
    for client in &mut clients {
        while client.turn() {}
    }
    clients.iter_mut().for_each(|client| client.heard.clear());
    // The speaker is heard again by all, so whatever went before would have been, too.
    for _ in 0..10 {
        clients[elsewhere].speak(b"from elsewhere");
        clients[elsewhere].turn();
    }
    heard_by_all(&mut clients, 0, b"from home", 10);
    assert!(
        clients
            .iter()
            .all(|client| count(client, b"from elsewhere") == 0)
    );

    let removed = media
        .remove_participant(room("r"), who(&name), None, LeaveReason::Removed)
        .await;
    removed.unwrap();
    all_until(&mut clients[elsewhere..=elsewhere], |clients| {
        clients[0].closed
    });

    // Everybody is said goodbye to, also by the worker that is not the room's home.
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
    all_until(&mut clients, |clients| {
        clients.iter().all(|client| client.closed)
    });
}
