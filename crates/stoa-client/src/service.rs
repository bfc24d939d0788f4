//! What the generated stubs call through.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use tokio::time::timeout_at;
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt as _};

use crate::{
    connection::Connector,
    deadline::{self, DeadlineBody},
};

pub(crate) struct Shared {
    pub(crate) connector: Connector,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) call_timeout: Duration,
}

/// Sends requests over the client's connection, with its credential and its deadlines. Stubs of any
/// gRPC service on the node can be made over it.
#[derive(Clone)]
pub struct ClientService {
    shared: Arc<Shared>,
}

impl ClientService {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl fmt::Debug for ClientService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientService").finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for ClientService {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // Connecting is part of the call, so that the call's deadline holds for it too.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let until = deadline::apply(request.headers_mut(), &path, shared.call_timeout);
            if let Some(value) = &shared.authorization {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
            }
            let answer = async {
                let channel = shared.connector.channel().await;
                let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
                // tonic finds the status that the adapter chose among the error's sources.
                let sent = channel.oneshot(request).await;
                sent.map_err(|error| Status::from_error(Box::new(error)))
            };
            let response = match until {
                Some(at) => timeout_at(at, answer)
                    .await
                    .map_err(|_| deadline::passed())??,
                None => answer.await?,
            };
            Ok(response.map(|body| Body::new(DeadlineBody::new(Body::new(body), until))))
        })
    }
}
