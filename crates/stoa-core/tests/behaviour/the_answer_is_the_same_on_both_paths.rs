//! Whether the node seals a packet itself or leaves it to each listener's media session, its answer says
//! the same, but for what is drawn by chance.

use stoa_core::{EgressPath, Limits};
use stoa_sim::{
    Net,
    offers::{chromium, firefox, replaced},
};

/// The answer, without what is drawn by chance.
fn answer(egress: EgressPath, offer: &str) -> Vec<String> {
    let mut net = Net::with_egress(Limits::default(), [7; 32], egress);
    let answer = net.offer("room", "ann", offer).unwrap().answer;
    assert!(answer.ends_with("\r\n"), "{answer}");
    let lines = answer.split("\r\n").map(|line| {
        let by_chance = [
            "o=",
            "a=ice-ufrag:",
            "a=ice-pwd:",
            "a=fingerprint:",
            "a=msid:",
        ];
        let mut by_chance = by_chance.iter().filter(|name| line.starts_with(**name));
        match (by_chance.next(), line.strip_prefix("a=ssrc:")) {
            (Some(name), _) => (*name).to_owned(),
            (None, Some(ssrc)) => {
                let attribute = ssrc.split([' ', ':']).nth(1).unwrap();
                format!("a=ssrc: {attribute}")
            }
            (None, None) if line.starts_with("a=msid-semantic:") => "a=msid-semantic:".to_owned(),
            (None, None) => line.to_owned(),
        }
    });
    lines.collect()
}

fn is_the_same(offer: &str) -> Vec<String> {
    let direct = answer(EgressPath::Direct, offer);
    assert_eq!(direct, answer(EgressPath::Reference, offer));
    direct
}

/// How many lines of the answer are this one.
fn count(answer: &[String], line: &str) -> usize {
    answer.iter().filter(|said| *said == line).count()
}

#[test]
fn of_what_browsers_offer() {
    for offer in [chromium(), firefox()] {
        let answer = is_the_same(&offer);
        assert_eq!(count(&answer, "a=sendrecv"), 1);
        assert_eq!(count(&answer, "a=sendonly"), 2);
        assert_eq!(count(&answer, "a=ssrc: cname"), 3);
        assert_eq!(count(&answer, "a=ssrc: msid"), 3);
    }
}

#[test]
fn of_a_line_that_only_sends_and_one_that_is_not_used() {
    let offer = replaced(&chromium(), "a=sendrecv\r\n", "a=sendonly\r\n");
    let (first, last) = offer.rsplit_once("a=recvonly\r\n").unwrap();
    let answer = is_the_same(&format!("{first}a=inactive\r\n{last}"));
    assert_eq!(count(&answer, "a=recvonly"), 1);
    assert_eq!(count(&answer, "a=sendonly"), 1);
    assert_eq!(count(&answer, "a=inactive"), 1);
    assert_eq!(count(&answer, "a=ssrc: cname"), 1);
}

#[test]
fn of_a_listener_whose_first_line_only_receives() {
    let offer = replaced(
        &firefox(),
        "a=sendrecv\r\na=end-of-candidates",
        "a=recvonly\r\na=end-of-candidates",
    );
    let answer = is_the_same(&offer);
    assert_eq!(count(&answer, "a=sendonly"), 3);
    assert_eq!(count(&answer, "a=ssrc: cname"), 3);
}

#[test]
fn of_a_line_that_is_rejected() {
    let offer = replaced(&chromium(), "BUNDLE 0 1 2", "BUNDLE 0 1");
    let (first, last) = offer.rsplit_once("m=audio 9 ").unwrap();
    let answer = is_the_same(&format!("{first}m=audio 0 {last}"));
    assert_eq!(count(&answer, "a=sendonly"), 1);
    assert_eq!(count(&answer, "a=ssrc: cname"), 2);
}

/// A session has one number for Opus. A line that means something else by it gets nothing.
#[test]
fn but_not_of_a_line_with_another_number_for_opus() {
    let offer = firefox();
    let (first, last) = offer.rsplit_once("m=audio").unwrap();
    let last = replaced(last, "109", "96").replace("a=recvonly", "a=sendrecv");
    let answer = answer(EgressPath::Direct, &format!("{first}m=audio{last}"));
    assert_eq!(count(&answer, "a=ssrc: cname"), 2);
}
