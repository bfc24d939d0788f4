//! gRPC over HTTP/3 over QUIC.

use std::{net::UdpSocket, sync::Arc};

use quinn::{Endpoint, EndpointConfig, Incoming, ServerConfig, TokioRuntime, VarInt};
use stoa_h3::{QuicLimits, ServerLimits, serve_connection};
use stoa_redact::ClientAddress;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::{
    config::TransportLimits,
    connections::{Parting, Place},
    gate::Gate,
    handle::ControlHandle,
    lifecycle::{Lifecycle, Phase},
    tls::Tls,
};

/// When one in so many of the connections that may be are taken, in all or from their address, callers must
/// show that they receive at their address before anything is kept for them (a QUIC Retry): so nobody takes
/// all places of an address that is not theirs.
const RETRY_FRACTION: usize = 4;

/// What quinn may hold of one connection that is not accepted yet: a few datagrams of a handshake.
const INCOMING_BUFFER_BYTES: u64 = 16 * 1024;

/// Requests at a time of a connection on which nobody has shown a good credential. Each whose head is not complete costs
/// some kilobytes.
const STRANGERS_REQUESTS: u32 = 64;

/// Serves connections until the node stops and they have ended.
pub(super) async fn serve(
    socket: UdpSocket,
    mut tls: watch::Receiver<Tls>,
    gate: Gate,
    limits: TransportLimits,
    handle: ControlHandle,
) {
    let config = server_config(&tls.borrow_and_update(), &limits);
    let runtime = Arc::new(TokioRuntime);
    let endpoint = match Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime) {
        Ok(endpoint) => endpoint,
        Err(error) => return tracing::error!(%error, "HTTP/3 cannot be served"),
    };
    let server = Arc::new(Server {
        gate,
        limits,
        lifecycle: handle.lifecycle.clone(),
    });
    let mut connections = JoinSet::new();
    let mut stopping = Box::pin(handle.lifecycle.reached(Phase::Stopping));
    loop {
        let incoming = tokio::select! {
            () = &mut stopping => break,
            Some(ended) = connections.join_next() => {
                super::note(ended);
                continue;
            }
            // Its sender is in the handle.
            Ok(()) = tls.changed() => {
                let config = server_config(&tls.borrow_and_update(), &server.limits);
                endpoint.set_server_config(Some(config));
                continue;
            }
            Some(incoming) = endpoint.accept() => incoming,
        };
        let source = incoming.remote_address().ip();
        let busy = handle.connections.is_busy(source, RETRY_FRACTION);
        if busy && incoming.may_retry() && !incoming.remote_address_validated() {
            // It fails only for those who may not be asked again.
            let _ = incoming.retry();
            continue;
        }
        match handle.connections.enter(source) {
            Ok(place) => {
                connections.spawn(Arc::clone(&server).connection(incoming, place));
            }
            Err(crowded) => {
                tracing::debug!(reason = crowded.name(), "a connection was turned away");
                incoming.refuse();
            }
        }
    }
    endpoint.set_server_config(None);
    while let Some(ended) = connections.join_next().await {
        super::note(ended);
    }
    // The last packets tell the callers; whoever does not hear them is not waited for.
    let _ = timeout(server.limits.grace, endpoint.wait_idle()).await;
}

fn server_config(tls: &Tls, limits: &TransportLimits) -> ServerConfig {
    let transport = stoa_h3::transport_config(&QuicLimits {
        concurrent_requests: STRANGERS_REQUESTS.min(limits.streams_per_connection),
        stream_receive_window: limits.stream_window,
        receive_window: limits.connection_window,
        idle_timeout: limits.idle,
        keep_alive_interval: Some(limits.keep_alive),
        ..QuicLimits::default()
    });
    let mut config = ServerConfig::with_crypto(tls.http3.clone());
    config
        .transport_config(Arc::new(transport))
        .max_incoming(limits.connections)
        .incoming_buffer_size(INCOMING_BUFFER_BYTES)
        .incoming_buffer_size_total(INCOMING_BUFFER_BYTES * limits.connections as u64);
    config
}

/// Completes when a connection has to end at once.
async fn displaced(place: &Place) {
    if place.parting().await != Parting::Now {
        std::future::pending::<()>().await;
    }
}

struct Server {
    gate: Gate,
    limits: TransportLimits,
    lifecycle: Lifecycle,
}

impl Server {
    async fn connection(self: Arc<Self>, incoming: Incoming, place: Place) {
        let client = ClientAddress::from(incoming.remote_address());
        let begun = tokio::select! {
            begun = timeout(self.limits.handshake, async { incoming.accept()?.await }) => begun,
            () = self.lifecycle.reached(Phase::Stopping) => return,
            _ = place.parting() => return,
        };
        let connection = match begun {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return tracing::debug!(%client, %error, "no QUIC connection"),
            Err(_) => return tracing::debug!(%client, "no QUIC connection in time"),
        };
        let place = Arc::new(place);
        let requests = VarInt::from_u32(self.limits.streams_per_connection);
        let raised = connection.clone();
        let trusted = async {
            place.proven().await;
            raised.set_max_concurrent_bi_streams(requests);
            std::future::pending::<()>().await;
        };
        let gate = self.gate.of(Arc::clone(&place));
        let end = self.end(&place);
        let served = tokio::select! {
            served = serve_connection(connection, gate, self.http3_limits(), end) => served,
            () = trusted => return,
            () = displaced(&place) => return,
        };
        if let Err(error) = served {
            tracing::debug!(%client, %error, "an HTTP/3 connection ended with an error");
        }
    }

    /// Completes when nothing more is to be taken from a connection.
    async fn end(&self, place: &Place) {
        tokio::select! {
            () = self.lifecycle.reached(Phase::Stopping) => {}
            _ = place.parting() => {}
        }
    }

    fn http3_limits(&self) -> ServerLimits {
        ServerLimits {
            concurrent_requests: self.limits.streams_per_connection as usize,
            field_section_size: self.limits.header_list_bytes,
            header_timeout: self.limits.handshake,
            shutdown_grace: self.limits.grace,
            ..ServerLimits::default()
        }
    }
}
