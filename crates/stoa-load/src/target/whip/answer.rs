//! What a server answers to a POST, and what it says when it refuses.

use serde::Deserialize;

use crate::{
    http::{self, Answer, HttpError},
    target::Refusal,
};

/// How much of an error that is no problem document is repeated.
const MOST_OF_A_TEXT: usize = 200;

/// Somebody was let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    pub(super) sdp: String,
    /// The address of their session.
    pub(super) session: String,
}

/// A problem (RFC 9457), with the reason that a Stoa adds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    reason: String,
}

/// Reads the answer to a POST to this address.
pub(super) fn admitted(url: &str, answer: &Answer) -> Result<Admitted, Refusal> {
    if answer.status != 201 {
        return Err(refusal(answer));
    }
    let location = answer.header("location").ok_or_else(|| {
        Refusal::new(
            "NO_LOCATION",
            "the answer does not say where the session is",
        )
    })?;
    let session = http::resolve(url, location);
    let session = session.map_err(|error| Refusal::new("NO_LOCATION", error.to_string()))?;
    Ok(Admitted {
        sdp: answer.text(),
        session,
    })
}

/// What the server says instead.
pub(super) fn refusal(answer: &Answer) -> Refusal {
    let status = format!("HTTP {}", answer.status);
    let refusal = match serde_json::from_slice::<Problem>(&answer.body) {
        Ok(Problem { reason, detail, .. }) if !reason.is_empty() => Refusal::new(reason, detail),
        Ok(Problem { title, detail, .. }) => {
            Refusal::new(status, format!("{title} {detail}").trim())
        }
        Err(_) => {
            let text: String = answer.text().trim().chars().take(MOST_OF_A_TEXT).collect();
            Refusal::new(status, text)
        }
    };
    match answer.status {
        404 | 410 => refusal.gone(),
        _ => refusal,
    }
}

impl From<HttpError> for Refusal {
    fn from(error: HttpError) -> Self {
        Self::new("UNREACHABLE", error.to_string()).unreachable()
    }
}

#[cfg(test)]
mod tests {
    use hyper::{
        body::Bytes,
        header::{HeaderMap, HeaderValue, LOCATION},
    };

    use super::*;

    const URL: &str = "https://a.example/whip/hall";

    fn answer(status: u16, location: Option<&'static str>, body: &'static str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(location) = location {
            headers.insert(LOCATION, HeaderValue::from_static(location));
        }
        Answer {
            status,
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn who_is_let_in_knows_where_their_session_is() {
        let admitted = admitted(URL, &answer(201, Some("/session/9"), "v=0")).expect("let in");
        assert_eq!(admitted.session, "https://a.example/session/9");
        assert_eq!(admitted.sdp, "v=0");
    }

    #[test]
    fn what_is_no_201_with_a_location_is_refused() {
        for (status, location) in [
            (200, Some("/s")),
            (307, Some("/s")),
            (201, None),
            (201, Some("ftp://x")),
        ] {
            let refused = admitted(URL, &answer(status, location, "v=0"));
            assert!(refused.is_err(), "{status} {location:?}");
        }
    }

    #[test]
    fn problems_are_told_as_they_are() {
        let stoa =
            r#"{"title":"Room not found","detail":"there is no room","reason":"ROOM_NOT_FOUND"}"#;
        for (status, body, told) in [
            (404, stoa, "ROOM_NOT_FOUND: there is no room"),
            (
                403,
                r#"{"title":"No","detail":"not you"}"#,
                "HTTP 403: No not you",
            ),
            (500, "<html>oh</html>", "HTTP 500: <html>oh</html>"),
            (500, "[1]", "HTTP 500: [1]"),
        ] {
            let refusal = refusal(&answer(status, None, body));
            assert_eq!(refusal.to_string(), told);
            assert_eq!(refusal.is_gone(), status == 404);
        }
    }
}
