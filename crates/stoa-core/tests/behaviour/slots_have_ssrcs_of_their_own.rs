//! The answer announces the SSRCs of a listener's lines (RFC 8829, section 5.2.1), each with a name and
//! a track, and packets come under them; no two things of a session have the same one.

use std::{collections::BTreeSet, time::Duration};

use stoa_sim::Net;

/// The SSRCs that an SDP announces with this attribute, by media line.
fn announced(sdp: &str, attribute: &str) -> Vec<Vec<u32>> {
    let lines = sdp.split("\r\nm=").skip(1);
    let ssrcs = lines.map(|line| {
        let attributes = line.lines().filter_map(|line| line.strip_prefix("a=ssrc:"));
        let pairs = attributes.filter_map(|line| line.split_once(' '));
        pairs
            .filter(|(_, value)| value.starts_with(attribute))
            .map(|(ssrc, _)| ssrc.parse().unwrap())
            .collect()
    });
    ssrcs.collect()
}

#[test]
fn packets_come_under_what_is_announced() {
    let mut net = Net::new();
    let speakers = ["ann", "ben", "cat"].map(|name| net.join(name, 3));
    let listener = net.join("listener", 3);
    let voices = speakers.map(|speaker| (speaker, 30));
    net.speak(&voices, Duration::from_secs(1));
    net.run_for(Duration::from_millis(100));

    let client = &net.clients[listener];
    let named = announced(&client.answer, "cname:");
    assert_eq!(named.len(), 3);
    assert!(named.iter().all(|ssrcs| ssrcs.len() == 1), "{named:?}");
    assert_eq!(announced(&client.answer, "msid:"), named);
    for (line, ssrcs) in named.iter().enumerate() {
        let heard: BTreeSet<u32> = client
            .on_line(line)
            .map(|heard| *heard.packet.header.ssrc)
            .collect();
        assert_eq!(heard, ssrcs.iter().copied().collect());
    }
}

#[test]
fn no_two_are_the_same() {
    let mut net = Net::new();
    let mut all = BTreeSet::new();
    let mut count = 0;
    for n in 0..20 {
        let client = net.join(&format!("client-{n}"), 3);
        let mut session: Vec<u32> = announced(&net.clients[client].answer, "cname:").concat();
        let offered = announced(&net.clients[client].offer, "cname:").concat();
        assert!(!offered.is_empty());
        session.extend(offered);
        let different: BTreeSet<u32> = session.iter().copied().collect();
        assert_eq!(different.len(), session.len(), "{session:?}");
        count += 3;
        all.extend(announced(&net.clients[client].answer, "cname:").concat());
    }
    assert_eq!(all.len(), count, "drawn for each session anew");
}
