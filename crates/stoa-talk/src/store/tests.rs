//! Limits, and what is forgotten when.

use rusqlite::params;

use super::{
    admission::{Admitted, House, Visitor, admit},
    links::{self, NewLink},
    rooms::Room,
    *,
};
use crate::{
    admission::Admission,
    role::Role,
    secret::{Purpose, SecretHash},
};

const NOW: i64 = 1_800_000_000_000;

fn hash(text: &str) -> SecretHash {
    SecretHash::of(Purpose::Browser, text)
}

fn visitor(name: &str, create: bool) -> Visitor {
    Visitor {
        room: "hall".into(),
        name: name.into(),
        browser: hash(name),
        window: hash(name),
        token: None,
        create: create.then(|| Room {
            title: "The Hall".into(),
            open: true,
            newcomers: Role::Listener,
        }),
    }
}

fn house(present: &[&Admitted]) -> House {
    House {
        open_rooms: true,
        instance: "test-".into(),
        present: present.iter().map(|a| a.person.id.clone()).collect(),
        now: NOW,
    }
}

/// A database in memory with an open room, and who made it.
fn hall() -> (Connection, Admitted) {
    let (mut connection, _) = open(&Database::Memory).expect("memory is there");
    let host =
        enter(&mut connection, "host", &house(&[]), true).expect("nothing speaks against it");
    (connection, host)
}

fn enter(
    connection: &mut Connection,
    name: &str,
    house: &House,
    create: bool,
) -> Result<Admitted, String> {
    let visitor = visitor(name, create);
    transact(connection, |tx| admit(tx, house, &visitor), true).map_err(reason)
}

fn reason(failure: Failure) -> String {
    match failure {
        Failure::Refused(problem) => problem.reason().to_owned(),
        Failure::Sql(error) => panic!("{error}"),
    }
}

#[test]
fn a_room_has_a_limited_number_of_links() {
    let (mut connection, host) = hall();
    let host = host.person.id;
    let mut create = |number: usize| {
        let new = NewLink {
            role: Role::Listener,
            label: String::new(),
            one_person: false,
        };
        let token = hash(&number.to_string());
        let made = |tx: &Transaction<'_>| links::create(tx, "hall", &host, &new, &token, NOW);
        transact(&mut connection, made, true).map_err(reason)
    };
    for number in 0..limits::MAX_LINKS_PER_ROOM {
        assert!(create(number).is_ok(), "{number}");
    }
    let refused = create(limits::MAX_LINKS_PER_ROOM).map(|(id, _)| id);
    assert_eq!(refused, Err("LINK_LIMIT_REACHED".into()));
}

#[test]
fn a_person_silences_a_limited_number_of_people() {
    let (mut connection, host) = hall();
    for number in 0..=limits::MAX_SILENCED {
        let guest = enter(&mut connection, &number.to_string(), &house(&[]), false);
        let guest = guest.expect("there is room").person.id;
        let silence =
            |tx: &Transaction<'_>| people::silence(tx, "hall", &host.person.id, &guest, true);
        let outcome = transact(&mut connection, silence, true).map_err(reason);
        if number < limits::MAX_SILENCED {
            assert_eq!(outcome.map(|all| all.len()), Ok(number + 1));
        } else {
            assert_eq!(outcome, Err("SILENCE_LIMIT_REACHED".into()));
        }
    }
}

#[test]
fn a_full_room_forgets_who_has_been_away_longest_and_is_nobody_in_particular() {
    let (mut connection, host) = hall();
    let early = |connection: &mut Connection, name| {
        let guest = enter(connection, name, &house(&[]), false).expect("there is room");
        let sql = "UPDATE people SET seen_at = 1 WHERE id = ?1";
        let id = params![guest.person.id];
        connection.execute(sql, id).expect("the table is there");
        guest
    };
    let away = early(&mut connection, "away");
    let present = early(&mut connection, "present");
    let removed = early(&mut connection, "removed");
    let sql = "UPDATE people SET removed_at = 2 WHERE id = ?1";
    let id = params![removed.person.id];
    connection.execute(sql, id).expect("the table is there");
    let fill = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
        INSERT INTO people (id, room, browser, window, name, role, seen_at)
        SELECT 'filler-' || n, 'hall', randomblob(32), randomblob(32), 'filler', 'listener', ?2 FROM numbers";
    let missing = limits::MAX_PEOPLE_PER_ROOM - 4;
    connection
        .execute(fill, params![missing, NOW])
        .expect("plain rows");

    let newcomer = enter(&mut connection, "newcomer", &house(&[&present]), false);
    let newcomer = newcomer.expect("room is made").person.id;
    let known = |id: &str| {
        let sql = "SELECT count(*) FROM people WHERE id = ?1";
        let count = connection.query_row(sql, params![id], |row| row.get::<_, i64>(0));
        count.expect("a number") == 1
    };
    assert!(!known(&away.person.id), "the one who was away longest");
    for kept in [
        &host.person.id,
        &present.person.id,
        &removed.person.id,
        &newcomer,
    ] {
        assert!(known(kept));
    }
}

