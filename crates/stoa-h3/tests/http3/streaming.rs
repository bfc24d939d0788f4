//! Bodies that take their time.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use stoa_h3::RequestBody;
use tower::{ServiceExt, service_fn};

use crate::support::{AnyBody, Server, data, empty, fed_body, post, within};

#[tokio::test]
async fn frames_arrive_one_by_one_and_trailers_end_them() {
    let (feed, body, _) = fed_body();
    let body = std::sync::Arc::new(std::sync::Mutex::new(Some(body)));
    let server = Server::start(service_fn(move |_: Request<RequestBody>| {
        let body = body.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(Response::new(body)) }
    }));
    let channel = server.connect().await;
    // The head arrives before there is any body.
    let answer = within(channel.oneshot(post("/", empty()))).await.unwrap();
    let mut body = answer.into_body();
    for number in [b"1", b"2", b"3"] {
        feed.send(data(number)).unwrap();
        let frame = within(body.frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), &number[..]);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    feed.send(Ok(Frame::trailers(trailers))).unwrap();
    let frame = within(body.frame()).await.unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap()["grpc-status"], "0");
    assert!(within(body.frame()).await.is_none());
}

/// Sends every frame back as it comes.
async fn reflect(request: Request<RequestBody>) -> Result<Response<AnyBody>, Infallible> {
    let body = request.into_body().boxed_unsync();
    Ok(Response::new(body))
}

#[tokio::test]
async fn both_directions_flow_at_once() {
    let server = Server::start(service_fn(reflect));
    let channel = server.connect().await;
    let (feed, body, _) = fed_body();
    // The response's head comes although the request has not ended, nor even begun its body.
    let answer = within(channel.oneshot(post("/", body))).await.unwrap();
    let mut body = answer.into_body();
    for round in 0..100u8 {
        let sent = Bytes::from(vec![round; 1 + usize::from(round) * 50]);
        feed.send(Ok(Frame::data(sent.clone()))).unwrap();
        let mut received = Vec::new();
        while received.len() < sent.len() {
            let frame = within(body.frame()).await.unwrap().unwrap();
            received.extend_from_slice(frame.data_ref().unwrap());
        }
        assert_eq!(received, sent);
    }
    drop(feed);
    assert!(within(body.frame()).await.is_none());
}

#[tokio::test]
async fn a_body_lives_on_without_its_channel() {
    let server = Server::start(service_fn(reflect));
    let (feed, body, _) = fed_body();
    let channel = server.connect().await;
    let answer = within(channel.clone().oneshot(post("/", body))).await;
    drop(channel);
    let mut body = answer.unwrap().into_body();
    for _ in 0..3 {
        feed.send(data(b"still here")).unwrap();
        let frame = within(body.frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "still here");
    }
}
