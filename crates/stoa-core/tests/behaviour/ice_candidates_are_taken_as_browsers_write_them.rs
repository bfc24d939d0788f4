//! Candidates that a client finds after its offer: every form that browsers send is taken, anything
//! else is refused, and neither disturbs the session.

use stoa_core::{Error, SessionId};
use stoa_sim::{Net, participant, room};

fn add(net: &mut Net, candidate: &str) -> Result<(), Error> {
    let now = net.now();
    let result =
        net.node
            .add_ice_candidate(now, &room("room"), &participant("ann"), None, candidate);
    net.drain_node();
    result
}

#[test]
fn what_browsers_send() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    for candidate in [
        // The end of candidates.
        "",
        "candidate:2867189305 1 udp 2122260223 192.168.1.23 52417 typ host generation 0 ufrag Wq7L network-id 1 network-cost 10",
        "a=candidate:2867189305 1 udp 2122260223 192.168.1.24 52417 typ host",
        "candidate:1 1 UDP 1685987071 203.0.113.20 46012 typ srflx raddr 0.0.0.0 rport 0",
        "candidate:2 1 udp 41885439 198.51.100.9 61000 typ relay raddr 203.0.113.20 rport 46012",
        // A name in the place of the address (mDNS).
        "candidate:3 1 udp 2122194687 0b5c1f7e-8f6d-4f1e-9c63-6d0a4b8f2f11.local 40187 typ host",
        // TCP, which nobody here speaks.
        "candidate:4 1 tcp 1518280447 192.168.1.23 9 typ host tcptype active generation 0",
        "candidate:5 1 udp 2122262783 2001:db8::17 52418 typ host",
    ] {
        assert_eq!(add(&mut net, candidate), Ok(()), "{candidate}");
    }
    net.speak(&[(ann, 30), (ben, 30)], std::time::Duration::from_secs(10));
    assert_eq!(net.clients[ann].voices(), [ben]);
    assert_eq!(net.clients[ben].voices(), [ann]);
    // A candidate is a claim: nothing is sent where nobody has shown to be.
    for claimed in ["192.168.1.23:52417", "203.0.113.20:46012", "192.168.1.23:9"] {
        assert!(!net.traffic.contains_key(&claimed.parse().unwrap()));
    }
}

#[test]
fn what_is_not_a_candidate() {
    let mut net = Net::new();
    net.join("ann", 3);
    for candidate in [
        "candidate",
        "candidate:",
        "candidate:1 1 udp",
        "candidate:1 1 udp 2122260223 not-an-address 52417 typ host",
        "candidate:1 1 udp 2122260223 192.0.2.1 99999 typ host",
        "candidate:1 1 udp 2122260223 192.0.2.1 52417 typ nonsense",
        "candidate:1 1 udp x.local",
        "garbage more garbage and x.local",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "\u{0}\u{1}\u{2}",
    ] {
        let result = add(&mut net, candidate);
        assert!(
            matches!(result, Err(Error::CandidateMalformed(_))),
            "{candidate:?}: {result:?}"
        );
    }
}

#[test]
fn for_somebody_else() {
    let mut net = Net::new();
    let ann = net.join("ann", 3);
    let (now, session) = (net.now(), net.clients[ann].session.clone());
    let mut add = |to: &str, name: &str, session: Option<&SessionId>| {
        let (room, participant) = (room(to), participant(name));
        net.node
            .add_ice_candidate(now, &room, &participant, session, "")
    };
    assert_eq!(add("room", "ann", Some(&session)), Ok(()));
    assert_eq!(add("nowhere", "ann", None), Err(Error::RoomNotFound));
    assert_eq!(add("room", "ben", None), Err(Error::ParticipantNotFound));
    let former = SessionId::new("a-former-session").unwrap();
    assert_eq!(
        add("room", "ann", Some(&former)),
        Err(Error::SessionMismatch)
    );
}
