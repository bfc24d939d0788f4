//! Before all rooms: who needs an invitation, uses one, waits on the list, and passes invitations on.

use rusqlite::Transaction;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    admission::Admission,
    problem::Problem,
    protocol::{AtEntrance, Wish},
    secret::{self, Purpose, SecretHash},
    sources::Source,
    store::{
        self, Outcome,
        invitations::{self, Own},
        members::{self, Standing},
    },
    talk::Talk,
};

/// How the asker stands to the service.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    admission: Admission,
    you: Standing,
    /// Since when they are on the list, in milliseconds since 1970; absent where they are not.
    waiting_since: Option<i64>,
    /// What they may pass on; absent where they are not in.
    invitations: Option<Own>,
    /// The invitation that they have just made: its code is told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Created>,
}

/// A new invitation.
#[derive(Debug, Serialize)]
struct Created {
    id: i64,
    code: String,
}

/// Does what is wanted, and says how the asker stands then.
pub(crate) async fn answer(
    talk: &Talk,
    source: Source,
    question: AtEntrance,
) -> Result<Answer, Problem> {
    question.check()?;
    let browser = SecretHash::of(Purpose::Browser, &question.secret);
    let created = match question.action {
        None => None,
        Some(Wish::UseCode { name, code }) => {
            use_code(talk, source, browser.clone(), name, &code).await?;
            None
        }
        Some(Wish::Wait { name }) => {
            wait(talk, source, browser.clone(), name).await?;
            None
        }
        Some(Wish::Invite { places }) => Some(invite(talk, browser.clone(), places).await?),
        Some(Wish::Revoke { id }) => {
            let browser = browser.clone();
            let work = move |tx: &Transaction<'_>| invitations::revoke_own(tx, &browser, id);
            talk.store().change(work).await?;
            None
        }
    };
    let standing = move |tx: &Transaction<'_>| standing(tx, &browser);
    let answer = talk.store().try_out(standing).await?;
    Ok(Answer { created, ..answer })
}

fn standing(transaction: &Transaction<'_>, browser: &SecretHash) -> Outcome<Answer> {
    let member = members::find(transaction, browser)?;
    let you = Standing::of(member.as_ref());
    let own = match (you, &member) {
        (Standing::In, Some(member)) => Some(invitations::own(transaction, member)?),
        _ => None,
    };
    Ok(Answer {
        admission: members::admission(transaction)?,
        you,
        waiting_since: member
            .filter(|_| you == Standing::Waiting)
            .and_then(|member| member.asked_at),
        invitations: own,
        created: None,
    })
}

/// Every try counts, so that many at the same moment do, and the right ones are taken back.
async fn use_code(
    talk: &Talk,
    source: Source,
    browser: SecretHash,
    name: String,
    code: &str,
) -> Result<(), Problem> {
    if !talk.wrong_codes().allows(source, Instant::now()) {
        return Err(too_many_codes());
    }
    let (code, now) = (SecretHash::of(Purpose::Invitation, code), store::now());
    let work = move |tx: &Transaction<'_>| invitations::redeem(tx, &browser, &name, &code, now);
    talk.store().change(work).await?;
    talk.wrong_codes().forgive(source);
    Ok(())
}

/// The refusal of codes and keys from a source that has tried too many.
pub(crate) fn too_many_codes() -> Problem {
    Problem::exhausted("TOO_MANY_CODES", "too many wrong codes; wait a while")
}

async fn wait(
    talk: &Talk,
    source: Source,
    browser: SecretHash,
    name: String,
) -> Result<(), Problem> {
    if !talk.newly_waiting().allows(source, Instant::now()) {
        let text = "too many people from one place; wait a while";
        return Err(Problem::exhausted("TOO_MANY_REQUESTS", text));
    }
    let now = store::now();
    let work = move |tx: &Transaction<'_>| members::wait(tx, &browser, &name, now);
    talk.store().change(work).await
}

async fn invite(talk: &Talk, browser: SecretHash, places: u32) -> Result<Created, Problem> {
    let code = secret::new_token();
    let (hash, now) = (SecretHash::of(Purpose::Invitation, &code), store::now());
    let work = move |tx: &Transaction<'_>| invitations::pass_on(tx, &browser, places, &hash, now);
    let id = talk.store().change(work).await?;
    Ok(Created { id, code })
}
