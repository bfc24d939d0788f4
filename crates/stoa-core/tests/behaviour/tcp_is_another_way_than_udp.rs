//! Somebody who comes by TCP is heard by one who comes by UDP, and the other way round; and an address
//! that has been proven over one transport is a stranger's over the other.

use std::time::Duration;

use stoa_core::{DropReason, Endpoint, Transport};
use stoa_sim::{
    ClientId, Layout, Net,
    stun::{attribute, check, check_of},
};

/// Ann has UDP, Tom has TCP only.
fn room_with_two(mut net: Net) -> (Net, ClientId, ClientId) {
    let ann = net.join("ann", 3);
    let tom = net.admit_over(Transport::Tcp, "room", "tom", 3).unwrap();
    net.wait_until_connected(tom);
    (net, ann, tom)
}

fn both_hear_each_other(net: &mut Net, ann: ClientId, tom: ClientId) {
    net.forget_heard();
    net.speak(&[(ann, 30), (tom, 30)], Duration::from_millis(500));
    net.run_for(Duration::from_millis(50));
    assert_eq!(net.clients[ann].voices(), [tom]);
    assert_eq!(net.clients[tom].voices(), [ann]);
}

fn tcp(net: &Net, id: ClientId) -> Endpoint {
    Endpoint::tcp(net.clients[id].outer)
}

#[test]
fn they_hear_each_other() {
    let (mut net, ann, tom) = room_with_two(Net::new());
    both_hear_each_other(&mut net, ann, tom);
}

#[test]
fn they_hear_each_other_after_a_lobby() {
    let layout = Layout {
        workers: 2,
        lobby: true,
    };
    let (mut net, ann, tom) = room_with_two(Net::laid_out(layout, 1));
    both_hear_each_other(&mut net, ann, tom);
}

#[test]
fn the_answer_names_the_same_address_for_both_and_prefers_udp() {
    let (net, ann, _) = room_with_two(Net::new());
    let candidates: Vec<Vec<&str>> = net.clients[ann]
        .answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .map(|line| line.split(' ').collect())
        .collect();
    let [udp, tcp] = &candidates[..] else {
        panic!("{candidates:?}");
    };
    assert_eq!((udp[2], tcp[2]), ("udp", "tcp"));
    assert_eq!(udp[4..6], tcp[4..6]);
    assert_eq!(tcp[6..10], ["typ", "host", "tcptype", "passive"]);
    let priority = |candidate: &[&str]| candidate[3].parse::<u32>().unwrap();
    assert!(priority(udp) > priority(tcp));
}

#[test]
fn what_is_proven_over_one_is_not_over_the_other() {
    let (mut net, ann, tom) = room_with_two(Net::new());
    let packet = [[0x90, 111].as_slice(), &[7; 120]].concat();
    let unknown = |net: &Net| net.stats().dropped(DropReason::UnknownAddress);
    let before = unknown(&net);
    let over_tcp = tcp(&net, ann);
    assert!(net.inject(over_tcp, &packet).is_empty());
    let over_udp = net.clients[tom].outer;
    assert!(net.inject(over_udp, &packet).is_empty());
    assert_eq!(unknown(&net), before + 2);

    // And somebody else may be there: Tom's credential, from Ann's address.
    let datagram = check_of(&mut net.clients[tom], false);
    let answers = net.inject(over_tcp, &datagram);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].destination, over_tcp);
    both_hear_each_other(&mut net, ann, tom);
}

#[test]
fn a_connection_without_a_credential_gets_no_answer() {
    let (mut net, ann, tom) = room_with_two(Net::new());
    let from = Endpoint::tcp("198.51.100.66:6666".parse().unwrap());
    let user = format!("{}:somebody", attribute(&net.clients[ann], "a=ice-ufrag:"));
    let refused = net.stats().dropped(DropReason::StunRefused);
    assert!(net.inject(from, &check(&user, "wrong", true)).is_empty());
    assert_eq!(net.stats().dropped(DropReason::StunRefused), refused + 1);
    both_hear_each_other(&mut net, ann, tom);
}

#[test]
fn a_closed_connection_is_forgotten() {
    let (mut net, ann, tom) = room_with_two(Net::new());
    let (gone, now) = (tcp(&net, tom), net.now());
    // He has come from elsewhere, too, before the connection breaks.
    let other = Endpoint::tcp("198.51.100.7:7777".parse().unwrap());
    let datagram = check_of(&mut net.clients[tom], false);
    assert_eq!(net.inject(other, &datagram).len(), 1);
    net.node.handle_disconnect(now, gone);
    let unknown = net.stats().dropped(DropReason::UnknownAddress);
    assert!(net.inject(gone, &[0x80; 50]).is_empty());
    assert_eq!(net.stats().dropped(DropReason::UnknownAddress), unknown + 1);

    // What he hears goes where he still is.
    net.speak(&[(ann, 30)], Duration::from_millis(100));
    let bytes = net.traffic[&other.address].bytes_out;
    net.speak(&[(ann, 30)], Duration::from_millis(200));
    assert!(net.traffic[&other.address].bytes_out > bytes + 500);
}
