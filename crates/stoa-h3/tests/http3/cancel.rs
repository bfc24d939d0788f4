//! Whoever gives up is heard at the other side, even by somebody who does nothing.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt;
use stoa_h3::{QuicLimits, RequestBody, TransportError};
use tokio::sync::{mpsc, oneshot};
use tower::{ServiceExt, service_fn};

use crate::raw;
use crate::support::{AnyBody, DropGuard, Server, data, empty, fed_body, post, within};

type Dropped = oneshot::Receiver<()>;

/// A server whose handler neither reads nor answers, and what tells of each: that it runs, and with
/// that how to learn of its end.
fn idle_server() -> (Server, mpsc::UnboundedReceiver<Dropped>) {
    let (running, handlers) = mpsc::unbounded_channel();
    let server = Server::start(service_fn(move |request: Request<RequestBody>| {
        let running = running.clone();
        async move {
            let (_guard, dropped) = DropGuard::new();
            running.send(dropped).unwrap();
            // Held, not read: nothing but the watch can notice the client.
            let _request = request;
            pending::<Result<Response<AnyBody>, Infallible>>().await
        }
    }));
    (server, handlers)
}

async fn handler(handlers: &mut mpsc::UnboundedReceiver<Dropped>) -> Dropped {
    let mut dropped = within(handlers.recv()).await.unwrap();
    assert!(dropped.try_recv().is_err(), "the handler is running");
    dropped
}

#[tokio::test]
async fn an_idle_handler_learns_of_a_dropped_future() {
    let (server, mut handlers) = idle_server();
    let channel = server.connect().await;
    let call = tokio::spawn(channel.clone().oneshot(post("/", empty())));
    let dropped = handler(&mut handlers).await;
    call.abort();
    within(dropped).await.unwrap();
    assert!(!channel.is_closed());
}

#[tokio::test]
async fn an_idle_handler_learns_of_a_call_dropped_while_it_sends() {
    let (server, mut handlers) = idle_server();
    let channel = server.connect().await;
    let (feed, body, body_dropped) = fed_body();
    feed.send(data(b"unread")).unwrap();
    let call = tokio::spawn(channel.oneshot(post("/", body)));
    let dropped = handler(&mut handlers).await;
    call.abort();
    within(dropped).await.unwrap();
    within(body_dropped).await.unwrap();
}

#[tokio::test]
async fn an_idle_handler_learns_of_a_reset_alone() {
    let (server, mut handlers) = idle_server();
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    let request = [raw::request(&[]), raw::frame(0, b"unread")].concat();
    send.write_all(&request).await.unwrap();
    let dropped = handler(&mut handlers).await;
    send.reset(0x10cu32.into()).unwrap();
    within(dropped).await.unwrap();
}

#[tokio::test]
async fn an_idle_handler_learns_of_a_reset_behind_what_it_did_not_read() {
    let (server, mut handlers) = idle_server();
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    // More than is read ahead, and then, apart from it, what nobody asks the transport for.
    let data = raw::frame(0, b"unread").repeat(3);
    let request = [raw::request(&[]), data.clone()].concat();
    send.write_all(&request).await.unwrap();
    let dropped = handler(&mut handlers).await;
    send.write_all(&data).await.unwrap();
    // That a later request has arrived shows that all of this one has.
    let (mut later, _later_recv) = connection.open_bi().await.unwrap();
    later.write_all(&raw::request(&[])).await.unwrap();
    let _later_dropped = handler(&mut handlers).await;
    send.reset(0x10cu32.into()).unwrap();
    within(dropped).await.unwrap();
}

#[tokio::test]
async fn an_idle_handler_learns_of_stop_sending_alone() {
    let (server, mut handlers) = idle_server();
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    send.write_all(&raw::request(&[])).await.unwrap();
    send.finish().unwrap();
    let dropped = handler(&mut handlers).await;
    recv.stop(0x10cu32.into()).unwrap();
    within(dropped).await.unwrap();
}

#[tokio::test]
async fn an_idle_handler_learns_of_a_closed_connection() {
    let (mut server, mut handlers) = idle_server();
    let channel = server.connect().await;
    let call = tokio::spawn(channel.oneshot(post("/", empty())));
    let dropped = handler(&mut handlers).await;
    // The call holds the last sender: with it the connection goes.
    call.abort();
    within(dropped).await.unwrap();
    server.next_end().await.unwrap();
}

#[tokio::test]
async fn a_response_body_dropped_midway_is_dropped_at_the_server() {
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
    drop(body);
    // The body waits for the test to feed it, which it does no more.
    within(dropped).await.unwrap();
    assert!(!channel.is_closed());
}

#[tokio::test]
async fn a_request_body_that_outlives_its_request_fails() {
    let (bodies, mut escaped) = mpsc::unbounded_channel();
    let server = Server::start(service_fn(move |request: Request<RequestBody>| {
        bodies.send(request.into_body()).unwrap();
        pending::<Result<Response<AnyBody>, Infallible>>()
    }));
    let channel = server.connect().await;
    let (_feed, body, _) = fed_body();
    let call = tokio::spawn(channel.clone().oneshot(post("/", body)));
    let mut body = within(escaped.recv()).await.unwrap();
    call.abort();
    let end = within(body.frame()).await.unwrap().unwrap_err();
    assert!(matches!(end, TransportError::Cancelled), "{end:?}");
    assert!(within(body.frame()).await.is_none());
}
