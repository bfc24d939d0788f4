//! Half a message is never taken for a whole one.

use std::convert::Infallible;
use std::future::pending;

use http::{Request, Response};
use http_body_util::BodyExt;
use stoa_h3::{RequestBody, TransportError};
use tokio::sync::mpsc;
use tonic::{Code, Status};
use tower::{ServiceExt, service_fn};

use crate::support::{AnyBody, DropGuard, Server, data, echo, empty, fed_body, full, post, within};

const INTERNAL_ERROR: u64 = 0x102;

/// Answers `/fails` with a body that breaks, `/panics` not at all, and anything else with an echo.
async fn brittle(request: Request<RequestBody>) -> Result<Response<AnyBody>, Infallible> {
    match request.uri().path() {
        "/fails" => {
            let (feed, body, _) = fed_body();
            feed.send(data(b"half")).unwrap();
            feed.send(Err("broken".into())).unwrap();
            let body = body.map_err(|error| TransportError::Body(error.into()));
            Ok(Response::new(body.boxed_unsync()))
        }
        "/panics" => panic!("this handler always does"),
        _ => echo(request).await,
    }
}

#[tokio::test]
async fn a_failing_response_body_is_a_reset() {
    let server = Server::start(service_fn(brittle));
    let channel = server.connect().await;
    let call = within(channel.clone().oneshot(post("/fails", empty()))).await;
    // The reset may overtake what was sent before it; a clean end it never is.
    let error = match call {
        Ok(answer) => within(answer.into_body().collect()).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(
        matches!(
            error.transport(),
            TransportError::Reset {
                code: INTERNAL_ERROR
            }
        ),
        "{error:?}"
    );
    let answer = within(channel.oneshot(post("/", full("alive")))).await;
    let body = within(answer.unwrap().into_body().collect()).await;
    assert_eq!(body.unwrap().to_bytes(), "alive");
}

#[tokio::test]
async fn a_panicking_handler_is_a_reset_and_hurts_nobody_else() {
    let server = Server::start(service_fn(brittle));
    let channel = server.connect().await;
    let call = within(channel.clone().oneshot(post("/panics", empty()))).await;
    let Err(error) = call else {
        panic!("an answer from a handler that panicked")
    };
    assert!(
        matches!(
            error.transport(),
            TransportError::Reset {
                code: INTERNAL_ERROR
            }
        ),
        "{error:?}"
    );
    assert_eq!(Status::from_error(Box::new(error)).code(), Code::Internal);
    let answer = within(channel.oneshot(post("/", full("alive")))).await;
    let body = within(answer.unwrap().into_body().collect()).await;
    assert_eq!(body.unwrap().to_bytes(), "alive");
}

#[tokio::test]
async fn a_failing_request_body_fails_the_call_and_cancels_the_handler() {
    let (running, mut handlers) = mpsc::unbounded_channel();
    let server = Server::start(service_fn(move |_request: Request<RequestBody>| {
        let running = running.clone();
        async move {
            let (_guard, dropped) = DropGuard::new();
            running.send(dropped).unwrap();
            pending::<Result<Response<AnyBody>, Infallible>>().await
        }
    }));
    let channel = server.connect().await;
    let (feed, body, _) = fed_body();
    let call = tokio::spawn(channel.clone().oneshot(post("/", body)));
    let dropped = within(handlers.recv()).await.unwrap();
    feed.send(Err(Status::data_loss("the disk is gone").into()))
        .unwrap();
    let Err(error) = within(call).await.unwrap() else {
        panic!("an answer to a request that failed")
    };
    assert!(matches!(error.transport(), TransportError::Body(_)));
    let status = Status::from_error(Box::new(error));
    assert_eq!(status.code(), Code::DataLoss);
    assert_eq!(status.message(), "the disk is gone");
    within(dropped).await.unwrap();
}
