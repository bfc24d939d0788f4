//! A tenant that lets many in within a second, and a person who joins over and over, are told when to come back;
//! others are not touched.

use crate::support;

use std::time::Duration;

use crate::support::{
    FOREIGN_KEY, Identity, Rig, Wire, create, join, join_request,
    quotas::{assert_rate, rig},
};
use stoa_control::Quotas;
use tokio::task::JoinSet;

support::on_both_transports!(a_tenant_has_a_rate);
async fn a_tenant_has_a_rate(wire: Wire) {
    let rig = rig(Quotas {
        joins_per_second: Some(1),
        ..Quotas::default()
    })
    .await;
    let mut rooms = rig.rooms(wire);
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    for rooms in [&mut rooms, &mut foreign] {
        create(rooms, "r").await;
    }
    let mut joins = JoinSet::new();
    for number in 0..50 {
        let mut rooms = rooms.clone();
        let request = join_request("r", &format!("p{number}"));
        joins.spawn(async move { rooms.join(request).await });
    }
    let (mut admitted, mut longest) = (0, Duration::ZERO);
    while let Some(joined) = joins.join_next().await {
        match joined.expect("no panic") {
            Ok(_) => admitted += 1,
            refused => longest = longest.max(assert_rate(refused, "tenant")),
        }
    }
    // Fifty would take fifty seconds.
    assert!((1..50).contains(&admitted), "{admitted}");
    assert!(longest <= Duration::from_secs(1), "{longest:?}");
    for number in 0..20 {
        join(&mut foreign, "r", &format!("p{number}")).await;
    }
    // bounded: by what the answer said
    tokio::time::sleep(longest).await;
    rooms.join(join_request("r", "later")).await.expect("in");
}

support::on_both_transports!(one_person_has_a_rate);
async fn one_person_has_a_rate(wire: Wire) {
    let rig = Rig::with(|config| config.service.joins_per_subject = 2).await;
    let mut rooms = rig.rooms(wire);
    let mut foreign = rig.rooms_of(wire, Identity::Key(FOREIGN_KEY));
    for rooms in [&mut rooms, &mut foreign] {
        create(rooms, "r").await;
    }
    create(&mut rooms, "s").await;
    join(&mut rooms, "r", "a").await;
    join(&mut rooms, "s", "a").await;
    let refused = rooms.join(join_request("r", "a")).await;
    assert_rate(refused, "subject");
    join(&mut rooms, "r", "b").await;
    join(&mut foreign, "r", "a").await;
}
