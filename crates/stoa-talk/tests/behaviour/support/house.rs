//! A service with a Stoa of its own, and people who come in as their pages would.

use serde_json::{Value, json};
use stoa_client::{
    Client,
    v1::{GetRoomRequest, Participant},
};
use stoa_talk::{Database, Options};

use crate::{
    stoa::{Pki, Stoa},
    support::{self, Browser, Service, within},
};

/// The room that everything happens in.
pub(crate) const ROOM: &str = "hall";

/// A service and its Stoa.
pub(crate) struct House {
    pub(crate) stoa: Stoa,
    pub(crate) service: Service,
    pub(crate) client: Client,
}

/// Somebody who is in the room.
pub(crate) struct Guest {
    pub(crate) browser: Browser,
    pub(crate) id: String,
    /// The message that let them in.
    pub(crate) joined: Value,
}

impl House {
    /// Open rooms, all in memory.
    pub(crate) async fn open() -> Self {
        Self::with(Options {
            database: Database::Memory,
            open_rooms: true,
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let pki = Pki::new();
        let stoa = Stoa::start(&pki);
        let client = stoa.client(&pki);
        let service = Service::start_with(client.clone(), options).await;
        Self {
            stoa,
            service,
            client,
        }
    }

    /// Sends this join, which must succeed.
    pub(crate) async fn enter(&self, join: Value) -> Guest {
        let mut browser = self.service.browser().await;
        browser.send(join).await;
        let joined = browser.next().await.expect("an answer");
        assert_eq!(joined["type"], "joined", "{joined}");
        let id = joined["you"]["id"].as_str().expect("an id").to_owned();
        Guest {
            browser,
            id,
            joined,
        }
    }

    /// The reason for which this join is refused.
    pub(crate) async fn refused(&self, join: Value) -> String {
        let mut browser = self.service.browser().await;
        browser.send(join).await;
        browser.next_error().await
    }

    /// Somebody who makes the room, for people with links.
    pub(crate) async fn host(&self, name: &str) -> Guest {
        self.enter(create(name)).await
    }

    /// Somebody who comes in by a new link for this role.
    pub(crate) async fn guest(&self, host: &mut Guest, name: &str, role: &str) -> Guest {
        let token = host.new_link(role, false).await.1;
        self.enter(with_token(name, &token)).await
    }

    /// The participant as Stoa has them; `None` if they are not there.
    pub(crate) async fn in_stoa(&self, id: &str) -> Option<Participant> {
        let request = GetRoomRequest {
            room_id: ROOM.into(),
        };
        let room = within(self.client.rooms().get_room(request)).await;
        let people = room.map(|room| room.into_inner().participants);
        let mut people = people.unwrap_or_default().into_iter();
        people.find(|p| p.participant_id == id)
    }
}

impl Guest {
    pub(crate) async fn send(&mut self, message: Value) {
        self.browser.send(message).await;
    }

    /// Waits until somebody is as they should be, by what this page is told.
    pub(crate) async fn sees(&mut self, id: &str, field: &str, value: Value) -> Value {
        loop {
            let update = self.browser.next_of("participant_updated").await;
            let person = &update["participant"];
            if person["id"] == id && person[field] == value {
                return person.clone();
            }
        }
    }

    /// The reason for which this is refused.
    pub(crate) async fn refused(&mut self, message: Value) -> String {
        self.browser.send(message).await;
        let error = self.browser.next_of("error").await;
        error["reason"].as_str().expect("a reason").to_owned()
    }

    /// Makes a link. Its number and its secret.
    pub(crate) async fn new_link(&mut self, role: &str, one_person: bool) -> (i64, String) {
        self.browser
            .send(json!({
                "type": "create_link", "role": role, "label": "for tests", "one_person": one_person,
            }))
            .await;
        let mut links = self.browser.next_of("links").await;
        // The answer to a request before may come first.
        while links["created"].is_null() {
            links = self.browser.next_of("links").await;
        }
        let id = links["created"]["id"].as_i64().expect("a number");
        let token = links["created"]["token"].as_str().expect("a secret");
        (id, token.to_owned())
    }

    /// Asks for the links.
    pub(crate) async fn links(&mut self) -> Vec<Value> {
        self.browser.send(json!({"type": "list_links"})).await;
        let links = self.browser.next_of("links").await;
        links["links"].as_array().expect("a list").clone()
    }

    /// Why the socket ends, which it must.
    pub(crate) async fn closed(&mut self) -> String {
        let closed = self.browser.next_of("closed").await;
        closed["reason"].as_str().expect("a reason").to_owned()
    }

    /// Goes, and waits until that is done.
    pub(crate) async fn leave(mut self) {
        self.browser.send(json!({"type": "leave"})).await;
        while self.browser.next().await.is_some() {}
    }
}

/// A join that makes the room, for people with links.
pub(crate) fn create(name: &str) -> Value {
    let mut join = support::join(ROOM, name);
    join["create"] = json!({"title": "The Hall", "open": false, "newcomers": "listener"});
    join
}

/// A join by a link.
pub(crate) fn with_token(name: &str, token: &str) -> Value {
    let mut join = support::join(ROOM, name);
    join["token"] = token.into();
    join
}

/// A join without one.
pub(crate) fn without_token(name: &str) -> Value {
    support::join(ROOM, name)
}
