//! The SSRCs under which the direct path sends.
//!
//! str0m chooses an SSRC for each sending line of its answer, and sends its own RTCP as one of them.
//! With AES-GCM the two of us must not share one (see [`crate::seal`]). So the answer announces
//! SSRCs that str0m does not know, and str0m's streams for these lines are taken away: it has
//! nothing to send there, and no empty reports to make.
//!
//! The text of the answer is ours once str0m has written it: nothing of it is read again, and str0m
//! finds nothing of it in what clients send. A browser needs `a=ssrc` with `cname` and `msid` to
//! know before the first packet which line an SSRC is of, as str0m has written them; only the
//! number is another one.

use std::collections::BTreeSet;

use rand::Rng;

const ATTRIBUTE: &str = "a=ssrc:";

/// An announced SSRC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) ssrc: u32,
    pub(super) cname: String,
}

/// The SSRCs that an SDP announces.
pub(super) fn announced(sdp: &str) -> BTreeSet<u32> {
    let numbers = sdp.lines().filter_map(|line| Some(attribute(line)?.0));
    numbers.collect()
}

/// An SSRC that is none of these, and is one of them from now on. Never zero, which looks like
/// "none" in many places.
pub(super) fn choose(rng: &mut impl Rng, taken: &mut BTreeSet<u32>) -> u32 {
    loop {
        let ssrc = rng.random_range(1..=u32::MAX);
        if taken.insert(ssrc) {
            return ssrc;
        }
    }
}

/// Writes `new` in the place of an announced SSRC. Nothing if it is not announced, or without a
/// CNAME.
pub(super) fn replace(sdp: &mut String, old: u32, new: u32) -> Option<Announced> {
    let mut cname = None;
    let mut written = String::with_capacity(sdp.len() + 8);
    for line in sdp.split_inclusive('\n') {
        match attribute(line) {
            Some((ssrc, value)) if ssrc == old => {
                if let Some(name) = value.trim().strip_prefix("cname:") {
                    cname = Some(name.to_owned());
                }
                written.push_str(&format!("{ATTRIBUTE}{new} {value}"));
            }
            _ => written.push_str(line),
        }
    }
    let cname = cname?;
    *sdp = written;
    Some(Announced { ssrc: new, cname })
}

/// The number and the rest of an `a=ssrc` line (RFC 5576, section 4.1).
fn attribute(line: &str) -> Option<(u32, &str)> {
    let (number, value) = line.strip_prefix(ATTRIBUTE)?.split_once(' ')?;
    Some((number.parse().ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
        a=ssrc:12 cname:someone\r\na=ssrc:12 msid:stream track\r\n\
        a=ssrc:123 cname:other\r\na=sendrecv\r\n";

    #[test]
    fn an_ssrc_is_replaced_and_nothing_else() {
        let mut sdp = SDP.to_owned();
        let announced = replace(&mut sdp, 12, 4_000_000_000);
        assert_eq!(
            announced,
            Some(Announced {
                ssrc: 4_000_000_000,
                cname: "someone".to_owned()
            })
        );
        assert_eq!(sdp, SDP.replace("ssrc:12 ", "ssrc:4000000000 "));
        assert_eq!(replace(&mut sdp, 12, 5), None);
        assert_eq!(super::announced(&sdp), BTreeSet::from([123, 4_000_000_000]));
    }

    #[test]
    fn what_is_no_ssrc_is_left_alone() {
        let mut sdp = "a=ssrc:x cname:a\r\na=ssrc:7\r\na=ssrc-group:FID 7 8\r\n".to_owned();
        let before = sdp.clone();
        assert_eq!(replace(&mut sdp, 7, 8), None);
        assert_eq!(sdp, before);
        assert!(announced(&sdp).is_empty());
    }
}
