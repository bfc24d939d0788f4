//! When the way to Stoa breaks for a while, nobody is thrown out, and what happened meanwhile is told
//! afterwards.

use crate::{stoa, support};

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::stoa::{Pki, Stoa};
use crate::support::{Service, within};
use stoa_client::Timeouts;
use stoa_control::Media as _;
use stoa_core::{Join, LeaveReason, Metadata, ParticipantId, Role};
use tokio::net::UdpSocket;

/// A wire between one client and Stoa that can be cut.
struct Wire {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
}

impl Wire {
    async fn to(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        let (cut, lost) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (is_cut, counter) = (Arc::clone(&cut), Arc::clone(&lost));
        tokio::spawn(async move {
            let mut client = None;
            let mut datagram = vec![0; 65_536];
            loop {
                let (size, from) = socket.recv_from(&mut datagram).await.expect("it is open");
                let to = if from == server { client } else { Some(server) };
                if from != server {
                    client = Some(from);
                }
                match to {
                    Some(to) if !is_cut.load(Ordering::SeqCst) => {
                        // A send that fails is a lost datagram too.
                        let _ = socket.send_to(&datagram[..size], to).await;
                    }
                    _ => drop(counter.fetch_add(1, Ordering::SeqCst)),
                }
            }
        });
        Self { address, cut, lost }
    }
}

#[tokio::test]
async fn what_happened_during_a_break_is_told_after_it() {
    let pki = Pki::new();
    let stoa = Stoa::start(&pki);
    let wire = Wire::to(stoa.address).await;
    let timeouts = Timeouts {
        connect: Duration::from_millis(500),
        idle: Duration::from_millis(600),
        keep_alive: Duration::from_millis(150),
        max_backoff: Duration::from_millis(500),
        ..Timeouts::default()
    };
    let service = Service::start(Stoa::client_by(wire.address, &pki, timeouts)).await;
    let mut ada = service.browser().await;
    let join = support::join("attic", "Ada");
    ada.send(join).await;
    ada.next_of("joined").await;
    let visit = |id: &str| Join {
        room: stoa::room_id("attic"),
        participant: ParticipantId::new(id).expect("an identifier"),
        display_name: id.into(),
        offer: "offer".into(),
        role: Role::default(),
        metadata: Metadata::default(),
        audio_mode: Default::default(),
        subscription: Default::default(),
        resume: None,
        may_publish: true,
    };
    stoa.media
        .join(visit("early"))
        .await
        .expect("there is room");
    assert_eq!(
        ada.next_of("participant_joined").await["participant"]["id"],
        "early"
    );

    wire.cut.store(true, Ordering::SeqCst);
    stoa.media.join(visit("late")).await.expect("there is room");
    stoa.media
        .leave("attic", "early", LeaveReason::ClientClosed);
    // A join that fails shows that the connection is known to be lost.
    let mut grace = service.browser().await;
    let join = support::join("attic", "Grace");
    grace.send(join.clone()).await;
    assert_eq!(grace.next_error().await, "STOA_UNREACHABLE");
    assert!(wire.lost.load(Ordering::SeqCst) > 0, "the wire was cut");
    wire.cut.store(false, Ordering::SeqCst);

    assert_eq!(
        ada.next_of("participant_joined").await["participant"]["id"],
        "late"
    );
    let left = ada.next_of("participant_left").await;
    assert_eq!(left["id"], "early");
    assert_eq!(
        left["reason"], "client_closed",
        "the event itself came, not only its outcome"
    );
    within(async {
        loop {
            grace.send(join.clone()).await;
            let answer = grace.next().await.expect("the socket is open");
            if answer["type"] == "joined" {
                break;
            }
            // bounded: by `within`
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
}
