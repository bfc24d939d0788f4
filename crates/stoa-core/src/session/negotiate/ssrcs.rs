//! The SSRCs that an offer announces, and those under which the direct path sends.
//!
//! With AES-GCM the session and the direct path must not share one (see [`crate::seal`]). A session
//! that is asked to send nothing has none to announce, so those in the answer are ours alone. It sends
//! its own RTCP under one that it draws by chance and tells nobody.

use std::collections::BTreeSet;

use rand::Rng;

/// The SSRCs that an SDP announces.
pub(super) fn announced(sdp: &str) -> BTreeSet<u32> {
    sdp.lines().filter_map(attribute).collect()
}

/// The SSRCs that an SDP announces on the media line with this index.
pub(super) fn announced_on(sdp: &str, index: usize) -> BTreeSet<u32> {
    let line = sdp.split("\nm=").nth(index + 1);
    line.map(announced).unwrap_or_default()
}

/// The SDP without all that it says of SSRCs.
pub(super) fn without(sdp: &str) -> String {
    let mut rest = String::with_capacity(sdp.len());
    let lines = sdp.split_inclusive('\n');
    rest.extend(lines.filter(|line| !line.starts_with("a=ssrc")));
    rest
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

/// The number in an `a=ssrc` line (RFC 5576, section 4.1).
fn attribute(line: &str) -> Option<u32> {
    let (number, _) = line.strip_prefix("a=ssrc:")?.split_once(' ')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const SDP: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
        a=ssrc:12 cname:someone\r\na=ssrc:12 msid:stream track\r\n\
        a=ssrc:123 cname:other\r\na=sendrecv\r\n";

    #[test]
    fn what_is_announced_is_found() {
        assert_eq!(announced(SDP), BTreeSet::from([12, 123]));
    }

    #[test]
    fn it_is_found_by_line_and_left_out() {
        let sdp = format!(
            "v=0\r\na=ssrc:1 cname:a\r\n{SDP}{}",
            SDP.replace("12", "77")
        );
        assert_eq!(announced_on(&sdp, 0), BTreeSet::from([12, 123]));
        assert_eq!(announced_on(&sdp, 1), BTreeSet::from([77, 773]));
        assert!(announced_on(&sdp, 2).is_empty());
        let line = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\n";
        assert_eq!(without(&sdp), format!("v=0\r\n{line}{line}"));
        assert!(without("a=ssrc-group:FID 7 8\r\n").is_empty());
    }

    #[test]
    fn what_is_no_ssrc_is_not() {
        let sdp = "a=ssrc:x cname:a\r\na=ssrc:7\r\na=ssrc-group:FID 7 8\r\n";
        assert!(announced(sdp).is_empty());
    }

    #[test]
    fn none_is_chosen_twice() {
        let mut rng = StdRng::seed_from_u64(1);
        let first = choose(&mut rng, &mut BTreeSet::new());
        let mut taken = BTreeSet::from([first]);
        let second = choose(&mut StdRng::seed_from_u64(1), &mut taken);
        assert_ne!(second, first);
        assert_eq!(taken, BTreeSet::from([first, second]));
    }
}
