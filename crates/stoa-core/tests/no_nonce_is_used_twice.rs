//! A key, an SSRC and an index never meet twice (RFC 3711, section 9.1): with AES-GCM that would give
//! the key away. Checked on the wire, for what the node seals itself and for what its media sessions
//! seal with the same keys, over 200,000 packets with their reports.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use stoa_sim::{ClientId, FRAME, Fate, Net};

/// The bit that says that an SRTCP packet is encrypted, in front of its index.
const ENCRYPTED: u32 = 1 << 31;

/// Everything that was seen of one direction of one session: one RTP key, one RTCP key.
#[derive(Default)]
struct Wire {
    /// By SSRC, the highest sequence number with its roll-overs.
    highest: HashMap<u32, u64>,
    rtp: HashSet<(u32, u64)>,
    rtcp: HashSet<(u32, u32)>,
}

fn word(datagram: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap())
}

impl Wire {
    fn see(&mut self, datagram: &[u8]) {
        if datagram[0] >> 6 != 2 {
            return;
        }
        if (192..=223).contains(&datagram[1]) {
            // AES-GCM: the word with the index is the last one (RFC 7714, section 9.2).
            let index = word(datagram, datagram.len() - 4);
            assert_eq!(index & ENCRYPTED, ENCRYPTED);
            let ssrc = word(datagram, 4);
            assert!(
                self.rtcp.insert((ssrc, index)),
                "SRTCP {ssrc} {index} twice"
            );
        } else {
            let ssrc = word(datagram, 8);
            let seq = u16::from_be_bytes([datagram[2], datagram[3]]);
            let index = self.index(ssrc, seq);
            assert!(self.rtp.insert((ssrc, index)), "SRTP {ssrc} {index} twice");
        }
    }

    /// RFC 3711, section 3.3.1.
    fn index(&mut self, ssrc: u32, seq: u16) -> u64 {
        let highest = self.highest.entry(ssrc).or_insert(seq.into());
        let ahead = seq.wrapping_sub(*highest as u16);
        let index = match ahead < 1 << 15 {
            true => *highest + u64::from(ahead),
            false => *highest - u64::from(ahead.wrapping_neg()),
        };
        *highest = (*highest).max(index);
        index
    }
}

#[test]
fn over_200_000_packets_with_reports() {
    let mut net = Net::new();
    let [ann, ben, cat, dan] = ["ann", "ben", "cat", "dan"].map(|name| net.join(name, 3));
    let wires = Rc::new(RefCell::new(HashMap::<ClientId, Wire>::new()));
    let seen = Rc::clone(&wires);
    net.on_downlink(move |client, datagram| {
        seen.borrow_mut().entry(client).or_default().see(datagram);
        Fate::Deliver
    });
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

    let wires = wires.borrow();
    let packets: usize = wires.values().map(|wire| wire.rtp.len()).sum();
    assert!(packets > 200_000, "{packets}");
    let mut highest = wires.values().flat_map(|wire| wire.highest.values());
    assert!(
        highest.any(|&highest| highest > 1 << 16),
        "none has rolled over"
    );
    for wire in wires.values() {
        assert!(wire.rtcp.len() > 100, "{} reports", wire.rtcp.len());
        // What the media session sends, it sends as nobody who carries a voice.
        let slots: BTreeSet<_> = wire.rtp.iter().map(|&(ssrc, _)| ssrc).collect();
        let rtcp: BTreeSet<_> = wire.rtcp.iter().map(|&(ssrc, _)| ssrc).collect();
        assert!(rtcp.difference(&slots).count() <= 1, "{rtcp:?} {slots:?}");
    }
    // Those who speak are reported to, and so their sessions have an SSRC of their own.
    let both = wires.values().filter(|wire| {
        let slots: BTreeSet<_> = wire.rtp.iter().map(|&(ssrc, _)| ssrc).collect();
        wire.rtcp.iter().any(|(ssrc, _)| slots.contains(ssrc))
            && wire.rtcp.iter().any(|(ssrc, _)| !slots.contains(ssrc))
    });
    assert_eq!(both.count(), 4);
}
