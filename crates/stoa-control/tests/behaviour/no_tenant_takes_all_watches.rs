//! A tenant that watches more and more leaves others their share.

use crate::support;

use crate::support::{
    FOREIGN_KEY, Identity, Rig, Wire, assert_reason, create, next, next_of_all, until, watch,
    watch_rooms,
};
use stoa_api::v1::*;
use tonic::Code;

support::on_both_transports!(no_tenant_takes_all_watches);
async fn no_tenant_takes_all_watches(wire: Wire) {
    let rig = Rig::with(|config| config.service.watchers = 8).await;
    let mut home = rig.rooms(wire);
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    create(&mut home, "r").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(watch(&mut home, "r", 0).await);
    }
    let mut of_all = watch_rooms(&mut home, 0, false).await;
    next_of_all(&mut of_all).await;
    let (reason, code) = (ErrorReason::WatchLimitReached, Code::ResourceExhausted);
    let refused = home.watch_rooms(WatchRoomsRequest::default()).await;
    assert_reason(refused, reason, code);
    let mut theirs = watch_rooms(&mut foreign, 0, false).await;
    next_of_all(&mut theirs).await;
    let refused = home.watch_rooms(WatchRoomsRequest::default()).await;
    assert_reason(refused, reason, code);

    for mut watch in held {
        next(&mut watch).await;
    }
    until("their places are free", || rig.handle.stats().watchers == 2).await;
    watch(&mut home, "r", 0).await;
}
