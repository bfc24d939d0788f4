//! With a database file, a restart of the service keeps rooms, roles, links, mutes and removals.

use crate::support;

use std::os::unix::fs::PermissionsExt as _;

use crate::house::{Guest, House, with_token, without_token};
use crate::support::Service;
use serde_json::{Value, json};
use stoa_client::v1::Role;
use stoa_talk::{Database, Error, Options};
use tokio::net::TcpListener;

fn own(guest: &Guest) -> Value {
    let people = guest.joined["participants"].as_array().expect("a list");
    let own = people.iter().find(|p| p["id"] == guest.id.as_str());
    own.expect("they are in").clone()
}

#[tokio::test]
async fn everybody_is_who_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        database: Database::File(folder.path().join("talk.sqlite")),
        open_rooms: false,
        ..Options::default()
    };
    let mut house = House::with(options.clone()).await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("listener", false).await;
    let (revoked, revoked_token) = host.new_link("speaker", false).await;
    host.send(json!({"type": "revoke_link", "id": revoked}))
        .await;
    let mut speaker = house.guest(&mut host, "Spe", "speaker").await;
    let mut raised = house.enter(with_token("Lis", &token)).await;
    let mut gone = house.enter(with_token("Gone", &token)).await;
    host.send(json!({"type": "mute_person", "id": speaker.id, "muted": true}))
        .await;
    let id = speaker.id.clone();
    speaker.sees(&id, "muted_by_moderator", json!(true)).await;
    raised
        .send(json!({"type": "raise_hand", "raised": true}))
        .await;
    host.send(json!({"type": "remove", "id": gone.id, "revoke_link": false}))
        .await;
    assert_eq!(gone.closed().await, "removed_by_moderator");
    let ids = [host.id.clone(), speaker.id.clone(), raised.id.clone()];

    house.service.stop().await.expect("a clean end");
    assert_eq!(raised.closed().await, "shutting_down");
    house.service = Service::start_with(house.client.clone(), options).await;

    let mut host = house.enter(without_token("Host")).await;
    let speaker = house.enter(without_token("Spe")).await;
    let raised = house.enter(without_token("Lis")).await;
    assert_eq!(
        [host.id.clone(), speaker.id.clone(), raised.id.clone()],
        ids
    );
    assert_eq!(host.joined["title"], "The Hall");
    assert_eq!(own(&host)["role"], "moderator");
    assert_eq!(own(&host)["creator"], true);
    let in_stoa = house.in_stoa(&speaker.id).await.expect("in");
    assert_eq!(in_stoa.role(), Role::Speaker);
    assert!(
        in_stoa.muted_by_moderator,
        "also in a room that Stoa has forgotten"
    );
    assert!(own(&raised)["hand_raised_at"].is_u64());
    assert_eq!(house.refused(without_token("Gone")).await, "REMOVED");
    assert_eq!(host.links().await.len(), 2);
    let new = house.enter(with_token("New", &token)).await;
    assert_eq!(own(&new)["role"], "listener");
    let join = with_token("Newer", &revoked_token);
    assert_eq!(house.refused(join).await, "INVITATION_INVALID");
}

#[tokio::test]
async fn the_file_has_no_secret_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        database: Database::File(folder.path().join("talk.sqlite")),
        open_rooms: false,
        ..Options::default()
    };
    let house = House::with(options).await;
    let mut host = house.host("Host").await;
    let (_, token) = host.new_link("listener", false).await;
    let _guest = house.enter(with_token("Gus", &token)).await;
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let metadata = entry.expect("a file").metadata().expect("it is there");
        assert_eq!(
            metadata.permissions().mode() & 0o777,
            0o600,
            "it names people"
        );
    }
    house.service.stop().await.expect("a clean end");
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let file = entry.expect("a file").path();
        bytes.extend(std::fs::read(file).expect("it can be read"));
    }
    let contains = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(contains("The Hall"), "it is written");
    for secret in [token, support::secret("Gus"), support::secret("Host")] {
        assert!(!contains(&secret));
    }
}

#[tokio::test]
async fn what_is_no_database_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("talk.sqlite");
    std::fs::write(
        &file,
        "this is a letter to grandmother, and long enough to be one".repeat(20),
    )
    .expect("the folder is ours");
    let house = House::open().await;
    let options = Options {
        database: Database::File(file),
        open_rooms: false,
        ..Options::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let served = stoa_talk::serve(listener, house.client.clone(), options, async {}).await;
    assert!(matches!(served, Err(Error::Database(_))), "{served:?}");
}
