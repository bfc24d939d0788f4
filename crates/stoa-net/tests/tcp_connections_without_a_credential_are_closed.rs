//! Connections on which no ICE credential is shown are closed and counted, are few from one address, and
//! disturb nobody: those who talk hear each other, and somebody with a credential gets in beside them.

mod support;

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    time::Duration,
};

use stoa_core::RoomSettings;
use stoa_net::{Media, Started, Workers, start};
use str0m::ice::{StunMessage, TransId};
use support::{Client, config, connect, framed, room, until};

const HERE: &str = "127.0.0.1";
const ELSEWHERE: &str = "127.0.0.2";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn count(media: &Media, reason: &str) -> u64 {
    media.status()[0].datagrams_dropped[reason]
}

async fn open_room() -> (Workers, Media, SocketAddr) {
    let mut config = config(&["0.0.0.0"]);
    config.advertise = vec![HERE.parse().unwrap()];
    let Started { workers, media, .. } = start(&config).unwrap();
    let settings = RoomSettings::default();
    media.create_room(room("r"), settings).await.unwrap();
    let port = media.status()[0].port;
    (workers, media, SocketAddr::new(ip(HERE), port))
}

/// Two who come by UDP, and are connected.
async fn two(media: &Media) -> (Client, Client) {
    let mut ann = Client::join(media, ip(HERE), "r", "ann").await.unwrap();
    let mut ben = Client::join(media, ip(HERE), "r", "ben").await.unwrap();
    until(&mut [&mut ann, &mut ben], |clients| {
        clients.iter().all(|client| client.connected)
    });
    // The worker may know it a little later than they do.
    until(&mut [&mut ann, &mut ben], |clients| {
        clients[0].speak(b"ready");
        !clients[1].heard.is_empty()
    });
    (ann, ben)
}

/// Ann speaks until the condition holds; Ben hears every word.
fn speak_until(ann: &mut Client, ben: &mut Client, mut holds: impl FnMut() -> bool) {
    ben.heard.clear();
    let mut spoken = 0;
    until(&mut [ann, ben], |clients| {
        clients[0].speak(b"hello");
        spoken += 1;
        holds()
    });
    until(&mut [ann, ben], |clients| {
        let heard = clients[1].heard.iter();
        heard.filter(|packet| *packet.payload == *b"hello").count() >= spoken
    });
}

/// Whether the other side has closed it. Nothing was sent on it before.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    match stream.read(&mut [0; 100]) {
        Ok(0) => true,
        Ok(_) => panic!("it was answered"),
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// A check as a client makes it, of somebody who is not there.
fn strangers_check() -> Vec<u8> {
    let message = StunMessage::binding_request("nobody:else", TransId::new(), true, 1, 1, true);
    let hmac = |_: &[u8], _: &[&[u8]]| [7; 20];
    let mut bytes = vec![0; 500];
    let length = message.to_bytes(Some(b"wrong"), &mut bytes, hmac).unwrap();
    bytes.truncate(length);
    bytes
}

#[tokio::test]
async fn whatever_they_send_instead() {
    let (workers, media, to) = open_room().await;
    let (mut ann, mut ben) = two(&media).await;
    let dtls = framed(&[[22, 254, 253].as_slice(), &[0; 60]].concat());
    let long_check = framed(&[strangers_check(), vec![0; 2_000]].concat());
    let said: [(&[u8], &str); 6] = [
        (b"GET / HTTP/1.1\r\n\r\n", "tcp_malformed"),
        (&[0; 64], "tcp_malformed"),
        (&dtls, "tcp_malformed"),
        (&long_check, "tcp_malformed"),
        (&framed(&strangers_check()), "tcp_unknown"),
        // Nothing at all, and a datagram that never ends.
        (b"", "tcp_unproven"),
    ];
    for (bytes, reason) in said {
        let before = count(&media, reason);
        let mut stream = connect(ip(HERE), to, false);
        stream.write_all(bytes).unwrap();
        speak_until(&mut ann, &mut ben, || {
            is_closed(&mut stream) && count(&media, reason) > before
        });
        assert_eq!(count(&media, reason), before + 1, "{reason}");
    }
    let mut stream = connect(ip(HERE), to, false);
    stream.write_all(&[1, 0, 0, 1]).unwrap();
    speak_until(&mut ann, &mut ben, || is_closed(&mut stream));
    end(workers).await;
}

#[tokio::test]
async fn however_many_come_from_one_address() {
    let (workers, media, to) = open_room().await;
    let (mut ann, mut ben) = two(&media).await;
    let mut flood: Vec<_> = (0..300)
        .map(|_| connect(ip(ELSEWHERE), to, false))
        .collect();
    speak_until(&mut ann, &mut ben, || {
        count(&media, "tcp_refused_source") >= 300 - 64
    });
    assert_eq!(count(&media, "tcp_refused_source"), 300 - 64);
    assert_eq!(count(&media, "tcp_refused_full"), 0);

    // From another address somebody comes in who has a credential.
    let tom = Client::join_by_tcp(&media, ip(HERE), "r", "tom", false).await;
    let mut tom = tom.unwrap();
    until(&mut [&mut ann, &mut tom], |clients| clients[1].connected);
    until(&mut [&mut ann, &mut tom], |clients| {
        clients[0].speak(b"hello");
        clients[1].heard.len() >= 10
    });
    // And those who show none do not stay.
    until(&mut [&mut ann, &mut tom], |_| {
        flood.retain_mut(|stream| !is_closed(stream));
        flood.is_empty()
    });
    assert!(!tom.cut_off);
    end(workers).await;
}

async fn end(workers: Workers) {
    tokio::task::spawn_blocking(|| workers.shut_down())
        .await
        .unwrap();
}
