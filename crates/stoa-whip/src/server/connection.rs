//! One connection: HTTP/1.1 or HTTP/2 over TLS over TCP, and how long it may take for what.

use std::{
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use stoa_control::{read_preface, with_preface};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::over;
use crate::{limits, problem::Body};

/// How much one HTTP/2 request, and all of a connection, may have sent that was not read.
const WINDOW_BYTES: u32 = 128 * 1024;

/// How long a client is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// [`limits::HEAD`].
    head: Duration,
    /// [`limits::KEEP_ALIVE`].
    keep_alive: Duration,
    /// [`limits::AGE`].
    age: Duration,
    /// [`limits::GRACE`].
    grace: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: limits::HEAD,
            keep_alive: limits::KEEP_ALIVE,
            age: limits::AGE,
            grace: limits::GRACE,
        }
    }
}

/// Answers what comes by a connection, until it ends, is too old, or the server is to end.
pub(super) async fn serve<F>(
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    patience: Patience,
    mut end: watch::Receiver<bool>,
    answer: impl Fn(Request<Incoming>) -> F + Send,
) where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let stream = match timeout(patience.head, begin(stream, tls)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "no HTTP connection"),
        Err(_) => return tracing::debug!("no HTTP connection in time"),
    };
    let last = async {
        tokio::select! {
            () = over(&mut end) => {}
            // bounded: by its length, and by the connection
            () = sleep(patience.age) => {}
        }
    };
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let ended = if is_http2 {
        let io = TokioIo::new(with_preface(stream));
        let connection = pin!(http2(patience).serve_connection(io, service));
        until(connection, last, |it| it.graceful_shutdown(), patience).await
    } else {
        let io = TokioIo::new(stream);
        let connection = pin!(http1(patience).serve_connection(io, service));
        until(connection, last, |it| it.graceful_shutdown(), patience).await
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended with an error");
    }
}

/// Drives a connection; after `last` it takes no further request, and has the grace to end.
async fn until<C>(
    mut connection: Pin<&mut C>,
    last: impl Future<Output = ()>,
    shut: impl FnOnce(Pin<&mut C>),
    patience: Patience,
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    tokio::select! {
        ended = &mut connection => return ended,
        () = last => shut(connection.as_mut()),
    }
    timeout(patience.grace, connection).await.unwrap_or(Ok(()))
}

/// TLS, and the first bytes of HTTP/2 where that was agreed on: hyper would wait for those without an end.
async fn begin(stream: TcpStream, tls: Arc<ServerConfig>) -> io::Result<TlsStream<TcpStream>> {
    stream.set_nodelay(true)?;
    let mut stream = TlsAcceptor::from(tls).accept(stream).await?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        read_preface(&mut stream).await?;
    }
    Ok(stream)
}

fn http1(patience: Patience) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_headers(limits::HEADERS)
        .max_header_size(limits::HEADER_BYTES)
        // The least that hyper takes is 8 KiB; beyond it the head's own limit holds.
        .max_buf_size(2 * limits::HEADER_BYTES);
    builder
}

fn http2(patience: Patience) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION)
        .max_header_list_size(limits::HEADER_BYTES as u32)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .keep_alive_interval(patience.keep_alive)
        .keep_alive_timeout(patience.keep_alive);
    builder
}

#[cfg(test)]
mod tests;
