//! An ICE candidate that comes after the offer.
//!
//! It is taken or refused by name, and nobody gives more than may be.

use std::cell::RefCell;

use stoa_core::{Error, ParticipantId, limits::MAX_REMOTE_CANDIDATES};

use crate::scene::{self, Person};

pub(super) fn run(bytes: &[u8]) {
    thread_local! {
        /// Any good one.
        static OFFER: RefCell<String> = const { RefCell::new(String::new()) };
    }
    let Ok(candidate) = str::from_utf8(bytes) else {
        return;
    };
    scene::with(|scene| {
        let offer = OFFER.with_borrow_mut(|offer| {
            if offer.is_empty() {
                *offer = Person::new(scene.now, scene::stranger()).offer();
            }
            offer.clone()
        });
        let (guest, _) = scene.let_in(&offer).expect("a good offer");
        let mut taken = 0;
        let mut add = |scene: &mut scene::Scene, guest: &ParticipantId| {
            let (now, room) = (scene.now, scene::room());
            let added = scene
                .node
                .add_ice_candidate(now, &room, guest, None, candidate);
            match added {
                Ok(()) => taken += 1,
                Err(Error::CandidateMalformed(_) | Error::CandidateLimit) => {}
                Err(error) => panic!("{error}"),
            }
        };
        for _ in 0..=MAX_REMOTE_CANDIDATES {
            add(scene, &guest);
        }
        // That there will be no more may be said again and again.
        let attribute = candidate.strip_prefix("a=").unwrap_or(candidate);
        if !attribute.trim().is_empty() {
            assert!(taken <= MAX_REMOTE_CANDIDATES);
        }
        assert!(scene.collect().is_empty(), "a lite agent asks nobody");
        scene.let_out(&guest);
        scene.others_hear_each_other();
    });
}
