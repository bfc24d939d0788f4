//! A connection that goes away is `UNAVAILABLE` to a gRPC client.

use std::convert::Infallible;
use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use stoa_h3::{
    ChannelError, ConnectionLost, QuicLimits, RequestBody, ServerLimits, TransportError,
};
use tonic::{Code, Status};
use tower::{ServiceExt, service_fn};

use crate::support::{Server, data, echo, empty, fed_body, post, within};

#[tokio::test]
async fn a_stream_on_a_closed_connection_is_unavailable() {
    let (feed, body, dropped) = fed_body();
    let body = Arc::new(Mutex::new(Some(body)));
    let server = Server::start(service_fn(move |_: Request<RequestBody>| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(Response::new(body)) }
    }));
    let channel = server.connect().await;
    let answer = within(channel.clone().oneshot(post("/", empty()))).await;
    let mut body = answer.unwrap().into_body();
    feed.send(data(b"first")).unwrap();
    within(body.frame()).await.unwrap().unwrap();
    drop(server);
    let error = within(body.frame()).await.unwrap().unwrap_err();
    assert!(matches!(
        error.transport(),
        TransportError::Lost(ConnectionLost::ClosedByPeer { .. })
    ));
    let status = Status::from_error(Box::new(error));
    assert_eq!(status.code(), Code::Unavailable);
    // The cause is within reach of whoever has only the status.
    let source = status.source().unwrap();
    assert!(source.is::<ChannelError>(), "{source:?}");
    within(dropped).await.unwrap();
    assert!(channel.is_closed());
    let Err(error) = within(channel.oneshot(post("/", empty()))).await else {
        panic!("an answer over a closed connection")
    };
    assert_eq!(
        Status::from_error(Box::new(error)).code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn silence_ends_a_connection_on_both_sides() {
    let limits = QuicLimits {
        idle_timeout: Duration::from_millis(300),
        keep_alive_interval: None,
        ..QuicLimits::default()
    };
    let mut server = Server::limited(service_fn(echo), limits.clone(), ServerLimits::default());
    let channel = server.connect_limited(&limits).await;
    let lost = within(channel.closed()).await;
    assert!(matches!(lost, ConnectionLost::TimedOut), "{lost:?}");
    let end = server.next_end().await.unwrap_err();
    assert!(end.source().unwrap().is::<ConnectionLost>());
}
