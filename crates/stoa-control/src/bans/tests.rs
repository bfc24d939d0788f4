use super::*;

const VALIDITY: Duration = Duration::from_secs(100);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn bans() -> Bans {
    Bans::open(None, Arc::new(|| at(1000)), VALIDITY).expect("there is no file")
}

fn key() -> BanKey {
    key_of("p")
}

fn key_of(participant: &str) -> BanKey {
    BanKey {
        tenant: TenantId::new("t").expect("an identifier"),
        room: "r".to_owned(),
        participant: ParticipantId::new(participant).expect("an identifier"),
    }
}

fn ban(issued_before: u64, cause: Cause, note: &str) -> Ban {
    Ban {
        issued_before: at(issued_before),
        created: at(1000),
        expires: at(2000),
        note: note.to_owned(),
        cause,
    }
}

#[tokio::test]
async fn what_reaches_further_stays() {
    let bans = bans();
    let further = ban(500, Cause::Call, "first");
    let put = bans.put(key(), further.clone(), 1).await;
    assert_eq!(put, Ok((further.clone(), None)));
    let put = bans.put(key(), ban(400, Cause::Call, "second"), 1).await;
    assert_eq!(put, Ok((further.clone(), Some(further))));
}

#[tokio::test]
async fn a_removal_leaves_the_ban_that_it_finds() {
    let bans = bans();
    let made = ban(500, Cause::Call, "why");
    bans.put(key(), made.clone(), 1).await.expect("a place");
    let (ours, before) = bans
        .put(key(), ban(600, Cause::Removal, "removed"), 0)
        .await
        .expect("it needs no place");
    assert_eq!(ours, ban(600, Cause::Call, "why"));
    bans.restore(key(), &ours, before).await.expect("no file");
    assert_eq!(bans.table().get(&key()), Some(&made));
}

#[tokio::test]
async fn a_removal_that_comes_to_nothing_takes_no_ban_back() {
    for issued_before in [500, 600, 700] {
        let bans = bans();
        let (ours, before) = bans
            .put(key(), ban(600, Cause::Removal, "removed"), 0)
            .await
            .expect("it needs no place");
        let (made, _) = bans
            .put(key(), ban(issued_before, Cause::Call, "why"), 1)
            .await
            .expect("a place");
        bans.restore(key(), &ours, before).await.expect("no file");
        let expected = ban(issued_before.max(600), Cause::Call, "why");
        assert_eq!(bans.table().get(&key()), Some(&expected));
        assert_eq!(made, expected);
    }
}

fn on_disk(folder: &Path) -> Bans {
    Bans::open(Some(folder), Arc::new(|| at(1000)), VALIDITY).expect("the file is ours")
}

fn set_read_only(bans: &Bans, is_read_only: bool) {
    let store = bans.0.store.as_ref().expect("there is a file");
    let store = store.lock().expect("nobody panics");
    store.set_read_only(is_read_only);
}

fn all(bans: &Bans) -> Vec<(BanKey, Ban)> {
    let (all, more) = bans.page(&key().tenant, None, 1000);
    assert!(!more);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_all_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let bans = on_disk(folder.path());
    let mut changes = tokio::task::JoinSet::new();
    for number in 0..200 {
        let bans = bans.clone();
        changes.spawn(async move {
            let key = key_of(&format!("p{number:03}"));
            let made = ban(500, Cause::Call, "why");
            bans.put(key.clone(), made, 1000).await.expect("a place");
            if number % 2 == 1 {
                bans.remove(key).await.expect("it is there");
            }
        });
    }
    while let Some(changed) = changes.join_next().await {
        changed.expect("no panic");
    }
    let before = all(&bans);
    assert_eq!(before.len(), 100);
    drop(bans);
    assert_eq!(all(&on_disk(folder.path())), before);
}

#[tokio::test]
async fn what_cannot_be_written_is_not_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let bans = on_disk(folder.path());
    let made = ban(500, Cause::Call, "why");
    bans.put(key(), made.clone(), 10).await.expect("a place");
    set_read_only(&bans, true);
    let other = bans.put(key_of("q"), made.clone(), 10).await;
    let replaced = bans.put(key(), ban(600, Cause::Call, "other"), 10).await;
    let removed = bans.remove(key()).await;
    for failed in [other.map(drop), replaced.map(drop), removed] {
        let reason = failed.map_err(|failure| failure.reason);
        assert_eq!(reason, Err(ErrorReason::NodeOverloaded));
    }
    assert_eq!(all(&bans), [(key(), made.clone())]);
    let is_noted = bans.table().has_changed(&key_of("q"));
    assert!(!is_noted, "nothing has to be done about it any more");
    set_read_only(&bans, false);
    let last = (key_of("r"), made.clone());
    bans.put(last.0.clone(), made.clone(), 10)
        .await
        .expect("a place");
    drop(bans);
    assert_eq!(all(&on_disk(folder.path())), [(key(), made), last]);
}

#[tokio::test]
async fn what_has_expired_leaves_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let bans = on_disk(folder.path());
    let short = Ban {
        expires: at(1001),
        ..ban(500, Cause::Call, "why")
    };
    bans.put(key(), short, 1).await.expect("a place");
    drop(bans);
    let later: Clock = Arc::new(|| at(1001));
    let open = || Bans::open(Some(folder.path()), later.clone(), VALIDITY).expect("ours");
    let bans = open();
    let longer = ban(500, Cause::Call, "why");
    bans.put(key_of("q"), longer, 1).await.expect("it is free");
    drop(bans);
    let bans = open();
    assert!(bans.table().get(&key()).is_none());
}
