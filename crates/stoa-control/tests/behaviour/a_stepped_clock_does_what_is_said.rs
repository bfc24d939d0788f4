//! When the time of day is stepped under a node that runs, tokens, bans and revisions do what docs/reliability.md says of
//! it, and what is heard goes on.

use std::time::{Duration, SystemTime};

use crate::support::{
    self, Identity, KEY, Rig, Rooms, Service, Wire, assert_reason,
    clock::TestClock,
    create, join,
    tokens::{self, Tokens},
};
use stoa_api::v1::{bans_client::BansClient, *};
use tonic::Code;

/// What a token of these tests is good for, and what clocks may differ by.
const LIFETIME: Duration = Duration::from_secs(300);
const LEEWAY: Duration = stoa_token::LEEWAY;
const HOUR: Duration = Duration::from_secs(3_600);

/// A node with a room `r`, whose time of day a test steps.
struct Hall {
    rig: Rig,
    wire: Wire,
    clock: TestClock,
    tokens: Tokens,
    rooms: Rooms,
}

impl Hall {
    async fn open(wire: Wire) -> Self {
        let (clock, tokens) = (TestClock::default(), Tokens::new());
        let rig = Rig::with(|config| {
            config.clock = clock.clock();
            config.tokens = tokens.verifier.clone();
        });
        let rig = rig.await;
        let mut rooms = rig.rooms(wire);
        create(&mut rooms, "r").await;
        Self {
            rig,
            wire,
            clock,
            tokens,
            rooms,
        }
    }

    fn forward(&self, by: Duration) {
        self.clock.set(self.clock.now() + by);
    }

    fn back(&self, by: Duration) {
        self.clock.set(self.clock.now() - by);
    }

    /// Comes with a token that was made then.
    async fn enter(
        &self,
        who: &str,
        made: SystemTime,
    ) -> Result<tonic::Response<JoinResponse>, tonic::Status> {
        let holder = self.tokens.holder(&tokens::claims(who, made));
        let request = JoinRequest {
            room_id: "r".into(),
            participant_id: who.into(),
            sdp_offer: "good".into(),
            ..Default::default()
        };
        self.rig.rooms_of(self.wire, holder).join(request).await
    }

    fn bans(&self) -> BansClient<Service> {
        BansClient::new(self.rig.service(self.wire, Identity::Key(KEY)))
    }
}

support::on_both_transports!(a_token_of_who_did_not_step);
async fn a_token_of_who_did_not_step(wire: Wire) {
    let hall = Hall::open(wire).await;
    let true_time = hall.clock.now();
    // Forward by less than a token's lifetime and the leeway: a new one is good, by more: it is not.
    hall.forward(LIFETIME + LEEWAY - Duration::from_secs(5));
    hall.enter("ada", true_time).await.expect("still good");
    hall.forward(Duration::from_secs(10));
    let refused = hall.enter("eve", true_time).await;
    assert_reason(refused, ErrorReason::TokenInvalid, Code::Unauthenticated);
    // Back again: what had expired is good again.
    hall.clock.set(true_time);
    hall.enter("eve", true_time).await.expect("good again");
    // Back by more than the leeway: what was just made is from the future.
    hall.back(LEEWAY - Duration::from_secs(5));
    hall.enter("bob", true_time).await.expect("a little early");
    hall.back(Duration::from_secs(10));
    let refused = hall.enter("cyd", true_time).await;
    assert_reason(refused, ErrorReason::TokenInvalid, Code::Unauthenticated);
}

support::on_both_transports!(a_ban_ends_by_the_time_of_day);
async fn a_ban_ends_by_the_time_of_day(wire: Wire) {
    let mut hall = Hall::open(wire).await;
    let request = CreateBanRequest {
        ban: Some(Ban {
            participant_id: "eve".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let made = hall.bans().create_ban(request).await.expect("a ban");
    let made = made.into_inner();
    let expires = SystemTime::try_from(made.expire_time.expect("a time")).expect("after 1970");
    let length = expires.duration_since(hall.clock.now()).expect("later");
    // What was issued before the ban, by a clock that goes on as it was.
    let issued = made.issued_before;
    let attempt = |rooms: &Rooms| {
        let mut rooms = rooms.clone();
        let mut request = support::join_request("r", "eve");
        request.issue_time = issued;
        async move { rooms.join(request).await }
    };
    let banned = |answer| assert_reason(answer, ErrorReason::SubjectBanned, Code::PermissionDenied);
    banned(attempt(&hall.rooms).await);
    // Stepped back, it holds on, and for longer by the step.
    hall.back(LEEWAY);
    banned(attempt(&hall.rooms).await);
    hall.forward(length + LEEWAY - Duration::from_nanos(1));
    banned(attempt(&hall.rooms).await);
    // Stepped beyond its end, it is over, and such an old decision refused by itself.
    hall.forward(Duration::from_nanos(1));
    let refused = attempt(&hall.rooms).await;
    assert_reason(refused, ErrorReason::FieldInvalid, Code::InvalidArgument);
    let list = hall.bans().list_bans(ListBansRequest::default()).await;
    assert_eq!(list.expect("a list").get_ref().bans, []);
    // Whoever is decided on by that clock comes in.
    let mut request = support::join_request("r", "eve");
    request.issue_time = Some(hall.clock.now().into());
    hall.rooms.join(request).await.expect("let in");
}

support::on_both_transports!(revisions_only_rise);
async fn revisions_only_rise(wire: Wire) {
    let mut hall = Hall::open(wire).await;
    let mut last = join(&mut hall.rooms, "r", "ada").await.room_revision;
    for (number, step) in [-1_i64, 2, -2, 1].into_iter().enumerate() {
        match u32::try_from(step) {
            Ok(hours) => hall.forward(HOUR * hours),
            Err(_) => hall.back(HOUR * step.unsigned_abs() as u32),
        }
        // Of a room that is there, and of a new one under the name of another.
        let joined = join(&mut hall.rooms, "r", &format!("p{number}")).await;
        assert_eq!(joined.room_revision, last + 1, "after {step} h");
        let request = CloseRoomRequest {
            room_id: "r".into(),
        };
        hall.rooms.close_room(request).await.expect("it is closed");
        let created = create(&mut hall.rooms, "r").await;
        assert!(created.revision > joined.room_revision, "after {step} h");
        last = created.revision;
    }
}
