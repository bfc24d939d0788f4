//! Tokens and requests.

use prost::Message;
use stoa_api::v1;
use stoa_control::fuzz::page_token_of;
use stoa_sim::offers;
use stoa_token::Audience;

use super::Seed;
use crate::targets::join_token::{HEADER, NOW, claims, signed};

pub(super) fn tokens() -> Vec<Seed> {
    let kind = |kind: u8, text: &[u8]| [&[kind], text].concat();
    let json = |claims| serde_json::to_vec(&claims).expect("JSON");
    let good = json(claims());
    let mut other = claims();
    other.nbf = Some(NOW);
    other.aud = Some(Audience::Several(vec!["stoa".into(), "x".into()]));
    other.once = true;
    other.publish = vec!["audio".into(), "music".into()];
    let mut endless = claims();
    endless.exp = u64::MAX;
    let mut foreign = claims();
    foreign.iss = "other".into();
    foreign.room = "other/hall".into();
    let none = r#"{"alg":"none","typ":"stoa-join+jwt","kid":"k1"}"#;
    let eddsa = HEADER.replace("HS256", "EdDSA");
    let embedded = HEADER.replace('}', r#","jwk":{"kty":"oct","k":"AAAA"}}"#);
    vec![
        ("good", kind(0, signed(HEADER.as_bytes(), &good).as_bytes())),
        ("claims", kind(1, &good)),
        ("all-claims", kind(1, &json(other))),
        ("endless", kind(1, &json(endless))),
        ("of-another-tenant", kind(1, &json(foreign))),
        ("header", kind(2, HEADER.as_bytes())),
        ("alg-none", kind(2, none.as_bytes())),
        ("another-algorithm", kind(2, eddsa.as_bytes())),
        ("key-in-the-token", kind(2, embedded.as_bytes())),
        (
            "another-type",
            kind(2, HEADER.replace("stoa-join+jwt", "JWT").as_bytes()),
        ),
        ("two-parts", kind(0, b"e30.e30")),
    ]
}

fn request(kind: u8, message: &impl Message) -> Vec<u8> {
    [&[kind][..], &message.encode_to_vec()].concat()
}

pub(super) fn requests() -> Vec<Seed> {
    let room = || "hall".to_owned();
    let who = || "ada".to_owned();
    let metadata = || [("k".to_owned(), "v".to_owned())].into();
    let create = v1::CreateRoomRequest {
        room_id: room(),
        room: Some(v1::Room {
            audio_slots: 3,
            metadata: metadata(),
            ..v1::Room::default()
        }),
        request_id: "r-1".into(),
    };
    let offer = || offers::with_lines(&offers::chromium(), 1);
    let join = v1::JoinRequest {
        room_id: room(),
        participant_id: who(),
        display_name: "Ada".into(),
        sdp_offer: offer(),
        request_id: "r-2".into(),
        role: v1::Role::Speaker.into(),
        metadata: metadata(),
        audio_mode: v1::AudioMode::Music.into(),
        subscription: Some(v1::Subscription::default()),
        issue_time: Some(prost_types::Timestamp {
            seconds: 2_000_000_000,
            nanos: 5,
        }),
        resume_token: "00".repeat(32),
    };
    let wrong = v1::JoinRequest {
        room_id: "no room".repeat(40),
        participant_id: "/".into(),
        display_name: "x".repeat(300),
        request_id: "x".repeat(200),
        role: 99,
        audio_mode: -1,
        metadata: [(String::new(), String::new())].into(),
        issue_time: Some(prost_types::Timestamp {
            seconds: i64::MIN,
            nanos: i32::MIN,
        }),
        ..v1::JoinRequest::default()
    };
    let renegotiate = v1::RenegotiateRequest {
        room_id: room(),
        participant_id: who(),
        sdp_offer: offer(),
        ..Default::default()
    };
    let candidate = v1::AddIceCandidateRequest {
        room_id: room(),
        participant_id: who(),
        candidate: "candidate:1 1 udp 1 192.0.2.1 4000 typ host".into(),
        ..Default::default()
    };
    let role = v1::SetRoleRequest {
        room_id: room(),
        participant_id: who(),
        role: v1::Role::Moderator.into(),
        ..Default::default()
    };
    let ban = v1::CreateBanRequest {
        ban: Some(v1::Ban {
            participant_id: who(),
            note: "spam".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let update = v1::UpdateParticipantRequest {
        room_id: room(),
        participant: Some(v1::Participant {
            participant_id: who(),
            display_name: "Ada".into(),
            ..Default::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["display_name".into()],
        }),
    };
    vec![
        ("create-room", request(0, &create)),
        ("join", request(1, &join)),
        ("join-that-is-all-wrong", request(1, &wrong)),
        ("renegotiate", request(2, &renegotiate)),
        ("candidate", request(3, &candidate)),
        ("set-role", request(4, &role)),
        ("set-muted", request(5, &v1::SetMutedRequest::default())),
        ("update-participant", request(6, &update)),
        (
            "subscriptions",
            request(7, &v1::UpdateSubscriptionsRequest::default()),
        ),
        (
            "remove",
            request(8, &v1::RemoveParticipantRequest::default()),
        ),
        ("ban", request(9, &ban)),
        (
            "page-token",
            [&[10][..], page_token_of("hall").as_bytes()].concat(),
        ),
    ]
}

pub(super) fn frames() -> Vec<Seed> {
    let stream =
        |kind: u8, step: u8, frames: &[&[u8]]| [&[kind, step][..], &frames.concat()].concat();
    let (headers, data) = ([1, 3, 0, 0, 0xd1], [0, 5, b'h', b'e', b'l', b'l', b'o']);
    let (empty, grease) = ([0, 0], [0x40, 0x41, 0]);
    let unknown = [0x21, 2, 7, 7];
    let huge = [1, 0xc0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    let settings = [0, 4, 4, 6, 0x44, 0, 1, 0];
    let huge_data = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2];
    vec![
        ("request", stream(0, 255, &[&headers, &data, &headers])),
        (
            "request-bit-by-bit",
            stream(0, 0, &[&headers, &data, &headers]),
        ),
        (
            "empty-data",
            stream(0, 2, &[&headers, &empty, &empty, &data]),
        ),
        (
            "unknown-frames",
            stream(0, 1, &[&unknown, &headers, &unknown, &data]),
        ),
        ("end-within-data", stream(0, 3, &[&headers, &data[..4]])),
        ("headers-too-large", stream(0, 3, &[&huge])),
        ("data-without-an-end", stream(0, 3, &[&headers, &huge_data])),
        (
            "many-small-data",
            stream(0, 7, &[&headers, &[0, 1, b'x'].repeat(50)]),
        ),
        ("webtransport", stream(0, 7, &[&grease, b"anything"])),
        ("settings", stream(1, 1, &[&settings])),
        ("push-stream", stream(1, 1, &[&[1, 9], b"raw"])),
        (
            "cancel-push",
            stream(0, 9, &[&[3, 1, 0], &[5, 1, 0], &[7, 1, 0], &[13, 1, 0]]),
        ),
    ]
}
