//! An offer that cannot be answered is refused with the cause, and leaves nothing behind.

use proptest::prelude::*;
use stoa_core::{
    Error, OfferError,
    limits::{MAX_OFFER_BYTES, MAX_OFFER_LINES},
};
use stoa_sim::{
    Net,
    offers::{chromium, firefox, replaced, with_lines, without},
};

/// Why the offer is refused; everything else must be as before.
fn refusal(offer: &str) -> OfferError {
    let mut net = Net::new();
    let (snapshots, stats, events) = (net.node.snapshots(), net.stats(), net.events.len());
    let error = net.offer("room", "ann", offer).unwrap_err();
    assert_eq!(net.node.snapshots(), snapshots);
    assert_eq!(net.stats(), stats);
    assert_eq!(net.events.len(), events);
    net.run_for(std::time::Duration::from_secs(60));
    assert_eq!(
        (net.wakes, net.stats()),
        (0, stats),
        "something was left behind"
    );
    net.offer("room", "ann", &chromium())
        .expect("the name is free still");
    match error {
        Error::Offer(error) => error,
        error => panic!("not about the offer: {error}"),
    }
}

fn is_malformed(offer: &str) {
    match refusal(offer) {
        OfferError::Malformed(reason) => assert!(!reason.is_empty()),
        error => panic!("not malformed: {error}"),
    }
}

/// The offer is unusable, and the reason names the culprit.
fn is_unusable(offer: &str, culprit: &str) {
    match refusal(offer) {
        OfferError::Unusable(reason) => {
            assert!(reason.contains(culprit), "{reason:?} lacks {culprit:?}");
        }
        error => panic!("not unusable: {error}"),
    }
}

#[test]
fn offers_of_browsers_are_answered() {
    for offer in [chromium(), firefox()] {
        for lines in 1..=3 {
            let mut net = Net::new();
            let answer = net
                .offer("room", "ann", &with_lines(&offer, lines))
                .unwrap()
                .answer;
            assert_eq!(answer.matches("m=audio").count(), lines, "{answer}");
            assert!(answer.contains("a=ice-lite"), "{answer}");
            assert!(answer.contains("opus/48000/2"), "{answer}");
            assert!(answer.contains("10.0.1.1 3478 typ host"), "{answer}");
            let directions = ["sendrecv", "sendonly", "recvonly", "inactive"];
            let said = directions.map(|said| answer.matches(&format!("a={said}\r\n")).count());
            assert_eq!(said, [1, lines - 1, 0, 0], "{answer}");
        }
    }
}

#[test]
fn what_is_not_an_sdp() {
    is_malformed("");
    is_malformed("\0\0\0");
    is_malformed("hello");
    is_malformed("{\"type\":\"offer\",\"sdp\":\"v=0\"}");
    is_malformed(&chromium()[2..]);
    // A last media line that is cut off, which str0m leaves out without a word.
    is_malformed(&(chromium() + "m="));
    is_malformed(&(chromium() + "m=audio 9 UDP/TLS/RTP/SAVPF\r\n"));
}

#[test]
fn too_long() {
    let padding = "a=x-padding:0123456789\r\n".repeat(MAX_OFFER_BYTES / 20);
    is_malformed(&(chromium() + &padding));
}

#[test]
fn too_many_lines_of_text() {
    let padding = "a=x\r\n".repeat(MAX_OFFER_LINES);
    is_malformed(&(chromium() + &padding));
    let lines = MAX_OFFER_LINES - chromium().lines().count();
    let mut net = Net::new();
    net.offer("room", "ann", &(chromium() + &"a=x\r\n".repeat(lines)))
        .expect("no more lines than may be");
}

/// str0m reads on beyond the end of such a line, and each of them anew: what costs a second has 64 KiB of them.
#[test]
fn a_header_extension_without_a_name() {
    for line in [
        "a=extmap:1\r\n",
        "a=extmap:\n",
        "a=extmap:x\ra=extmap:y\r\n",
    ] {
        is_malformed(&(chromium() + line));
    }
    for line in ["a=extmap:9 urn:x\r\n", "a=extmap:9/recvonly urn:x\r\n"] {
        let mut net = Net::new();
        net.offer("room", "ann", &(chromium() + line))
            .expect("one that has a name");
    }
}

#[test]
fn no_audio() {
    let offer = chromium();
    let session = offer.split("m=audio").next().unwrap();
    assert_eq!(refusal(session), OfferError::NoAudio);
    let rejected = replaced(&with_lines(&offer, 1), "m=audio 52417 ", "m=audio 0 ");
    assert_eq!(refusal(&rejected), OfferError::NoAudio);
}

#[test]
fn no_opus() {
    let offer = replaced(&chromium(), "opus/48000/2", "unheard-of/48000/2");
    assert_eq!(refusal(&offer), OfferError::NoCommonCodec);
}

#[test]
fn too_many_lines() {
    let offer = chromium();
    let last = offer.split("m=audio").last().unwrap();
    let fourth = replaced(last, "a=mid:2", "a=mid:3");
    let offer = replaced(&offer, "BUNDLE 0 1 2", "BUNDLE 0 1 2 3") + "m=audio" + &fourth;
    // With port 0 a line is in use all the same if it is bundled (RFC 9143, section 6).
    let (port, _) = fourth.trim_start().split_once(' ').unwrap();
    let bundle_only = format!("{port} UDP").replacen(port, "0", 1);
    let (rest, fourth) = offer.rsplit_once(&format!("{port} UDP")).unwrap();
    let without_port = format!("{rest}{bundle_only}{fourth}a=bundle-only\r\n");
    for offer in [offer.clone(), without_port] {
        assert_eq!(
            refusal(&offer),
            OfferError::TooManyAudioLines {
                offered: 4,
                slots: 3,
            },
            "{offer}"
        );
    }
}

