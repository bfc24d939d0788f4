//! Pages of others may not open sockets here with their visitors' browsers.

use crate::support::Service;
use tokio_tungstenite::tungstenite::Error;

#[tokio::test]
async fn only_the_own_page_and_what_is_no_browser_may() {
    let service = Service::without_stoa().await;
    let own = format!("http://{}", service.address);
    assert!(service.open(Some(&own)).await.is_ok());
    assert!(service.open(None).await.is_ok());
    for origin in [
        "https://elsewhere.example",
        "http://127.0.0.1:1",
        "null",
        "",
    ] {
        match service.open(Some(origin)).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403, "{origin:?}"),
            Err(other) => panic!("{origin:?}: {other}"),
            Ok(_) => panic!("{origin:?} was let in"),
        }
    }
}
