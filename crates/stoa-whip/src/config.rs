//! What the server is told.

use std::{fmt, net::SocketAddr};

use http::HeaderValue;
use stoa_control::TlsIdentity;

use crate::limits;

/// Everything [`crate::WhipServer::bind`] needs.
#[derive(Debug)]
pub struct WhipConfig {
    /// Where to listen, for TCP.
    pub listen: Vec<SocketAddr>,
    /// Who the node is.
    pub identity: TlsIdentity,
    /// The pages that may use it from a browser.
    pub origins: Origins,
    /// What clients are told to reach the node with.
    pub ice_servers: Vec<IceServer>,
}

/// What requests are answered by.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) origins: Origins,
    pub(crate) ice_servers: Vec<IceServer>,
}

impl Pages {
    pub(crate) fn of(config: WhipConfig) -> Self {
        Self {
            origins: config.origins,
            ice_servers: config.ice_servers,
        }
    }
}

/// Why a part of the configuration is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An origin is not `scheme://host[:port]`.
    #[error("{0:?} is not an origin: `https://host`, with `:port` where it is not 443, or `*`")]
    Origin(String),
    /// An ICE server's address is not one.
    #[error(
        "{0:?} is not the address of an ICE server: `stun:`, `turn:` or `turns:` (RFC 7064, 7065)"
    )]
    IceServer(String),
    /// A user name or credential cannot stand in a header.
    #[error(
        "the user name and the credential of {0:?} must both be there, and printable ASCII without quotes"
    )]
    IceCredential(String),
    /// There is more than may be.
    #[error("there are more than {1} {0}")]
    TooMany(&'static str, usize),
}

/// The pages that may use the server from a browser (Fetch, section 3.2). Clients that are no browsers do
/// not ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    pub(crate) every: bool,
    pub(crate) some: Vec<HeaderValue>,
}

impl Origins {
    /// Takes a list of origins; `*` is every page's. A token is in a header that a page sets by itself, so
    /// that no page can misuse another's.
    ///
    /// # Errors
    /// [`ConfigError::Origin`], [`ConfigError::TooMany`].
    pub fn new(texts: &[String]) -> Result<Self, ConfigError> {
        if texts.len() > limits::ORIGINS {
            return Err(ConfigError::TooMany("allowed_origins", limits::ORIGINS));
        }
        let mut origins = Self::default();
        for text in texts {
            if text == "*" {
                origins.every = true;
                continue;
            }
            let wrong = || ConfigError::Origin(text.clone());
            if !is_origin(text) {
                return Err(wrong());
            }
            origins
                .some
                .push(HeaderValue::from_str(text).map_err(|_| wrong())?);
        }
        Ok(origins)
    }
}

/// As browsers write it: lower case, no path, no default port.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let fits = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
    };
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(fits))
        && !(text.starts_with("https://") && text.ends_with(":443"))
        && !(text.starts_with("http://") && text.ends_with(":80"))
}

/// A STUN or TURN server, as a `Link` of relation `ice-server` (RFC 9725, section 4.6).
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    link: HeaderValue,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceServer({})", self.url)
    }
}

impl IceServer {
    /// Takes its address, and what to log in with where it wants that.
    ///
    /// # Errors
    /// [`ConfigError::IceServer`], [`ConfigError::IceCredential`].
    pub fn new(url: &str, login: Option<(&str, &str)>) -> Result<Self, ConfigError> {
        let wrong = || ConfigError::IceServer(url.to_owned());
        let known = ["stun:", "stuns:", "turn:", "turns:"];
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>'))
        };
        if !known.iter().any(|scheme| url.starts_with(scheme)) || !plain(url) {
            return Err(wrong());
        }
        let mut link = format!("<{url}>; rel=\"ice-server\"");
        if let Some((name, credential)) = login {
            if [name, credential]
                .iter()
                .any(|text| text.is_empty() || !plain(text))
            {
                return Err(ConfigError::IceCredential(url.to_owned()));
            }
            link.push_str(&format!(
                "; username=\"{name}\"; credential=\"{credential}\"; credential-type=\"password\""
            ));
        }
        let mut link = HeaderValue::from_str(&link).map_err(|_| wrong())?;
        link.set_sensitive(login.is_some());
        Ok(Self {
            url: url.to_owned(),
            link,
        })
    }

    pub(crate) fn link(&self) -> &HeaderValue {
        &self.link
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_as_browsers_write_it() {
        let new = |text: &str| Origins::new(&[text.to_owned()]);
        for good in [
            "https://a.example",
            "http://localhost:8080",
            "https://[::1]:8443",
            "*",
        ] {
            assert!(new(good).is_ok(), "{good}");
        }
        for bad in [
            "a.example",
            "https://",
            "https://A.example",
            "https://a/b",
            "https://a:443",
            "null",
        ] {
            assert!(new(bad).is_err(), "{bad}");
        }
        let many = vec!["*".to_owned(); limits::ORIGINS + 1];
        assert!(Origins::new(&many).is_err());
    }

    #[test]
    fn an_ice_server_is_a_link() {
        let turn = IceServer::new("turn:turn.example?transport=udp", Some(("ada", "s3cret")));
        let turn = turn.expect("a server");
        assert_eq!(
            turn.link(),
            "<turn:turn.example?transport=udp>; rel=\"ice-server\"; username=\"ada\"; \
             credential=\"s3cret\"; credential-type=\"password\""
        );
        assert!(!format!("{turn:?}").contains("s3cret"));
        assert!(IceServer::new("https://a", None).is_err());
        assert!(IceServer::new("stun:a>b", None).is_err());
        assert!(IceServer::new("turn:a", Some(("a\"b", "c"))).is_err());
    }
}
