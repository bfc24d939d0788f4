use tonic::Status;
use tonic_types::StatusExt as _;

use super::*;

fn wrong<T: std::fmt::Debug>(checked: Result<T, Failure>) -> Vec<(String, String)> {
    let status = Status::from(checked.expect_err("must be refused"));
    let bad = status.get_details_bad_request().expect("there is one");
    let violations = bad.field_violations.into_iter();
    violations
        .map(|violation| (violation.field, violation.description))
        .collect()
}

fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    })
}

fn update(room: v1::Room, paths: &[&str]) -> v1::UpdateRoomRequest {
    let room_id = "r".to_owned();
    v1::UpdateRoomRequest {
        room: Some(v1::Room { room_id, ..room }),
        update_mask: mask(paths),
    }
}

#[test]
fn only_what_the_mask_names_is_changed() {
    let room = v1::Room {
        audio_slots: 5,
        max_participants: 7,
        ..Default::default()
    };
    let (_, change) = room_update(&update(room, &["audio_slots"]), &RoomDefaults::default())
        .expect("it is right");
    let expected = RoomUpdate {
        audio_slots: AudioSlots::new(5),
        ..Default::default()
    };
    assert_eq!(change, expected);
}

#[test]
fn zero_takes_a_limit_away_and_means_the_usual_slots() {
    let paths = ["audio_slots", "max_participants"];
    let (_, change) = room_update(
        &update(v1::Room::default(), &paths),
        &RoomDefaults::default(),
    )
    .expect("it is right");
    assert_eq!(change.max_participants, Some(None));
    assert_eq!(change.audio_slots, Some(AudioSlots::default()));
}

#[test]
fn a_mask_must_name_what_can_be_changed() {
    let empty = wrong(room_update(
        &update(v1::Room::default(), &[]),
        &RoomDefaults::default(),
    ));
    assert_eq!(empty[0].0, "update_mask");
    assert!(empty[0].1.contains("speak_policy"), "{empty:?}");
    let unknown = wrong(room_update(
        &update(v1::Room::default(), &["revision"]),
        &RoomDefaults::default(),
    ));
    assert!(unknown[0].1.contains("\"revision\""), "{unknown:?}");
    let request = v1::UpdateParticipantRequest {
        update_mask: mask(&["role"]),
        ..Default::default()
    };
    let fields = wrong(update_participant(&request));
    let fields: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["room_id", "participant_id", "update_mask"]);
}

#[test]
fn values_out_of_range_are_named() {
    let room = v1::Room {
        audio_slots: 9,
        speak_policy: 77,
        metadata: HashMap::from([(String::new(), String::new())]),
        ..Default::default()
    };
    let paths = ["audio_slots", "speak_policy", "metadata"];
    let fields = wrong(room_update(&update(room, &paths), &RoomDefaults::default()));
    let fields: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        ["room.audio_slots", "room.speak_policy", "room.metadata"]
    );
}

#[test]
fn a_role_and_whose_mute_it_is_must_be_said() {
    let (room_id, participant_id) = ("r".to_owned(), "p".to_owned());
    for role in [0, 99] {
        let request = v1::SetRoleRequest {
            room_id: room_id.clone(),
            participant_id: participant_id.clone(),
            role,
            ..Default::default()
        };
        assert_eq!(wrong(set_role(&request))[0].0, "role");
    }
    for source in [0, 99] {
        let request = v1::SetMutedRequest {
            room_id: room_id.clone(),
            participant_id: participant_id.clone(),
            source,
            ..Default::default()
        };
        assert_eq!(wrong(set_muted(&request))[0].0, "source");
    }
}

fn choice(mode: v1::SubscriptionMode, names: &[&str]) -> v1::UpdateSubscriptionsRequest {
    v1::UpdateSubscriptionsRequest {
        room_id: "r".into(),
        participant_id: "p".into(),
        session_id: String::new(),
        subscription: Some(v1::Subscription {
            mode: mode.into(),
            participant_ids: names.iter().map(|name| (*name).to_owned()).collect(),
        }),
    }
}

