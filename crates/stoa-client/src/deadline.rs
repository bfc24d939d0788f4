//! Deadlines on the client's side: a node that no longer answers must not hold a caller.

use std::{
    collections::HashMap,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Frame, SizeHint};
use stoa_api::v1::{ERROR_DOMAIN, ErrorReason};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Code, Status, body::Body};
use tonic_types::{ErrorDetails, StatusExt as _};

const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The package's services.
const PACKAGE: &str = "/stoa.control.v1.";

/// The package's methods that stream: how long they go on is the caller's choice alone.
const STREAMING: [&str; 2] = [
    "/stoa.control.v1.Rooms/Watch",
    "/stoa.control.v1.Rooms/WatchRooms",
];

fn is_unary(path: &str) -> bool {
    path.starts_with(PACKAGE) && !STREAMING.contains(&path)
}

/// When the call ends at the latest: as its `grpc-timeout` says, or for a unary method without one
/// after `default`, which is then sent along.
pub(crate) fn apply(headers: &mut HeaderMap, path: &str, default: Duration) -> Option<Instant> {
    let timeout = match headers.get(GRPC_TIMEOUT) {
        Some(value) => parse(value)?,
        None if is_unary(path) => {
            headers.insert(GRPC_TIMEOUT, format(default));
            default
        }
        None => return None,
    };
    Instant::now().checked_add(timeout)
}

fn format(timeout: Duration) -> HeaderValue {
    // At most eight digits (gRPC over HTTP/2, "Timeout").
    const LARGEST: u128 = 99_999_999;
    let text = match timeout.as_millis() {
        millis if millis <= LARGEST => format!("{millis}m"),
        _ => format!("{}S", u128::from(timeout.as_secs()).min(LARGEST)),
    };
    HeaderValue::from_str(&text).expect("digits and a letter")
}

/// Reads what tonic has written; the node judges what somebody else wrote.
fn parse(value: &HeaderValue) -> Option<Duration> {
    let (digits, unit) = value
        .to_str()
        .ok()?
        .split_at_checked(value.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number.checked_mul(3600)?),
        "M" => Duration::from_secs(number.checked_mul(60)?),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The same status as the node's own, for a deadline that passed here first.
pub(crate) fn passed() -> Status {
    let details = ErrorDetails::with_error_info(
        ErrorReason::DeadlinePassed.as_str_name(),
        ERROR_DOMAIN,
        HashMap::new(),
    );
    Status::with_error_details(
        Code::DeadlineExceeded,
        "the call's deadline passed; whether it took effect is not known",
        details,
    )
}

/// A body that ends with [`passed`] at its deadline.
pub(crate) struct DeadlineBody {
    inner: Body,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl DeadlineBody {
    pub(crate) fn new(inner: Body, deadline: Option<Instant>) -> Self {
        Self {
            inner,
            sleep: deadline.map(|at| Box::pin(sleep_until(at))),
        }
    }
}

impl http_body::Body for DeadlineBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Poll::Ready(frame) = http_body::Body::poll_frame(Pin::new(&mut self.inner), cx) {
            return Poll::Ready(frame);
        }
        match self.sleep.as_mut().map(|sleep| sleep.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => {
                // Dropping the inner body resets the stream: the node stops working on it.
                self.inner = Body::empty();
                self.sleep = None;
                Poll::Ready(Some(Err(passed())))
            }
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.inner)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.inner)
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use stoa_api::v1::FILE_DESCRIPTOR_SET;

    use super::*;

    const DEFAULT: Duration = Duration::from_secs(10);

    #[test]
    fn unary_methods_have_a_default_and_streams_do_not() {
        let mut headers = HeaderMap::new();
        for streaming in STREAMING {
            assert!(apply(&mut headers, streaming, DEFAULT).is_none());
        }
        assert!(apply(&mut headers, "/grpc.health.v1.Health/Check", DEFAULT).is_none());
        assert!(headers.is_empty());
        assert!(apply(&mut headers, "/stoa.control.v1.Rooms/Join", DEFAULT).is_some());
        assert_eq!(headers[GRPC_TIMEOUT], "10000m");
    }

    #[test]
    fn the_list_of_streams_is_the_package_s() {
        let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("compiled in");
        let mut streaming = Vec::new();
        for file in set.file.iter().filter(|f| f.package() == "stoa.control.v1") {
            for service in &file.service {
                for method in service.method.iter().filter(|m| m.server_streaming()) {
                    streaming.push(format!("{PACKAGE}{}/{}", service.name(), method.name()));
                }
            }
        }
        assert_eq!(streaming, STREAMING);
    }

    #[test]
    fn what_tonic_writes_is_read() {
        for (seconds, nanos) in [(0, 1), (0, 500_000_000), (30, 0), (7200, 0)] {
            let timeout = Duration::new(seconds, nanos);
            let mut request = tonic::Request::new(());
            request.set_timeout(timeout);
            let headers = request.into_parts().0.into_headers();
            assert_eq!(parse(&headers[GRPC_TIMEOUT]), Some(timeout));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for seconds in [0, 1, 99_999, 99_999_999] {
            let timeout = Duration::from_secs(seconds);
            assert_eq!(parse(&format(timeout)), Some(timeout));
        }
    }
}
