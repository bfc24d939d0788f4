//! When the service ends, browsers are told, and it ends in time.

use crate::support::Service;
use serde_json::json;

#[tokio::test]
async fn browsers_hear_why_their_socket_closes() {
    let service = Service::without_stoa().await;
    let mut browser = service.browser().await;
    let mut another = service.browser().await;
    let stopped = tokio::spawn(service.stop());
    let expected = json!({"type": "closed", "reason": "shutting_down"});
    assert_eq!(browser.next().await, Some(expected.clone()));
    assert_eq!(browser.next().await, None);
    assert_eq!(another.next().await, Some(expected));
    stopped.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_browser_that_does_not_listen_does_not_hold_it_up() {
    let service = Service::without_stoa().await;
    let _deaf = service.browser().await;
    service.stop().await.expect("a clean end");
}
