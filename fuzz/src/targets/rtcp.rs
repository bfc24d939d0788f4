//! A compound RTCP packet with a valid tag.
//!
//! `line` in it stands for the SSRC on which its sender hears the first slot, so that an input can report on it.
//! What is made of the reports is in its range; nobody else is told of anything, and nobody is thrown out but who
//! says goodbye.

use crate::{input::Input, scene};

/// In an input: the SSRC of a line.
pub(crate) const LINE: [u8; 4] = *b"line";

pub(super) fn run(bytes: &[u8]) {
    let mut compound = Input(bytes).rest().to_vec();
    if compound.len() < 8 {
        return;
    }
    scene::with(|scene| {
        let ssrc = scene.liar.line_ssrc().to_be_bytes();
        for at in 0..compound.len().saturating_sub(3) {
            if compound[at..at + 4] == LINE {
                compound[at..at + 4].copy_from_slice(&ssrc);
            }
        }
        compound[0] = 0x80 | compound[0] & 0x3f;
        // RFC 5761, section 4.
        compound[1] = 192 + compound[1] % 32;
        let sealed = scene.liar.sealer().rtcp(&compound).expect("a header");
        let from = scene.liar.address;
        let sent = scene.inject(from, &sealed);
        let others = sent.iter().filter(|sent| sent.destination != from.into());
        assert_eq!(others.count(), 0, "others were told of it");
        let reception = scene.node.reception(&scene::room(), scene.liar.id());
        if let Ok(Some(reception)) = reception {
            assert!((0.0..=1.0).contains(&reception.fraction_lost));
        }
        scene.others_hear_each_other();
    });
}
