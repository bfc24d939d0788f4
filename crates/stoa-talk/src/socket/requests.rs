//! What somebody in a room asks for: decided and kept by the database, then done in Stoa, whose
//! events tell everybody.

use axum::extract::ws::Utf8Bytes;
use rusqlite::Transaction;
use stoa_client::v1::CloseRoomRequest;

use super::{
    Closing,
    seat::{Aspect, Seat},
};
use crate::{
    hub::Command,
    problem::Problem,
    protocol::{CreatedLink, FromBrowser, NewLinkFields, ToBrowser},
    role::Role,
    secret::{self, Purpose, SecretHash},
    store::{
        self, Outcome,
        links::{self, NewLink},
        moderation,
        people::{self, PersonRow},
    },
};

impl Seat {
    /// Does what the message asks for. Returns what only the asker is told.
    pub(super) async fn handle(&self, message: FromBrowser) -> Result<Option<Utf8Bytes>, Problem> {
        match message {
            // Both are handled before there is a seat.
            FromBrowser::Join(_) | FromBrowser::Leave {} => {}
            FromBrowser::Candidate { candidate } => self.candidate(candidate).await?,
            FromBrowser::Mute { muted } => self.mute(muted).await?,
            FromBrowser::RaiseHand { raised } => self.raise_hand(raised).await?,
            FromBrowser::AnswerInvitation { accepted } => self.answer_invitation(accepted).await?,
            FromBrowser::StepDown {} => self.step_down().await?,
            FromBrowser::Silence { id, silenced } => {
                return self.silence(id, silenced).await.map(Some);
            }
            FromBrowser::Invite { id, invited } => self.invite(id, invited).await?,
            FromBrowser::LowerHand { id } => self.lower_hand(id).await?,
            FromBrowser::SetRole { id, role } => self.set_role(id, role).await?,
            FromBrowser::MutePerson { id, muted } => self.mute_person(id, muted).await?,
            FromBrowser::Remove { id, revoke_link } => self.remove(id, revoke_link).await?,
            FromBrowser::EndRoom {} => self.end_room().await?,
            FromBrowser::ListRemoved {} => return self.list_removed().await.map(Some),
            FromBrowser::LiftRemoval { id } => return self.lift_removal(id).await.map(Some),
            FromBrowser::ListLinks {} => return self.list_links().await.map(Some),
            FromBrowser::CreateLink(link) => return self.create_link(link).await.map(Some),
            FromBrowser::RevokeLink { id } => return self.revoke_link(id).await.map(Some),
        }
        Ok(None)
    }

