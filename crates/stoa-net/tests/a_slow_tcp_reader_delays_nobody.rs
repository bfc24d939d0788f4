//! Somebody who does not read their TCP connection loses the oldest audio, which is counted; everybody else
//! hears everything. What they have not read does not keep an answer waiting, and when they read again they
//! hear what is said then. Who never reads again is closed out.

mod support;

use stoa_core::{MuteSource, ParticipantChange, RoomSettings};
use stoa_net::{Media, Started, Workers, start};
use support::{Client, config, room, until};

const IP: &str = "127.0.0.1";

/// Longer than a voice's, so that the kernel's buffers are soon full.
const WORDS: [u8; 1_000] = [7; 1_000];

struct Scene {
    workers: Workers,
    media: Media,
    speaker: Client,
    listener: Client,
    slow: Client,
}

async fn scene() -> Scene {
    let Started { workers, media, .. } = start(&config(&[IP])).unwrap();
    let ip = IP.parse().unwrap();
    let settings = RoomSettings::default();
    media.create_room(room("r"), settings).await.unwrap();
    let mut speaker = Client::join(&media, ip, "r", "speaker").await.unwrap();
    let mut listener = Client::join(&media, ip, "r", "listener").await.unwrap();
    let slow = Client::join_by_tcp(&media, ip, "r", "slow", true).await;
    let mut slow = slow.unwrap();
    until(&mut [&mut speaker, &mut listener, &mut slow], |clients| {
        clients.iter().all(|client| client.connected)
    });
    // The worker may know it a little later than they do.
    until(&mut [&mut speaker, &mut listener, &mut slow], |clients| {
        clients[0].speak(b"ready");
        clients[1..].iter().all(|client| !client.heard.is_empty())
    });
    Scene {
        workers,
        media,
        speaker,
        listener,
        slow,
    }
}

fn count(media: &Media, reason: &str) -> u64 {
    media.status()[0].datagrams_dropped[reason]
}

/// The speaker speaks, and the listener listens, until something has been counted so often.
fn speak_until(scene: &mut Scene, reason: &str, number: u64) -> usize {
    let mut spoken = 0;
    let media = scene.media.clone();
    until(&mut [&mut scene.speaker, &mut scene.listener], |clients| {
        clients[0].speak(&WORDS);
        spoken += 1;
        count(&media, reason) >= number
    });
    spoken
}

#[tokio::test(flavor = "multi_thread")]
async fn and_hears_again_when_they_read_again() {
    let mut scene = scene().await;
    let spoken = speak_until(&mut scene, "tcp_slow_reader", 50);
    until(&mut [&mut scene.speaker, &mut scene.listener], |clients| {
        let heard = clients[1].heard.iter();
        heard.filter(|packet| *packet.payload == WORDS).count() >= spoken
    });

    // What waits for the slow one does not keep an answer waiting that forbids it.
    for muted in [true, false] {
        let source = MuteSource::Moderator;
        let change = ParticipantChange::Muted { source, muted };
        let speaker = support::who("speaker");
        let changed = scene
            .media
            .change_participant(room("r"), speaker, None, change);
        changed.await.unwrap();
    }

    let Scene { speaker, slow, .. } = &mut scene;
    until(&mut [speaker, slow], |clients| {
        clients[0].speak(b"after");
        let mut heard = clients[1].heard.iter();
        heard.any(|packet| *packet.payload == *b"after")
    });
    assert!(!scene.slow.cut_off);
    end(scene.workers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_is_closed_out_if_they_never_do() {
    let mut scene = scene().await;
    speak_until(&mut scene, "tcp_stalled", 1);
    until(&mut [&mut scene.slow], |clients| clients[0].cut_off);
    // Whoever is gone is sent nothing.
    assert_eq!(count(&scene.media, "tcp_outbound_full"), 0);
    end(scene.workers).await;
}

async fn end(workers: Workers) {
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}
