//! An upgrade: a node that ends tells its deadline and goes on for everybody until then, so that a signalling service can
//! move its rooms to another node by letting people join there.

mod support;

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use stoa_client::{
    Client,
    v1::{
        CloseRoomRequest, ErrorReason, GetRoomRequest, GetStatusRequest, NodeState, NodeUpdated,
        WatchRequest, watch_response::Event,
    },
};
use stoa_sim::ClientId;
use support::{Daemon, Does, Folder, Peer, Play, configuration, create_room};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any test: a node that keeps to its grace ends when nobody is left.
const GRACE: Duration = Duration::from_secs(3_600);

/// One who talks all the time, and 199 who listen.
const FULL_HALL: &str = "\
about: one who talks all the time, to a full hall
seconds: 5
settle_seconds: 1
groups:
  - {name: speakers, count: 1, role: speaker, talk: always}
  - {name: listeners, count: 199, role: listener}
";

fn configuration_with_grace() -> String {
    let grace = GRACE.as_secs();
    format!("{}drain:\n  grace_seconds: {grace}\n", configuration())
}

/// What a watcher of the room hears of the node, the next time that it hears anything of it.
async fn node_updated(watch: &mut tonic::Streaming<stoa_client::v1::WatchResponse>) -> NodeUpdated {
    let heard = async {
        loop {
            let message = watch.message().await.expect("no error").expect("no end");
            if let Some(Event::NodeUpdated(updated)) = message.event {
                return updated;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard)
        .await
        .expect("in time")
}

/// Who is in a call, and what they do.
type Part = (&'static str, ClientId, Does);

/// Those of the room that moves.
const HALL: [Part; 3] = [
    ("ann", 0, Does::Talk),
    ("bob", 1, Does::Talk),
    ("cyn", 2, Does::Listen),
];

/// Those of a room that stays where it is while the hall comes and goes.
const YARD: [Part; 2] = [("dan", 3, Does::Talk), ("eve", 4, Does::Listen)];

/// How many packets of each are heard before anything else happens: 0.4 s of talk.
const A_WHILE: usize = 20;

/// Lets these people into a room, which is made for them.
async fn bring(node: &Client, room: &str, parts: &[Part]) -> Vec<(Part, Peer)> {
    create_room(node, room).await.expect("a new room");
    let mut people = Vec::new();
    for part in parts {
        people.push((*part, Peer::join(node, room, *part).await));
    }
    hear_each_other(&people).await;
    people
}

/// Everybody, and each of the others that they should hear.
fn pairs(people: &[(Part, Peer)]) -> impl Iterator<Item = (&Peer, ClientId)> {
    people.iter().flat_map(|((_, own, _), peer)| {
        let talk = people.iter().filter(|((.., does), _)| *does == Does::Talk);
        let others = talk.filter(move |((_, other, _), _)| own != other);
        others.map(move |((_, other, _), _)| (peer, *other))
    })
}

/// Waits until everybody has heard each of the others for a while from now on.
async fn hear_each_other(people: &[(Part, Peer)]) {
    let heard = pairs(people).map(|(peer, of)| (peer, of, peer.heard(of)));
    let heard: Vec<_> = heard.collect();
    let all = || {
        let mut all = heard.iter();
        all.all(|(peer, of, before)| peer.heard(*of) >= before + A_WHILE)
    };
    until("everybody hears each of the others", all).await;
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let mut turn = tokio::time::interval(Duration::from_millis(20));
    let waiting = async {
        while !holds() {
            turn.tick().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{what}: not in {PATIENCE:?}");
}

/// Of all that was said while people were in a call nothing was lost.
fn nothing_was_lost(people: &[(Part, Peer)]) {
    for (peer, of) in pairs(people) {
        assert_eq!(peer.missed(of), [0; 0], "{} of {of}", peer.name());
    }
}

/// A signalling service moves the hall from a node that is about to end: it lets people in at the other one, then closes the
/// room here.
async fn move_hall(from: &Client, before: Vec<(Part, Peer)>, to: &Client) -> Vec<(Part, Peer)> {
    let after = bring(to, "hall", &HALL).await;
    hear_each_other(&before).await;
    let close = CloseRoomRequest {
        room_id: "hall".into(),
    };
    let closed = from.rooms().close_room(close).await;
    closed.expect("it drains, and is there");
    let all = || before.iter().all(|(_, peer)| peer.is_closed());
    until("the calls at the old node are over", all).await;
    nothing_was_lost(&before);
    hear_each_other(&after).await;
    after
}

/// A node is asked to end. It tells until when it stays those who watch the room, and everybody who asks; it takes nothing
/// new, and goes on for those who are in.
async fn drains(daemon: &Daemon, node: &Client, room: &str, people: &[(Part, Peer)]) {
    let watch = WatchRequest {
        room_id: room.into(),
        ..Default::default()
    };
    let watch = node.rooms().watch(watch).await;
    let mut watch = watch.expect("it is there").into_inner();
    let before = SystemTime::now();
    daemon.terminate();
    let told = node_updated(&mut watch).await;
    assert_eq!(told.state(), NodeState::Draining);
    let deadline = told.drain_deadline.expect("its end is known");
    let deadline = SystemTime::try_from(deadline).expect("a time");
    let grace = deadline.duration_since(before).expect("it is to come");
    assert!(grace >= GRACE && grace < GRACE + PATIENCE, "{grace:?}");
    let status = node.node().get_status(GetStatusRequest {}).await;
    let status = status.expect("it is there").into_inner();
    assert_eq!(
        (status.state(), status.drain_deadline),
        (told.state(), told.drain_deadline)
    );
    let refused = create_room(node, "new").await;
    assert_eq!(refused, Err(Some(ErrorReason::NodeDraining)));
    hear_each_other(people).await;
}

/// A node, its configuration and its caller.
struct Node {
    folder: Rc<Folder>,
    daemon: Daemon,
    client: Client,
}

impl Node {
    async fn start() -> Self {
        let folder = Folder::with_credentials();
        folder.write("stoad.yaml", &configuration_with_grace());
        Self::start_in(Rc::new(folder)).await
    }

    async fn start_in(folder: Rc<Folder>) -> Self {
        let daemon = Daemon::run_in(Rc::clone(&folder));
        let client = daemon.client().await;
        Self {
            folder,
            daemon,
            client,
        }
    }

    /// The version that comes after this one, which has ended long before its deadline since nobody is left.
    async fn replaced(mut self) -> Self {
        assert_eq!(self.daemon.wait(PATIENCE).code(), Some(0));
        Self::start_in(self.folder).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_are_restarted_one_after_the_other_and_the_room_moves() {
    let (one, two) = (Node::start().await, Node::start().await);
    let hall = bring(&one.client, "hall", &HALL).await;
    let mut yard = bring(&two.client, "yard", &YARD).await;

    drains(&one.daemon, &one.client, "hall", &hall).await;
    let hall = move_hall(&one.client, hall, &two.client).await;
    let one = one.replaced().await;

    drains(&two.daemon, &two.client, "yard", &yard).await;
    let hall = move_hall(&two.client, hall, &one.client).await;
    // Those who are not moved may stay, and hang up when they have done.
    hear_each_other(&yard).await;
    nothing_was_lost(&yard);
    yard.iter_mut().for_each(|(_, peer)| peer.leave());
    let two = two.replaced().await;
    create_room(&two.client, "new").await.expect("a new room");

    hear_each_other(&hall).await;
    nothing_was_lost(&hall);
    let request = GetRoomRequest {
        room_id: "hall".into(),
    };
    let room = one.client.rooms().get_room(request).await;
    let room = room.expect("the room is there").into_inner();
    let ids = room
        .participants
        .iter()
        .map(|one| one.participant_id.as_str());
    assert_eq!(ids.collect::<Vec<_>>(), HALL.map(|(name, ..)| name));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_lose_nothing_before_the_deadline() {
    let mut daemon = Daemon::run_as(&configuration_with_grace());
    let client = daemon.client().await;
    let hall = Play::begin(&daemon, FULL_HALL, &[]);
    // All are in and hear the speaker: one packet in twenty milliseconds for each.
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    let status = || async {
        let status = client.node().get_status(GetStatusRequest {}).await;
        status.expect("it is there").into_inner()
    };
    while status().await.participant_count < 200 {
        turn.tick().await;
    }
    let sent = |status: &stoa_client::v1::NodeStatus| -> u64 {
        status
            .workers
            .iter()
            .map(|worker| worker.datagrams_sent)
            .sum()
    };
    let before = sent(&status().await);
    while sent(&status().await) < before + 20_000 {
        turn.tick().await;
    }
    daemon.terminate();
    hall.ends_without_loss(200);
    // When the last of them has gone it ends, and not an hour later.
    assert_eq!(daemon.wait(PATIENCE).code(), Some(0));
}