    /// Changes somebody in the database and shows it to Stoa, in one turn. When this is done, who may
    /// not speak any more is not heard any more.
    async fn change(
        &self,
        aspects: &[Aspect],
        work: impl FnOnce(&Transaction<'_>, &str, &str) -> Outcome<PersonRow> + Send + 'static,
    ) -> Result<PersonRow, Problem> {
        let _turn = self.hub.turn().await;
        let row = self.ask_database(work).await?;
        self.show(&row, aspects).await?;
        Ok(row)
    }

    /// Runs a transaction with the room's name and this person's id.
    async fn ask_database<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &str, &str) -> Outcome<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (room, id) = (self.room.clone(), self.id.clone());
        let store = self.talk.store();
        store.change(move |tx| work(tx, &room, &id)).await
    }

    async fn raise_hand(&self, raised: bool) -> Result<(), Problem> {
        let now = store::now();
        self.change(&[Aspect::Metadata], move |tx, room, me| {
            moderation::raise_hand(tx, room, me, raised, now)
        })
        .await
        .map(drop)
    }

    async fn lower_hand(&self, id: String) -> Result<(), Problem> {
        self.change(&[Aspect::Metadata], move |tx, room, me| {
            moderation::lower_hand(tx, room, me, &id)
        })
        .await
        .map(drop)
    }

    async fn invite(&self, id: String, invited: bool) -> Result<(), Problem> {
        self.change(&[Aspect::Metadata], move |tx, room, me| {
            moderation::invite(tx, room, me, &id, invited)
        })
        .await
        .map(drop)
    }

    async fn answer_invitation(&self, accepted: bool) -> Result<(), Problem> {
        self.change(&[Aspect::Role, Aspect::Metadata], move |tx, room, me| {
            moderation::answer_invitation(tx, room, me, accepted)
        })
        .await
        .map(drop)
    }

    async fn step_down(&self) -> Result<(), Problem> {
        self.change(&[Aspect::Role], moderation::step_down)
            .await
            .map(drop)
    }

    async fn set_role(&self, id: String, role: Role) -> Result<(), Problem> {
        self.change(&[Aspect::Role, Aspect::Metadata], move |tx, room, me| {
            moderation::set_role(tx, room, me, &id, role)
        })
        .await
        .map(drop)
    }

    async fn mute_person(&self, id: String, muted: bool) -> Result<(), Problem> {
        self.change(&[Aspect::Mute], move |tx, room, me| {
            moderation::set_muted(tx, room, me, &id, muted)
        })
        .await
        .map(drop)
    }

    async fn remove(&self, id: String, revoke_link: bool) -> Result<(), Problem> {
        let _turn = self.hub.turn().await;
        let now = store::now();
        let row = self
            .ask_database(move |tx, room, me| {
                moderation::remove(tx, room, me, &id, revoke_link, now)
            })
            .await?;
        // Their socket first, so that it hears the true reason.
        let close = Command::Close {
            id: row.id.clone(),
            closing: Closing::RemovedByModerator,
        };
        self.hub.send(close).await?;
        let removed = self.remove_from_stoa(&row.id, "").await;
        removed.map_err(|status| Problem::from_stoa(&status))
    }

    async fn end_room(&self) -> Result<(), Problem> {
        let _turn = self.hub.turn().await;
        self.ask_database(moderation::end).await?;
        let closing = Closing::RoomEnded;
        self.hub.send(Command::CloseAll { closing }).await?;
        let request = CloseRoomRequest {
            room_id: self.room.clone(),
        };
        let closed = self.talk.client().rooms().close_room(request).await;
        closed
            .map(drop)
            .map_err(|status| Problem::from_stoa(&status))
    }

    /// Stoa first: a choice that it does not take is not remembered either.
    async fn silence(&self, id: String, silenced: bool) -> Result<Utf8Bytes, Problem> {
        let (room, me) = (self.room.clone(), self.id.clone());
        let work = move |tx: &Transaction<'_>| people::silence(tx, &room, &me, &id, silenced);
        let store = self.talk.store();
        let ids = store.try_out(work.clone()).await?;
        self.do_not_hear(&ids).await?;
        let ids = store.change(work).await?;
        Ok(ToBrowser::Silenced { ids: &ids }.encode())
    }

    async fn list_removed(&self) -> Result<Utf8Bytes, Problem> {
        let people = self.ask_database(moderation::removed).await?;
        Ok(ToBrowser::RemovedPeople { people: &people }.encode())
    }

    async fn lift_removal(&self, id: String) -> Result<Utf8Bytes, Problem> {
        let people = self
            .ask_database(move |tx, room, me| moderation::lift_removal(tx, room, me, &id))
            .await?;
        Ok(ToBrowser::RemovedPeople { people: &people }.encode())
    }

    async fn list_links(&self) -> Result<Utf8Bytes, Problem> {
        let links = self.ask_database(links::list).await?;
        let (links, created) = (&links[..], None);
        Ok(ToBrowser::Links { links, created }.encode())
    }

    async fn create_link(&self, fields: NewLinkFields) -> Result<Utf8Bytes, Problem> {
        let token = secret::new_token();
        let hash = SecretHash::of(Purpose::Link, &token);
        let new = NewLink {
            role: fields.role,
            label: fields.label.trim().to_owned(),
            one_person: fields.one_person,
        };
        let now = store::now();
        let (id, links) = self
            .ask_database(move |tx, room, me| links::create(tx, room, me, &new, &hash, now))
            .await?;
        let created = Some(CreatedLink { id, token: &token });
        let links = &links[..];
        Ok(ToBrowser::Links { links, created }.encode())
    }

    async fn revoke_link(&self, id: i64) -> Result<Utf8Bytes, Problem> {
        let links = self
            .ask_database(move |tx, room, me| links::revoke(tx, room, me, id))
            .await?;
        let (links, created) = (&links[..], None);
        Ok(ToBrowser::Links { links, created }.encode())
    }
}
