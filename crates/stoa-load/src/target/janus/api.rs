//! Janus's HTTP API: a session, handles in it, requests, and the long poll that brings what is answered later.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::AbortHandle, time::timeout};

use super::answers::{Description, Info, Message, Plugin};
use crate::{
    http::{Http, Question},
    target::Refusal,
};

const PLUGIN: &str = "janus.plugin.videoroom";

/// How long a request may take, and what is answered later.
const CALL: Duration = Duration::from_secs(30);

/// How long the question may take whether it is there.
const LOOK: Duration = Duration::from_secs(2);

/// Janus answers a long poll after 30 s, with whatever it has. It is what keeps a session alive, too.
const POLL: Duration = Duration::from_secs(60);

/// How many events one brings at most.
const EVENTS: usize = 64;

/// The pause after a poll that has failed.
const PAUSE: Duration = Duration::from_millis(200);

/// A session.
pub(super) struct Api {
    link: Arc<Link>,
    polling: AbortHandle,
}

struct Link {
    http: Http,
    /// Of the server, and of the session there.
    server: String,
    session: String,
    transactions: AtomicU64,
    /// Who waits for an event. Each has a bound, so it is as long as requests are under way.
    waiting: Mutex<HashMap<String, oneshot::Sender<Message>>>,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

impl Api {
    /// Opens one.
    pub(super) async fn open(http: Http, url: &str) -> Result<Self, Refusal> {
        let mut link = Link {
            http,
            server: url.to_owned(),
            session: String::new(),
            transactions: AtomicU64::new(0),
            waiting: Mutex::default(),
        };
        let request = json!({"janus": "create", "transaction": link.transaction()});
        let session = link.post(url, &request).await?.made()?;
        link.session = format!("{url}/{session}");
        let link = Arc::new(link);
        let polling = tokio::spawn(poll(Arc::clone(&link))).abort_handle();
        Ok(Self { link, polling })
    }

    /// What it is.
    pub(super) async fn info(&self) -> Result<Info, Refusal> {
        let url = format!("{}/info", self.link.server);
        Info::read(&self.link.get(&url, LOOK).await?)
    }

    /// Makes a handle.
    pub(super) async fn attach(&self) -> Result<u64, Refusal> {
        let transaction = self.link.transaction();
        let request = json!({"janus": "attach", "plugin": PLUGIN, "transaction": transaction});
        self.link.post(&self.link.session, &request).await?.made()
    }

    /// Ends a handle and what it has.
    pub(super) async fn detach(&self, handle: u64) -> Result<(), Refusal> {
        let request = json!({"janus": "detach", "transaction": self.link.transaction()});
        let answer = self.link.post(&self.handle(handle), &request).await?;
        answer.good().map(drop)
    }

    /// Asks the plugin what it answers at once.
    pub(super) async fn ask_at_once(&self, handle: u64, body: Value) -> Result<Plugin, Refusal> {
        let transaction = self.link.transaction();
        let request = json!({"janus": "message", "transaction": transaction, "body": body});
        self.link
            .post(&self.handle(handle), &request)
            .await?
            .plugin()
    }

    /// Asks the plugin what it answers by an event.
    pub(super) async fn ask(
        &self,
        handle: u64,
        body: Value,
        description: Option<Description>,
    ) -> Result<Plugin, Refusal> {
        let transaction = self.link.transaction();
        let mut request = json!({"janus": "message", "transaction": transaction, "body": body});
        if let Some(description) = description {
            request["jsep"] = json!(description);
        }
        let (tell, told) = oneshot::channel();
        self.link.waiting().insert(transaction.clone(), tell);
        let answered = async {
            let answer = self
                .link
                .post(&self.handle(handle), &request)
                .await?
                .good()?;
            if answer.janus != "ack" {
                return answer.plugin();
            }
            let event = timeout(CALL, told).await;
            let late = || Refusal::new("NO_EVENT", format!("no event within {CALL:?}"));
            event.ok().and_then(Result::ok).ok_or_else(late)?.plugin()
        };
        let answered = answered.await;
        self.link.waiting().remove(&transaction);
        answered
    }

    /// Ends the session and all that is in it.
    pub(super) async fn close(&self) {
        self.polling.abort();
        let request = json!({"janus": "destroy", "transaction": self.link.transaction()});
        // Where it is gone there is nothing to end.
        drop(self.link.post(&self.link.session, &request).await);
    }

    fn handle(&self, handle: u64) -> String {
        format!("{}/{handle}", self.link.session)
    }
}

impl Link {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Message>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transaction(&self) -> String {
        let number = self.transactions.fetch_add(1, Ordering::Relaxed);
        format!("stoa-load-{number}")
    }

    async fn post(&self, url: &str, request: &Value) -> Result<Message, Refusal> {
        let question = Question {
            method: Method::POST,
            url,
            headers: HeaderMap::new(),
            body: Some(("application/json", request.to_string())),
            within: CALL,
        };
        Message::read(&self.answer(question).await?)
    }

    async fn get(&self, url: &str, within: Duration) -> Result<Vec<u8>, Refusal> {
        let question = Question {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            within,
        };
        self.answer(question).await
    }

    async fn answer(&self, question: Question<'_>) -> Result<Vec<u8>, Refusal> {
        let answer = self.http.ask(question).await?;
        match answer.status {
            200 => Ok(answer.body.to_vec()),
            status => Err(Refusal::new(format!("HTTP {status}"), answer.text())),
        }
    }

    fn hand_out(&self, message: Message) {
        let waiting = message
            .transaction
            .as_ref()
            .and_then(|transaction| self.waiting().remove(transaction));
        if let Some(waiting) = waiting {
            // Whoever asked may have given up.
            drop(waiting.send(message));
        }
    }
}

/// Fetches events until it is aborted.
async fn poll(link: Arc<Link>) {
    let url = format!("{}?maxev={EVENTS}", link.session);
    loop {
        let events = link.get(&url, POLL).await;
        match events.and_then(|events| Message::read_many(&events)) {
            Ok(messages) => messages
                .into_iter()
                .for_each(|message| link.hand_out(message)),
            // That the server is gone is for the recorder to say, which asks each second.
            // bounded: by whoever aborts it
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
