//! The holder of a join token comes in as the token says, and back with a resume token as who they were; for
//! somebody else neither is of use. A ban or a removal is stronger than every token that is older, and weaker
//! than one that is newer.

use crate::support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::support::{Identity, KEY, Rig, Rooms, Wire, assert_reason, create, tokens};
use stoa_api::v1::{bans_client::BansClient, *};
use stoa_token::Claims;
use tonic::Code;

const BANNED: (ErrorReason, Code) = (ErrorReason::SubjectBanned, Code::PermissionDenied);
const NOT_SUFFICIENT: (ErrorReason, Code) =
    (ErrorReason::TokenNotSufficient, Code::PermissionDenied);

/// When it opens.
const OPENS: u64 = 1_800_000_000;

/// A node with a room `r`, and a time of day that passes as the test says.
struct Hall {
    rig: Rig,
    wire: Wire,
    tokens: tokens::Tokens,
    seconds: Arc<AtomicU64>,
    service: Rooms,
}

impl Hall {
    async fn open(wire: Wire) -> Self {
        let tokens = tokens::Tokens::new();
        let seconds = Arc::new(AtomicU64::new(OPENS));
        let clock = Arc::clone(&seconds);
        let rig = Rig::with(|config| {
            config.tokens = tokens.verifier.clone();
            config.clock = Arc::new(move || at(&clock));
        });
        let rig = rig.await;
        let mut service = rig.rooms(wire);
        create(&mut service, "r").await;
        Self {
            rig,
            wire,
            tokens,
            seconds,
            service,
        }
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn claims(&self, who: &str) -> Claims {
        tokens::claims(who, at(&self.seconds))
    }

    fn holder(&self, claims: &Claims) -> Rooms {
        self.rig.rooms_of(self.wire, self.tokens.holder(claims))
    }

    fn bans(&self) -> BansClient<support::Service> {
        BansClient::new(self.rig.service(self.wire, Identity::Key(KEY)))
    }
}

fn at(seconds: &AtomicU64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed))
}

/// A join that says no more than it has to.
fn join(who: &str, resume_token: &str) -> JoinRequest {
    JoinRequest {
        room_id: "r".into(),
        participant_id: who.into(),
        sdp_offer: "good".into(),
        resume_token: resume_token.into(),
        ..Default::default()
    }
}

async fn enter(rooms: &mut Rooms, who: &str, resume_token: &str) -> JoinResponse {
    let joined = rooms.join(join(who, resume_token)).await;
    joined.expect("let in").into_inner()
}

support::on_both_transports!(as_the_token_says);
async fn as_the_token_says(wire: Wire) {
    let hall = Hall::open(wire).await;
    let mut ada = hall.holder(&hall.claims("ada"));
    let changes: [fn(&mut JoinRequest); 7] = [
        |join| join.role = Role::Moderator.into(),
        |join| join.audio_mode = AudioMode::Music.into(),
        |join| join.display_name = "The Boss".into(),
        |join| drop(join.metadata.insert("a".into(), "b".into())),
        |join| join.issue_time = Some((UNIX_EPOCH + Duration::from_secs(OPENS)).into()),
        |join| join.participant_id = "grace".into(),
        |join| join.room_id = "other".into(),
    ];
    for change in changes {
        let mut request = join("ada", "");
        change(&mut request);
        assert_reason(ada.join(request).await, NOT_SUFFICIENT.0, NOT_SUFFICIENT.1);
    }
    let status = ada.list_rooms(ListRoomsRequest::default()).await;
    assert_reason(status, NOT_SUFFICIENT.0, NOT_SUFFICIENT.1);
    let entered = enter(&mut ada, "ada", "").await.participant;
    let entered = entered.expect("who");
    assert_eq!(
        (entered.role(), entered.display_name.as_str()),
        (Role::Speaker, "ADA")
    );
}

