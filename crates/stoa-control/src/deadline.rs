//! Deadlines: the caller's `grpc-timeout` and the node's own maximum.
//!
//! tonic alone does not obey a deadline on a stream. Here it is obeyed for the whole call: before
//! the response begins the call's future is dropped, afterwards the response's body is, and the
//! caller gets DEADLINE_EXCEEDED either way.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::{Status, body::Body};

use crate::{errors::Failure, media::BoxFuture};

const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The methods that stream, or all of a service: they last as long as the caller wants.
const STREAMING: [&str; 3] = [
    "/stoa.control.v1.Rooms/Watch",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.",
];

pub(crate) fn is_streaming(path: &str) -> bool {
    STREAMING.iter().any(|prefix| path.starts_with(prefix))
}

/// When a call ends at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// Its response must have begun by then.
    pub(crate) begin: Instant,
    /// Its response must have ended by then.
    pub(crate) end: Option<Instant>,
}

impl Deadlines {
    /// What the caller asks for, within the node's maximum. A stream has that maximum for its
    /// beginning only.
    pub(crate) fn of(headers: &HeaderMap, path: &str, longest: Duration) -> Result<Self, Failure> {
        let now = Instant::now();
        let asked = asked(headers)?;
        let begin = now + asked.map_or(longest, |asked| asked.min(longest));
        let end = match is_streaming(path) {
            true => asked.and_then(|asked| now.checked_add(asked)),
            false => Some(begin),
        };
        Ok(Self { begin, end })
    }
}

fn asked(headers: &HeaderMap) -> Result<Option<Duration>, Failure> {
    let mut values = headers.get_all(GRPC_TIMEOUT).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let parsed = parse(value.as_bytes()).filter(|_| values.next().is_none());
    parsed.map(Some).ok_or_else(|| {
        let why = "is not 1 to 8 digits and one of H, M, S, m, u, n";
        Failure::fields(vec![(GRPC_TIMEOUT, why.into())])
    })
}

/// The value of a `grpc-timeout` header: 1 to 8 digits and a unit (gRPC over HTTP/2, "Timeout").
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

/// A response's body that ends early when it must, with trailers that say why.
pub(crate) struct EndingBody<W> {
    inner: Body,
    deadline: Option<Pin<Box<Sleep>>>,
    over: Option<BoxFuture<'static, Failure>>,
    witness: W,
}

/// Is told how a call ended.
pub(crate) trait Witness: Unpin + Send + 'static {
    /// The trailers of the response.
    fn trailers(&mut self, trailers: &HeaderMap);
}

impl<W: Witness> EndingBody<W> {
    /// `over`: completes with the reason when the node stops or the caller may not go on; `None` for calls that end
    /// by themselves.
    pub(crate) fn new(
        inner: Body,
        deadline: Option<Instant>,
        over: Option<BoxFuture<'static, Failure>>,
        witness: W,
    ) -> Self {
        let deadline = deadline.map(|at| Box::pin(sleep_until(at)));
        Self {
            inner,
            deadline,
            over,
            witness,
        }
    }

    fn must_end(&mut self, cx: &mut Context<'_>) -> Option<Failure> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Some(Failure::deadline());
        }
        if let Some(over) = &mut self.over
            && let Poll::Ready(why) = over.as_mut().poll(cx)
        {
            return Some(why);
        }
        None
    }
}

impl<W: Witness> http_body::Body for EndingBody<W> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        // The end comes first: a stream that always has something to say must end as well.
        if let Some(failure) = this.must_end(cx) {
            this.inner = Body::empty();
            this.deadline = None;
            this.over = None;
            let trailers = failure.into_trailers();
            this.witness.trailers(&trailers);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let frame = Pin::new(&mut this.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            this.witness.trailers(trailers);
            // Nothing comes after trailers.
            this.deadline = None;
            this.over = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.deadline, &self.over) {
            (None, None) => self.inner.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use prost::Message as _;
    use stoa_api::v1::FILE_DESCRIPTOR_SET;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    #[test]
    fn timeouts_are_digits_and_a_unit() {
        let good = [
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("00000003S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("0n", Duration::ZERO),
            ("99999999H", Duration::from_secs(99_999_999 * 3600)),
        ];
        for (text, expected) in good {
            assert_eq!(parse(text.as_bytes()), Some(expected), "{text}");
        }
        for bad in [
            "",
            "S",
            "1",
            "100000000S",
            "-1S",
            "+1S",
            "1s",
            "1.5S",
            " 1S",
            "1S ",
            "1µ",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    fn deadlines(timeout: &[&'static str], path: &str) -> Result<(u64, Option<u64>), Failure> {
        let mut headers = HeaderMap::new();
        for value in timeout {
            headers.append(GRPC_TIMEOUT, HeaderValue::from_static(value));
        }
        let before = Instant::now();
        let Deadlines { begin, end } = Deadlines::of(&headers, path, LONGEST)?;
        let seconds = |at: Instant| (at - before).as_secs();
        Ok((seconds(begin), end.map(seconds)))
    }

    #[test]
    fn unary_calls_have_a_maximum_and_streams_only_for_their_beginning() {
        let (unary, stream) = (
            "/stoa.control.v1.Rooms/Join",
            "/stoa.control.v1.Rooms/Watch",
        );
        assert_eq!(deadlines(&[], unary), Ok((30, Some(30))));
        assert_eq!(deadlines(&["5S"], unary), Ok((5, Some(5))));
        assert_eq!(deadlines(&["1H"], unary), Ok((30, Some(30))));
        assert_eq!(deadlines(&[], stream), Ok((30, None)));
        assert_eq!(deadlines(&["5S"], stream), Ok((5, Some(5))));
        assert_eq!(deadlines(&["1H"], stream), Ok((30, Some(3600))));
        assert!(deadlines(&["soon"], unary).is_err());
        assert!(deadlines(&["5S", "5S"], unary).is_err());
    }

    #[test]
    fn the_list_of_streams_is_the_package_s() {
        let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("compiled in");
        let mut methods = 0;
        for file in set.file.iter().filter(|f| f.package() == "stoa.control.v1") {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/stoa.control.v1.{}/{}", service.name(), method.name());
                    assert_eq!(is_streaming(&path), method.server_streaming(), "{path}");
                    methods += 1;
                }
            }
        }
        assert!(methods > 8);
    }
}
