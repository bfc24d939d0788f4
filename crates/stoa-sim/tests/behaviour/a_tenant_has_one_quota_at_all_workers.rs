//! A tenant whose rooms are at home with several workers forwards from all of them together what it may, and
//! where its rooms want it.

use std::time::Duration;

use stoa_core::{DropReason, PacketQuota, TenantId};
use stoa_sim::{ClientId, FRAME, Layout, Net, oracle, room};

const LAYOUT: Layout = Layout {
    workers: 2,
    lobby: true,
};

const PER_SECOND: usize = 200;

/// Packets to four listeners: the most that one of two workers is over its share by.
const LISTENERS: usize = 4;

struct Hall {
    talker: ClientId,
    listeners: Vec<ClientId>,
}

impl Hall {
    fn new(net: &mut Net, name: &str) -> Self {
        net.create_room(name);
        let mut join = |number: usize| net.join_room(name, &number.to_string(), 3);
        Self {
            talker: join(0),
            listeners: (1..=LISTENERS).map(join).collect(),
        }
    }

    fn heard(&self, net: &Net) -> usize {
        let heard = self.listeners.iter().map(|&id| net.clients[id].heard.len());
        heard.sum()
    }
}

/// The most that left in any second.
fn most_in_a_second(net: &Net) -> usize {
    let history = net.history();
    let mut left: Vec<_> = history.heard.iter().map(|packet| packet.left).collect();
    left.sort_unstable();
    let second = Duration::from_secs(1);
    let in_a_second = |&from: &Duration| {
        left.partition_point(|&left| left < from + second)
            - left.partition_point(|&left| left < from)
    };
    left.iter().map(in_a_second).max().unwrap_or(0)
}

#[test]
fn and_it_is_where_it_is_wanted() {
    let mut net = Net::laid_out(LAYOUT, 3);
    let [ann, ben] = ["a/x", "a/y"].map(|name| Hall::new(&mut net, name));
    let homes = ["a/x", "a/y"].map(|name| net.node.home_of(&room(name)));
    assert_ne!(homes[0], homes[1]);
    let quota = PacketQuota {
        tenant: TenantId::new("a").unwrap(),
        packets_per_second: PER_SECOND as u64,
    };
    net.node.set_quotas(net.now(), &[quota]);
    net.drain_node();
    let withheld = |net: &Net| net.stats().dropped(DropReason::OverQuota);

    // One room alone wants 200 packets a second, and has nearly all of them soon.
    net.speak(&[(ann.talker, 30)], Duration::from_secs(2));
    net.forget_heard();
    net.speak(&[(ann.talker, 30)], Duration::from_secs(10));
    net.run_for(FRAME);
    let heard = ann.heard(&net);
    assert!((1_900..=2_000).contains(&heard), "{heard}");

    // Both want 400 together.
    let before = withheld(&net);
    net.forget_heard();
    let talk = [(ann.talker, 30), (ben.talker, 30)];
    net.speak(&talk, Duration::from_secs(10));
    net.run_for(FRAME * 2);
    let (first, second) = (ann.heard(&net), ben.heard(&net));
    assert_eq!((first + second) as u64 + withheld(&net) - before, 4_000);
    let all = first + second;
    assert!((1_950..=2_048).contains(&all), "{all}");
    assert!(first > 900 && second > 800, "{first} and {second}");
    let most = most_in_a_second(&net);
    let burst = PER_SECOND / 5;
    assert!(most < PER_SECOND + burst + 2 * LISTENERS, "{most}");

    // The other one alone.
    net.speak(&[(ben.talker, 30)], Duration::from_secs(8));
    net.forget_heard();
    net.speak(&[(ben.talker, 30)], Duration::from_secs(10));
    net.run_for(FRAME * 2);
    let heard = ben.heard(&net);
    assert!((1_900..=2_000).contains(&heard), "{heard}");
    oracle::assert_holds(&net);
}
