//! Fragments of SDP with ICE parameters (RFC 8840, section 9).

use crate::offer::attribute;

/// ICE characters (RFC 8839, section 5.4), and how many of them.
const USER_LENGTH: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 22..=256;

/// What a client tells of its side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fragment<'a> {
    /// Its user name fragment and password, if it names them.
    pub(crate) credentials: Option<(&'a str, &'a str)>,
    /// The values of its `candidate` attributes, `candidate:` included.
    pub(crate) candidates: Vec<&'a str>,
    /// That there will be no more.
    pub(crate) ends: bool,
}

/// Reads a fragment. Lines that mean nothing here are passed over, as everywhere in SDP.
///
/// # Errors
/// What is wrong with it, for people.
pub(crate) fn parse(text: &str) -> Result<Fragment<'_>, &'static str> {
    let mut fragment = Fragment::default();
    let (mut user, mut password) = (None, None);
    for line in text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
    {
        let Some((kind, value)) = line.split_once('=') else {
            return Err("a line is not `type=value`");
        };
        match kind {
            "a" => {}
            "m" => continue,
            _ => return Err("a line is neither an attribute nor a media line"),
        }
        if value.starts_with("candidate:") {
            fragment.candidates.push(value);
        } else if value == "end-of-candidates" {
            fragment.ends = true;
        } else if let Some(value) = value.strip_prefix("ice-ufrag:") {
            same(&mut user, value, USER_LENGTH)?;
        } else if let Some(value) = value.strip_prefix("ice-pwd:") {
            same(&mut password, value, PASSWORD_LENGTH)?;
        }
    }
    fragment.credentials = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        _ => return Err("of ice-ufrag and ice-pwd there is only one"),
    };
    if fragment == Fragment::default() {
        return Err("it has neither credentials nor a candidate");
    }
    Ok(fragment)
}

/// All media lines are one bundle, so credentials that are there twice are the same.
fn same<'a>(
    known: &mut Option<&'a str>,
    value: &'a str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<(), &'static str> {
    let ice = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if !length.contains(&value.len()) || !value.bytes().all(ice) {
        return Err("ice-ufrag or ice-pwd is not what RFC 8839 says");
    }
    match known.replace(value) {
        Some(other) if other != value => Err("there are two different ice-ufrag or ice-pwd"),
        _ => Ok(()),
    }
}

/// The node's side after a restart, taken from its answer: an ICE-lite agent's credentials and
/// candidates, for the first media line.
pub(crate) fn of_answer(answer: &str) -> Option<String> {
    let (user, password) = (
        attribute(answer, "ice-ufrag")?,
        attribute(answer, "ice-pwd")?,
    );
    let lines = || answer.lines().map(str::trim_end);
    let mut fragment = String::from("a=ice-lite\r\n");
    for line in lines()
        .filter(|line| line.starts_with("a=ice-options:"))
        .take(1)
    {
        fragment.push_str(&format!("{line}\r\n"));
    }
    for line in lines()
        .filter(|line| line.starts_with("a=group:BUNDLE"))
        .take(1)
    {
        fragment.push_str(&format!("{line}\r\n"));
    }
    fragment.push_str(&format!(
        "{}\r\n",
        lines().find(|line| line.starts_with("m="))?
    ));
    if let Some(mid) = attribute(answer, "mid") {
        fragment.push_str(&format!("a=mid:{mid}\r\n"));
    }
    fragment.push_str(&format!("a=ice-ufrag:{user}\r\na=ice-pwd:{password}\r\n"));
    let mut candidates: Vec<&str> = Vec::new();
    for line in lines().filter(|line| line.starts_with("a=candidate:")) {
        if !candidates.contains(&line) {
            candidates.push(line);
        }
    }
    for candidate in candidates {
        fragment.push_str(&format!("{candidate}\r\n"));
    }
    fragment.push_str("a=end-of-candidates\r\n");
    Some(fragment)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";

    #[test]
    fn a_fragment_has_credentials_and_candidates() {
        let fragment = parse(GOOD).expect("is good");
        let credentials = ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1");
        assert_eq!(fragment.credentials, Some(credentials));
        assert_eq!(fragment.candidates.len(), 1);
        assert!(fragment.ends);
        assert!(parse("a=end-of-candidates").is_ok());
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in [
            "",
            "\r\n",
            "nonsense",
            "v=0\r\n",
            "a=mid:0",
            "a=ice-ufrag:EsAw",
            "a=ice-ufrag:x\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
            "a=ice-ufrag:EsAw\r\na=ice-pwd:short",
            "a=ice-ufrag:Es w\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
            "a=ice-ufrag:EsAw\r\na=ice-ufrag:other\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_nodes_side_is_taken_from_its_answer() {
        let answer = "v=0\r\na=group:BUNDLE 0 1\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
            a=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
            a=candidate:1 1 udp 1 192.0.2.9 40000 typ host\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
            a=candidate:1 1 udp 1 192.0.2.9 40000 typ host\r\na=mid:1\r\n";
        let fragment = of_answer(answer).expect("an answer");
        assert!(
            fragment.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\n")
        );
        assert_eq!(fragment.matches("a=candidate:").count(), 1);
        assert!(parse(&fragment).is_ok());
        assert_eq!(of_answer("v=0\r\n"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(([amv]=)?(ice-ufrag:|ice-pwd:|candidate:|mid:)?[ -~]{0,40}\r?\n){0,6}") {
            if let Ok(fragment) = parse(&text) {
                prop_assert!(fragment.ends || !fragment.candidates.is_empty() || fragment.credentials.is_some());
            }
            let _ = of_answer(&text);
        }
    }
}
