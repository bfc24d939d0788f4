//! A ban is on disk when it is answered: a daemon that is killed and started anew refuses what it refused before. A
//! state directory that cannot be used keeps the daemon from starting, which says why. On a full disk nothing changes.

mod support;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    rc::Rc,
};

use stoa_client::{
    Client, ClientConfig, ClientService, Credential, TrustAnchors,
    v1::{bans_client::BansClient, *},
};
use support::{Daemon, Folder, configuration, stoad};

const NO_INPUT: i32 = 66;

/// A folder with a configuration that names a state directory, which is there or not.
fn folder(is_there: bool) -> Rc<Folder> {
    let folder = Folder::with_credentials();
    let text = format!("{}state:\n  directory: state\n", configuration());
    folder.write("stoad.yaml", &text);
    if is_there {
        fs::create_dir(folder.file("state")).expect("the folder is ours");
    }
    Rc::new(folder)
}

/// Where the bans are.
fn file_of(folder: &Folder) -> PathBuf {
    folder.file("state").join("bans.sqlite")
}

fn client(daemon: &Daemon) -> Client {
    let key = fs::read_to_string(daemon.api_key_file()).expect("a key");
    let ca = fs::read(daemon.ca_file()).expect("a certificate");
    let config = ClientConfig::new(
        format!("https://{}", daemon.control()),
        TrustAnchors::Pem(ca),
        Credential::ApiKey(key.into()),
    );
    Client::lazy(config).expect("a good configuration")
}

fn bans(client: &Client) -> BansClient<ClientService> {
    BansClient::new(client.service())
}

async fn listed(client: &Client) -> Vec<Ban> {
    let list = bans(client).list_bans(ListBansRequest::default()).await;
    list.expect("a list").into_inner().bans
}

/// Why those are refused here who are not banned.
const NO_OFFER: ErrorReason = ErrorReason::SdpMalformed;

/// Why somebody is refused: a ban comes first.
async fn refusal(client: &Client, who: &str, ban: Option<&Ban>) -> ErrorReason {
    let request = JoinRequest {
        room_id: "r".into(),
        participant_id: who.into(),
        sdp_offer: "no offer".into(),
        issue_time: ban.and_then(|ban| ban.issued_before),
        ..Default::default()
    };
    let status = client.rooms().join(request).await;
    let status = status.expect_err("that is no offer");
    stoa_client::reason(&status).expect("a reason")
}

