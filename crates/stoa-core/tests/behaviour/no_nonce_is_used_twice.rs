//! A key, an SSRC and an index never meet twice (RFC 3711, section 9.1): with AES-GCM that would give
//! the key away. Checked on the wire, for what the node seals itself and for what its media sessions
//! seal with the same keys, over 200,000 packets with their reports.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use stoa_sim::{FRAME, Fate, Net, oracle};

fn ssrcs(sealed: &HashSet<(u32, u64)>) -> BTreeSet<u32> {
    sealed.iter().map(|&(ssrc, _)| ssrc).collect()
}

#[test]
fn over_200_000_packets_with_reports() {
    let mut net = Net::new();
    let [ann, ben, cat, dan] = ["ann", "ben", "cat", "dan"].map(|name| net.join(name, 3));
    let mut count = 0_u32;
    net.on_uplink(move |_, _| {
        count += 1;
        match count % 50 {
            3 => Fate::Lose,
            30 => Fate::Delay(FRAME * 3),
            _ => Fate::Deliver,
        }
    });
    // Rolls the numbers of a slot over while two are held, with changes of who holds them.
    for _ in 0..11 {
        net.speak(&[(ann, 30), (ben, 30)], FRAME * 2_800);
        net.speak(&[(cat, 25), (ann, 30)], FRAME * 3_000);
        net.speak(&[(dan, 20)], FRAME * 400);
        net.run_for(Duration::from_secs(2));
        for client in &mut net.clients {
            client.heard.clear();
        }
    }
    net.hang_up(dan);
    net.run_for(Duration::from_secs(1));

    let found = oracle::no_nonce_is_used_twice(&net.history());
    oracle::assert_none(&found);

    let wires = [ann, ben, cat, dan].map(|id| net.sealed(id));
    let packets: usize = wires.iter().map(|wire| wire.rtp.len()).sum();
    assert!(packets > 200_000, "{packets}");
    let mut highest = wires.iter().flat_map(|wire| wire.highest.values());
    assert!(
        highest.any(|&highest| highest > 1 << 16),
        "none has rolled over"
    );
    for wire in wires {
        assert!(wire.rtcp.len() > 100, "{} reports", wire.rtcp.len());
        // What the media session sends, it sends as nobody who carries a voice.
        let (slots, rtcp) = (ssrcs(&wire.rtp), ssrcs(&wire.rtcp));
        assert!(rtcp.difference(&slots).count() <= 1, "{rtcp:?} {slots:?}");
    }
    // Those who speak are reported to, and so their sessions have an SSRC of their own.
    let both = wires.iter().filter(|wire| {
        let (slots, rtcp) = (ssrcs(&wire.rtp), ssrcs(&wire.rtcp));
        !rtcp.is_disjoint(&slots) && rtcp.difference(&slots).count() > 0
    });
    assert_eq!(both.count(), 4);
}
