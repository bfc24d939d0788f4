//! A room whose people are seated at several workers is heard as one over a single worker: the same
//! conversation gives every listener the same packets, on the same lines, with the same marks.

use std::time::Duration;

use stoa_sim::{ClientId, FRAME, Layout, Net, oracle};

const PEOPLE: usize = 6;

/// Somebody talks, or several do: who, how loud, and for how many frames. Nobody begins at the same moment
/// as another, and no more talk than there are slots: what is heard then does not hang on milliseconds.
const TURNS: [(&[(ClientId, u8)], u32); 7] = [
    (&[(0, 30)], 60),
    (&[(0, 30), (1, 25)], 30),
    (&[(1, 25)], 110),
    (&[(1, 25), (5, 40)], 60),
    (&[(5, 40), (1, 30), (2, 20)], 70),
    (&[(2, 20)], 150),
    (&[(2, 20), (3, 30)], 50),
];

/// What a listener hears of a packet, whatever the nodes have drawn for themselves.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    listener: ClientId,
    line: usize,
    sender: ClientId,
    number: u32,
    /// Counted from the first one on the line.
    seq: u64,
    marker: bool,
}

fn converse(layout: Layout) -> Net {
    let mut net = Net::laid_out(layout, 5);
    for n in 0..PEOPLE {
        net.join(&format!("p{n}"), 3);
    }
    net.run_for(Duration::from_millis(100));
    for (speakers, frames) in TURNS {
        net.speak(speakers, FRAME * frames);
    }
    net.run_for(Duration::from_millis(100));
    net
}

fn heard(net: &Net) -> Vec<Heard> {
    let packets = net.history().heard;
    let mut heard: Vec<Heard> = packets
        .iter()
        .map(|packet| {
            let place = (packet.listener, packet.line);
            let on_the_line = |other: &&stoa_sim::history::Packet| {
                (other.listener, other.line) == place && other.ssrc == packet.ssrc
            };
            let first = packets.iter().filter(on_the_line).map(|other| other.seq);
            Heard {
                listener: packet.listener,
                line: packet.line,
                sender: packet.sender,
                number: packet.number,
                seq: packet.seq - first.min().unwrap_or(0),
                marker: packet.marker,
            }
        })
        .collect();
    heard.sort_by_key(|heard| (heard.listener, heard.line, heard.seq));
    heard
}

#[test]
fn by_every_listener() {
    let lobby = true;
    let one = converse(Layout { workers: 1, lobby });
    let several = converse(Layout { workers: 3, lobby });
    for net in [&one, &several] {
        oracle::assert_holds(net);
    }
    let seats: Vec<u16> = (0..PEOPLE).map(|id| several.seat(id).0).collect();
    assert_eq!(seats, [0, 1, 2, 0, 1, 2]);
    assert!(several.is_seated_elsewhere(0) && !several.is_seated_elsewhere(1));

    let (expected, found) = (heard(&one), heard(&several));
    assert!(expected.len() > 3_000, "{} heard", expected.len());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    // All that was said, by all but who said it.
    for speaker in [0, 1, 2, 3, 5] {
        let spoken = several.clients[speaker].next_number();
        let others: Vec<ClientId> = (0..PEOPLE).filter(|&other| other != speaker).collect();
        let history = several.history();
        let missing = oracle::all_hear(&history, speaker, 0..spoken, &others, several.elapsed());
        oracle::assert_none(&missing);
    }
}
