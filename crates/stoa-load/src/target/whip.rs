//! Any server with WHIP (RFC 9725) for those who speak and WHEP (draft-ietf-wish-whep) for those who listen.
//!
//! Such a server's rooms are its own affair: they are in the addresses. A Stoa wants them made first, which is done by
//! its control API where that is named, too.

mod answer;
mod template;
mod token;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use hyper::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};

pub(crate) use self::{
    template::Template,
    token::{KeyFile, Tokens},
};
use super::{
    Abilities, Admission, Entrant, Refusal, Standing, Target, TargetError, resolve,
    stoa::{self, Stoa},
};
use crate::{
    http::{self, Answer, Http, HttpError, Question},
    scenario::{Role, Room},
};

/// How long a request may take.
const CALL: Duration = Duration::from_secs(30);

/// How long the question may take whether the server is there.
const LOOK: Duration = Duration::from_secs(2);

/// How many sessions are ended at once.
const LEAVING: usize = 16;

const SDP: &str = "application/sdp";

/// What can be played with it.
pub(crate) const ABILITIES: Abilities = Abilities {
    kind: "a server by WHIP and WHEP",
    is_two_way: false,
    hears_newcomers: true,
    moderates: false,
    resumes: false,
};

/// Where a server is and how to enter.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) whip: Template,
    pub(crate) whep: Template,
    /// PEM file of the authority that vouches for it, if it is asked over HTTPS.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) tokens: Tokens,
    /// The control API of the Stoa that it is, by which its rooms are made.
    pub(crate) control: Option<stoa::Address>,
}

/// A session that was opened.
struct Session {
    url: String,
    token: Option<String>,
}

/// A server.
pub(crate) struct Whip {
    address: Address,
    url: String,
    at: SocketAddr,
    http: Http,
    control: Option<Stoa>,
    /// By room and name.
    sessions: Mutex<HashMap<(String, String), Session>>,
}

impl Whip {
    /// Looks whether the server is there.
    ///
    /// # Errors
    /// [`TargetError`].
    pub(crate) async fn connect(address: Address) -> Result<Self, TargetError> {
        let url = address.whip.fill("room", "who");
        let unreachable = |reason: String| TargetError::Connect {
            url: url.clone(),
            reason,
        };
        let http = Http::new(address.ca_file.as_deref());
        let http = http.map_err(|error| unreachable(error.to_string()))?;
        let place = http::host_and_port(&url).map_err(|error| unreachable(error.to_string()))?;
        let at = resolve(place, &url)?;
        let control = match &address.control {
            Some(control) => Some(Stoa::connect(control).await?),
            None => None,
        };
        let whip = Self {
            url: address.whip.to_string(),
            address,
            at,
            http,
            control,
            sessions: Mutex::default(),
        };
        let there = whip.look().await;
        there.map_err(|error| unreachable(error.to_string()))?;
        Ok(whip)
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<(String, String), Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Any answer will do: that OPTIONS has one is in RFC 9725, what it says differs.
    async fn look(&self) -> Result<Answer, HttpError> {
        let url = self.address.whip.fill("room", "who");
        self.http
            .ask(Question {
                method: Method::OPTIONS,
                url: &url,
                headers: HeaderMap::new(),
                body: None,
                within: LOOK,
            })
            .await
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        body: Option<(&'static str, String)>,
    ) -> Result<Answer, Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
            let bearer = bearer.map_err(|_| Refusal::new("TOKEN", "the token is none"))?;
            headers.insert(AUTHORIZATION, bearer);
        }
        let question = Question {
            method,
            url,
            headers,
            body,
            within: CALL,
        };
        Ok(self.http.ask(question).await?)
    }

    async fn end(&self, session: Session) -> Result<(), Refusal> {
        let token = session.token.as_deref();
        let answer = self.ask(Method::DELETE, &session.url, token, None).await?;
        match answer.status {
            200..=299 => Ok(()),
            _ => Err(answer::refusal(&answer)),
        }
    }
}

#[async_trait]
impl Target for Whip {
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
        if let Some(control) = &self.control {
            return control.standing().await;
        }
        let answer = self.look().await?;
        Ok(Standing {
            version: answer.header("server").unwrap_or_default().to_owned(),
            ..Standing::default()
        })
    }

    async fn open_room(&self, room: &str, settings: &Room) -> Result<(), Refusal> {
        match &self.control {
            Some(control) => control.open_room(room, settings).await,
            None => Ok(()),
        }
    }

    async fn close_room(&self, room: &str) -> Result<(), Refusal> {
        let ended: Vec<Session> = self
            .sessions()
            .extract_if(|(of, _), _| of == room)
            .map(|(_, session)| session)
            .collect();
        let ended = stream::iter(ended).map(|session| self.end(session));
        let ended: Vec<_> = ended.buffer_unordered(LEAVING).collect().await;
        if let Some(control) = &self.control {
            control.close_room(room).await?;
        }
        // Their own goodbye may have come first.
        let failed = ended.into_iter().filter_map(Result::err);
        failed
            .filter(|refusal| !refusal.is_gone())
            .map(Err)
            .next()
            .unwrap_or(Ok(()))
    }

    async fn join(&self, entrant: &Entrant<'_>, sdp: String) -> Result<Admission, Refusal> {
        let template = match entrant.role {
            Role::Listener => &self.address.whep,
            Role::Speaker | Role::Moderator => &self.address.whip,
        };
        let url = template.fill(entrant.room, entrant.who);
        let token = self.address.tokens.token_for(entrant)?;
        let answer = self
            .ask(Method::POST, &url, token.as_deref(), Some((SDP, sdp)))
            .await?;
        let admitted = answer::admitted(&url, &answer)?;
        let key = (entrant.room.to_owned(), entrant.who.to_owned());
        let session = Session {
            url: admitted.session,
            token,
        };
        self.sessions().insert(key, session);
        Ok(Admission {
            answer: Some(admitted.sdp),
            resume_token: None,
        })
    }

    async fn remove(&self, room: &str, who: &str) -> Result<(), Refusal> {
        let key = (room.to_owned(), who.to_owned());
        let session = self.sessions().remove(&key);
        match session {
            Some(session) => self.end(session).await,
            None => Ok(()),
        }
    }

    async fn close(&self) {
        if let Some(control) = &self.control {
            control.close().await;
        }
    }
}
