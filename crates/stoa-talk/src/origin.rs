//! Whether a WebSocket is opened by this service's own page.
//!
//! Browsers open WebSockets to any host from any page, and tell only by the `Origin` header which
//! page it was.

use axum::http::{HeaderMap, Uri, header};

/// Whether the request's `Origin` is the host that it was sent to. True without an `Origin`: what
/// sends none is no browser.
pub(crate) fn is_own(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let origin = origin.to_str().ok().and_then(|o| o.parse::<Uri>().ok());
    let (Some(host), Some(origin)) = (host, origin) else {
        return false;
    };
    // TLS may end in front of this service, so the scheme is the browser's, and with it the port
    // that goes without saying.
    let default_port = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    let Some(origin) = origin.authority() else {
        return false;
    };
    let Ok(host) = host.parse::<axum::http::uri::Authority>() else {
        return false;
    };
    origin.host().eq_ignore_ascii_case(host.host())
        && origin.port_u16().unwrap_or(default_port) == host.port_u16().unwrap_or(default_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_own(&headers)
    }

    #[test]
    fn the_same_host_and_port_is_own() {
        assert!(check(Some("127.0.0.1:8080"), Some("http://127.0.0.1:8080")));
        assert!(check(Some("[::1]:8080"), Some("http://[::1]:8080")));
        assert!(check(
            Some("talk.example.org"),
            Some("https://TALK.example.org")
        ));
        assert!(check(
            Some("talk.example.org:443"),
            Some("https://talk.example.org")
        ));
        assert!(check(Some("talk.example.org"), None));
    }

    #[test]
    fn anything_else_is_not() {
        assert!(!check(
            Some("127.0.0.1:8080"),
            Some("http://127.0.0.1:8081")
        ));
        assert!(!check(
            Some("127.0.0.1:8080"),
            Some("http://localhost:8080")
        ));
        assert!(!check(
            Some("talk.example.org"),
            Some("https://example.org")
        ));
        assert!(!check(
            Some("talk.example.org:80"),
            Some("https://talk.example.org")
        ));
        assert!(!check(Some("talk.example.org"), Some("null")));
        assert!(!check(Some("talk.example.org"), Some("file:///")));
        assert!(!check(Some("talk.example.org"), Some("")));
        assert!(!check(None, Some("http://127.0.0.1")));
    }
}
