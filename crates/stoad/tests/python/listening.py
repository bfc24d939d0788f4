"""Whether everybody hears whom they should: the same for all tests with tones."""

from __future__ import annotations

import asyncio

from aiortc_peer import Heard, Peer
from browser_peers import BrowserPeer
from expect import true
from tones import TOLERANCE_HERTZ

# Whoever may be heard.
Voice = Peer | BrowserPeer

# So many half seconds in a row must be right.
STEADY = 6
HEAR_SECONDS = 40.0
POLL_SECONDS = 0.1


def whom(heard: Heard, others: list[Voice]) -> Voice | None:
    """Whose tone this is; nobody's if it is silent, mixed or not carried by one speaker alone."""
    if heard.spectrum.silent:
        return None
    for other in others:
        if other.hertz is None:
            continue
        near = abs(heard.spectrum.loudest - other.hertz) <= TOLERANCE_HERTZ
        if near and heard.csrcs == {other.csrc}:
            return other
    return None


def hears(peer: Voice, others: list[Voice]) -> set[str]:
    """Whom a peer has been hearing without a break, under the right name, each on one line."""
    steady = set()
    for line in peer.lines:
        last = list(line.heard)[-STEADY:]
        names = {speaker.name if (speaker := whom(h, others)) else "" for h in last}
        if len(last) == STEADY and len(names) == 1:
            steady |= names
    return steady - {""}


def nobody_hears_themselves(peers: list[Voice]) -> None:
    """Neither by the sound, however faint, nor by the name on a packet."""
    for peer in peers:
        for line in peer.lines:
            if peer.hertz is not None:
                own = sum(heard.spectrum.has(peer.hertz) for heard in line.heard)
                true(own == 0, f"{peer.name} hears {peer.hertz} Hz, their own tone")
            true(peer.csrc not in line.packets, f"{peer.name} gets their own packets")


def describe(peer: Voice) -> str:
    """What a peer has been hearing, for a message."""
    lines = []
    for line in peer.lines:
        last = list(line.heard)[-STEADY:]
        sounds = [
            "silence" if heard.spectrum.silent else f"{heard.spectrum.loudest:.0f} Hz"
            for heard in last
        ]
        lines.append(f"{sounds}, packets by CSRC {dict(line.packets)}")
    return f"{peer.name} ({peer.state}, CSRC {peer.csrc}): {lines}"


async def until_heard(peers: list[Voice], expected: dict[str, int]) -> None:
    """Wait until every named peer hears so many of the others steadily, and never itself."""
    listeners = [peer for peer in peers if peer.name in expected]
    deadline = asyncio.get_running_loop().time() + HEAR_SECONDS
    while True:
        nobody_hears_themselves(listeners)
        found = {
            peer.name: hears(peer, [other for other in peers if other is not peer])
            for peer in listeners
        }
        if all(len(names) >= expected[name] for name, names in found.items()):
            print(f"heard: {found}")
            return
        if asyncio.get_running_loop().time() > deadline:
            told = "\n".join(describe(peer) for peer in peers)
            raise AssertionError(f"expected {expected}, found {found}\n{told}")
        await asyncio.sleep(POLL_SECONDS)
