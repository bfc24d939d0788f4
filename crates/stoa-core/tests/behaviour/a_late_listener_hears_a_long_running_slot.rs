//! Whoever joins after a slot's numbers have rolled over hears it, and so does whoever was there all
//! the time: the roll-over counter of SRTP is each listener's own (RFC 3711, section 3.3.1).

use std::time::Duration;

use stoa_sim::{FRAME, Net};

#[test]
fn after_the_65_536th_packet() {
    let mut net = Net::new();
    let (ann, early) = (net.join("ann", 3), net.join("early", 3));
    net.speak(&[(ann, 30)], FRAME * 65_600);
    assert_eq!(net.clients[early].heard.len(), 65_600);
    let (first, last) = (
        &net.clients[early].heard[0],
        &net.clients[early].heard[65_599],
    );
    assert_eq!(*last.packet.seq_no - *first.packet.seq_no, 65_599);
    net.forget_heard();

    let late = net.join("late", 3);
    net.speak(&[(ann, 30)], Duration::from_secs(1));
    net.run_for(Duration::from_millis(100));
    for listener in [early, late] {
        assert_eq!(net.clients[listener].voices(), [ann], "{listener}");
        assert_eq!(net.clients[listener].heard.len(), 50, "{listener}");
    }
}