#[test]
fn rooms_that_nobody_enters_are_forgotten_in_the_end() {
    let (mut connection, _) = hall();
    let kept = i64::try_from(limits::ROOM_KEPT.as_millis()).expect("it fits");
    let found = |connection: &mut Connection| {
        let find = |tx: &Transaction<'_>| Ok(rooms::find(tx, "hall")?);
        transact(connection, find, false)
            .map_err(reason)
            .expect("a read")
    };
    rooms::forget_unused(&connection, NOW + kept).expect("the table is there");
    assert!(found(&mut connection).is_some());
    rooms::forget_unused(&connection, NOW + kept + 1).expect("the table is there");
    assert_eq!(found(&mut connection), None);
    let people: i64 = connection
        .query_row("SELECT count(*) FROM people", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(people, 0, "nobody is remembered without their room");
}

#[test]
fn a_database_of_a_later_version_is_left_alone() {
    let mut connection = Connection::open_in_memory().expect("memory is there");
    schema::prepare(&mut connection).expect("it is new");
    schema::prepare(&mut connection).expect("it is known");
    connection
        .pragma_update(None, "user_version", 3)
        .expect("a pragma");
    let error = schema::prepare(&mut connection).expect_err("it is not known");
    assert!(error.to_string().contains("version 3"), "{error}");
}

#[test]
fn who_was_in_a_room_of_the_first_version_is_in() {
    let mut connection = Connection::open_in_memory().expect("memory is there");
    schema::make_version_1(&mut connection).expect("it is new");
    let people = "INSERT INTO rooms VALUES ('hall', 'The Hall', 1, 'listener', 1, 1);
        INSERT INTO rooms VALUES ('yard', 'The Yard', 1, 'listener', 1, 1);";
    connection.execute_batch(people).expect("plain rows");
    for (id, room, name, seen_at) in [("a", "hall", "Ada", 1), ("b", "yard", "Ada L.", 2)] {
        let sql = "INSERT INTO people (id, room, browser, window, name, role, seen_at)
                   VALUES (?1, ?2, ?3, ?3, ?4, 'listener', ?5)";
        let row = params![id, room, hash("Ada"), name, seen_at];
        connection.execute(sql, row).expect("a plain row");
    }
    schema::prepare(&mut connection).expect("it is known");
    schema::prepare(&mut connection).expect("it is known by now");
    let look = |tx: &Transaction<'_>| {
        assert_eq!(members::begin(tx, Admission::Closed)?, Admission::Closed);
        members::pass(tx, &hash("Ada"), "Ada", NOW)?;
        let stranger = members::pass(tx, &hash("Eve"), "Eve", NOW);
        assert_eq!(stranger.map_err(reason), Err("ADMISSION_REQUIRED".into()));
        Ok(members::count(tx)?)
    };
    let counts = transact(&mut connection, look, true).map_err(reason);
    let counts = serde_json::to_value(counts.expect("plain reads")).expect("plain data");
    assert_eq!(counts["in"], 1, "one browser");
}

#[test]
fn a_full_service_forgets_who_came_while_everyone_could_and_refuses_when_nobody_is_left() {
    let (mut connection, _) = open(&Database::Memory).expect("memory is there");
    let fill = "INSERT INTO waves (name, invites, created_at) VALUES ('all', 1, 1);
        WITH RECURSIVE numbers (n) AS
            (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200000)
        INSERT INTO members (browser, name, wave, admitted_at, seen_at)
        SELECT randomblob(32), 'filler', 1, 1, 1 FROM numbers";
    connection.execute_batch(fill).expect("plain rows");
    let pass = |connection: &mut Connection, name: &str| {
        let work = |tx: &Transaction<'_>| members::pass(tx, &hash(name), name, NOW);
        transact(connection, work, true).map_err(reason)
    };
    assert_eq!(limits::MAX_MEMBERS, 200_000);
    let refused = pass(&mut connection, "Ada");
    assert_eq!(refused, Err("MEMBER_LIMIT_REACHED".into()));
    let loosen = "UPDATE members SET wave = NULL WHERE id = 7";
    connection.execute(loosen, []).expect("the table is there");
    assert_eq!(pass(&mut connection, "Ada"), Ok(()));
    assert_eq!(pass(&mut connection, "Ada"), Ok(()), "who is in stays in");
    assert_eq!(
        pass(&mut connection, "Bob"),
        Ok(()),
        "Ada is forgotten for him"
    );
}

#[test]
fn what_is_tried_out_is_taken_back() {
    let (mut connection, _) = hall();
    let look = visitor("curious", false);
    let tried = transact(&mut connection, |tx| admit(tx, &house(&[]), &look), false);
    assert_eq!(
        tried.map_err(reason).expect("they may").person.role,
        Role::Listener
    );
    let people: i64 = connection
        .query_row("SELECT count(*) FROM people", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(people, 1, "the host alone");
}
