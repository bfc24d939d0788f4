//! What is left to say in an SDP answer that the session has written.
//!
//! The session knows one order of codecs and one set of their parameters; what we ask of a client
//! depends on its offer and on what its microphone is to carry. And it knows nothing of what the
//! direct path sends.

use std::fmt::Write;

use str0m::{
    IceCreds,
    media::{Direction, Mid},
};

use crate::settings::AudioMode;

/// A line on which the direct path sends. A browser needs all of this to know before the first packet
/// which line an SSRC is of (RFC 5576, RFC 8830).
pub(crate) struct Sending<'a> {
    pub(crate) mid: Mid,
    /// Ours.
    pub(crate) direction: Direction,
    pub(crate) ssrc: u32,
    pub(crate) cname: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) track: &'a str,
}

/// What we ask of a client that sends Opus (RFC 7587, section 7.1): silence costs a voice next to
/// nothing, and music wants both channels and no pause.
fn wish(mode: AudioMode) -> &'static str {
    match mode {
        AudioMode::Speech => "usedtx=1",
        AudioMode::Music => "stereo=1;sprop-stereo=1;maxaveragebitrate=128000",
    }
}

/// The answer with the payload types of each line in the order in which the client prefers them
/// (RFC 3264, section 6.1), with what we ask of Opus, and with what is sent beside the session. The
/// client's first format is what it will send: RED only if it wants to.
pub(crate) fn complete(
    answer: &str,
    offer: &str,
    mode: AudioMode,
    sending: &[Sending<'_>],
) -> String {
    let mut offered = offer.lines().filter(|line| line.starts_with("m="));
    let mut complete = String::with_capacity(answer.len() + 256 * (1 + sending.len()));
    let opus = rtpmaps(answer, "opus/");
    let mut here: Option<&Sending<'_>> = None;
    // Writing to a string cannot fail.
    for line in answer.lines() {
        if line.starts_with("m=") {
            announce(here.take(), &mut complete);
            let ours = offered.next().map(|theirs| in_order_of(line, theirs));
            complete.push_str(ours.as_deref().unwrap_or(line));
        } else if let Some(parameters) = line.strip_prefix("a=fmtp:")
            && let Some((payload_type, _)) = parameters.split_once(' ')
            && opus.contains(&payload_type)
        {
            let _ = write!(complete, "{line};{}", wish(mode));
        } else if let Some(sending) = here
            && matches!(line, "a=inactive" | "a=recvonly")
        {
            let _ = write!(complete, "a={}", sending.direction);
        } else {
            if let Some(mid) = line.strip_prefix("a=mid:") {
                // It stands before the direction.
                here = sending.iter().find(|line| line.mid == Mid::from(mid));
            }
            complete.push_str(line);
        }
        complete.push_str("\r\n");
    }
    announce(here, &mut complete);
    complete
}

/// The answer with other ICE credentials of ours than the session has written.
pub(crate) fn with_credentials(answer: &str, credentials: &IceCreds) -> String {
    const OF_CANDIDATE: &str = " ufrag ";
    let IceCreds { ufrag, pass } = credentials;
    let mut other = String::with_capacity(answer.len() + 64);
    // Writing to a string cannot fail.
    for line in answer.lines() {
        let candidate = line.starts_with("a=candidate:");
        let candidate = candidate.then(|| line.split_once(OF_CANDIDATE)).flatten();
        let _ = if line.starts_with("a=ice-ufrag:") {
            write!(other, "a=ice-ufrag:{ufrag}")
        } else if line.starts_with("a=ice-pwd:") {
            write!(other, "a=ice-pwd:{pass}")
        } else if let Some((candidate, rest)) = candidate {
            let (_, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let space = if rest.is_empty() { "" } else { " " };
            write!(other, "{candidate}{OF_CANDIDATE}{ufrag}{space}{rest}")
        } else {
            write!(other, "{line}")
        };
        other.push_str("\r\n");
    }
    other
}

/// Ends a media line with the SSRC under which we send on it, if we do.
fn announce(sending: Option<&Sending<'_>>, out: &mut String) {
    let Some(Sending {
        ssrc,
        cname,
        stream,
        track,
        ..
    }) = sending
    else {
        return;
    };
    let _ = write!(
        out,
        "a=ssrc:{ssrc} cname:{cname}\r\na=ssrc:{ssrc} msid:{stream} {track}\r\n"
    );
}

/// The payload types that the session maps to a codec.
fn rtpmaps<'a>(sdp: &'a str, codec: &str) -> Vec<&'a str> {
    let maps = sdp.lines().filter_map(|line| {
        let (payload_type, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        let is_codec = name.len() >= codec.len() && name[..codec.len()].eq_ignore_ascii_case(codec);
        is_codec.then_some(payload_type)
    });
    maps.collect()
}

/// A media line with its formats in the order of another one; those that are not in that stay behind.
fn in_order_of(line: &str, other: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let (head, formats) = words.split_at(words.len().min(3));
    let mut formats = formats.to_vec();
    let order: Vec<&str> = other.split(' ').skip(3).collect();
    let place = |format: &&str| order.iter().position(|other| other == format);
    formats.sort_by_key(|format| place(format).unwrap_or(usize::MAX));
    [head, &formats].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n\
        a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n\
        a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n";

    fn offer(formats: &str) -> String {
        format!("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF {formats}\r\n")
    }

    #[test]
    fn the_client_says_whether_it_sends_redundancy() {
        let plain = complete(ANSWER, &offer("111 63 9 0"), AudioMode::Speech, &[]);
        assert!(plain.contains("SAVPF 111 63\r\n"), "{plain}");
        let red = complete(ANSWER, &offer("63 111"), AudioMode::Speech, &[]);
        assert!(red.contains("SAVPF 63 111\r\n"), "{red}");
    }

    #[test]
    fn the_mode_says_what_opus_is_to_carry() {
        let speech = complete(ANSWER, &offer("111 63"), AudioMode::Speech, &[]);
        assert!(
            speech.contains("a=fmtp:111 minptime=10;usedtx=1\r\n"),
            "{speech}"
        );
        assert!(speech.contains("a=fmtp:63 111/111\r\n"), "{speech}");
        let music = complete(ANSWER, &offer("111 63"), AudioMode::Music, &[]);
        assert!(music.contains("minptime=10;stereo=1;"), "{music}");
        assert!(!music.contains("usedtx"), "{music}");
    }

    #[test]
    fn what_is_sent_beside_the_session_is_announced() {
        let line = |mid, direction| {
            format!(
                "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na={direction}\r\na=rtcp-mux\r\n"
            )
        };
        let session = [
            line("a", "recvonly"),
            line("b", "recvonly"),
            line("c", "inactive"),
        ]
        .concat();
        let sending = |mid, direction, ssrc| Sending {
            mid: Mid::from(mid),
            direction,
            ssrc,
            cname: "name",
            stream: "stream",
            track: "track",
        };
        let both = [
            sending("c", Direction::SendOnly, 7),
            sending("a", Direction::SendRecv, 9),
        ];
        let offer = session.clone();
        let answer = complete(&session, &offer, AudioMode::Speech, &both);
        let ssrc =
            |ssrc| format!("a=ssrc:{ssrc} cname:name\r\na=ssrc:{ssrc} msid:stream track\r\n");
        let expected = [
            line("a", "sendrecv") + &ssrc(9),
            line("b", "recvonly"),
            line("c", "sendonly") + &ssrc(7),
        ];
        assert_eq!(answer, expected.concat());
        assert_eq!(complete(&session, &offer, AudioMode::Speech, &[]), session);
    }
}