support::on_both_transports!(back_as_who_they_were);
async fn back_as_who_they_were(wire: Wire) {
    let mut hall = Hall::open(wire).await;
    let once = Claims {
        once: true,
        ..hall.claims("ada")
    };
    let mut ada = hall.holder(&once);
    let first = enter(&mut ada, "ada", "").await;
    let promotion = SetRoleRequest {
        room_id: "r".into(),
        participant_id: "ada".into(),
        role: Role::Moderator.into(),
        ..Default::default()
    };
    hall.service.set_role(promotion).await.expect("a moderator");
    hall.rig.media.lose("r", "ada");

    // The token was used; with the resume token it is enough, and what the call says is not read.
    let replayed = ada.join(join("ada", "")).await;
    assert_reason(replayed, ErrorReason::TokenInvalid, Code::Unauthenticated);
    let request = JoinRequest {
        role: Role::Listener.into(),
        display_name: "somebody else".into(),
        ..join("ada", &first.resume_token)
    };
    let second = ada.join(request).await.expect("back").into_inner();
    let (before, after) = (first.participant, second.participant);
    let (before, after) = (before.expect("who"), after.expect("who"));
    assert_ne!(after.session_id, before.session_id);
    assert_eq!(
        (after.role(), after.display_name.as_str()),
        (Role::Moderator, "ADA")
    );

    // Neither is of use without the other's.
    let mut grace = hall.holder(&hall.claims("grace"));
    let stolen = grace.join(join("ada", &second.resume_token)).await;
    assert_reason(stolen, NOT_SUFFICIENT.0, NOT_SUFFICIENT.1);
    let stolen = grace.join(join("grace", &second.resume_token)).await;
    assert_reason(stolen, ErrorReason::ResumeTokenInvalid, Code::NotFound);
    // And ICE is restarted by themselves alone.
    hall.rig.media.connect("r", "ada");
    let restart = |who: &str| RenegotiateRequest {
        room_id: "r".into(),
        participant_id: who.into(),
        sdp_offer: "good".into(),
        ..Default::default()
    };
    let answer = ada.renegotiate(restart("ada")).await.expect("an answer");
    assert_eq!(answer.into_inner().sdp_answer, "another answer to good");
    let other = grace.renegotiate(restart("ada")).await;
    assert_reason(other, NOT_SUFFICIENT.0, NOT_SUFFICIENT.1);
}

/// Everything that the holder of a token may ask for is refused.
async fn all_refused(rooms: &mut Rooms, who: &str, resume_token: &str) {
    let (room_id, participant_id) = ("r".to_owned(), who.to_owned());
    for token in ["", resume_token] {
        assert_reason(rooms.join(join(who, token)).await, BANNED.0, BANNED.1);
    }
    let restart = RenegotiateRequest {
        room_id: room_id.clone(),
        participant_id: participant_id.clone(),
        sdp_offer: "good".into(),
        ..Default::default()
    };
    assert_reason(rooms.renegotiate(restart).await, BANNED.0, BANNED.1);
    let candidate = AddIceCandidateRequest {
        room_id: room_id.clone(),
        participant_id: participant_id.clone(),
        candidate: "good".into(),
        ..Default::default()
    };
    assert_reason(rooms.add_ice_candidate(candidate).await, BANNED.0, BANNED.1);
    let removal = RemoveParticipantRequest {
        room_id,
        participant_id,
        ..Default::default()
    };
    assert_reason(rooms.remove_participant(removal).await, BANNED.0, BANNED.1);
}

support::on_both_transports!(not_with_a_token_from_before_the_removal);
async fn not_with_a_token_from_before_the_removal(wire: Wire) {
    let mut hall = Hall::open(wire).await;
    let mut old = hall.holder(&hall.claims("ada"));
    let entered = enter(&mut old, "ada", "").await;
    hall.pass(1);
    let removal = RemoveParticipantRequest {
        room_id: "r".into(),
        participant_id: "ada".into(),
        ..Default::default()
    };
    hall.service
        .remove_participant(removal)
        .await
        .expect("removed");
    all_refused(&mut old, "ada", &entered.resume_token).await;
    // One of the same second is as old.
    let mut same = hall.holder(&hall.claims("ada"));
    assert_reason(same.join(join("ada", "")).await, BANNED.0, BANNED.1);
    hall.pass(1);
    let mut new = hall.holder(&hall.claims("ada"));
    enter(&mut new, "ada", "").await;
    assert_reason(old.join(join("ada", "")).await, BANNED.0, BANNED.1);
}

support::on_both_transports!(not_while_a_ban_holds);
async fn not_while_a_ban_holds(wire: Wire) {
    let hall = Hall::open(wire).await;
    let mut old = hall.holder(&hall.claims("ada"));
    let entered = enter(&mut old, "ada", "").await;
    let ban = Ban {
        participant_id: "ada".into(),
        issued_before: Some((at(&hall.seconds) + Duration::from_secs(60)).into()),
        ..Default::default()
    };
    let request = CreateBanRequest {
        ban: Some(ban),
        ..Default::default()
    };
    let mut bans = hall.bans();
    bans.create_ban(request).await.expect("banned");
    let mut service = hall.service.clone();
    let room = GetRoomRequest {
        room_id: "r".into(),
    };
    let room = service.get_room(room).await.expect("it is there");
    assert_eq!(room.into_inner().participant_count, 0);
    all_refused(&mut old, "ada", &entered.resume_token).await;
    hall.pass(1);
    let mut new = hall.holder(&hall.claims("ada"));
    assert_reason(new.join(join("ada", "")).await, BANNED.0, BANNED.1);
    let mut grace = hall.holder(&hall.claims("grace"));
    enter(&mut grace, "grace", "").await;
    let lifted = DeleteBanRequest {
        participant_id: "ada".into(),
        ..Default::default()
    };
    bans.delete_ban(lifted).await.expect("lifted");
    enter(&mut old, "ada", "").await;
}
