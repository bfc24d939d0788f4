//! An ICE restart gives both sides other credentials and leaves all else: keys, streams, numbers, lines. The
//! credentials from before are good until the client has used the new ones, an offer in which anything else is
//! another is refused without a trace, and no nonce is used twice over it.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashSet},
    rc::Rc,
    time::Duration,
};

use stoa_core::{ConnectionState, DropReason, Error, OfferError};
use stoa_sim::{ClientId, Fate, Layout, Net, datagram::RtpFields, oracle, stun};

/// A room of two, where both have their seats at another worker than its home.
fn room() -> (Net, [ClientId; 2]) {
    let layout = Layout {
        workers: 3,
        lobby: true,
    };
    let mut net = Net::laid_out(layout, 6);
    let ann = net.join("ann", 2);
    let _at_home = net.join("nobody", 1);
    let cem = net.join("cem", 2);
    assert!([ann, cem].iter().all(|&id| net.is_seated_elsewhere(id)));
    (net, [ann, cem])
}

/// What an answer says of this, in the order of its lines.
fn of<'a>(answer: &'a str, attribute: &str) -> Vec<&'a str> {
    let lines = answer.lines();
    lines.filter(|line| line.starts_with(attribute)).collect()
}

#[test]
fn the_answer_has_other_credentials_and_nothing_else() {
    let (mut net, [ann, cem]) = room();
    let before = net.clients[ann].answer.clone();
    net.restart_ice(ann).unwrap();
    let after = net.clients[ann].answer.clone();
    assert_ne!(of(&before, "a=ice-ufrag:"), of(&after, "a=ice-ufrag:"));
    assert_ne!(of(&before, "a=ice-pwd:"), of(&after, "a=ice-pwd:"));
    let is_of_ice =
        |line: &&str| line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:");
    // A candidate names the credentials that it belongs to.
    let candidate = |line: &str| match line.split_once(" ufrag ") {
        Some((candidate, _)) => candidate.to_owned(),
        None => line.to_owned(),
    };
    let rest = |answer: &str| -> Vec<String> {
        let lines = answer.lines().filter(|line| !is_of_ice(line));
        lines
            .filter(|line| !line.starts_with("o="))
            .map(candidate)
            .collect()
    };
    assert_eq!(rest(&before), rest(&after));
    assert!(!of(&after, "a=ssrc:").is_empty());
    net.speak(&[(cem, 20)], Duration::from_secs(1));
    assert_eq!(net.clients[ann].voices(), [cem]);
    oracle::assert_holds(&net);
}

#[test]
fn the_streams_go_on_without_a_gap() {
    let (mut net, [ann, cem]) = room();
    net.speak(&[(cem, 20), (ann, 25)], Duration::from_secs(1));
    for _ in 0..3 {
        net.restart_ice(ann).unwrap();
        net.speak(&[(cem, 20), (ann, 25)], Duration::from_secs(1));
    }
    let of_cem: Vec<_> = net.clients[ann]
        .heard
        .iter()
        .map(|heard| heard.number())
        .collect();
    let all: Vec<_> = (of_cem[0]..).take(of_cem.len()).collect();
    assert_eq!(of_cem, all);
    assert!(of_cem.len() > 190);
    let heard = net.clients[ann].heard.iter();
    let ssrcs: BTreeSet<u32> = heard.map(|heard| *heard.packet.header.ssrc).collect();
    assert_eq!(ssrcs.len(), 1);
}

#[test]
fn the_credentials_before_are_good_until_the_new_ones_are_used() {
    let (mut net, [ann, cem]) = room();
    let check = stun::check_of(&mut net.clients[ann], false);
    // The answer never reaches her, nor does one to a second offer.
    for _ in 0..2 {
        let offer = net.clients[ann].offer_restart();
        net.renegotiate(ann, &offer).unwrap();
    }
    let refused = net.stats().dropped(DropReason::UnknownUfrag);
    for _ in 0..3 {
        net.speak(&[(cem, 20)], Duration::from_secs(1));
        net.run_for(Duration::from_secs(15));
    }
    assert_eq!(net.stats().dropped(DropReason::UnknownUfrag), refused);
    let state = |net: &Net| {
        let people = net.snapshot("room").participants;
        let ann = people
            .iter()
            .find(|info| info.participant.as_str() == "ann");
        ann.unwrap().state
    };
    assert_eq!(state(&net), ConnectionState::Connected);
    let (worker, from) = (net.clients[ann].node, net.clients[ann].outer);
    assert_eq!(net.inject_at(worker, from, &check).len(), 1);
    // Now it does.
    net.restart_ice(ann).unwrap();
    net.speak(&[(cem, 20)], Duration::from_secs(1));
    assert!(net.inject_at(worker, from, &check).is_empty());
    assert_eq!(net.stats().dropped(DropReason::UnknownUfrag), refused + 1);
}

#[test]
fn any_answer_may_be_the_last_that_reached_the_client() {
    let (mut net, [ann, cem]) = room();
    net.set_cut(ann, true);
    net.restart_ice(ann).unwrap();
    for _ in 0..2 {
        let offer = net.clients[ann].offer_restart();
        net.renegotiate(ann, &offer).unwrap();
    }
    net.run_for(Duration::from_secs(18));
    net.set_cut(ann, false);
    net.rebind_anywhere(ann);
    net.run_for(Duration::from_secs(8));
    net.forget_heard();
    net.speak(&[(cem, 20)], Duration::from_secs(1));
    assert_eq!(net.clients[ann].voices(), [cem]);
}

