//! Somebody whose network blocks UDP comes by TCP to the same port number: they hear those who come by UDP
//! and are heard by them, whatever worker their seat is at, and are told when it ends.

mod support;

use stoa_core::RoomSettings;
use stoa_net::{Started, start};
use support::{Client, config, room, until};

async fn talk(ip: &str, workers: usize) {
    let mut config = config(&[ip]);
    config.workers = workers;
    let Started { workers, media, .. } = start(&config).unwrap();
    let ip = ip.parse().unwrap();
    let settings = RoomSettings::default();
    media.create_room(room("r"), settings).await.unwrap();
    let mut udp = Client::join(&media, ip, "r", "udp").await.unwrap();
    let mut tcp = Client::join_by_tcp(&media, ip, "r", "tcp", false)
        .await
        .unwrap();
    until(&mut [&mut udp, &mut tcp], |clients| {
        clients.iter().all(|client| client.connected)
    });
    until(&mut [&mut udp, &mut tcp], |clients| {
        clients[0].speak(b"by udp");
        clients[1].speak(b"by tcp");
        clients.iter().all(|client| client.heard.len() >= 10)
    });
    assert!(udp.heard.iter().all(|packet| *packet.payload == *b"by tcp"));
    assert!(tcp.heard.iter().all(|packet| *packet.payload == *b"by udp"));

    let ending = tokio::task::spawn_blocking(|| workers.shut_down());
    // The goodbye comes before the connection ends.
    until(&mut [&mut udp, &mut tcp], |clients| {
        clients.iter().all(|client| client.closed)
    });
    until(&mut [&mut tcp], |clients| clients[0].cut_off);
    ending.await.unwrap();
}

#[tokio::test]
async fn over_ipv4() {
    talk("127.0.0.1", 1).await;
}

#[tokio::test]
async fn over_ipv6() {
    talk("::1", 1).await;
}

#[tokio::test]
async fn with_several_workers() {
    talk("127.0.0.1", 3).await;
}

#[tokio::test]
async fn only_if_it_is_wanted() {
    let mut config = config(&["127.0.0.1"]);
    config.tcp = false;
    let Started { workers, media, .. } = start(&config).unwrap();
    let port = media.status()[0].port;
    let refused = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}
