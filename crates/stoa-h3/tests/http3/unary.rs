//! One request, one answer.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::BodyExt;
use stoa_h3::{PeerInfo, RequestBody};
use tower::{ServiceExt, service_fn};

use crate::support::{Identity, Server, data, echo, empty, fed_body, full, post, within};

#[tokio::test]
async fn a_body_comes_back() {
    let server = Server::start(service_fn(echo));
    let channel = server.connect().await;
    let answer = within(channel.oneshot(post("/echo", full("hello")))).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200);
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), "hello");
}

#[tokio::test]
async fn trailers_travel_with_a_request() {
    let server = Server::start(service_fn(echo));
    let channel = server.connect().await;
    let (feed, body, _) = fed_body();
    feed.send(data(b"x")).unwrap();
    let mut trailers = http::HeaderMap::new();
    trailers.insert("checksum", "42".parse().unwrap());
    feed.send(Ok(http_body::Frame::trailers(trailers))).unwrap();
    drop(feed);
    let answer = within(channel.oneshot(post("/", body))).await.unwrap();
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(body.trailers().unwrap()["checksum"], "42");
    assert_eq!(body.to_bytes(), "x");
}

/// Says what the handler saw of the request's head.
async fn describe(request: Request<RequestBody>) -> Result<Response<String>, Infallible> {
    assert_eq!(request.version(), Version::HTTP_3);
    assert!(!request.headers().contains_key("connection"));
    let peer = request.extensions().get::<PeerInfo>().unwrap();
    assert!(peer.client_certificates.is_none());
    let head = format!(
        "{} {} {} {}",
        request.method(),
        request.uri(),
        request.headers()["x-custom"].to_str().unwrap(),
        peer.remote_address.expose().ip(),
    );
    let answer = Response::builder()
        .status(201)
        .header("x-reply", "yes")
        .header("connection", "close");
    Ok(answer.body(head).unwrap())
}

#[tokio::test]
async fn heads_travel_and_fields_of_a_connection_do_not() {
    let server = Server::start(service_fn(describe));
    let channel = server.connect().await;
    let mut request = post("http://elsewhere/a/b?c=d", empty());
    let headers = request.headers_mut();
    headers.insert("x-custom", "value".parse().unwrap());
    headers.insert("connection", "keep-alive".parse().unwrap());
    let answer = within(channel.oneshot(request)).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["x-reply"], "yes");
    assert!(!answer.headers().contains_key("connection"));
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(
        body.to_bytes(),
        "POST https://localhost/a/b?c=d value 127.0.0.1"
    );
}

#[tokio::test]
async fn a_handler_sees_the_certificate_of_its_client() {
    let identity = Identity::new();
    let certificate = identity.certificate.clone();
    let service = service_fn(|request: Request<RequestBody>| async move {
        let peer = request.extensions().get::<PeerInfo>().unwrap();
        let shown = peer.client_certificates.as_ref().unwrap();
        assert_eq!(shown.len(), 1);
        let leaf = Bytes::copy_from_slice(&shown[0]);
        Ok::<_, Infallible>(Response::new(full(leaf)))
    });
    let server = Server::verifying(service, &certificate);
    let channel = server.connect_as(identity).await;
    let answer = within(channel.oneshot(post("/", empty()))).await.unwrap();
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), certificate.as_ref());
}

#[tokio::test]
async fn tonic_routes_answer_as_over_http2() {
    let server = Server::start(tonic::service::Routes::default());
    let channel = server.connect().await;
    let mut request = post("/no.such.Service/Method", tonic::body::Body::empty());
    let grpc = "application/grpc".parse().unwrap();
    request.headers_mut().insert("content-type", grpc);
    let answer = within(channel.oneshot(request)).await.unwrap();
    assert_eq!(answer.headers()["grpc-status"], "12");
    let body = within(answer.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), Bytes::new());
}
