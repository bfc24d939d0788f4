//! The `Node` service.

use std::{sync::Arc, time::SystemTime};

use stoa_api::v1::{self, SaturationLevel, node_server::Node};
use tonic::{Request, Response, Status};

use super::news;
use crate::{
    authenticate::caller,
    capacity::{Capacity, Level, Report},
    convert,
    directory::Directory,
    lifecycle::{Lifecycle, Standing},
    media::{Media, WorkerStatus},
};

/// What the node is and how it stands.
pub(crate) struct NodeService {
    pub(crate) version: String,
    pub(crate) start_time: SystemTime,
    pub(crate) media: Arc<dyn Media>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) capacity: Capacity,
}

#[tonic::async_trait]
impl Node for NodeService {
    async fn get_status(
        &self,
        request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::NodeStatus>, Status> {
        let caller = caller(&request)?;
        let (count, workers) = match caller.is_operator() {
            true => (self.directory.counts(), self.media.status()),
            false => (self.directory.counts_of(caller.tenant()), Vec::new()),
        };
        let saturation = self.capacity.report().map(|report| {
            let people = self.directory.counts().participants;
            saturation(&report, people, caller.is_operator())
        });
        let Standing {
            phase, deadline, ..
        } = self.lifecycle.standing();
        Ok(Response::new(v1::NodeStatus {
            version: self.version.clone(),
            start_time: Some(convert::timestamp(self.start_time)),
            state: news::state(phase).into(),
            room_count: convert::count(count.rooms),
            participant_count: convert::count(count.participants),
            workers: workers.into_iter().map(worker).collect(),
            saturation,
            drain_deadline: deadline.map(convert::timestamp),
        }))
    }
}

/// Whoever chooses a node has to know whether it is full; of what it is full is for who runs it.
fn saturation(report: &Report, people: usize, is_operator: bool) -> v1::Saturation {
    let level = match report.level {
        Level::Normal => SaturationLevel::Normal,
        Level::Soft => SaturationLevel::Soft,
        Level::Hard => SaturationLevel::Hard,
        Level::Full => SaturationLevel::Full,
    };
    let ratios = report.ratios.iter().filter(|_| is_operator);
    v1::Saturation {
        level: level.into(),
        saturation_ratio: report.saturation(),
        limiting_resource: report.limiting.name().to_owned(),
        fitting_listener_count: convert::count(report.fits(people)),
        saturation_ratios: ratios
            .map(|(resource, ratio)| (resource.name().to_owned(), *ratio))
            .collect(),
    }
}

fn worker(status: WorkerStatus) -> v1::WorkerStatus {
    v1::WorkerStatus {
        port: u32::from(status.port),
        room_count: convert::count(status.rooms),
        participant_count: convert::count(status.participants),
        seat_count: convert::count(status.seats),
        datagrams_received: status.datagrams_received,
        datagrams_sent: status.datagrams_sent,
        datagrams_dropped: status.datagrams_dropped.into_iter().collect(),
    }
}
