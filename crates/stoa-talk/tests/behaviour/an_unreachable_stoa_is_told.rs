//! Without a Stoa nobody gets in, everybody hears why, and nothing is left behind.

use crate::support;

use crate::support::Service;

#[tokio::test]
async fn the_join_fails_and_may_be_tried_again() {
    let service = Service::without_stoa().await;
    let mut browser = service.browser().await;
    let join = support::join("r", "Ada");
    for _ in 0..2 {
        browser.send(join.clone()).await;
        let error = browser.next().await.expect("the socket is open");
        assert_eq!(error["type"], "error");
        assert_eq!(error["code"], "UNAVAILABLE");
        assert_eq!(error["reason"], "STOA_UNREACHABLE");
    }
    drop(browser);
    // Both go by themselves, a moment after the browser.
    support::within(async {
        loop {
            let health = service.health().await;
            if health["sockets"] == 0 && health["rooms"] == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}
