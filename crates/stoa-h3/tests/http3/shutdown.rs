//! A shutdown lets requests end, and ends.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use stoa_h3::{QuicLimits, RequestBody, ServerLimits, TransportError};
use tokio::sync::{mpsc, oneshot};
use tonic::{Code, Status};
use tower::{ServiceExt, service_fn};

use crate::support::{AnyBody, DropGuard, Server, echo, empty, full, post, within};

#[tokio::test]
async fn requests_in_flight_end_and_then_the_connection_does() {
    let (running, mut handlers) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    let mut server = Server::start(service_fn(move |_: Request<RequestBody>| {
        let running = running.clone();
        async move {
            let (finish, finished) = oneshot::channel();
            running.send(finish).unwrap();
            finished.await.unwrap();
            Ok::<_, Infallible>(Response::new(full(vec![9; 300_000])))
        }
    }));
    let channel = server.connect().await;
    let call = tokio::spawn(channel.clone().oneshot(post("/", empty())));
    let finish = within(handlers.recv()).await.unwrap();
    server.shut_down();
    // The GOAWAY is on its way; requests that are sent before it arrives are rejected.
    loop {
        let late = within(channel.clone().oneshot(post("/", empty()))).await;
        let Err(error) = late else {
            panic!("a request after the shutdown was served")
        };
        let going_away = matches!(error.transport(), TransportError::GoingAway);
        let rejected = matches!(error.transport(), TransportError::Reset { code: 0x10b });
        assert!(going_away || rejected, "{error:?}");
        assert_eq!(
            Status::from_error(Box::new(error)).code(),
            Code::Unavailable
        );
        if going_away {
            break;
        }
    }
    assert!(channel.is_closed());
    finish.send(()).unwrap();
    let answer = within(call).await.unwrap().unwrap();
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), vec![9; 300_000]);
    // `channel` keeps its side open.
    server.next_end().await.unwrap();
    assert!(within(channel.closed()).await.is_clean());
}

#[tokio::test]
async fn an_idle_connection_ends_at_once() {
    let mut server = Server::start(service_fn(echo));
    let channel = server.connect().await;
    let answer = within(channel.clone().oneshot(post("/", full("x")))).await;
    within(answer.unwrap().into_body().collect()).await.unwrap();
    server.shut_down();
    server.next_end().await.unwrap();
    assert!(within(channel.closed()).await.is_clean());
}

#[tokio::test]
async fn the_grace_is_all_that_a_stuck_handler_gets() {
    let (running, mut handlers) = mpsc::unbounded_channel();
    let service = service_fn(move |_: Request<RequestBody>| {
        let running = running.clone();
        async move {
            let (_guard, dropped) = DropGuard::new();
            running.send(dropped).unwrap();
            pending::<Result<Response<AnyBody>, Infallible>>().await
        }
    });
    let limits = ServerLimits {
        shutdown_grace: Duration::from_millis(100),
        ..ServerLimits::default()
    };
    let mut server = Server::limited(service, QuicLimits::default(), limits);
    let channel = server.connect().await;
    let call = tokio::spawn(channel.clone().oneshot(post("/", empty())));
    let dropped = within(handlers.recv()).await.unwrap();
    server.shut_down();
    server.next_end().await.unwrap();
    within(dropped).await.unwrap();
    assert!(within(call).await.unwrap().is_err());
}
