//! Requests over HTTP/1.1, plain or by TLS, each on a connection of its own: what a server is asked beside its media.

use std::{fs, path::Path, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Uri,
    body::{Body as _, Bytes},
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// The longest answer that is read.
const MOST_BYTES: usize = 1 << 20;

/// Why a request has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum HttpError {
    #[error(
        "{0:?} is no address for HTTP: it must be http://HOST[:PORT]/... or https://HOST[:PORT]/..."
    )]
    Address(String),
    #[error("cannot read the certificates in {0}")]
    Certificates(String),
    #[error("no certificate vouches for {0}: name the authority's with --ca")]
    NoAuthority(String),
    #[error("no connection: {0}")]
    Connection(String),
    #[error("no answer: {0}")]
    Answer(String),
    #[error("no answer within {0:?}")]
    Late(Duration),
}

/// Asks.
#[derive(Clone)]
pub(crate) struct Http {
    tls: Option<TlsConnector>,
}

/// What is asked.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: HeaderMap,
    /// Its type, and itself.
    pub(crate) body: Option<(&'static str, String)>,
    pub(crate) within: Duration,
}

/// What comes back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as text, whatever it is.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Http {
    /// Of the authorities in this file, if there is one. Without it only plain HTTP can be asked.
    ///
    /// # Errors
    /// [`HttpError::Certificates`].
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, HttpError> {
        let Some(file) = ca_file else {
            return Ok(Self { tls: None });
        };
        let unreadable = || HttpError::Certificates(file.display().to_string());
        let text = fs::read(file).map_err(|_| unreadable())?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|_| unreadable())?;
            roots.add(certificate).map_err(|_| unreadable())?;
        }
        if roots.is_empty() {
            return Err(unreadable());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| unreadable())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: Some(Arc::new(config).into()),
        })
    }

    /// Asks, and waits for the whole answer.
    ///
    /// # Errors
    /// [`HttpError`]. An answer of any status is an answer.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Answer, HttpError> {
        let within = question.within;
        let asked = timeout(within, self.exchange(question)).await;
        asked.map_err(|_| HttpError::Late(within))?
    }

    async fn exchange(&self, question: Question<'_>) -> Result<Answer, HttpError> {
        let place = Place::of(question.url)?;
        let broken = |error: std::io::Error| HttpError::Connection(error.to_string());
        let stream = TcpStream::connect((place.host.as_str(), place.port)).await;
        let stream = stream.map_err(broken)?;
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.method_mut() = question.method;
        *request.uri_mut() = place.path;
        *request.headers_mut() = question.headers;
        let host = HeaderValue::from_str(&place.authority);
        let host = host.map_err(|_| HttpError::Address(question.url.to_owned()))?;
        request.headers_mut().insert(HOST, host);
        if let Some((kind, body)) = question.body {
            let kind = HeaderValue::from_static(kind);
            request.headers_mut().insert(CONTENT_TYPE, kind);
            *request.body_mut() = Full::new(body.into());
        }
        if !place.is_secure {
            return speak(stream, request).await;
        }
        let tls = self
            .tls
            .as_ref()
            .ok_or_else(|| HttpError::NoAuthority(place.authority.clone()))?;
        let name = ServerName::try_from(place.host);
        let name = name.map_err(|_| HttpError::Address(question.url.to_owned()))?;
        let stream = tls.connect(name, stream).await.map_err(broken)?;
        speak(stream, request).await
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, HttpError> {
    let failed = |error: hyper::Error| HttpError::Answer(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let carry = async {
        // Whoever asks learns by the answer that does not come.
        drop(connection.await);
        std::future::pending::<()>().await;
    };
    let ask = async {
        let answer = sender.send_request(request).await.map_err(failed)?;
        let (parts, body) = answer.into_parts();
        if body.size_hint().lower() > MOST_BYTES as u64 {
            return Err(HttpError::Answer(format!(
                "it is longer than {MOST_BYTES} bytes"
            )));
        }
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map_err(|error| HttpError::Answer(error.to_string()))?;
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.to_bytes(),
        })
    };
    tokio::select! {
        answer = ask => answer,
        () = carry => unreachable!("it never ends"),
    }
}

/// Where a question goes.
struct Place {
    is_secure: bool,
    /// Without the brackets of IPv6.
    host: String,
    port: u16,
    authority: String,
    path: Uri,
}

impl Place {
    fn of(url: &str) -> Result<Self, HttpError> {
        let wrong = || HttpError::Address(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            is_secure,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: path.parse().map_err(|_| wrong())?,
        })
    }
}

/// `HOST:PORT` of an address.
///
/// # Errors
/// [`HttpError::Address`].
pub(crate) fn host_and_port(url: &str) -> Result<(String, u16), HttpError> {
    let place = Place::of(url)?;
    Ok((place.host, place.port))
}

/// What `Location` means in an answer from this address (RFC 3986, section 5.2, as far as servers use it).
pub(crate) fn resolve(base: &str, location: &str) -> Result<String, HttpError> {
    if location.contains("://") {
        return Place::of(location).map(|_| location.to_owned());
    }
    let place = Place::of(base)?;
    let scheme = if place.is_secure { "https" } else { "http" };
    let path = match location.starts_with('/') {
        true => location.to_owned(),
        false => {
            let path = place.path.path();
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{location}")
        }
    };
    let url = format!("{scheme}://{}{path}", place.authority);
    Place::of(&url).map(|_| url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_resolved() {
        let base = "https://a.example:8443/whip/hall";
        for (location, whole) in [
            ("/session/1", "https://a.example:8443/session/1"),
            ("1", "https://a.example:8443/whip/1"),
            ("https://b.example/x?y=1", "https://b.example/x?y=1"),
        ] {
            assert_eq!(resolve(base, location).expect("it is one"), whole);
        }
        for bad in ["ftp://b.example/x", "/a b"] {
            assert!(resolve(base, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports_follow_from_the_scheme() {
        let of = |url| host_and_port(url).expect("an address");
        assert_eq!(of("https://a.example/x"), ("a.example".to_owned(), 443));
        assert_eq!(of("http://[::1]:80/"), ("::1".to_owned(), 80));
        assert!(host_and_port("a.example:80").is_err());
    }

    #[tokio::test]
    async fn nobody_vouches_without_an_authority() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("https://{}/", listener.local_addr().expect("bound"));
        let question = Question {
            method: Method::GET,
            url: &url,
            headers: HeaderMap::new(),
            body: None,
            within: Duration::from_secs(5),
        };
        let http = Http::new(None).expect("nothing to read");
        let error = http.ask(question).await.expect_err("no authority");
        assert!(matches!(error, HttpError::NoAuthority(_)), "{error}");
    }
}
