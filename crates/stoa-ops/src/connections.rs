//! The connections of the ops port: how many there may be, and how long each may take.
//!
//! Whoever is slow, says nothing or never reads takes one of a few places for a while, and nothing else.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

/// The pause after the system could not give us a connection: most often it has no more files, and asking again at
/// once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections of one address may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// At the same time; further ones are closed at once.
    pub(crate) connections: usize,
    /// How long the head of a request may take: also how long an idle connection stays.
    pub(crate) head: Duration,
    /// After how long a connection takes no further request.
    pub(crate) age: Duration,
    /// How long the last answer may take then.
    pub(crate) grace: Duration,
    /// What of a head and of an answer is kept in memory, in bytes.
    pub(crate) buffer: usize,
}

impl Default for Limits {
    /// For a Prometheus or two, probes, and somebody who looks.
    fn default() -> Self {
        Self {
            connections: 64,
            // Prometheus asks every 15 s or so by the same connection.
            head: Duration::from_secs(30),
            // Somebody who never reads their answer keeps a place for as long, and a probe needs one.
            age: Duration::from_secs(120),
            grace: Duration::from_secs(10),
            buffer: 16 * 1024,
        }
    }
}

/// Serves what comes to this listener until it is aborted.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: Limits) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection to the ops port ended by a fault");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let router = router.clone();
                        connections.spawn(async move {
                            connection(stream, router, limits).await;
                            drop(place);
                        });
                    }
                    Err(_) => tracing::debug!("a connection to the ops port was turned away: there are as many as may be"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection to the ops port could not be accepted");
                    // bounded: by its length; the listener is still there
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

async fn connection(stream: TcpStream, router: Router, limits: Limits) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.buffer)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = match timeout(limits.age, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            let ended = timeout(limits.grace, connection).await;
            // Whoever does not read the answer is not waited for.
            ended.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the ops port ended with an error");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const ASK: &[u8] = b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n";

    /// A port with a large answer and little patience.
    async fn open(limits: Limits) -> SocketAddr {
        let router = Router::new().route("/big", get(|| async { vec![0; 64 << 20] }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(serve(listener, router, limits));
        address
    }

    fn limits() -> Limits {
        let short = Duration::from_millis(100);
        Limits {
            connections: 2,
            head: short,
            age: short * 3,
            grace: short,
            ..Limits::default()
        }
    }

    /// Waits until the other side has closed the connection.
    async fn closed(stream: &mut TcpStream) -> usize {
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
        // A reset is an end, too.
        drop(read.await.expect("it is closed in time"));
        rest.len()
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_a_head_is_closed_and_makes_room() {
        let address = open(limits()).await;
        let mut silent = TcpStream::connect(address).await.expect("a place");
        let mut slow = TcpStream::connect(address).await.expect("a place");
        slow.write_all(&ASK[..10]).await.expect("room to send");
        let mut third = TcpStream::connect(address)
            .await
            .expect("the system accepts");
        assert_eq!(closed(&mut third).await, 0, "there are only two places");
        closed(&mut silent).await;
        closed(&mut slow).await;
        let mut next = TcpStream::connect(address).await.expect("a place");
        next.write_all(ASK).await.expect("room to send");
        assert!(closed(&mut next).await > 64 << 20, "it is answered in full");
    }

    #[tokio::test]
    async fn who_does_not_read_is_cut_off() {
        let address = open(Limits {
            connections: 1,
            ..limits()
        })
        .await;
        let mut lazy = TcpStream::connect(address).await.expect("a place");
        lazy.write_all(ASK).await.expect("room to send");
        // A place is free again although nothing was read.
        let again = async {
            loop {
                let mut next = TcpStream::connect(address)
                    .await
                    .expect("the system accepts");
                drop(next.write_all(ASK).await);
                if closed(&mut next).await > 0 {
                    return;
                }
            }
        };
        timeout(Duration::from_secs(20), again)
            .await
            .expect("its place is free");
        assert!(
            closed(&mut lazy).await < 64 << 20,
            "what it had not read is gone"
        );
    }
}
