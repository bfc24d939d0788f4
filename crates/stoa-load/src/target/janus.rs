//! Janus, by its own HTTP API: the VideoRoom plugin, audio alone.
//!
//! The tester has one session, and each of its people a handle in it. Who speaks publishes with an offer of their
//! own; who listens subscribes to all who speak in the room then, and it is Janus that offers.

mod answers;
mod api;
pub(crate) mod start;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;

use self::{
    answers::{Description, Plugin},
    api::Api,
};
use super::{Abilities, Admission, Entrant, Refusal, Standing, Target, TargetError, resolve};
use crate::{
    http::{self, Http},
    scenario::{Role, Room},
};

/// How many may speak in a room: more than any scenario has slots for.
const MOST_PUBLISHERS: u32 = 100;

/// How often and how long one asks for a feed that is not there yet: Janus lets nobody have it before its own side of
/// the speaker's handshake is done, which may be a moment after the speaker's.
const FEED_TRIES: u32 = 50;
const FEED_PAUSE: Duration = Duration::from_millis(20);

/// What Janus's VideoRoom can do, as this tester uses it.
pub(crate) const ABILITIES: Abilities = Abilities {
    kind: "Janus's VideoRoom",
    is_two_way: false,
    hears_newcomers: false,
    moderates: false,
    resumes: false,
};

/// A room that was made.
struct OpenRoom {
    id: u64,
    /// The handle and, of those who speak, the feed of everybody in it.
    people: HashMap<String, InRoom>,
}

#[derive(Debug, Clone, Copy)]
struct InRoom {
    handle: u64,
    feed: Option<u64>,
}

/// A Janus.
pub(crate) struct Janus {
    api: Api,
    url: String,
    at: SocketAddr,
    /// The handle by which rooms are made and ended.
    control: u64,
    rooms: Mutex<HashMap<String, OpenRoom>>,
}

impl Janus {
    /// Opens a session there.
    ///
    /// # Errors
    /// [`TargetError`].
    pub(crate) async fn connect(url: &str, ca_file: Option<&Path>) -> Result<Self, TargetError> {
        let url = url.trim_end_matches('/').to_owned();
        let place = http::host_and_port(&url).map_err(|error| TargetError::Connect {
            url: url.clone(),
            reason: error.to_string(),
        })?;
        let refused = |refusal: Refusal| match refusal.is_unreachable() {
            true => TargetError::Connect {
                url: url.clone(),
                reason: refusal.to_string(),
            },
            false => TargetError::Refused {
                url: url.clone(),
                refusal,
            },
        };
        let http = Http::new(ca_file).map_err(|error| refused(error.into()))?;
        let api = Api::open(http, &url).await.map_err(refused)?;
        let control = api.attach().await.map_err(refused)?;
        // It takes no part in media on loopback: peers are near the address that it has for that.
        let at = match resolve(place, &url)? {
            at if at.ip().is_loopback() => {
                let media = api.info().await.map_err(refused)?.media_address();
                media.map_or(at, |ip| SocketAddr::new(ip, at.port()))
            }
            at => at,
        };
        Ok(Self {
            api,
            url,
            at,
            control,
            rooms: Mutex::default(),
        })
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<String, OpenRoom>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The identifier of a room, and the feeds in it.
    fn room(&self, room: &str) -> Result<(u64, Vec<u64>), Refusal> {
        let rooms = self.rooms();
        let open = rooms.get(room).ok_or_else(|| no_room(room))?;
        let feeds = open.people.values().filter_map(|person| person.feed);
        Ok((open.id, feeds.collect()))
    }

    fn note(&self, entrant: &Entrant<'_>, person: InRoom) {
        if let Some(open) = self.rooms().get_mut(entrant.room) {
            open.people.insert(entrant.who.to_owned(), person);
        }
    }

    async fn subscribe(&self, handle: u64, room: &str) -> Result<String, Refusal> {
        let (id, feeds) = self.room(room)?;
        if feeds.is_empty() {
            let why =
                format!("nobody speaks in the room {room}, so there is nothing to subscribe to");
            return Err(Refusal::new("NOBODY_SPEAKS", why));
        }
        let streams: Vec<_> = feeds.iter().map(|feed| json!({"feed": feed})).collect();
        let body = json!({
            "request": "join", "ptype": "subscriber", "room": id, "streams": streams, "autoupdate": false,
        });
        for _ in 1..FEED_TRIES {
            match self.api.ask(handle, body.clone(), None).await {
                Err(refusal) if refusal.name() == answers::NO_FEED => {
                    // bounded: by FEED_TRIES
                    tokio::time::sleep(FEED_PAUSE).await;
                }
                answered => return answered?.description("offer"),
            }
        }
        self.api.ask(handle, body, None).await?.description("offer")
    }

    async fn publish(
        &self,
        entrant: &Entrant<'_>,
        handle: u64,
        offer: String,
    ) -> Result<Admission, Refusal> {
        let (id, _) = self.room(entrant.room)?;
        let body = json!({
            "request": "joinandconfigure", "ptype": "publisher", "room": id, "display": entrant.who,
        });
        let offer = Description::new("offer", offer);
        let event = self.api.ask(handle, body, Some(offer)).await?;
        let feed = event.number("id")?;
        let answer = event.description("answer")?;
        let feed = Some(feed);
        self.note(entrant, InRoom { handle, feed });
        Ok(Admission {
            answer: Some(answer),
            resume_token: None,
        })
    }
}

#[async_trait]
impl Target for Janus {
    fn url(&self) -> &str {
        &self.url
    }