#[test]
fn other_kinds_of_lines() {
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\na=recvonly\r\n\
                 a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n";
    is_unusable(&(chromium() + video), "media line 4 is video");
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\n\
                a=sctp-port:5000\r\na=max-message-size:262144\r\n";
    is_unusable(&(chromium() + data), "media line 4 is application");
}

#[test]
fn no_ice_credentials() {
    for offer in [chromium(), firefox()] {
        let neither = without(&without(&offer, "a=ice-ufrag"), "a=ice-pwd");
        is_unusable(&neither, "a=ice-ufrag");
        is_unusable(&without(&offer, "a=ice-pwd"), "a=ice-ufrag/pwd");
        is_unusable(&without(&offer, "a=ice-ufrag"), "a=ice-ufrag/pwd");
    }
}

#[test]
fn no_fingerprint() {
    for offer in [chromium(), firefox()] {
        is_unusable(&without(&offer, "a=fingerprint"), "fingerprint");
    }
}

#[test]
fn no_mid() {
    is_malformed(&without(&chromium(), "a=mid"));
    is_malformed(&replaced(&chromium(), "a=mid:0\r\n", ""));
}

#[test]
fn the_same_mid_twice() {
    is_unusable(
        &replaced(&chromium(), "a=mid:1\r\n", "a=mid:0\r\n"),
        "Mid 0",
    );
}

#[test]
fn not_bundled() {
    is_unusable(&without(&chromium(), "a=group:BUNDLE"), "a=group");
    let partly = replaced(&chromium(), "BUNDLE 0 1 2", "BUNDLE 0 1");
    is_unusable(&partly, "group");
}

#[test]
fn an_ice_lite_client() {
    let offer = replaced(&chromium(), "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
    is_unusable(&offer, "ICE-Lite");
}

#[test]
fn no_use_of_any_line() {
    let offer = replaced(&chromium(), "a=sendrecv\r\n", "a=inactive\r\n");
    let offer = replaced(&offer, "a=recvonly\r\n", "a=inactive\r\n");
    is_unusable(&offer, "inactive");
}

/// One damage to an offer.
#[derive(Debug, Clone)]
enum Damage {
    RemoveLine(usize),
    RepeatLine(usize),
    SwapLines(usize, usize),
    CutAt(usize),
    SetCharacter(usize, char),
    TurnNumber(usize, u64),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let at = any::<usize>();
    let one = prop_oneof![
        4 => at.prop_map(Damage::RemoveLine),
        2 => at.prop_map(Damage::RepeatLine),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Damage::SwapLines(a, b)),
        1 => any::<usize>().prop_map(Damage::CutAt),
        4 => (any::<usize>(), any::<char>()).prop_map(|(at, c)| Damage::SetCharacter(at, c)),
        4 => (any::<usize>(), any::<u64>()).prop_map(|(at, n)| Damage::TurnNumber(at, n)),
    ];
    prop::collection::vec(one, 1..6)
}

fn damage(offer: &str, damage: &Damage) -> String {
    let mut lines: Vec<&str> = offer.split_inclusive('\n').collect();
    let mut characters: Vec<char> = offer.chars().collect();
    if lines.is_empty() {
        return String::new();
    }
    let (line, character) = (lines.len(), characters.len());
    match *damage {
        Damage::RemoveLine(at) => {
            lines.remove(at % line);
            lines.concat()
        }
        Damage::RepeatLine(at) => {
            lines.insert(at % line, lines[at % line]);
            lines.concat()
        }
        Damage::SwapLines(a, b) => {
            lines.swap(a % line, b % line);
            lines.concat()
        }
        Damage::CutAt(at) => characters[..at % character].iter().collect(),
        Damage::SetCharacter(at, to) => {
            characters[at % character] = to;
            characters.into_iter().collect()
        }
        Damage::TurnNumber(at, to) => {
            let numbers: Vec<&str> = offer
                .split(|c: char| !c.is_ascii_digit())
                .filter(|number| !number.is_empty())
                .collect();
            match numbers.get(at % numbers.len().max(1)) {
                Some(number) => {
                    let start = number.as_ptr() as usize - offer.as_ptr() as usize;
                    let rest = &offer[start + number.len()..];
                    format!("{}{to}{rest}", &offer[..start])
                }
                None => String::new(),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever an offer says, it is answered or refused, and refused without a trace.
    #[test]
    fn a_damaged_offer_is_answered_or_refused(firefoxs: bool, damages in damages()) {
        let mut offer = if firefoxs { firefox() } else { chromium() };
        for one in &damages {
            offer = damage(&offer, one);
        }
        let mut net = Net::new();
        let before = (net.node.snapshots(), net.stats());
        match net.offer("room", "ann", &offer) {
            Ok(_) => {
                prop_assert_eq!(net.stats().participants, 1);
                net.run_for(std::time::Duration::from_secs(20));
                prop_assert_eq!(net.stats().participants, 0, "the time to connect is over");
            }
            Err(Error::Offer(_)) => prop_assert_eq!((net.node.snapshots(), net.stats()), before),
            Err(error) => prop_assert!(false, "not about the offer: {error}"),
        }
    }
}
