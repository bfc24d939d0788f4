//! What all requests share.

use std::{net::IpAddr, sync::Arc};

use stoa_api::v1::ErrorReason;
use stoa_control::{Entrance, Place};
use stoa_token::Grant;
use tokio::sync::watch;

use crate::{config::Pages, problem::Problem, sessions::Sessions};

/// What all requests share.
pub(crate) struct Service {
    pub(crate) entrance: Entrance,
    pub(crate) pages: watch::Receiver<Arc<Pages>>,
    pub(crate) sessions: Sessions,
}

impl Service {
    /// What holds now.
    pub(crate) fn pages(&self) -> Arc<Pages> {
        Arc::clone(&self.pages.borrow())
    }

    /// What the request's token grants. A source that has shown too many bad ones is not looked at.
    pub(crate) fn grant(&self, token: &str, via: &Via) -> Result<Grant, Problem> {
        let grant = self.entrance.grant(token, Some(via.source));
        let grant = grant.map_err(|failure| match failure.reason() {
            ErrorReason::TokenInvalid => Problem::token(),
            _ => failure.into(),
        })?;
        via.place.keep(&grant.tenant);
        Ok(grant)
    }
}

/// By what a request came.
#[derive(Clone)]
pub(crate) struct Via {
    /// From where.
    pub(crate) source: IpAddr,
    /// The place of its connection, which is kept by whoever shows a good token.
    pub(crate) place: Arc<Place>,
}
