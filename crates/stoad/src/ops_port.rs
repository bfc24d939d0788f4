//! A running node's ops port, as commands ask it.

use std::{path::Path, time::Duration};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Method, Request, StatusCode, Uri, body::Bytes, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// How long an answer may take, and how long it may be.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A node's ops port.
pub(crate) struct OpsPort {
    authority: String,
    /// What shows the key; reading the metrics takes none.
    authorization: Option<header::HeaderValue>,
}

impl OpsPort {
    /// The one at this address; with the key in a file, if there is one.
    ///
    /// # Errors
    /// [`Failure::Usage`], [`Failure::File`].
    pub(crate) fn new(ops: &Uri, key_file: Option<&Path>) -> Result<Self, Failure> {
        let bare = matches!(ops.path(), "" | "/") && ops.query().is_none();
        let authority = match (ops.scheme_str(), ops.authority()) {
            (Some("http"), Some(authority)) if bare => authority,
            _ => return Err(Failure::Usage("--ops: must be http://HOST:PORT".to_owned())),
        };
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            authority: format!("{}:{port}", authority.host()),
            authorization: key_file.map(authorization).transpose()?,
        })
    }

    /// Asks for a change, which takes the key.
    ///
    /// # Errors
    /// [`Failure::Running`] if it is not made.
    pub(crate) async fn change(&self, path: &str) -> Result<(), Failure> {
        let (status, body) = self.ask(Method::POST, path).await?;
        match status.is_success() {
            true => Ok(()),
            false => Err(self.failed(&format!("{path}: {status}: {}", body.trim()))),
        }
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// [`Failure::Running`] if it says nothing.
    pub(crate) async fn metrics(&self) -> Result<String, Failure> {
        let (status, text) = self.ask(Method::GET, "/metrics").await?;
        match status {
            StatusCode::OK => Ok(text),
            status => Err(self.failed(&format!("/metrics: {status}"))),
        }
    }

    async fn ask(&self, method: Method, path: &str) -> Result<(StatusCode, String), Failure> {
        let asked = timeout(PATIENCE, self.exchange(method, path)).await;
        let answer = asked.map_err(|_| self.failed("does not answer in time"))?;
        answer.map_err(|error| self.failed(&error.to_string()))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
    ) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let mut request = Request::builder()
            .method(method)
            .uri(Uri::try_from(path)?)
            .header(header::HOST, &self.authority)
            .body(Empty::<Bytes>::new())?;
        if let Some(key) = &self.authorization {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, key.clone());
        }
        let answer = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES);
            let body = body.collect().await?.to_bytes();
            Ok((status, String::from_utf8_lossy(&body).into_owned()))
        };
        tokio::select! {
            answer = answer => answer,
            ended = connection => Err(match ended {
                Ok(()) => "closed the connection".into(),
                Err(error) => error.into(),
            }),
        }
    }

    pub(crate) fn failed(&self, why: &str) -> Failure {
        Failure::Running(format!("the ops port at {}: {why}", self.authority))
    }
}

/// The header that shows the key in this file.
fn authorization(path: &Path) -> Result<header::HeaderValue, Failure> {
    let key = stoa_secret::read_first_line(path)?;
    let shown = Zeroizing::new(format!("Bearer {}", *key));
    let value = header::HeaderValue::try_from(shown.as_str());
    let mut value = value.map_err(|_| Failure::File {
        path: path.to_owned(),
        reason: "has a key that no header can carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
