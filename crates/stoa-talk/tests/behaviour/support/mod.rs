//! A service on a free port, and browsers that are none.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use stoa_client::{Client, ClientConfig, Credential, Timeouts, TrustAnchors};
use stoa_talk::{Database, Options};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{
        self, Message, client::IntoClientRequest as _, handshake::client::Response,
        http::HeaderValue,
    },
};

/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running service.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), stoa_talk::Error>>,
    /// What stands where its Stoa should be.
    _silent: Option<UdpSocket>,
}

impl Service {
    /// One whose Stoa does not answer.
    pub(crate) async fn without_stoa() -> Self {
        let ca = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
        let trust = TrustAnchors::Pem(ca.cert.pem().into_bytes());
        // Bound and never read for as long as the service lives: nothing answers there, and nobody
        // else can.
        let silent = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("https://{}", silent.local_addr().expect("it is bound"));
        let mut config = ClientConfig::new(
            endpoint,
            trust,
            Credential::ApiKey("test".to_owned().into()),
        );
        config.timeouts = Timeouts {
            connect: Duration::from_millis(300),
            ..Timeouts::default()
        };
        let client = Client::lazy(config).expect("the configuration is good");
        Self {
            _silent: Some(silent),
            ..Self::start(client).await
        }
    }

    /// One with open rooms and a database in memory.
    pub(crate) async fn start(client: Client) -> Self {
        let options = Options {
            database: Database::Memory,
            open_rooms: true,
            ..Options::default()
        };
        Self::start_with(client, options).await
    }

    pub(crate) async fn start_with(client: Client, options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            // Also when the test drops the service.
            let _ = stopped.await;
        };
        let task = tokio::spawn(stoa_talk::serve(listener, client, options, shutdown));
        Self {
            address,
            stop,
            task,
            _silent: None,
        }
    }

    /// Asks it to end and waits for that.
    pub(crate) async fn stop(self) -> Result<(), stoa_talk::Error> {
        let _ = self.stop.send(());
        within(self.task).await.expect("the service must not panic")
    }

    /// GET, as status, headers in small letters, and body.
    pub(crate) async fn get(&self, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let host = self.address;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer))
            .await
            .expect("it answers");
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .expect("an empty line after the headers");
        let status = head[9..12].parse().expect("a status");
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    /// POST of JSON, as status and JSON.
    pub(crate) async fn post(&self, path: &str, question: &Value) -> (u16, Value) {
        self.post_for("", path, question).await
    }

    /// The same, as a proxy asks for this address.
    pub(crate) async fn post_for(&self, whom: &str, path: &str, question: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let (host, body) = (self.address, question.to_string());
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-forwarded-for: {whom}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer))
            .await
            .expect("it answers");
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .expect("an empty line after the headers");
        let status = head[9..12].parse().expect("a status");
        (status, serde_json::from_str(body).expect("JSON"))
    }

    /// What `/healthz` says.
    pub(crate) async fn health(&self) -> Value {
        let (status, _, body) = self.get("/healthz").await;
        assert_eq!(status, 200);
        serde_json::from_str(&body).expect("JSON")
    }

    /// A WebSocket, as a page with this origin would open it.
    pub(crate) async fn open(
        &self,
        origin: Option<&str>,
    ) -> Result<(Browser, Response), tungstenite::Error> {
        let mut request = format!("ws://{}/ws", self.address)
            .into_client_request()
            .expect("a good address");
        if let Some(origin) = origin {
            let origin = HeaderValue::from_str(origin).expect("a header's text");
            request.headers_mut().insert("origin", origin);
        }
        let (socket, response) = within(tokio_tungstenite::connect_async(request)).await?;
        Ok((Browser(socket), response))
    }

    /// A WebSocket, as the service's own page opens it.
    pub(crate) async fn browser(&self) -> Browser {
        let origin = format!("http://{}", self.address);
        self.open(Some(&origin)).await.expect("the own page may").0
    }
}

/// The browser's end of a WebSocket.
pub(crate) struct Browser(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Browser {
    pub(crate) async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        within(self.0.send(message))
            .await
            .expect("the socket is open");
    }

    /// The next JSON message; `None` once the socket is closed.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        // All of the wait is bounded: pings come for ever.
        within(self.next_unbounded()).await
    }

    async fn next_unbounded(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(other)) => panic!("neither JSON nor an end: {other:?}"),
            }
        }
    }

    /// The reason of the next message, which must be an error.
    pub(crate) async fn next_error(&mut self) -> String {
        let message = self.next().await.expect("the socket is open");
        assert_eq!(message["type"], "error", "{message}");
        assert!(
            message["code"].is_string() && message["message"].is_string(),
            "{message}"
        );
        message["reason"].as_str().expect("a reason").to_owned()
    }

    /// Waits for the message of this type and leaves out what comes before it.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self
                .next()
                .await
                .unwrap_or_else(|| panic!("closed before {kind}"));
            if message["type"] == kind {
                return message;
            }
        }
    }
}

/// A join as the page of this person's browser sends it: the name makes the browser.
pub(crate) fn join(room: &str, name: &str) -> Value {
    json!({
        "type": "join",
        "room": room,
        "name": name,
        "secret": secret(name),
        "window": secret("the only window"),
        "sdp": "offer",
    })
}

/// A secret such as this person's browser makes.
pub(crate) fn secret(name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{plain:-<32}")
}

/// The future's outcome, or a panic when it takes too long.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    time::timeout(PATIENCE, future)
        .await
        .expect("this takes too long")
}
