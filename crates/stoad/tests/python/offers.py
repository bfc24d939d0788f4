"""SDP offers (RFC 8829) as text, right and wrong, without a WebRTC stack behind them."""

from __future__ import annotations

from collections.abc import Sequence

# A fingerprint of the right form that belongs to nobody.
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
ICE = ["a=ice-ufrag:test", "a=ice-pwd:0123456789abcdef01234567"]
OPUS = "111 opus/48000/2"
PCMU = "0 PCMU/8000"


def line(
    mid: int,
    *,
    kind: str = "audio",
    codec: str = OPUS,
    port: int = 9,
    transport: Sequence[str] = (*ICE, FINGERPRINT),
) -> list[str]:
    """One media line."""
    payload_type = codec.split(maxsplit=1)[0]
    return [
        f"m={kind} {port} UDP/TLS/RTP/SAVPF {payload_type}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp-mux",
        *transport,
        "a=setup:actpass",
        f"a=mid:{mid}",
        "a=sendrecv",
        f"a=rtpmap:{codec}",
    ]


def offer(*lines: list[str]) -> str:
    """A whole offer of these lines; without any, of one good audio line."""
    lines = lines or (line(0),)
    mids = " ".join(str(mid) for mid in range(len(lines)))
    head = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}"]
    text = [*head, *(entry for one in lines for entry in one)]
    return "".join(entry + "\r\n" for entry in text)


def without_media() -> str:
    """An SDP that offers nothing at all."""
    return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
