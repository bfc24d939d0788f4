//! A client whose NAT gives it another address goes on talking and listening: its next ICE check
//! shows where it is.

use std::time::Duration;

use stoa_sim::Net;

/// Clients check at least this often while they are connected.
const CHECK_INTERVAL: Duration = Duration::from_secs(6);

#[test]
fn both_ways_after_the_next_check() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    let old = net.clients[ann].outer;
    net.rebind(ann, "192.0.2.7:5555".parse().unwrap());
    net.speak(&[(ann, 30), (ben, 30)], CHECK_INTERVAL);
    net.forget_heard();
    let sent_to_old = net.traffic[&old].bytes_out;
    net.speak(&[(ann, 30), (ben, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(50));

    assert_eq!(net.clients[ben].voices(), [ann]);
    assert_eq!(net.clients[ben].heard.len(), 50);
    assert_eq!(net.clients[ann].voices(), [ben]);
    assert_eq!(net.clients[ann].heard.len(), 50);
    assert_eq!(
        net.traffic[&old].bytes_out, sent_to_old,
        "the old address is left alone"
    );
}

#[test]
fn again_and_again() {
    let mut net = Net::new();
    let (ann, ben) = (net.join("ann", 3), net.join("ben", 3));
    for hop in 0..10 {
        net.rebind(ann, format!("192.0.2.{}:6000", hop + 1).parse().unwrap());
        net.speak(&[(ann, 30), (ben, 30)], CHECK_INTERVAL);
        net.forget_heard();
        net.speak(&[(ann, 30), (ben, 30)], Duration::from_millis(500));
        net.run_for(Duration::from_millis(50));
        assert_eq!(net.clients[ben].heard.len(), 25, "after hop {hop}");
        assert_eq!(net.clients[ann].heard.len(), 25, "after hop {hop}");
    }
    assert_eq!(net.stats().participants, 2);
}
