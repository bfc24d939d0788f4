//! What tests ask of a daemon by its control API, themselves or by the load tester.

use std::{ffi::OsString, fmt::Display, fs, path::Path, thread};

use clap::Parser as _;
use stoa_client::{
    Client, ClientConfig, Credential, TrustAnchors, reason,
    v1::{CreateRoomRequest, ErrorReason, JoinRequest},
};
use stoa_load::{Arguments, Failure};

use super::{daemon::Daemon, folder::Folder};

/// An offer as a browser makes it. Nobody has to be behind it to be let in.
const OFFER: &str = include_str!("../../../stoa-sim/src/offers/chromium.sdp");

/// A caller with the key in this folder, of the daemon whose control API is there.
pub(crate) async fn connect(folder: &Folder, control: impl Display) -> Client {
    let key = fs::read_to_string(folder.file("api-key")).expect("it is there");
    connect_with(key, folder, control).await
}

/// A caller with this key or join token.
pub(crate) async fn connect_with(key: String, folder: &Folder, control: impl Display) -> Client {
    let ca = fs::read(folder.file("ca.pem")).expect("it is there");
    let url = format!("https://{control}");
    let config = ClientConfig::new(url, TrustAnchors::Pem(ca), Credential::ApiKey(key.into()));
    Client::connect(config).await.expect("it is there")
}

/// Makes a room, or tells why not.
pub(crate) async fn create_room(client: &Client, room: &str) -> Result<(), Option<ErrorReason>> {
    let request = CreateRoomRequest {
        room_id: room.into(),
        ..Default::default()
    };
    let created = client.rooms().create_room(request).await;
    created.map(drop).map_err(|status| reason(&status))
}

/// Somebody who wants to come in.
pub(crate) fn join_request(room: &str, who: &str) -> JoinRequest {
    JoinRequest {
        room_id: room.into(),
        participant_id: who.into(),
        sdp_offer: OFFER.into(),
        ..Default::default()
    }
}

/// Plays a scenario with the daemon, a ready-made one by its name or one in a file, and waits for its end.
pub(crate) fn load(
    daemon: &Daemon,
    scenario: impl AsRef<Path>,
    more: &[&str],
) -> Result<(), Failure> {
    play(load_arguments(daemon, scenario, more))
}

/// The same, beside the test.
pub(crate) fn load_beside(
    daemon: &Daemon,
    scenario: impl AsRef<Path>,
    more: &[&str],
) -> thread::JoinHandle<Result<(), Failure>> {
    let arguments = load_arguments(daemon, scenario, more);
    thread::spawn(move || play(arguments))
}

fn play(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(stoa_load::run(arguments))
}

fn load_arguments(daemon: &Daemon, scenario: impl AsRef<Path>, more: &[&str]) -> Arguments {
    let mut arguments: Vec<OsString> = vec!["stoa-load".into(), "run".into()];
    arguments.push(scenario.as_ref().into());
    arguments.extend([
        "--target".into(),
        format!("https://{}", daemon.control()).into(),
    ]);
    arguments.extend(["--ca".into(), daemon.ca_file().into()]);
    arguments.extend(["--api-key-file".into(), daemon.api_key_file().into()]);
    arguments.extend(more.iter().map(OsString::from));
    Arguments::try_parse_from(arguments).expect("a good command line")
}

/// What the load tester has written of a run in which so many came, none of whom missed a packet from the beginning to the end.
///
/// # Panics
/// If one did, if not all came, or if it ended before its time.
#[track_caller]
pub(crate) fn report_without_loss(file: &Path, people: u64) -> serde_json::Value {
    let text = fs::read_to_string(file).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("one object");
    assert_eq!(report["complete"], true, "{text}");
    assert_eq!(report["joins"]["connected"], people, "{text}");
    let sum = |of: &str, each: &dyn Fn(&serde_json::Value) -> Option<f64>| -> f64 {
        let all = report[of].as_array().expect("a list");
        let all = all.iter().map(|one| each(one).expect("a number"));
        all.sum()
    };
    let heard = sum("groups", &|group| group["received"].as_f64());
    let lost = sum("groups", &|group| group["lost"].as_f64());
    let seconds = sum("seconds", &|second| second["loss_percent"].as_f64());
    let dropped = sum("seconds", &|second| second["tester"]["dropped"].as_f64());
    // What came and was not read in time, on a machine that has other things to do, is nobody's loss but the tester's.
    let is_whole = lost <= dropped && (seconds == 0.0 || dropped > 0.0);
    assert!(heard > 0.0 && is_whole, "{text}");
    report
}
