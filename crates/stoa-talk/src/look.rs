//! What would come of a join: the page asks before it asks for the microphone.

use serde::Serialize;

use crate::{
    problem::Problem,
    protocol::Look,
    role::Role,
    secret::{Purpose, SecretHash},
    store::admission::{Visitor, admit},
    talk::Talk,
};

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Looked {
    /// Whether there may be rooms that are entered by their name alone.
    open_rooms: bool,
    /// The room as it would be after the join; absent where that would be refused.
    room: Option<LookedRoom>,
    /// Why it would be refused.
    problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct LookedRoom {
    title: String,
    /// Whether the name alone lets people in.
    open: bool,
    /// Whether the join would make it.
    new: bool,
    /// What the browser's person would be.
    role: Role,
}

/// Tries a join in the database and takes it back.
pub(crate) async fn look(talk: &Talk, question: Look) -> Result<Looked, Problem> {
    question.check()?;
    let token = question.token.as_deref();
    let visitor = Visitor {
        room: question.room,
        name: "?".to_owned(),
        browser: SecretHash::of(Purpose::Browser, &question.secret),
        window: SecretHash::of(Purpose::Window, &question.window),
        token: token.map(|token| SecretHash::of(Purpose::Link, token)),
        create: None,
    };
    // Who is present matters for who a new window is, and hardly for what they may do.
    let house = talk.house(Vec::new());
    let open_rooms = house.open_rooms;
    let tried = talk
        .store()
        .try_out(move |transaction| admit(transaction, &house, &visitor))
        .await;
    let (room, problem) = match tried {
        Ok(admitted) => {
            let room = LookedRoom {
                title: admitted.room.title,
                open: admitted.room.open,
                new: admitted.created,
                role: admitted.person.role,
            };
            (Some(room), None)
        }
        Err(problem) => (None, Some(problem)),
    };
    Ok(Looked {
        open_rooms,
        room,
        problem,
    })
}