fn request(room_id: &str, who: &str) -> CreateBanRequest {
    CreateBanRequest {
        ban: Some(Ban {
            room_id: room_id.into(),
            participant_id: who.into(),
            note: "spam".into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn ban(client: &Client, room_id: &str, who: &str) -> Ban {
    let made = bans(client).create_ban(request(room_id, who)).await;
    made.expect("a ban").into_inner()
}

#[tokio::test]
async fn what_was_answered_holds_after_a_kill() {
    let folder = folder(true);
    let daemon = Daemon::run_in(Rc::clone(&folder));
    let before = client(&daemon);
    let everywhere = ban(&before, "", "eve").await;
    let here = ban(&before, "r", "mallory").await;
    let taken_back = ban(&before, "r", "ann").await;
    let request = DeleteBanRequest {
        room_id: "r".into(),
        participant_id: "ann".into(),
    };
    bans(&before).delete_ban(request).await.expect("there");
    let listed_before = listed(&before).await;
    daemon.kill();

    let daemon = Daemon::run_in(Rc::clone(&folder));
    let after = client(&daemon);
    for (who, made) in [("eve", &everywhere), ("mallory", &here)] {
        let reason = refusal(&after, who, Some(made)).await;
        assert_eq!(reason, ErrorReason::SubjectBanned, "{who}");
        let anew = refusal(&after, who, None).await;
        assert_eq!(anew, NO_OFFER, "{who}, let in anew");
    }
    let reason = refusal(&after, "ann", Some(&taken_back)).await;
    assert_eq!(reason, NO_OFFER, "it was taken back");
    let listed_after = listed(&after).await;
    let names = |bans: &[Ban]| -> Vec<_> {
        let named = bans.iter();
        named
            .map(|ban| {
                (
                    ban.room_id.clone(),
                    ban.participant_id.clone(),
                    ban.note.clone(),
                )
            })
            .collect()
    };
    assert_eq!(names(&listed_after), names(&listed_before));
    assert_eq!(listed_after.len(), 2);
}

/// Expects that the daemon does not start, and names the file.
#[track_caller]
fn is_refused(folder: &Folder, names: &[&str]) {
    let file = folder.file("stoad.yaml");
    let ended = stoad([Path::new("run"), Path::new("--config"), &file]);
    assert_eq!(ended.code, Some(NO_INPUT), "{}", ended.stderr);
    for name in names {
        assert!(ended.stderr.contains(name), "{name:?}:\n{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_bans_are_refused_and_kept_until_there_is_room() {
    let Some(daemon) = Daemon::run_with_a_small_disk(folder(true), "state") else {
        return;
    };
    let client = client(&daemon);
    let mallory = ban(&client, "r", "mallory").await;
    // Where the daemon's folder is, with the disk that it alone sees.
    let disk = format!(
        "/proc/{}/root{}",
        daemon.id(),
        daemon.file("state").display()
    );
    let filler = Path::new(&disk).join("filler");
    let mut file = fs::File::create(&filler).expect("there is room");
    while file.write(&[0; 512]).is_ok() {}
    drop(file);

    let made = bans(&client).create_ban(request("r", "eve")).await;
    let refused = made.expect_err("there is no room");
    assert_eq!(
        stoa_client::reason(&refused),
        Some(ErrorReason::NodeOverloaded)
    );
    let mut service = bans(&client);
    let take_back = DeleteBanRequest {
        room_id: "r".into(),
        participant_id: "mallory".into(),
    };
    let refused = service.delete_ban(take_back.clone()).await;
    let refused = refused.expect_err("there is no room");
    assert_eq!(
        stoa_client::reason(&refused),
        Some(ErrorReason::NodeOverloaded)
    );
    // What holds is what held before, and all else goes on.
    let listed_now = listed(&client).await;
    let names: Vec<_> = listed_now.iter().map(|ban| &*ban.participant_id).collect();
    assert_eq!(names, ["mallory"]);
    let held = refusal(&client, "mallory", Some(&mallory)).await;
    assert_eq!(held, ErrorReason::SubjectBanned);
    assert_eq!(refusal(&client, "eve", Some(&mallory)).await, NO_OFFER);

    fs::remove_file(&filler).expect("it is ours");
    let eve = ban(&client, "r", "eve").await;
    assert_eq!(
        refusal(&client, "eve", Some(&eve)).await,
        ErrorReason::SubjectBanned
    );
    service.delete_ban(take_back).await.expect("there is room");
    assert_eq!(refusal(&client, "mallory", Some(&mallory)).await, NO_OFFER);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let folder = folder(false);
    let file = file_of(&folder).display().to_string();
    is_refused(&folder, &["state directory", &file]);
}

#[test]
fn a_file_that_is_damaged_is_named() {
    let folder = folder(true);
    let file = file_of(&folder);
    fs::write(&file, "no database ".repeat(1000)).expect("the folder is ours");
    is_refused(&folder, &["state directory", &file.display().to_string()]);
    let kept = fs::read_to_string(&file).expect("it is there");
    assert!(kept.starts_with("no database"), "it is not overwritten");
}

/// A folder where a daemon has been, and its file changed in this way.
fn changed(sql: &str) -> Rc<Folder> {
    let folder = folder(true);
    Daemon::run_in(Rc::clone(&folder)).kill();
    let file = rusqlite::Connection::open(file_of(&folder)).expect("a database");
    file.execute_batch(sql).expect("it is changed");
    folder
}

#[test]
fn a_file_of_a_newer_version_is_named() {
    let folder = changed("PRAGMA user_version = 9");
    let file = file_of(&folder).display().to_string();
    is_refused(&folder, &["state directory", &file, "version 9"]);
}

#[test]
fn a_row_that_is_damaged_is_named() {
    let row = "INSERT INTO ban VALUES ('test', '', 'no identifier', 1, 1, 1, '', 0)";
    let folder = changed(row);
    let file = file_of(&folder).display().to_string();
    is_refused(
        &folder,
        &["state directory", &file, "no identifier", "damaged"],
    );
}

#[test]
fn a_directory_has_one_daemon() {
    let folder = folder(true);
    let daemon = Daemon::run_in(Rc::clone(&folder));
    is_refused(&folder, &["state directory", "locked"]);
    daemon.kill();
    drop(Daemon::run_in(folder));
}
