//! RTP that was not agreed on goes nowhere, is counted, and harms nobody. A new SSRC is no such thing: the
//! packet's MID says whose line it is (RFC 9143, section 9.2), and a client may change its SSRC.

use std::time::Duration;

use stoa_core::DropReason;
use stoa_sim::{FRAME, Lie, Net};

fn send_ten(lie: Lie) -> (Net, usize, usize) {
    let mut net = Net::new();
    let (liar, listener) = (net.join("liar", 3), net.join("listener", 3));
    net.speak(&[(liar, 30)], Duration::from_millis(200));
    net.run_for(Duration::from_millis(50));
    net.forget_heard();
    for _ in 0..10 {
        net.lie(liar, 0, lie);
        net.run_for(FRAME);
    }
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[listener].heard.len(), 0, "{lie:?}");
    (net, liar, listener)
}

fn is_heard_again(mut net: Net, liar: usize, listener: usize) {
    net.speak(&[(liar, 30)], Duration::from_millis(200));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[listener].heard.len(), 10);
}

#[test]
fn a_new_ssrc_on_the_microphones_line_is_the_same_voice() {
    let mut net = Net::new();
    let (ann, listener) = (net.join("ann", 3), net.join("listener", 3));
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    for _ in 0..10 {
        net.lie(ann, 30, Lie::Ssrc(0xdead_beef));
        net.run_for(FRAME);
    }
    net.run_for(Duration::from_millis(50));
    let heard: Vec<_> = net.clients[listener].on_line(0).collect();
    assert_eq!(heard.len(), 20);
    for pair in heard.windows(2) {
        let [before, after] = [0, 1].map(|n| &pair[n].packet);
        assert_eq!(*after.seq_no, *before.seq_no + 1);
        assert_eq!(after.header.ssrc, before.header.ssrc, "the slot's own");
    }
}

#[test]
fn a_payload_type_that_was_not_agreed_on() {
    let (net, liar, listener) = send_ten(Lie::PayloadType);
    assert_eq!(net.stats().dropped(DropReason::RtpRefused), 10);
    is_heard_again(net, liar, listener);
}

#[test]
fn a_line_that_was_for_listening() {
    let (net, liar, listener) = send_ten(Lie::Line(1));
    let stats = net.stats();
    let refused = stats.dropped(DropReason::RtpRefused) + stats.dropped(DropReason::NotMicrophone);
    assert_eq!(refused, 10);
    is_heard_again(net, liar, listener);
}
