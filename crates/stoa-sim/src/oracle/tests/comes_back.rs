//! What oracles know of those who come back by a new session, as who they were.

use super::*;

#[test]
fn a_gap_is_explained_by_what_was_lost_of_a_voice_that_came_back() {
    let mut history = history();
    // In place of Ann's packets 40 to 59 Ben is sent Cem's, who has come back as client 4; and the network
    // loses them all, but for one, which had been lost on its way to the node.
    let (cem, again) = (2, 4);
    let csrc = Some(history.members[cem].csrc);
    history.members.push(history.members[cem].clone());
    history
        .heard
        .retain(|packet| packet.listener != 1 || !(40..60).contains(&packet.number));
    for number in (40..60_u16).filter(|&number| number != 50) {
        history.members[1].lost.push(SentPacket {
            left: FRAME * u32::from(number),
            ssrc: 7,
            sequence_number: 500 + number,
            csrc,
        });
    }
    assert_eq!(rules(&history), [Rule::Stream]);
    history.members[again].missing.insert(0, FRAME * 50);
    assert_eq!(rules(&history), []);
}
