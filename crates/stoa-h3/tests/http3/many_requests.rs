//! Many at once, each its own.

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::task::JoinSet;
use tower::{ServiceExt, service_fn};

use crate::support::{Server, echo, full, post, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_requests_do_not_mix() {
    let server = Server::start(service_fn(echo));
    let channel = server.connect().await;
    let mut calls = JoinSet::new();
    for number in 0..500usize {
        let channel = channel.clone();
        calls.spawn(async move {
            let sent = Bytes::from(format!("{number};").repeat(1 + number));
            let answer = channel.oneshot(post("/", full(sent.clone()))).await;
            let body = answer.unwrap().into_body().collect().await.unwrap();
            assert_eq!(body.to_bytes(), sent);
        });
    }
    while let Some(done) = within(calls.join_next()).await {
        done.unwrap();
    }
}
