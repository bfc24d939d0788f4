//! `stoad drain` and `stoad undrain`: what an orchestrator calls before it ends a node.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Method, Request, StatusCode, Uri, body::Bytes, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    arguments::{Drain, Ops},
    exit::Failure,
    key_file,
};

/// How long an answer may take, and how long it may be.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// How often one looks whether somebody is still there.
const LOOK: Duration = Duration::from_secs(1);

/// The metric that says how many are.
const PARTICIPANTS: &str = "stoa_participants{";

/// Has the node take nothing new, and waits as long as it is told to.
///
/// # Errors
/// [`Failure`] if it does not do that, or if it cannot be asked any more while one waits.
pub(crate) async fn drain(drain: Drain) -> Result<(), Failure> {
    let node = Node::new(&drain.node)?;
    node.change("/drain").await?;
    eprintln!("{} takes nothing new", drain.node.ops);
    let until = Instant::now() + Duration::from_secs(drain.wait_seconds);
    loop {
        if drain.wait_seconds == 0 {
            return Ok(());
        }
        let left = node.participants().await?;
        if left == 0 {
            eprintln!("nobody is in a room any more");
            return Ok(());
        }
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            eprintln!("{left} participants are left");
            return Ok(());
        }
        tokio::time::sleep(LOOK.min(rest)).await;
    }
}

/// Has the node take everything again.
///
/// # Errors
/// [`Failure`] if it does not.
pub(crate) async fn undrain(node: Ops) -> Result<(), Failure> {
    Node::new(&node)?.change("/undrain").await?;
    eprintln!("{} takes everything again", node.ops);
    Ok(())
}

/// A node's ops port.
struct Node {
    authority: String,
    authorization: header::HeaderValue,
}

impl Node {
    fn new(ops: &Ops) -> Result<Self, Failure> {
        let bare = matches!(ops.ops.path(), "" | "/") && ops.ops.query().is_none();
        let authority = match (ops.ops.scheme_str(), ops.ops.authority()) {
            (Some("http"), Some(authority)) if bare => authority,
            _ => return Err(Failure::Usage("--ops: must be http://HOST:PORT".to_owned())),
        };
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            authority: format!("{}:{port}", authority.host()),
            authorization: authorization(&ops.ops_key_file)?,
        })
    }

    /// Asks for a change, which takes the key.
    async fn change(&self, path: &str) -> Result<(), Failure> {
        let (status, body) = self.ask(Method::POST, path).await?;
        match status.is_success() {
            true => Ok(()),
            false => Err(self.failed(&format!("{path}: {status}: {}", body.trim()))),
        }
    }

    async fn participants(&self) -> Result<u64, Failure> {
        let (status, text) = self.ask(Method::GET, "/metrics").await?;
        match (status, participants(&text)) {
            (StatusCode::OK, Some(count)) => Ok(count),
            _ => Err(self.failed("/metrics: does not say how many participants there are")),
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
        let request = Request::builder()
            .method(method)
            .uri(Uri::try_from(path)?)
            .header(header::HOST, &self.authority)
            .header(header::AUTHORIZATION, self.authorization.clone())
            .body(Empty::<Bytes>::new())?;
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

    fn failed(&self, why: &str) -> Failure {
        Failure::Running(format!("the ops port at {}: {why}", self.authority))
    }
}

/// The header that shows the key in this file.
fn authorization(path: &Path) -> Result<header::HeaderValue, Failure> {
    let key = key_file::read(path)?;
    let value = header::HeaderValue::try_from(format!("Bearer {key}"));
    let mut value = value.map_err(|_| Failure::File {
        path: path.to_owned(),
        reason: "has a key that no header can carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The sum of a metric over its labels. `None`: it is not there, or no whole number.
fn participants(text: &str) -> Option<u64> {
    let lines = text.lines().filter(|line| line.starts_with(PARTICIPANTS));
    let mut sum = None;
    for line in lines {
        let (_, value) = line.rsplit_once("} ")?;
        sum = Some(sum.unwrap_or(0) + value.trim().parse::<u64>().ok()?);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn participants_are_added_up() {
        let text = "# HELP stoa_participants x\nstoa_participants{role=\"listener\",state=\"connected\"} 3\n\
                    stoa_participants{role=\"speaker\",state=\"connected\"} 2\nstoa_rooms 1\n";
        assert_eq!(participants(text), Some(5));
        assert_eq!(participants("stoa_rooms 1\n"), None);
        assert_eq!(participants("stoa_participants{role=\"x\"} NaN\n"), None);
    }
}