#[test]
fn an_offer_with_the_credentials_of_before_is_answered_as_before() {
    let (mut net, [ann, _]) = room();
    let (offer, answer) = (
        net.clients[ann].offer.clone(),
        net.clients[ann].answer.clone(),
    );
    let again = net.renegotiate(ann, &offer).unwrap();
    assert_eq!(of(&again, "a=ice-ufrag:"), of(&answer, "a=ice-ufrag:"));
    assert_eq!(of(&again, "a=ssrc:"), of(&answer, "a=ssrc:"));
}

#[test]
fn an_offer_that_changes_anything_else_is_refused_and_changes_nothing() {
    let (mut net, [ann, cem]) = room();
    let offer = net.clients[ann].offer_restart();
    let line = offer.find("m=audio").unwrap();
    let second = line + 1 + offer[line + 1..].find("m=audio").unwrap();
    let fingerprint = of(&offer, "a=fingerprint:")[0].to_owned();
    let level = offer.lines().find(|line| line.contains("ssrc-audio-level"));
    let level = level.unwrap().split_once(' ').unwrap().0.to_owned();
    let edits: [(&str, String); 8] = [
        ("a line less", offer[..second].to_owned()),
        (
            "a line more",
            format!("{offer}{}", offer[second..].replace("a=mid:", "a=mid:x")),
        ),
        ("another line", offer.replace("a=sendrecv", "a=recvonly")),
        (
            "a line that is off",
            offer.replacen("a=recvonly", "a=inactive", 1),
        ),
        (
            "another format",
            offer.replace(" 111", " 112").replace(":111 ", ":112 "),
        ),
        ("another level", offer.replace(&level, "a=extmap:9")),
        (
            "another certificate",
            offer.replace(
                &fingerprint,
                &format!(
                    "a=fingerprint:sha-256{}",
                    &":AA".repeat(32).replacen(':', " ", 1)
                ),
            ),
        ),
        (
            "no credentials",
            offer.replace("a=ice-ufrag:", "a=x-ufrag:"),
        ),
    ];
    let answer = net.clients[ann].answer.clone();
    for (what, edited) in edits {
        assert_ne!(edited, offer, "{what}");
        let refused = net.renegotiate(ann, &edited);
        let is_by_offer = matches!(
            refused,
            Err(Error::Offer(
                OfferError::Unusable(_) | OfferError::NoCommonCodec
            ))
        );
        assert!(is_by_offer, "{what}: {refused:?}");
    }
    assert_eq!(
        net.renegotiate(ann, "no offer")
            .map_err(|error| matches!(error, Error::Offer(OfferError::Malformed(_)))),
        Err(true)
    );
    // Nothing has changed: an offer of before gets the credentials of before, which are in use.
    let first = net.clients[ann].offer.clone();
    let again = net.renegotiate(ann, &first).unwrap();
    assert_eq!(of(&again, "a=ice-ufrag:"), of(&answer, "a=ice-ufrag:"));
    net.speak(&[(cem, 20), (ann, 25)], Duration::from_secs(20));
    assert_eq!(net.clients[ann].voices(), [cem]);
    assert_eq!(net.clients[cem].voices(), [ann]);
    oracle::assert_holds(&net);
}

#[test]
fn not_while_the_session_is_set_up() {
    let (mut net, _) = room();
    let dan = net.admit("room", "dan", 2).unwrap();
    let offer = net.clients[dan].offer.clone();
    assert_eq!(net.renegotiate(dan, &offer), Err(Error::SessionConnecting));
    net.wait_until_connected(dan);
    assert!(net.renegotiate(dan, &offer).is_ok());
}

/// Over the network, for each client that is sent to: what was sealed as what.
type Seen = Rc<RefCell<HashSet<(ClientId, u32, u16)>>>;

#[test]
fn no_nonce_is_used_twice_over_it() {
    let (mut net, [ann, cem]) = room();
    let seen = Seen::default();
    let wire = Rc::clone(&seen);
    let twice = Rc::new(RefCell::new(0));
    let count = Rc::clone(&twice);
    net.on_downlink(move |client, datagram| {
        // Fewer packets than a sequence number has values.
        if let Some(rtp) = RtpFields::of(datagram)
            && !wire
                .borrow_mut()
                .insert((client, rtp.ssrc, rtp.sequence_number))
        {
            *count.borrow_mut() += 1;
        }
        Fate::Deliver
    });
    for round in 0..6 {
        net.speak(&[(cem, 20), (ann, 25)], Duration::from_secs(3));
        if round % 2 == 0 {
            net.set_cut(ann, true);
            net.speak(&[(cem, 20)], Duration::from_secs(20));
            net.set_cut(ann, false);
            net.rebind_anywhere(ann);
        }
        net.restart_ice(ann).unwrap();
    }
    net.speak(&[(cem, 20), (ann, 25)], Duration::from_secs(3));
    assert_eq!(*twice.borrow(), 0);
    assert!(seen.borrow().len() > 2_000, "{}", seen.borrow().len());
    assert_eq!(net.clients[ann].voices(), [cem]);
}
