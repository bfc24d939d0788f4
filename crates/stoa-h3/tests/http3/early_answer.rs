//! A handler may answer without reading its request.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use stoa_h3::{QuicLimits, RequestBody};
use tower::{ServiceExt, service_fn};

use crate::raw;
use crate::support::{AnyBody, Server, fed_body, full, post, within};

async fn refuse(_request: Request<RequestBody>) -> Result<Response<AnyBody>, Infallible> {
    Ok(Response::builder().status(403).body(full("no")).unwrap())
}

#[tokio::test]
async fn the_answer_is_whole_and_the_upload_ends() {
    let server = Server::start(service_fn(refuse));
    let channel = server.connect().await;
    let (feed, body, dropped) = fed_body();
    // More than all windows together: it could not have been sent and forgotten.
    let chunk = Bytes::from(vec![7; 1 << 20]);
    for _ in 0..16 {
        feed.send(Ok(Frame::data(chunk.clone()))).unwrap();
    }
    let answer = within(channel.oneshot(post("/", body))).await.unwrap();
    assert_eq!(answer.status(), 403);
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), "no");
    within(dropped).await.unwrap();
}

#[tokio::test]
async fn the_client_is_told_that_there_was_no_error() {
    let server = Server::start(service_fn(refuse));
    let connection = server.connect_quic(&QuicLimits::default()).await;
    let _control = raw::begin(&connection).await;
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    send.write_all(&raw::request(&[])).await.unwrap();
    let stopped = within(send.stopped()).await.unwrap();
    assert_eq!(stopped, Some(0x100u32.into()), "H3_NO_ERROR");
    // And the response ends cleanly.
    let response = within(recv.read_to_end(1000)).await.unwrap();
    assert_eq!(raw::body(&response), b"no");
}
