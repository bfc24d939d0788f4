//! Who comes back: by the resume token that the answer to their Join had.

use std::time::SystemTime;

use stoa_api::v1::{self, ErrorReason};
use stoa_core::{Join, ParticipantId, RoomId, TenantId};

use super::{Entrance, Inside};
use crate::{errors::Failure, validate};

impl Entrance {
    /// Lets somebody back in.
    pub(crate) async fn come_back(
        &self,
        tenant: &TenantId,
        mut join: Join,
        issued: SystemTime,
        token: String,
    ) -> Result<v1::JoinResponse, Failure> {
        use ErrorReason::{ParticipantNotFound, SessionMismatch};
        let Inside {
            directory, resume, ..
        } = &*self.0;
        let room = directory.get(&join.room).ok_or_else(|| {
            Failure::room_not_found(join.room.name()).with("room_id", join.room.name())
        })?;
        let (id, who) = (join.room.clone(), join.participant.clone());
        let invalid = || invalid(&id, &who);
        let taken = resume.take(directory, &join, &token);
        let taken = taken.ok_or_else(invalid)?;
        let session = taken.session().ok_or_else(Failure::internal)?;
        // Where their seat is best and what the answer asks of their microphone follows from who they are.
        if let Some(known) = room.participant(&who, &session) {
            validate::take_from(&mut join, &known);
        }
        join.resume = Some(session);
        match self.admit(tenant, join, issued).await {
            Ok(answer) => {
                // The answer has the next one.
                taken.spend();
                Ok(answer)
            }
            // They have left, or have come back by another Join, before the mirror has seen it.
            Err(failure) if matches!(failure.reason, ParticipantNotFound | SessionMismatch) => {
                taken.spend();
                Err(invalid())
            }
            Err(failure) => Err(failure),
        }
    }
}

fn invalid(room: &RoomId, participant: &ParticipantId) -> Failure {
    let why = format!(
        "the resume token is not that of {:?} in the room {:?} as they are in it now; join anew",
        participant.as_str(),
        room.name()
    );
    Failure::new(ErrorReason::ResumeTokenInvalid, why)
        .with("room_id", room.name())
        .with("participant_id", participant)
}
