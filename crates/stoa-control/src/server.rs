//! The server: sockets, TLS, and the two transports in front of one gate.

mod bind;
mod http2;
mod http3;
mod reload;

use std::{net::SocketAddr, sync::Arc};

use stoa_api::v1::{
    FILE_DESCRIPTOR_SET, bans_server::BansServer, node_server::NodeServer,
    rooms_server::RoomsServer,
};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
    time::timeout,
};
use tonic::service::Routes;
use tonic_health::{ServingStatus, server::HealthReporter};

pub use reload::{PreparedCertificates, PreparedReload};

use crate::{
    bans::Bans,
    bind_error::BindError,
    calls::Calls,
    capacity::Capacity,
    config::{ControlConfig, TransportLimits},
    connections::Connections,
    directory::Directory,
    entrance::{Entrance, Inside, LONGEST_VALIDITY, Ledger, Sources},
    gate::Gate,
    gauge::{Gauge, Tally},
    handle::ControlHandle,
    idempotency::{Requests, Tenants},
    lifecycle::{Lifecycle, Phase},
    media::{Media, Notice},
    pump::pump,
    resume::ResumeTokens,
    services::{BansService, NodeService, RoomsService},
    settings::{Current, Settings},
    tasks::one_ended,
    tls::Tls,
};
use bind::Sockets;

/// What the health service says about: the whole node, and each service.
const HEALTH_NAMES: [&str; 4] = [
    "",
    "stoa.control.v1.Rooms",
    "stoa.control.v1.Bans",
    "stoa.control.v1.Node",
];

/// The control API, bound to its addresses and not serving yet.
pub struct ControlServer {
    sockets: Vec<Sockets>,
    config: ControlConfig,
    handle: ControlHandle,
    bans: Bans,
}

impl ControlServer {
    /// Checks the certificates and keys without binding anything.
    ///
    /// # Errors
    /// [`BindError`] says what is wrong with a certificate.
    pub fn check(config: &ControlConfig) -> Result<(), BindError> {
        Tls::new(&config.identity, config.client_ca.as_ref()).map(drop)
    }

    /// Prepares TLS and binds every address for TCP and UDP. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`BindError`] names the address that is in use, the limit that is not possible, or what is
    /// wrong with the certificate.
    pub fn bind(config: ControlConfig) -> Result<Self, BindError> {
        if config.listen.is_empty() {
            return Err(BindError::NoAddress);
        }
        if let Some(name) = config.transport.impossible() {
            return Err(BindError::Limit(name));
        }
        let tls = Tls::new(&config.identity, config.client_ca.as_ref())?;
        let sockets = config
            .listen
            .iter()
            .map(|address| bind::bind(*address))
            .collect::<Result<_, _>>()?;
        let state = config.state_directory.as_deref();
        let bans = Bans::open(state, config.clock.clone(), LONGEST_VALIDITY)?;
        let directory = Directory::new(
            config.clock.clone(),
            config.service.events_per_room,
            config.service.events_per_tenant,
        );
        let current = Current::new(Settings::of(&config));
        let handle = ControlHandle {
            lifecycle: Lifecycle::new(),
            calls: Calls::new(),
            directory: Arc::new(directory),
            watchers: Gauge::default(),
            connections: Connections::new(config.transport.connections, current.clone())
                .displacing()
                .with_calls(config.service.calls_of_a_tenant),
            whip_connections: Connections::new(config.service.whip_connections, current.clone())
                .displacing(),
            resyncs: Tally::default(),
            tokens: config.tokens.clone(),
            capacity: Capacity::new(config.capacity.clone()),
            current,
            tls: Arc::new(watch::Sender::new(tls)),
        };
        Ok(Self {
            sockets,
            config,
            handle,
            bans,
        })
    }

    /// The addresses that are bound, in the order of the configuration, with the ports that were
    /// picked.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|sockets| sockets.address).collect()
    }

    /// Controls and observes the server, also while it serves.
    pub fn handle(&self) -> ControlHandle {
        self.handle.clone()
    }

    /// Takes up its work on these media workers; nobody is served yet.
    ///
    /// `notices` are the media workers' events, in order; see [`Media`].
    pub fn open(self, media: Arc<dyn Media>, notices: mpsc::Receiver<Notice>) -> OpenServer {
        let Self {
            sockets,
            config,
            handle,
            bans,
        } = self;
        let directory = Arc::clone(&handle.directory);
        let current = &handle.current;
        let ledger = Ledger::new(current.clone(), Arc::clone(&directory));
        let entrance = Entrance(Arc::new(Inside {
            media,
            directory,
            lifecycle: handle.lifecycle.clone(),
            capacity: handle.capacity.clone(),
            bans,
            resume: ResumeTokens::default(),
            ledger,
            sources: Sources::new(current.clone()),
            whip_connections: handle.whip_connections.clone(),
            tokens: config.tokens.clone(),
        }));
        OpenServer {
            sockets,
            config,
            handle,
            entrance,
            notices,
        }
    }

    /// [`ControlServer::open`] and [`OpenServer::serve`] in one.
    pub async fn serve(
        self,
        media: Arc<dyn Media>,
        notices: mpsc::Receiver<Notice>,
        shutdown: impl Future<Output = ()>,
    ) {
        self.open(media, notices).serve(shutdown).await;
    }
}

