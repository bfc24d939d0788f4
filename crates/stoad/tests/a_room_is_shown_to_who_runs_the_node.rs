//! Whoever has the ops key can look into a room: who is in it and holds its slots, how loud and with what loss;
//! nobody else can. Nothing that the daemon writes meanwhile, however much it is told to write, has a secret in it; nor
//! where somebody is, unless it is told to write that.

mod support;

use std::{fs, path::Path, rc::Rc, time::Duration};

use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use stoa_client::v1::{GetStatusRequest, ListRoomsRequest};
use stoa_load::Failure;
use support::{
    Daemon, Folder, join_request, load_beside,
    overheard::{self, Forms, Told},
    stoad, with_whip,
};

const OPS_KEY: &str = "an-ops-key-for-tests-alone";
const TURN_PASSWORD: &str = "a-turn-password-for-tests-alone";

const TALK: &str = "\
about: two who talk all the time, and one who listens
seconds: 12
settle_seconds: 1
groups:
  - {name: people, count: 2, role: speaker, talk: always}
  - {name: audience, count: 1, role: listener}
";

/// What has to stand there sometime while they talk.
const SEEN: [&str; 12] = [
    "\"participant_count\":3",
    "\"participants_shown\":3",
    "\"held_seconds\":",
    "\"role\":\"speaker\"",
    "\"role\":\"listener\"",
    "\"state\":\"connected\"",
    "\"level_dbov\":-",
    "\"transport\":\"udp\"",
    "\"address\":\"127.",
    "\"uplink_loss\":0.0",
    "\"round_trip_seconds\":0.",
    "\"dropped\":{}",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_shown_to_who_runs_the_node() {
    overheard::listen();
    let daemon = start();
    let client = daemon.client().await;
    let scenario = daemon.file("talk.yaml");
    fs::write(&scenario, TALK).expect("the folder is ours");
    let whip = |way| format!("https://{}/{way}/{{room}}", daemon.whip());
    let key = daemon.file("token.key").display().to_string();
    let by_whip = [
        ["--whip", &whip("whip")],
        ["--whep", &whip("whep")],
        ["--token-key-file", &key],
        ["--token-kid", "e"],
        ["--token-tenant", "test"],
    ];
    let talking = load_beside(&daemon, scenario, by_whip.as_flattened());
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    let room = loop {
        let rooms = client.rooms().list_rooms(ListRoomsRequest::default()).await;
        let rooms = rooms.expect("a page").into_inner().rooms;
        if let [room] = &rooms[..] {
            break room.room_id.clone();
        }
        turn.tick().await;
    };
    let path = format!("/debug/rooms/{room}");
    for key in [None, Some("another")] {
        let (code, body) = daemon.ask_ops("GET", &path, key);
        assert_eq!(code, 401, "{body}");
        assert!(!body.contains("participant"), "{body}");
    }
    let mut missing: Vec<_> = SEEN.to_vec();
    let mut last = String::new();
    while !missing.is_empty() && !talking.is_finished() {
        let (code, body) = daemon.ask_ops("GET", &path, Some(OPS_KEY));
        if code == 200 {
            missing.retain(|part| !body.contains(part));
            last = body;
        }
        turn.tick().await;
    }
    assert_eq!(missing, [""; 0], "in\n{last}");
    // The only tenant need not be named; another one's rooms are not there.
    let own = format!("{path}?tenant=test");
    assert_eq!(daemon.ask_ops("GET", &own, Some(OPS_KEY)).0, 200);
    for nowhere in [
        format!("{path}?tenant=other"),
        "/debug/rooms/nowhere".to_owned(),
    ] {
        assert_eq!(
            daemon.ask_ops("GET", &nowhere, Some(OPS_KEY)).0,
            404,
            "{nowhere}"
        );
    }
    let people: Vec<&str> = last
        .split("\"address\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(people.len(), 3, "in\n{last}");
    let log = daemon.log();
    assert!(log.contains("client=127.0.0.0/24"), "{log}");
    for address in &people {
        let told = log.lines().find(|line| line.contains(address));
        assert_eq!(told, None, "{address} is told");
    }
    // Where it is wanted it is there, so what was looked for is what would have been told.
    let text = fs::read_to_string(daemon.file("stoad.yaml")).expect("it is there");
    let shown = text + "  client_addresses: full\n";
    daemon.write("stoad.yaml", &shown);
    daemon.hang_up();
    while !people.iter().any(|address| daemon.log().contains(address)) {
        assert!(!talking.is_finished(), "nobody's address is told");
        turn.tick().await;
    }
    let (own, answer) = enter(&daemon, &room).await;
    let status = client.node().get_status(GetStatusRequest {}).await;
    let file = daemon.file("stoad.yaml");
    let printed = stoad(["config".as_ref(), "print".as_ref(), file.as_os_str()]);
    let written = [
        daemon.log(),
        daemon.ask_ops("GET", "/metrics", None).1,
        last,
        format!("{status:?}"),
        printed.stdout,
    ];
    assert!(written[0].contains("TRACE"), "nothing was told in full");
    assert!(written[4].contains("(hidden)"), "{}", written[4]);
    let written = written.map(Told::new);
    let secrets = own.into_iter().chain(of_daemon(&daemon)).chain(of_people());
    // How ICE passwords are written, whosesoever they are.
    let written_as = ["ice-pwd", "pass:"].map(|word| ("a password of ICE", word.into()));
    let mut told = Vec::new();
    for (what, secret) in secrets.chain(written_as) {
        let forms = Forms::of(&secret);
        let found = written.iter().find_map(|text| text.tells(&forms));
        told.extend(found.map(|form| (what, form.to_owned())));
    }
    assert_eq!(told, [], "is told");
    assert!(Told::new(answer).tells(&Forms::of(b"ice-pwd")).is_some());
    match talking.join().expect("no panic") {
        Ok(()) | Err(Failure::NotValid(_)) => {}
        Err(failure) => panic!("{failure}"),
    }
}

/// With WHIP, an ops port, and everything told.
fn start() -> Daemon {
    let folder = Folder::with_credentials();
    let sha256 = Sha256::digest(OPS_KEY.as_bytes());
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let ops = format!("ops:\n  listen: ['127.0.0.1:0']\n  key_sha256: {sha256}\n");
    let text = with_whip(&folder, "http://127.0.0.1:1")
        .replace("level: debug", "level: trace")
        .replace("credential: p", &format!("credential: {TURN_PASSWORD}"));
    folder.write("stoad.yaml", &(ops + &text));
    Daemon::run_with_whip(Rc::new(folder))
}

type Secrets = Vec<(&'static str, Vec<u8>)>;

/// Enters with a join token, which nobody but this test has. Returns the secrets of that, and the answer.
async fn enter(daemon: &Daemon, room: &str) -> (Secrets, String) {
    let key = daemon.file("token.key");
    let made = [
        "token",
        "make",
        "--kid",
        "e",
        "--tenant",
        "test",
        "--participant",
        "own",
    ];
    let made = made
        .into_iter()
        .chain(["--role", "speaker", "--publish", "audio", "--room"]);
    let made = made.chain([room, "--key"]).map(AsRef::as_ref);
    let token = stoad(made.chain([key.as_os_str()])).stdout;
    let token = token.trim().to_owned();
    let client = daemon.client_with(token.clone()).await;
    let request = join_request(room, "own");
    let offer = request.sdp_offer.clone();
    let joined = client.rooms().join(request).await.expect("it is good");
    let joined = joined.into_inner();
    client.close().await;
    let mut own = vec![("a resume token", joined.resume_token.clone().into_bytes())];
    own.extend(
        token
            .split('.')
            .map(|part| ("a part of a token", part.into())),
    );
    for sdp in [&offer, &joined.sdp_answer] {
        let password = sdp.lines().find_map(|line| line.strip_prefix("a=ice-pwd:"));
        own.push(("a password of ICE", password.expect("there is one").into()));
    }
    assert!(own.iter().all(|(_, secret)| secret.len() >= 16), "{own:?}");
    (own, joined.sdp_answer)
}

/// What is in its configuration and its files.
fn of_daemon(daemon: &Daemon) -> Secrets {
    let read = |name: &str| fs::read(daemon.file(name)).expect("it is there");
    let mut secrets: Secrets = vec![
        ("the ops key", OPS_KEY.into()),
        ("the API key", read("api-key")),
        ("the password of TURN", TURN_PASSWORD.into()),
        (
            "the secret of tokens",
            read("token.secret").trim_ascii().into(),
        ),
    ];
    for name in ["server-key.pem", "token.key"] {
        secrets.extend(in_private_key(&daemon.file(name)));
    }
    secrets
}

/// Of a private key in PEM its lines, and the key itself.
fn in_private_key(file: &Path) -> Secrets {
    let pem = fs::read(file).expect("it is there");
    let key = PrivateKeyDer::from_pem_slice(&pem).expect("a key");
    let der = key.secret_der();
    // An OCTET STRING of 32 bytes within another: RFC 5208, RFC 5915, RFC 8410.
    let begin = der.windows(2).position(|two| two == [0x04, 0x20]);
    let begin = begin.expect("a key of 32 bytes") + 2;
    let lines = pem.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| line.len() > 16 && !line.starts_with(b"-"));
    let lines = lines.map(|line| ("a line of a private key", line.to_vec()));
    let key = ("a private key", der[begin..begin + 32].to_vec());
    lines.chain([key]).collect()
}

/// What those who talk have in common with the daemon: three of them.
fn of_people() -> Secrets {
    let (passwords, keys) = (overheard::ice_passwords(), overheard::srtp_keys());
    // The daemon's own, by which it knows them; it asks nobody for theirs.
    assert!(passwords.len() >= 3, "{} passwords", passwords.len());
    // Of each direction a master key, and two session keys with two salts and what else is derived.
    assert!(keys.len() >= 3 * 2 * 5, "{} keys", keys.len());
    let passwords = passwords.into_iter().map(|of| ("a password of ICE", of));
    let keys = keys.into_iter().map(|key| ("a key of SRTP", key));
    // The header of every token that the load tester has made.
    let header = ("a token", b"eyJ0eXAiOiJ".to_vec());
    passwords.chain(keys).chain([header]).collect()
}
