use std::time::Duration;

use super::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("an identifier")
}

fn who(name: &str) -> ParticipantId {
    ParticipantId::new(name).expect("an identifier")
}

fn hall(name: &str) -> RoomId {
    RoomId::of_tenant(&tenant(name), "hall").expect("an identifier")
}

fn key(name: &str, room: &str, participant: &str) -> BanKey {
    BanKey {
        tenant: tenant(name),
        room: room.to_owned(),
        participant: who(participant),
    }
}

fn ban(issued_before: u64, cause: Cause) -> Ban {
    Ban {
        issued_before: at(issued_before),
        created: at(issued_before),
        expires: at(issued_before + 100),
        note: String::new(),
        cause,
    }
}

#[test]
fn a_ban_means_its_tenant_room_subject_and_time() {
    let mut table = Table::default();
    table.put(key("a", "hall", "mallory"), ban(10, Cause::Call));
    table.put(key("a", "", "oscar"), ban(10, Cause::Call));
    let refuses = |tenant: &str, name: &str, issued, now| {
        table.refuses(&hall(tenant), &who(name), at(issued), at(now))
    };
    assert!(refuses("a", "mallory", 10, 20) && refuses("a", "oscar", 9, 20));
    assert!(!refuses("a", "mallory", 11, 20), "issued later");
    assert!(!refuses("b", "mallory", 10, 20), "another tenant's");
    assert!(!refuses("a", "ann", 10, 20), "somebody else");
    assert!(!refuses("a", "mallory", 10, 110), "forgotten");
    let other = RoomId::of_tenant(&tenant("a"), "other").expect("an identifier");
    assert!(!table.refuses(&other, &who("mallory"), at(10), at(20)));
    assert!(table.refuses(&other, &who("oscar"), at(10), at(20)));
}

#[test]
fn counts_follow_every_change() {
    let mut table = Table::default();
    let counts = |table: &Table| {
        let tenant = tenant("a");
        (
            table.count(&tenant, Cause::Call),
            table.count(&tenant, Cause::Removal),
        )
    };
    table.put(key("a", "", "x"), ban(10, Cause::Call));
    table.put(key("a", "r", "x"), ban(20, Cause::Removal));
    table.put(key("a", "r", "x"), ban(30, Cause::Call));
    assert_eq!(counts(&table), (2, 0));
    table.restore(key("a", "r", "x"), Some(ban(20, Cause::Removal)));
    assert_eq!(counts(&table), (1, 1));
    assert_eq!(table.expire(at(110)), [key("a", "", "x")]);
    assert_eq!(counts(&table), (0, 1));
    table.restore(key("a", "r", "x"), None);
    assert_eq!(counts(&table), (0, 0));
}

#[test]
fn the_removal_that_ends_first_makes_room() {
    let mut table = Table::default();
    for number in 0..REMOVALS_PER_TENANT {
        let seconds = 10 + u64::try_from(number).expect("it fits");
        table.put(
            key("a", "r", &format!("p{number}")),
            ban(seconds, Cause::Removal),
        );
    }
    table.put(key("b", "r", "p"), ban(1, Cause::Removal));
    let known = key("a", "r", "p7");
    assert_eq!(
        table.make_room_for_removal(&known),
        None,
        "it is there already"
    );
    let next = key("a", "r", "next");
    assert_eq!(
        table.make_room_for_removal(&next),
        Some(key("a", "r", "p0"))
    );
}

#[test]
fn pages_show_one_tenant() {
    let mut table = Table::default();
    for (name, person) in [("a", "z"), ("b", "x"), ("b", "y"), ("c", "a")] {
        table.put(key(name, "r", person), ban(10, Cause::Call));
    }
    let (page, more) = table.page(&tenant("b"), None, 1, at(20));
    assert_eq!((page[0].0.clone(), more), (key("b", "r", "x"), true));
    let (page, more) = table.page(&tenant("b"), Some(&page[0].0), 5, at(20));
    assert_eq!(
        (page.len(), page[0].0.clone(), more),
        (1, key("b", "r", "y"), false)
    );
    assert_eq!(table.page(&tenant("b"), None, 5, at(110)).0, []);
}
