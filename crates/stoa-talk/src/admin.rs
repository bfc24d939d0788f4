//! What the administrator does: waves, the opening to everyone, bans. Each is decided and kept by the
//! database; a ban is then done in the rooms where somebody is.

use futures_util::future;
use rusqlite::Transaction;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    admission::Admission,
    entrance::too_many_codes,
    hub::Command,
    outbox::Closing,
    problem::Problem,
    protocol::{OfAdministrator, Order},
    secret::{self, Purpose, SecretHash},
    socket::remove_from_stoa,
    sources::Source,
    store::{
        self, Outcome,
        bans::{self, Place},
        invitations::{self, Invitation},
        members::{self, Counts, Shown, Standing},
        waves::{self, NewWave, Wave},
    },
    talk::Talk,
};

/// All that an administrator is shown at a time.
#[derive(Debug, Serialize)]
pub(crate) struct Overview {
    admission: Admission,
    counts: Counts,
    waves: Vec<Wave>,
    /// The invitations of the wave that was asked for.
    invitations: Vec<Invitation>,
    /// People whose names have in them what was searched for, in each list a bounded number.
    waiting: Vec<Shown>,
    people: Vec<Shown>,
    banned: Vec<Shown>,
    /// The wave that was just made: its codes are told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Created>,
}

/// A new wave.
#[derive(Debug, Serialize)]
struct Created {
    wave: i64,
    codes: Vec<String>,
}

/// What has come of an order.
enum Done {
    Kept,
    Created(i64),
    Banned(Vec<Place>),
}

/// Does what the administrator wants, and tells how everything stands then.
pub(crate) async fn answer(
    talk: &Talk,
    source: Source,
    question: OfAdministrator,
) -> Result<Overview, Problem> {
    if !talk.wrong_codes().allows(source, Instant::now()) {
        return Err(too_many_codes());
    }
    if !talk.is_administrator(&question.key) {
        let text = "this is not the administrator's key";
        return Err(Problem::denied("NOT_ADMINISTRATOR", text));
    }
    talk.wrong_codes().forgive(source);
    question.check()?;
    let created = match question.action {
        Some(order) => carry_out(talk, order).await?,
        None => None,
    };
    let (search, wave) = (question.search, question.wave);
    let work = move |tx: &Transaction<'_>| overview(tx, search.trim(), wave);
    let overview = talk.store().try_out(work).await?;
    Ok(Overview {
        created,
        ..overview
    })
}

fn overview(transaction: &Transaction<'_>, search: &str, wave: Option<i64>) -> Outcome<Overview> {
    let list = |standing| members::list(transaction, standing, search);
    Ok(Overview {
        admission: members::admission(transaction)?,
        counts: members::count(transaction)?,
        waves: waves::list(transaction)?,
        invitations: match wave {
            Some(wave) => invitations::of_wave(transaction, wave)?,
            None => Vec::new(),
        },
        waiting: list(Standing::Waiting)?,
        people: list(Standing::In)?,
        banned: list(Standing::Banned)?,
        created: None,
    })
}

async fn carry_out(talk: &Talk, order: Order) -> Result<Option<Created>, Problem> {
    let codes: Vec<String> = match &order {
        Order::CreateWave { invitations, .. } => {
            (0..*invitations).map(|_| secret::new_token()).collect()
        }
        _ => Vec::new(),
    };
    let hash = |code: &String| SecretHash::of(Purpose::Invitation, code);
    let (hashes, now) = (codes.iter().map(hash).collect::<Vec<_>>(), store::now());
    let work = move |tx: &Transaction<'_>| decide(tx, order, &hashes, now);
    match talk.store().change(work).await? {
        Done::Kept => Ok(None),
        Done::Created(wave) => Ok(Some(Created { wave, codes })),
        Done::Banned(places) => put_out(talk, places).await.map(|()| None),
    }
}

fn decide(
    transaction: &Transaction<'_>,
    order: Order,
    codes: &[SecretHash],
    now: i64,
) -> Outcome<Done> {
    match order {
        Order::SetAdmission { admission } => members::set_admission(transaction, admission)?,
        Order::CreateWave {
            name,
            places,
            invites,
            from_list,
            ..
        } => {
            let new = NewWave {
                name: name.trim().to_owned(),
                invites,
                places,
                from_list,
            };
            return waves::create(transaction, &new, codes, now).map(Done::Created);
        }
        Order::OpenWave { wave } => waves::open(transaction, wave, now)?,
        Order::DropWave { wave } => waves::drop_closed(transaction, wave)?,
        Order::SetInvites { wave, invites } => waves::set_invites(transaction, wave, invites)?,
        Order::PutInWave { member, wave } => waves::put_in(transaction, member, wave)?,
        Order::Forget { member } => members::forget_waiting(transaction, member)?,
        Order::Revoke { invitation } => invitations::revoke(transaction, invitation)?,
        Order::Ban { member } => return bans::ban(transaction, member, now).map(Done::Banned),
        Order::LiftBan { member } => bans::lift(transaction, member)?,
    }
    Ok(Done::Kept)
}

/// Takes somebody out of all rooms that they are in. Who is on the way into one finds the ban there.
async fn put_out(talk: &Talk, places: Vec<Place>) -> Result<(), Problem> {
    let gone = places.into_iter().map(|place| put_out_of(talk, place));
    let outcomes = future::join_all(gone).await;
    outcomes.into_iter().collect()
}

async fn put_out_of(talk: &Talk, place: Place) -> Result<(), Problem> {
    // A room without a hub has nobody of this service in it.
    let Some(hub) = talk.directory().find(&place.room) else {
        return Ok(());
    };
    let _turn = hub.turn().await;
    // Their socket first, so that it hears the true reason.
    let (id, closing) = (place.id.clone(), Closing::Banned);
    hub.send(Command::Close { id, closing }).await?;
    let removed = remove_from_stoa(talk.client(), &place.room, &place.id, "").await;
    removed.map_err(|status| Problem::from_stoa(&status))
}
