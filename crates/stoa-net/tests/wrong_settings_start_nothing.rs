//! What is wrong with the settings is named, and nothing stays open.

mod support;

use std::net::UdpSocket;

use stoa_net::{Config, StartError, start};
use support::config;

fn refused(config: &Config) -> StartError {
    match start(config) {
        Ok(_) => panic!("must be refused"),
        Err(error) => error,
    }
}

#[test]
fn by_name() {
    let with = |change: fn(&mut Config)| {
        let mut config = config(&["127.0.0.1"]);
        change(&mut config);
        refused(&config)
    };
    assert!(matches!(
        with(|c| c.workers = 0),
        StartError::WorkerCount { most: 64, asked: 0 }
    ));
    assert!(matches!(
        with(|c| c.workers = 65),
        StartError::WorkerCount {
            most: 64,
            asked: 65
        }
    ));
    assert!(matches!(with(|c| c.bind.clear()), StartError::Bind(_)));
    assert!(matches!(
        with(|c| c.bind.push("127.0.0.2".parse().unwrap())),
        StartError::Bind(_)
    ));
    assert!(matches!(
        with(|c| (c.port, c.workers) = (65_535, 2)),
        StartError::Ports {
            first: 65_535,
            workers: 2
        }
    ));
    assert!(matches!(
        with(|c| c.bind[0] = "0.0.0.0".parse().unwrap()),
        StartError::NothingAdvertised(_)
    ));
    assert!(matches!(
        with(|c| c.advertise.push("2001:db8::1".parse().unwrap())),
        StartError::NotBound(_)
    ));
}

#[test]
fn a_port_in_use() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut config = config(&["127.0.0.1"]);
    config.port = taken.local_addr().unwrap().port();
    match refused(&config) {
        StartError::Socket {
            address, source, ..
        } => {
            assert_eq!(address, taken.local_addr().unwrap());
            assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn advertised_addresses_are_what_clients_are_told() {
    use support::{Client, join, room};
    let mut config = config(&["127.0.0.1", "::1"]);
    config.advertise = vec![
        "203.0.113.7:9000".parse().unwrap(),
        "2001:db8::7".parse().unwrap(),
    ];
    let started = start(&config).unwrap();
    started
        .media
        .create_room(room("r"), stoa_core::RoomSettings::default())
        .await
        .unwrap();
    let (_client, offer, _pending) = Client::new("127.0.0.1".parse().unwrap());
    let join = join("r", "p", offer, stoa_core::Role::Speaker);
    let answer = started.media.join(join).await.unwrap().answer;
    let port = started.media.status()[0].port;
    assert!(answer.contains("203.0.113.7 9000 typ host"), "{answer}");
    assert!(
        answer.contains(&format!("2001:db8::7 {port} typ host")),
        "{answer}"
    );
    started.workers.shut_down();
}
