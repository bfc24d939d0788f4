//! What has to be known of an offer before somebody enters with it. Whether it can be answered is for the
//! core to say.

/// Which way an offer's audio goes (RFC 8866, section 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ways {
    /// A line on which the client sends.
    pub(crate) sends: bool,
    /// A line on which it receives.
    pub(crate) receives: bool,
}

/// Looks at an offer's audio lines.
pub(crate) fn ways(offer: &str) -> Ways {
    let mut ways = Ways::default();
    // The direction that holds where a line names none: that of the whole session, or both ways.
    let mut session = "sendrecv";
    let mut line: Option<(bool, &str)> = None;
    for text in offer.lines().map(str::trim_end) {
        if let Some(media) = text.strip_prefix("m=") {
            ways.add(line);
            line = Some((media.starts_with("audio"), session));
        } else if let Some(direction @ ("sendrecv" | "sendonly" | "recvonly" | "inactive")) =
            text.strip_prefix("a=")
        {
            match &mut line {
                Some((_, own)) => *own = direction,
                None => session = direction,
            }
        }
    }
    ways.add(line);
    ways
}

impl Ways {
    fn add(&mut self, line: Option<(bool, &str)>) {
        if let Some((true, direction)) = line {
            self.sends |= matches!(direction, "sendrecv" | "sendonly");
            self.receives |= matches!(direction, "sendrecv" | "recvonly");
        }
    }
}

/// The value of the first attribute of this name.
pub(crate) fn attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| {
        let value = line.trim_end().strip_prefix("a=")?.strip_prefix(name)?;
        value.strip_prefix(':')
    })
}

/// The offer of a client that restarts ICE: the one before with other credentials, and without the
/// candidates of the old network.
pub(crate) fn restarted(offer: &str, user: &str, password: &str) -> String {
    let mut restarted = String::with_capacity(offer.len() + 64);
    for line in offer.lines().map(str::trim_end) {
        if line.starts_with("a=candidate:") || line == "a=end-of-candidates" {
            continue;
        }
        if line.starts_with("a=ice-ufrag:") {
            restarted.push_str("a=ice-ufrag:");
            restarted.push_str(user);
        } else if line.starts_with("a=ice-pwd:") {
            restarted.push_str("a=ice-pwd:");
            restarted.push_str(password);
        } else {
            restarted.push_str(line);
        }
        restarted.push_str("\r\n");
    }
    restarted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_those_of_audio_lines() {
        let ways_of = |text: &str| {
            let ways = ways(text);
            (ways.sends, ways.receives)
        };
        assert_eq!(ways_of("m=audio 9\r\na=sendonly\r\n"), (true, false));
        assert_eq!(ways_of("m=audio 9\r\na=recvonly\r\n"), (false, true));
        assert_eq!(ways_of("m=audio 9\r\n"), (true, true));
        assert_eq!(ways_of("a=recvonly\r\nm=audio 9\r\n"), (false, true));
        assert_eq!(
            ways_of("m=video 9\r\na=sendonly\r\nm=audio 9\r\na=inactive"),
            (false, false)
        );
        assert_eq!(
            ways_of("m=audio 9\r\na=recvonly\r\nm=audio 9\r\na=sendrecv"),
            (true, true)
        );
        assert_eq!(ways_of(""), (false, false));
    }

    #[test]
    fn a_restarted_offer_has_other_credentials_and_no_candidates() {
        let offer = "v=0\r\nm=audio 9 x\r\na=ice-ufrag:old\r\na=ice-pwd:oldpassword\r\n\
                     a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=end-of-candidates\r\na=mid:0\r\n";
        assert_eq!(
            restarted(offer, "new", "newpassword"),
            "v=0\r\nm=audio 9 x\r\na=ice-ufrag:new\r\na=ice-pwd:newpassword\r\na=mid:0\r\n"
        );
        assert_eq!(attribute(offer, "ice-pwd"), Some("oldpassword"));
        assert_eq!(attribute(offer, "ice"), None);
    }
}