#[test]
fn a_choice_names_participants_and_not_too_many() {
    let request = choice(v1::SubscriptionMode::Only, &["ann", "ann", "ben"]);
    let (_, change) = subscription(&request).expect("it is right");
    let ParticipantChange::Subscription(only) = change else {
        panic!("another change: {change:?}");
    };
    let id = |name| ParticipantId::new(name).expect("an identifier");
    assert!(only.wants(&id("ben")) && !only.wants(&id("cid")));
    let bad = wrong(subscription(&choice(v1::SubscriptionMode::Only, &["a b"])));
    assert_eq!(bad[0].0, "subscription.participant_ids");
    let many = vec!["x"; MAX_SUBSCRIPTION_NAMES + 1];
    let many = wrong(subscription(&choice(
        v1::SubscriptionMode::AllExcept,
        &many,
    )));
    assert!(many[0].1.contains("65"), "{many:?}");
}

#[test]
fn no_choice_is_everybody() {
    let none = v1::UpdateSubscriptionsRequest {
        subscription: None,
        ..choice(v1::SubscriptionMode::Only, &[])
    };
    let (_, change) = subscription(&none).expect("it is right");
    let everybody = ParticipantChange::Subscription(Subscription::EVERYBODY);
    assert_eq!(change, everybody);
}

#[test]
fn a_preroll_is_short() {
    let with = |nanos| v1::Room {
        speech_preroll: Some(Duration { seconds: 0, nanos }),
        ..Default::default()
    };
    let paths = ["speech_preroll"];
    let (_, change) =
        room_update(&update(with(0), &paths), &RoomDefaults::default()).expect("it is right");
    assert_eq!(change.speech_preroll, Some(SpeechPreroll::NONE));
    for nanos in [200_000_001, -1] {
        let bad = wrong(room_update(
            &update(with(nanos), &paths),
            &RoomDefaults::default(),
        ));
        assert_eq!(bad[0].0, "room.speech_preroll");
    }
}

#[test]
fn timeouts_are_a_second_to_a_week_or_none_and_the_nodes_own_where_they_are_absent() {
    let own = |seconds| RoomTimeout::new(std::time::Duration::from_secs(seconds));
    let defaults = RoomDefaults {
        empty_timeout: own(60),
        idle_timeout: None,
    };
    let create = |empty, idle| {
        let room = v1::Room {
            empty_timeout: empty,
            idle_timeout: idle,
            ..Default::default()
        };
        let request = v1::CreateRoomRequest {
            room_id: "r".into(),
            room: Some(room.clone()),
            ..Default::default()
        };
        let paths = ["empty_timeout", "idle_timeout"];
        let updated = room_update(&update(room, &paths), &defaults);
        (super::super::create_room(&request, &defaults), updated)
    };
    let time = |seconds, nanos| Some(Duration { seconds, nanos });
    for (empty, idle, expected) in [
        (None, None, (own(60), None)),
        (time(0, 0), time(1, 0), (None, own(1))),
        (time(604_800, 0), time(0, 0), (own(604_800), None)),
    ] {
        let (created, updated) = create(empty, idle);
        let (_, settings) = created.expect("it is right");
        assert_eq!((settings.empty_timeout, settings.idle_timeout), expected);
        let (_, update) = updated.expect("it is right");
        let (empty, idle) = expected;
        assert_eq!(
            (update.empty_timeout, update.idle_timeout),
            (Some(empty), Some(idle))
        );
    }
    for bad in [
        time(0, 999_999_999),
        time(604_800, 1),
        time(-1, 0),
        time(i64::MAX, 0),
    ] {
        let (created, updated) = create(bad, bad);
        for violations in [wrong(created), wrong(updated)] {
            let fields: Vec<&str> = violations.iter().map(|(field, _)| field.as_str()).collect();
            assert_eq!(
                fields,
                ["room.empty_timeout", "room.idle_timeout"],
                "{bad:?}"
            );
        }
    }
}
