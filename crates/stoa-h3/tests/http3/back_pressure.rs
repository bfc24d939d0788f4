//! A reader that does not read holds the writer back.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use stoa_h3::{
    Channel, QuicLimits, RequestBody, ResponseBody, ServerLimits, TakenBy, TransportError,
};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use tower::{ServiceExt, service_fn};

use crate::support::{AnyBody, DropGuard, Server, echo, empty, full, post, within};

const CHUNK: usize = 16 << 10;
const TOTAL: usize = 512 * CHUNK;
const WINDOW: u32 = 64 << 10;

/// What may be under way at most: the receiver's window, the sender's buffer, one frame that is
/// being written and two that are read ahead (by the handler's channel and in h3's hands).
const UNDER_WAY: usize = WINDOW as usize * 2 + CHUNK * 3;

/// Chunks of bytes that count up, and how many bytes of them were taken.
struct Counted {
    produced: Arc<AtomicUsize>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let before = self.produced.load(Ordering::SeqCst);
        if before == TOTAL {
            return Poll::Ready(None);
        }
        self.produced.store(before + CHUNK, Ordering::SeqCst);
        let chunk = vec![number(before); CHUNK];
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }
}

fn number(offset: usize) -> u8 {
    u8::try_from(offset / CHUNK % 251).unwrap()
}

async fn check<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Debug,
{
    let mut offset = 0;
    while let Some(frame) = body.frame().await {
        for byte in frame.unwrap().into_data().unwrap() {
            assert_eq!(byte, number(offset), "at {offset}");
            offset += 1;
        }
    }
    assert_eq!(offset, TOTAL);
}

fn narrow() -> QuicLimits {
    QuicLimits {
        stream_receive_window: WINDOW,
        send_window: u64::from(WINDOW),
        ..QuicLimits::default()
    }
}

#[tokio::test]
async fn a_request_waits_for_its_handler_and_arrives_whole() {
    let (go, gate) = watch::channel(false);
    let server = Server::limited(
        service_fn(move |request: Request<RequestBody>| {
            let mut gate = gate.clone();
            async move {
                if request.uri().path() == "/ping" {
                    return echo(request).await;
                }
                gate.wait_for(|open| *open).await.unwrap();
                check(request.into_body()).await;
                Ok::<_, Infallible>(Response::new(full("whole")))
            }
        }),
        narrow(),
        ServerLimits::default(),
    );
    // The sender's own buffer is large here: what holds it back is the receiver's window.
    let channel = server.connect().await;
    let produced = Arc::new(AtomicUsize::new(0));
    let body = Counted {
        produced: Arc::clone(&produced),
    };
    let call = tokio::spawn(channel.clone().oneshot(post("/", body)));
    // Others are not held up meanwhile, and a round trip is time enough to send a lot.
    for _ in 0..20 {
        let pong = within(channel.clone().oneshot(post("/ping", full("ping")))).await;
        let pong = within(pong.unwrap().into_body().collect()).await.unwrap();
        assert_eq!(pong.to_bytes(), "ping");
    }
    let quic = QuicLimits::default();
    let bound = WINDOW as usize + usize::try_from(quic.send_window).unwrap() + 3 * CHUNK;
    assert!(bound < TOTAL);
    assert!(produced.load(Ordering::SeqCst) <= bound);
    go.send_replace(true);
    let answer = within(call).await.unwrap().unwrap();
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), "whole");
    assert_eq!(produced.load(Ordering::SeqCst), TOTAL);
}

#[tokio::test]
async fn a_response_waits_for_the_client_and_arrives_whole() {
    let produced = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&produced);
    let server = Server::limited(
        service_fn(move |request: Request<RequestBody>| {
            let produced = Arc::clone(&counted);
            async move {
                if request.uri().path() == "/ping" {
                    return echo(request).await;
                }
                let body = Counted { produced };
                let body: AnyBody = body.map_err(|never| match never {}).boxed_unsync();
                Ok::<_, Infallible>(Response::new(body))
            }
        }),
        narrow(),
        ServerLimits::default(),
    );
    let channel = server.connect_limited(&narrow()).await;
    // The send window is the connection's: a second connection shows that the server is alive.
    let other = server.connect().await;
    let answer = within(channel.oneshot(post("/", empty()))).await.unwrap();
    for _ in 0..20 {
        let pong = within(other.clone().oneshot(post("/ping", full("ping")))).await;
        within(pong.unwrap().into_body().collect()).await.unwrap();
    }
    assert!(produced.load(Ordering::SeqCst) <= UNDER_WAY);
    within(check(answer.into_body())).await;
}

/// A server whose answer has to be taken within this time, and the answer that it gives a client who knows of it; and
/// what tells that the server has done with it.
async fn answered_within(
    patience: Duration,
) -> (
    Server,
    Channel,
    Response<ResponseBody>,
    oneshot::Receiver<()>,
) {
    let (guard, done) = DropGuard::new();
    let guard = Arc::new(Mutex::new(Some(Arc::new(guard))));
    let server = Server::limited(
        service_fn(move |request: Request<RequestBody>| {
            let guard = Arc::clone(&guard);
            async move {
                if request.uri().path() == "/ping" {
                    return echo(request).await;
                }
                let produced = Arc::default();
                let body: AnyBody = Counted { produced }
                    .map_err(|never| match never {})
                    .boxed_unsync();
                let mut answer = Response::new(body);
                let by = TakenBy(Instant::now() + patience);
                answer.extensions_mut().insert(by);
                let guard = guard.lock().unwrap().take().unwrap();
                answer.extensions_mut().insert(guard);
                Ok::<_, Infallible>(answer)
            }
        }),
        narrow(),
        ServerLimits::default(),
    );
    let channel = server.connect_limited(&narrow()).await;
    let answer = within(channel.clone().oneshot(post("/", empty()))).await;
    (server, channel, answer.unwrap(), done)
}

#[tokio::test]
async fn a_response_that_is_not_taken_in_time_is_cut() {
    let (_server, channel, answer, done) = answered_within(Duration::from_millis(50)).await;
    let mut body = answer.into_body();
    let cut = async {
        // What was under way may be read still; nobody says when the rest was given up.
        while let Some(frame) = body.frame().await {
            if let Err(error) = frame {
                return Some(error);
            }
            // bounded: by what is under way
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    };
    let error = within(cut).await.expect("it is cut");
    let cause = error.transport();
    assert!(matches!(cause, TransportError::Reset { .. }), "{cause:?}");
    within(done).await.unwrap();
    // It is that request's alone.
    let pong = within(channel.oneshot(post("/ping", full("ping")))).await;
    let pong = within(pong.unwrap().into_body().collect()).await.unwrap();
    assert_eq!(pong.to_bytes(), "ping");
}

#[tokio::test]
async fn a_response_that_is_taken_in_time_arrives_whole() {
    let (_server, _channel, answer, mut done) = answered_within(Duration::from_secs(600)).await;
    assert!(done.try_recv().is_err(), "it waits to be taken");
    within(check(answer.into_body())).await;
    within(done).await.unwrap();
}
