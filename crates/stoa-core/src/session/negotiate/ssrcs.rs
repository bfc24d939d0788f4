//! The SSRCs under which the direct path sends.
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