    fn address(&self) -> SocketAddr {
        self.at
    }

    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    async fn standing(&self) -> Result<Standing, Refusal> {
        Ok(Standing {
            version: self.api.info().await?.version(),
            ..Standing::default()
        })
    }

    async fn open_room(&self, room: &str, _settings: &Room) -> Result<(), Refusal> {
        let body = json!({
            "request": "create", "permanent": false, "is_private": true, "description": room,
            "publishers": MOST_PUBLISHERS, "audiocodec": "opus",
            "audiolevel_ext": true, "audiolevel_event": false,
            "notify_joining": false, "record": false,
        });
        let created: Plugin = self.api.ask_at_once(self.control, body).await?;
        let open = OpenRoom {
            id: created.number("room")?,
            people: HashMap::new(),
        };
        self.rooms().insert(room.to_owned(), open);
        Ok(())
    }

    async fn close_room(&self, room: &str) -> Result<(), Refusal> {
        let Some(open) = self.rooms().remove(room) else {
            return Err(no_room(room));
        };
        let body = json!({"request": "destroy", "room": open.id});
        self.api.ask_at_once(self.control, body).await?;
        // Their handles end with the session.
        Ok(())
    }

    async fn invite(&self, entrant: &Entrant<'_>) -> Result<Option<String>, Refusal> {
        if entrant.role != Role::Listener {
            return Ok(None);
        }
        let handle = self.api.attach().await?;
        match self.subscribe(handle, entrant.room).await {
            Ok(offer) => {
                self.note(entrant, InRoom { handle, feed: None });
                Ok(Some(offer))
            }
            Err(refusal) => {
                // What it was refused for is what counts.
                drop(self.api.detach(handle).await);
                Err(refusal)
            }
        }
    }

    async fn join(&self, entrant: &Entrant<'_>, sdp: String) -> Result<Admission, Refusal> {
        if entrant.role != Role::Listener {
            let handle = self.api.attach().await?;
            let published = self.publish(entrant, handle, sdp).await;
            if published.is_err() {
                drop(self.api.detach(handle).await);
            }
            return published;
        }
        let invited = self
            .rooms()
            .get(entrant.room)
            .and_then(|open| open.people.get(entrant.who).copied());
        let invited = invited.ok_or_else(|| no_room(entrant.room))?;
        let answer = Description::new("answer", sdp);
        let body = json!({"request": "start"});
        self.api.ask(invited.handle, body, Some(answer)).await?;
        Ok(Admission::default())
    }

    async fn remove(&self, room: &str, who: &str) -> Result<(), Refusal> {
        let person = self
            .rooms()
            .get_mut(room)
            .and_then(|open| open.people.remove(who));
        match person {
            Some(person) => self.api.detach(person.handle).await,
            None => Ok(()),
        }
    }

    async fn close(&self) {
        self.api.close().await;
    }
}

fn no_room(room: &str) -> Refusal {
    Refusal::new("NO_ROOM", format!("there is no room {room}")).gone()
}
