//! Coming in.

use std::sync::Arc;

use stoa_client::{
    reason,
    v1::{ErrorReason, JoinRequest, JoinResponse, Role as StoaRole},
};
use tonic::{Code, Status};

use super::{
    Reader,
    seat::{Aspect, Seat, all_except},
};
use crate::{
    hub::{Attach, Command},
    limits,
    outbox::Closing,
    problem::Problem,
    protocol::{Join, NewRoomFields},
    secret::{Purpose, SecretHash},
    store::{
        admission::{Admitted, Visitor, admit},
        members,
        people::{self, PersonRow},
        rooms::Room,
    },
};

impl Reader {
    /// Lets the browser's person in, and takes the place of a window that they have left open.
    pub(super) async fn join(&mut self, join: Join) -> Result<(), Problem> {
        let hub = self.talk.directory().enter(&join.room).await;
        let present = hub.ask(|answer| Command::Present { answer }).await?;
        let (house, visitor) = (self.talk.house(present), visitor(&join));
        let mut admitted = self
            .talk
            .store()
            .change(move |transaction| admit(transaction, &house, &visitor))
            .await?;
        hub.ask(|done| Command::Open { done }).await??;
        // Kept from here on: should this future be dropped half-way, or the call's outcome be
        // unknown, the seat is vacated all the same.
        let seat = Seat {
            talk: Arc::clone(&self.talk),
            room: join.room.clone(),
            id: admitted.person.id.clone(),
            session_id: String::new(),
            number: self.talk.new_seat(),
            hub,
        };
        let seat = self.seat.insert(seat);
        match enter_stoa(seat, &mut admitted, join.sdp).await {
            Ok(answer) => self.settle(admitted, answer).await,
            Err(status) => {
                let Some(seat) = self.seat.take() else {
                    return Err(Problem::from_stoa(&status));
                };
                // Stoa knows that they were taken out on the way in; why, the database does.
                if reason(&status) == Some(ErrorReason::SubjectBanned) {
                    seat.row().await?;
                }
                if outcome_unknown(status.code()) {
                    seat.vacate().await;
                }
                Err(Problem::from_stoa(&status))
            }
        }
    }

    /// Makes Stoa's participant what the database says by now, and takes the place in the hub.
    async fn settle(&mut self, admitted: Admitted, answer: JoinResponse) -> Result<(), Problem> {
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        // Until then moderators' changes have not met this session.
        let turn = seat.hub.turn().await;
        let settled = match seat.row().await {
            Ok(row) => seat.show(&row, &differences(&row, &answer)).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = settled {
            drop(turn);
            if let Some(seat) = self.seat.take() {
                seat.vacate().await;
            }
            return Err(problem);
        }
        let attach = Attach {
            seat: seat.number,
            admitted: answer,
            title: admitted.room.title,
            open: admitted.room.open,
            silenced: admitted.silenced,
            outbox: self.outbox.clone(),
        };
        seat.hub.send(Command::Attach(Box::new(attach))).await
    }
}

impl Seat {
    /// The seat's person, as the database has them now.
    async fn row(&self) -> Result<PersonRow, Problem> {
        let (room, id) = (self.room.clone(), self.id.clone());
        let store = self.talk.store();
        let found = store
            .try_out(move |tx| {
                if members::is_banned(tx, &id)? {
                    return Err(members::banned().into());
                }
                Ok(people::find(tx, &room, &id)?)
            })
            .await?;
        let here = found.filter(|row| row.removed_at.is_none());
        here.ok_or_else(|| Problem::denied("REMOVED", "a moderator has removed you from this room"))
    }
}

fn visitor(join: &Join) -> Visitor {
    let token = join.token.as_deref();
    Visitor {
        room: join.room.clone(),
        name: join.name.clone(),
        browser: SecretHash::of(Purpose::Browser, &join.secret),
        window: SecretHash::of(Purpose::Window, &join.window),
        token: token.map(|token| SecretHash::of(Purpose::Link, token)),
        create: join.create.as_ref().map(new_room),
    }
}

fn new_room(fields: &NewRoomFields) -> Room {
    Room {
        title: fields.title.clone(),
        open: fields.open,
        newcomers: fields.newcomers,
    }
}

/// Joins in Stoa. A session that the same person has there still is a former one, and ends.
async fn enter_stoa(
    seat: &mut Seat,
    admitted: &mut Admitted,
    sdp: String,
) -> Result<JoinResponse, Status> {
    let person = &admitted.person;
    let mut request = JoinRequest {
        room_id: seat.room.clone(),
        participant_id: seat.id.clone(),
        display_name: person.name.clone(),
        sdp_offer: sdp,
        role: StoaRole::from(person.role).into(),
        metadata: person.metadata(),
        subscription: Some(all_except(&admitted.silenced)),
        ..Default::default()
    };
    let mut attempts = 0;
    loop {
        attempts += 1;
        match seat.talk.client().rooms().join(request.clone()).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                if let Some(participant) = &answer.participant {
                    seat.session_id.clone_from(&participant.session_id);
                }
                return Ok(answer);
            }
            Err(status)
                if attempts < limits::TAKE_OVER_ATTEMPTS
                    && reason(&status) == Some(ErrorReason::ParticipantAlreadyExists) =>
            {
                // The older window is told; a hub that is gone has none.
                let (id, closing) = (seat.id.clone(), Closing::TakenOver);
                let _ = seat.hub.send(Command::Close { id, closing }).await;
                seat.remove_from_stoa(&seat.id, "").await?;
            }
            // Better in, and hearing everybody, than out; the database still knows whom not.
            Err(status)
                if !admitted.silenced.is_empty()
                    && reason(&status) == Some(ErrorReason::SubscriptionLimitReached) =>
            {
                admitted.silenced.clear();
                request.subscription = None;
            }
            Err(status) => return Err(status),
        }
    }
}

/// In what Stoa's participant is not what the database says.
fn differences(row: &PersonRow, answer: &JoinResponse) -> Vec<Aspect> {
    let Some(participant) = &answer.participant else {
        return Vec::new();
    };
    let different = [
        (Aspect::Role, participant.role() != row.role.into()),
        (Aspect::Mute, participant.muted_by_moderator != row.muted),
        (Aspect::Metadata, participant.metadata != row.metadata()),
    ];
    let chosen = different.into_iter().filter(|(_, is)| *is);
    chosen.map(|(aspect, _)| aspect).collect()
}

/// Whether a Join that failed with this code may have let the participant in.
fn outcome_unknown(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
    )
}
