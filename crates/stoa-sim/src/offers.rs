//! Offers as browsers write them, with three audio lines each, in the form of RFC 8866.

/// As Chromium writes it: Opus is 111, RED is offered, ICE and DTLS in every line.
pub fn chromium() -> String {
    with_crlf(include_str!("offers/chromium.sdp"))
}

/// As Firefox writes it: Opus is 109, the fingerprint stands in the session's part.
pub fn firefox() -> String {
    with_crlf(include_str!("offers/firefox.sdp"))
}

fn with_crlf(text: &str) -> String {
    text.lines().flat_map(|line| [line, "\r\n"]).collect()
}

/// The offer without the lines that begin so.
pub fn without(offer: &str, prefix: &str) -> String {
    let lines = offer.split_inclusive('\n');
    lines.filter(|line| !line.starts_with(prefix)).collect()
}

/// The offer with `to` in place of `from`.
///
/// # Panics
/// If `from` is not in it.
pub fn replaced(offer: &str, from: &str, to: &str) -> String {
    assert!(offer.contains(from), "the offer has no {from:?}");
    offer.replace(from, to)
}

/// The offer up to its `lines`-th media line, of three.
///
/// # Panics
/// If there are fewer, or it is none of the offers here.
pub fn with_lines(offer: &str, lines: usize) -> String {
    let mut parts = offer.split("m=audio");
    let session = parts.next().unwrap_or_default();
    let mids = ["0", "0 1", "0 1 2"][lines - 1];
    let session = replaced(session, "BUNDLE 0 1 2", &format!("BUNDLE {mids}"));
    parts
        .take(lines)
        .fold(session, |offer, media| offer + "m=audio" + media)
}
