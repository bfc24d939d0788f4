//! What is told of a call when it has ended, for whoever traces calls.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, Request, Version};

use crate::calls::Outcome;

/// The caller's place in a trace (W3C Trace Context, section 3.2).
const TRACEPARENT: &str = "traceparent";

/// A call of the control API that has ended. Nothing in it is a caller's own words but [`EndedCall::traceparent`].
#[derive(Debug)]
pub struct EndedCall<'a> {
    /// The method, as `package.Service/Method`; `None` where the node has no such method.
    pub method: Option<&'a str>,
    /// The version of HTTP that it came by: 2 or 3.
    pub http_version: u8,
    /// When it came.
    pub began: SystemTime,
    /// How long it took; of a stream until its end.
    pub took: Duration,
    /// gRPC's name of the code that it ended with. `CANCELLED`: its caller gave it up.
    pub code: &'static str,
    /// The reason that a refused caller was told, by its name in `errors.proto`.
    pub reason: Option<&'static str>,
    /// The header `traceparent` as it came, which may be anything; `None` unless there was exactly one.
    pub traceparent: Option<&'a str>,
}

/// Is told of each call when it has ended, on the thread that served it: it must not block.
pub type CallObserver = Arc<dyn Fn(&EndedCall<'_>) + Send + Sync>;

/// What a call has to remember for its observer.
pub(crate) struct Observed {
    observer: CallObserver,
    http_version: u8,
    began: SystemTime,
    traceparent: Option<String>,
}

impl Observed {
    pub(crate) fn new<B>(observer: &CallObserver, request: &Request<B>) -> Self {
        Self {
            observer: Arc::clone(observer),
            http_version: match request.version() {
                Version::HTTP_3 => 3,
                _ => 2,
            },
            began: SystemTime::now(),
            traceparent: traceparent(request.headers()).map(str::to_owned),
        }
    }

    pub(crate) fn end(&self, outcome: &Outcome<'_>, took: Duration) {
        (self.observer)(&EndedCall {
            method: outcome.method,
            http_version: self.http_version,
            began: self.began,
            took,
            code: outcome.code,
            reason: outcome.reason.map(|reason| reason.as_str_name()),
            traceparent: self.traceparent.as_deref(),
        });
    }
}

/// Of several nobody knows which is meant.
fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?;
    value.to_str().ok().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn of_several_headers_none_is_taken() {
        let mut headers = HeaderMap::new();
        assert_eq!(traceparent(&headers), None);
        headers.append(TRACEPARENT, HeaderValue::from_static("00-1-2-01"));
        assert_eq!(traceparent(&headers), Some("00-1-2-01"));
        headers.append(TRACEPARENT, HeaderValue::from_static("00-1-2-01"));
        assert_eq!(traceparent(&headers), None);
    }
}
