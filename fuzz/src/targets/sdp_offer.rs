//! An SDP offer, of somebody who comes and of somebody who is there.
//!
//! It is answered for each of its media lines, or refused and nothing has changed; the same offer again restarts
//! nothing that it should not, and WHIP reads of it what it reads.

use stoa_core::{Error, limits::MAX_OFFER_BYTES};
use stoa_whip::fuzz::{attribute, restarted, ways};

use crate::scene;

/// What an answer has for each line of the offer, at most, beside what it repeats.
const LINE_BYTES: usize = 4_096;

const USER: &str = "user";
const PASSWORD: &str = "a password of ICE characters";

pub(super) fn run(bytes: &[u8]) {
    let Ok(offer) = str::from_utf8(bytes) else {
        return;
    };
    let again = restarted(offer, USER, PASSWORD);
    assert_eq!(ways(&again), ways(offer), "a restart changes the ways");
    if attribute(offer, "ice-ufrag").is_some() {
        assert_eq!(attribute(&again, "ice-ufrag"), Some(USER));
    }
    scene::with(|scene| {
        let before = scene.stats();
        match scene.let_in(offer) {
            Ok((guest, joined)) => {
                assert!(offer.len() <= MAX_OFFER_BYTES);
                let media = |sdp: &str| sdp.lines().filter(|line| line.starts_with("m=")).count();
                assert_eq!(media(&joined.answer), media(offer), "{}", joined.answer);
                let most = offer.len() + (1 + media(offer)) * LINE_BYTES;
                assert!(joined.answer.len() <= most);
                assert!(joined.answer.contains("a=ice-lite"));
                let answer = str0m::change::SdpAnswer::from_sdp_string(&joined.answer);
                assert!(answer.is_ok(), "{}", joined.answer);
                scene.let_out(&guest);
            }
            Err(error) => {
                assert!(matches!(error, Error::Offer(_)), "{error}");
                let after = scene.stats();
                assert_eq!(after.participants, before.participants);
                assert_eq!(after.seats, before.seats);
            }
        }
        // The liar is there with another one, so nothing but ICE may differ: it is the same, or refused.
        let seat = scene
            .node
            .seat_of(&scene::room(), scene.liar.id(), None)
            .expect("the liar is there");
        let _ = scene.node.restart_ice(scene.now, seat, offer);
        scene.collect();
        scene.others_hear_each_other();
    });
}
