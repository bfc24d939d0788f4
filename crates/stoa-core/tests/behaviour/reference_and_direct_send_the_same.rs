//! Whether the node seals a packet itself or leaves it to each listener's media session, listeners get
//! the same: a conversation with changes of speaker, loss, reordering and pauses, through both paths.

use std::time::Duration;

use stoa_core::{EgressPath, Limits};
use stoa_sim::{FRAME, Fate, Net};

/// What a listener can tell of a packet. Sequence and time begin anywhere, so they count from the
/// first packet of the line.
#[derive(Debug, PartialEq, Eq)]
struct Packet {
    at: Duration,
    line: usize,
    seq: u64,
    time: u32,
    marker: bool,
    payload_type: u8,
    csrc: usize,
    level: Option<i8>,
    voice: Option<bool>,
    payload: Vec<u8>,
}

/// What every client has heard.
fn converse(egress: EgressPath) -> Vec<Vec<Packet>> {
    let mut net = Net::with_egress(Limits::default(), [7; 32], egress);
    let [ann, ben, cat] = ["ann", "ben", "cat"].map(|name| net.join(name, 3));
    net.join("dan", 1);
    net.join("eve", 2);
    let mut datagrams = 0_u32;
    net.on_uplink(move |_, _| {
        datagrams += 1;
        match datagrams % 40 {
            7 => Fate::Lose,
            20 => Fate::Delay(FRAME * 2),
            _ => Fate::Deliver,
        }
    });
    let second = Duration::from_secs(1);
    net.speak(&[(ann, 30)], second);
    net.speak(&[(ann, 30), (ben, 40)], second);
    net.run_for(second);
    net.speak(&[(cat, 25), (ben, 35)], second * 2);
    let late = net.join("late", 3);
    net.speak(&[(ann, 20), (ben, 30), (cat, 35), (late, 45)], second * 2);
    net.run_for(second);
    net.speak(&[(ben, 30)], second);
    net.run_for(second);

    let clients = 0..net.clients.len();
    clients.map(|client| heard(&net, client)).collect()
}

fn heard(net: &Net, client: usize) -> Vec<Packet> {
    let heard = &net.clients[client].heard;
    let packets = heard.iter().map(|packet| {
        let first = net.clients[client].on_line(packet.line).next().unwrap();
        let header = &packet.packet.header;
        let csrcs = (0..net.clients.len()).map(|id| net.csrc(id));
        Packet {
            at: packet.at,
            line: packet.line,
            seq: packet.packet.seq_no.wrapping_sub(*first.packet.seq_no),
            time: header.timestamp.wrapping_sub(first.packet.header.timestamp),
            marker: header.marker,
            payload_type: *header.payload_type,
            csrc: csrcs
                .into_iter()
                .position(|csrc| csrc == packet.csrc())
                .unwrap(),
            level: header.ext_vals.audio_level,
            voice: header.ext_vals.voice_activity,
            payload: packet.packet.payload.to_vec(),
        }
    });
    packets.collect()
}

#[test]
fn the_same_conversation_arrives_on_both() {
    let direct = converse(EgressPath::Direct);
    let reference = converse(EgressPath::Reference);
    assert_eq!(direct.len(), reference.len());
    for (client, (direct, reference)) in direct.iter().zip(&reference).enumerate() {
        assert!(direct.len() > 200, "client {client}: {}", direct.len());
        assert_eq!(direct.len(), reference.len(), "client {client}");
        for (direct, reference) in direct.iter().zip(reference) {
            assert_eq!(direct, reference, "client {client}");
        }
    }
}