/// The control API at work on its media workers, before it serves.
pub struct OpenServer {
    sockets: Vec<Sockets>,
    config: ControlConfig,
    handle: ControlHandle,
    entrance: Entrance,
    notices: mpsc::Receiver<Notice>,
}

impl OpenServer {
    /// The way into the rooms, for whatever lets people in beside the control API.
    pub fn entrance(&self) -> Entrance {
        self.entrance.clone()
    }

    /// Serves until `shutdown` completes. Then nothing new is accepted, streams end with
    /// UNAVAILABLE and NODE_DRAINING, calls under way may go on for the grace period, and
    /// everything is closed when this returns. It returns early only after a fault of its own, which
    /// is logged as an error.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self {
            sockets,
            config,
            handle,
            entrance,
            notices,
        } = self;
        let limits = config.transport.clone();
        let lifecycle = handle.lifecycle.clone();
        let Inside {
            directory,
            media,
            resume,
            ..
        } = &*entrance.0;

        // Dropping the set ends what has not ended by itself.
        let mut background = JoinSet::new();
        background.spawn(pump(
            Arc::clone(directory),
            resume.clone(),
            Arc::clone(media),
            notices,
        ));
        let (routes, health) = routes(&config, &entrance, &handle);
        background.spawn(report_health(health, lifecycle.clone()));

        let gate = Gate::new(routes, entrance, &handle, &config);
        let mut transports = JoinSet::new();
        for Sockets {
            address: bound,
            tcp,
            udp,
        } in sockets
        {
            tracing::info!(address = %bound, "the control API is served over HTTP/2 and HTTP/3");
            transports.spawn(http2::serve(
                tcp,
                handle.tls.subscribe(),
                gate.clone(),
                limits.clone(),
                handle.clone(),
            ));
            transports.spawn(http3::serve(
                udp,
                handle.tls.subscribe(),
                gate.clone(),
                limits.clone(),
                handle.clone(),
            ));
        }

        tokio::select! {
            () = shutdown => {}
            // That a task ends by itself is no fault: the media workers may stop first.
            Some(Err(error)) = background.join_next() => {
                tracing::error!(%error, "the mirror of the rooms has failed; the control API stops");
            }
            // Callers would find a port that nobody serves.
            () = one_ended(&mut transports, "the control API") => {}
        }
        lifecycle.advance(Phase::Stopping);
        stop(transports, &limits).await;
    }
}

/// Says so if a connection's task ended by a fault; the others go on.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended by a fault");
    }
}

/// Waits for the transports, which keep to the grace period by themselves; a little longer in case
/// they do not.
async fn stop(mut transports: JoinSet<()>, limits: &TransportLimits) {
    let all = async { while transports.join_next().await.is_some() {} };
    if timeout(limits.grace * 2, all).await.is_err() {
        tracing::warn!("connections had to be cut");
    }
}

fn routes(
    config: &ControlConfig,
    entrance: &Entrance,
    handle: &ControlHandle,
) -> (Routes, HealthReporter) {
    let service = &config.service;
    let message_bytes = config.transport.message_bytes;
    let Inside {
        media,
        directory,
        lifecycle,
        ..
    } = &*entrance.0;
    let node = NodeService {
        version: config.version.clone(),
        start_time: config.start_time,
        media: Arc::clone(media),
        directory: Arc::clone(directory),
        lifecycle: lifecycle.clone(),
        capacity: handle.capacity.clone(),
    };
    let requests = Requests::new(service.request_ids, service.request_id_lifetime)
        .shared_by(Tenants::Of(handle.current.clone()));
    let bans = BansService {
        entrance: entrance.clone(),
        requests: requests.clone(),
    };
    let rooms = RoomsService {
        entrance: entrance.clone(),
        media: Arc::clone(media),
        directory: Arc::clone(directory),
        requests,
        current: handle.current.clone(),
        lifecycle: lifecycle.clone(),
        watchers: handle.watchers.clone(),
        resyncs: handle.resyncs.clone(),
        watch_limit: service.watchers,
        bookmark: service.bookmark,
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let fits = "the descriptors are compiled in";
    let routes = Routes::new(RoomsServer::new(rooms).max_decoding_message_size(message_bytes))
        .add_service(NodeServer::new(node).max_decoding_message_size(message_bytes))
        .add_service(BansServer::new(bans).max_decoding_message_size(message_bytes))
        .add_service(health.max_decoding_message_size(message_bytes))
        .add_service(
            reflection()
                .build_v1()
                .expect(fits)
                .max_decoding_message_size(message_bytes),
        )
        .add_service(
            reflection()
                .build_v1alpha()
                .expect(fits)
                .max_decoding_message_size(message_bytes),
        );
    (routes, reporter)
}

async fn report_health(reporter: HealthReporter, lifecycle: Lifecycle) {
    let mut standings = lifecycle.standings();
    loop {
        let status = match standings.borrow_and_update().phase {
            Phase::Serving => ServingStatus::Serving,
            Phase::Draining | Phase::Stopping => ServingStatus::NotServing,
        };
        for name in HEALTH_NAMES {
            reporter.set_service_status(name, status).await;
        }
        if standings.changed().await.is_err() {
            return;
        }
    }
}
