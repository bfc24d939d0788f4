//! What somebody with valid keys can send that no client would, and how much of it is taken.

use std::time::Duration;

use stoa_core::{DropReason, limits::MAX_REPORTS_PER_SECOND, limits::PACE_BURST};
use stoa_fuzz::scene::{self, Scene};

/// Lets the liar speak as a browser does that has been heard: without a MID.
fn liar_says(scene: &mut Scene, frames: u64) -> usize {
    let before = scene.ben.heard;
    for _ in 0..frames {
        let liar = &mut scene.liar;
        liar.index += 1;
        let (index, ssrc) = (liar.index, liar.ssrc());
        let mut header = vec![0x80, liar.opus()];
        header.extend((index as u16).to_be_bytes());
        header.extend((index as u32 * 960).to_be_bytes());
        header.extend(ssrc.to_be_bytes());
        let packet = liar.sealer().rtp(&header, &[0x55; 80], index);
        let from = liar.address;
        scene.inject(from, &packet.expect("a header"));
        scene.pass(Duration::from_millis(20));
    }
    scene.ben.heard - before
}

#[test]
fn reports_are_taken_as_often_as_clients_have_something_to_report() {
    const SENT: u64 = 1_000;
    scene::with(|scene| {
        let line = scene.liar.line_ssrc().to_be_bytes();
        let ssrc = scene.liar.ssrc().to_be_bytes();
        for _ in 0..SENT {
            let mut report = vec![0x81, 201, 0, 7];
            report.extend(ssrc);
            report.extend(line);
            report.extend([0; 20]);
            let sealed = scene.liar.sealer().rtcp(&report).expect("a header");
            let from = scene.liar.address;
            assert!(scene.inject(from, &sealed).is_empty());
        }
        let most = u64::from(MAX_REPORTS_PER_SECOND) * PACE_BURST.as_secs();
        let dropped = scene.stats().dropped(DropReason::OverRate);
        assert_eq!(dropped, SENT - most);
        scene.others_hear_each_other();
    });
}

/// The address of a participant may be forged, and the SSRC of a packet moves the stream of its line in str0m before
/// its tag is looked at.
#[test]
fn nobody_is_silenced_by_a_forged_packet_with_their_mid() {
    scene::with(|scene| {
        assert!(liar_says(scene, 20) >= 19);
        let mid = scene.liar.answered("mid").as_bytes().to_vec();
        let extension = scene.liar.mid_extension();
        for number in 0..5_u8 {
            let mut forged = vec![
                0x90,
                scene.liar.opus(),
                0,
                number,
                0,
                0,
                0,
                0,
                0xee,
                1,
                2,
                number,
            ];
            let mut body = vec![extension << 4 | (mid.len() as u8 - 1)];
            body.extend(&mid);
            body.resize(body.len().next_multiple_of(4), 0);
            forged.extend([0xbe, 0xde, 0, (body.len() / 4) as u8]);
            forged.extend(body);
            forged.extend([0; 90]);
            let from = scene.liar.address;
            scene.inject(from, &forged);
            assert_eq!(liar_says(scene, 10), 10);
        }
    });
}
