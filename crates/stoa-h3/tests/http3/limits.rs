//! Every limit holds, and says which one it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use quinn::{ReadError, ReadToEndError};
use stoa_h3::{Channel, QuicLimits, RequestBody, ServeError, ServerLimits, TransportError};
use tonic::{Code, Status};
use tower::{ServiceExt, service_fn};

use crate::raw;
use crate::support::{Server, echo, empty, full, post, within};

async fn works(channel: Channel) {
    let answer = within(channel.oneshot(post("/", full("alive")))).await;
    let body = within(answer.unwrap().into_body().collect()).await;
    assert_eq!(body.unwrap().to_bytes(), "alive");
}

fn small_headers() -> ServerLimits {
    ServerLimits {
        field_section_size: 1000,
        ..ServerLimits::default()
    }
}

#[tokio::test]
async fn a_client_that_knows_the_limit_does_not_send_a_larger_header_section() {
    let server = Server::limited(service_fn(echo), QuicLimits::default(), small_headers());
    let channel = server.connect().await;
    let mut refusals = Vec::new();
    // Until the server's settings have arrived it is the server who refuses.
    while refusals.last() != Some(&"by the client") {
        let mut request = post("/", empty());
        let big = "v".repeat(1000).parse().unwrap();
        request.headers_mut().insert("big", big);
        match within(channel.clone().oneshot(request)).await {
            Ok(answer) => {
                assert_eq!(answer.status(), 431);
                refusals.push("by the server");
            }
            Err(error) => {
                let cause = error.transport();
                let limit = 1000;
                assert!(
                    matches!(cause, TransportError::HeadersTooLarge { limit: l, .. } if *l == limit)
                );
                let status = Status::from_error(Box::new(error));
                assert_eq!(status.code(), Code::ResourceExhausted);
                refusals.push("by the client");
            }
        }
    }
    works(channel).await;
}

#[tokio::test]
async fn a_large_header_section_is_answered_with_431() {
    let server = Server::limited(service_fn(echo), QuicLimits::default(), small_headers());
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    let request = raw::request(&[("big", &"v".repeat(1000))]);
    send.write_all(&request).await.unwrap();
    send.finish().unwrap();
    let response = within(recv.read_to_end(1000)).await.unwrap();
    // "431" in QPACK's Huffman code.
    let found = response.windows(3).any(|bytes| bytes == [0x69, 0x90, 0xff]);
    assert!(found, "{response:02x?}");
}

#[tokio::test]
async fn a_huge_header_section_is_refused_unread() {
    let server = Server::limited(service_fn(echo), QuicLimits::default(), small_headers());
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    send.write_all(&raw::frame_header(1, 1 << 30))
        .await
        .unwrap();
    let stopped = within(send.stopped()).await.unwrap();
    assert_eq!(stopped, Some(0x107u32.into()), "H3_EXCESSIVE_LOAD");
    let end = within(recv.read_to_end(1000)).await.unwrap_err();
    assert_eq!(end, reset(0x10b), "H3_REQUEST_REJECTED");
    // The connection goes on.
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    let request = [raw::request(&[]), raw::frame(0, b"alive")].concat();
    send.write_all(&request).await.unwrap();
    send.finish().unwrap();
    let response = within(recv.read_to_end(1000)).await.unwrap();
    assert_eq!(raw::body(&response), b"alive");
}

fn reset(code: u32) -> ReadToEndError {
    ReadToEndError::Read(ReadError::Reset(code.into()))
}

#[tokio::test]
async fn headers_that_do_not_come_are_not_waited_for() {
    let limits = ServerLimits {
        header_timeout: Duration::from_millis(50),
        ..ServerLimits::default()
    };
    let server = Server::limited(service_fn(echo), QuicLimits::default(), limits);
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    send.write_all(&raw::frame_header(1, 100)).await.unwrap();
    let stopped = within(send.stopped()).await.unwrap();
    assert_eq!(stopped, Some(0x10cu32.into()), "H3_REQUEST_CANCELLED");
    let end = within(recv.read_to_end(1000)).await.unwrap_err();
    assert_eq!(end, reset(0x10b), "H3_REQUEST_REJECTED");
}

#[tokio::test]
async fn requests_beyond_the_limit_wait_for_a_place() {
    let running = Arc::new(AtomicUsize::new(0));
    let service = service_fn(move |request: Request<RequestBody>| {
        let running = Arc::clone(&running);
        async move {
            let others = running.fetch_add(1, Ordering::SeqCst);
            assert!(others < 2, "{others} others where there may be one");
            // Time for others to come.
            tokio::task::yield_now().await;
            let answer = echo(request).await;
            running.fetch_sub(1, Ordering::SeqCst);
            answer
        }
    });
    let limits = ServerLimits {
        concurrent_requests: 2,
        ..ServerLimits::default()
    };
    let server = Server::limited(service, QuicLimits::default(), limits);
    let channel = server.connect().await;
    let calls: Vec<_> = (0..50)
        .map(|_| tokio::spawn(works(channel.clone())))
        .collect();
    for call in calls {
        within(call).await.unwrap();
    }
}

#[tokio::test]
async fn requests_beyond_what_the_transport_allows_wait_at_the_client() {
    let quic = QuicLimits {
        concurrent_requests: 2,
        ..QuicLimits::default()
    };
    let server = Server::limited(service_fn(echo), quic, ServerLimits::default());
    let channel = server.connect().await;
    let calls: Vec<_> = (0..50)
        .map(|_| tokio::spawn(works(channel.clone())))
        .collect();
    for call in calls {
        within(call).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_only_gives_up_is_cut_off() {
    let limits = ServerLimits {
        broken_requests: 20,
        ..ServerLimits::default()
    };
    let mut server = Server::limited(service_fn(echo), QuicLimits::default(), limits);
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let closed = within(async {
        loop {
            let Ok((mut send, _recv)) = connection.open_bi().await else {
                return connection.closed().await;
            };
            let _ = send.write_all(&raw::frame_header(1, 100)).await;
            let _ = send.reset(0x10cu32.into());
        }
    })
    .await;
    let quinn::ConnectionError::ApplicationClosed(close) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(close.error_code, 0x107u32.into(), "H3_EXCESSIVE_LOAD");
    let end = server.next_end().await.unwrap_err();
    assert!(
        matches!(end, ServeError::TooManyBroken { limit: 20 }),
        "{end:?}"
    );
}
