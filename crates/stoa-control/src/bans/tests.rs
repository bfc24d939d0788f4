use super::*;

const VALIDITY: Duration = Duration::from_secs(100);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn bans() -> Bans {
    Bans::open(None, Arc::new(|| at(1000)), VALIDITY).expect("there is no file")
}

fn key() -> BanKey {
    BanKey {
        tenant: TenantId::new("t").expect("an identifier"),
        room: "r".to_owned(),
        participant: ParticipantId::new("p").expect("an identifier"),
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
