"""RED (RFC 2198) towards Chromium and plain Opus towards aiortc, in the same room."""

from __future__ import annotations

import argparse
import asyncio

from aiortc_peer import Peer
from browser_peers import BrowserPeers
from daemon import Daemon
from expect import equal, true
from listening import until_heard
from watcher import create_room

ROOM = "redundancy"
TONE = 440.0
# So many packets have to come one way, so that the figures mean something.
ENOUGH = 150
# Which part of the packets has to bring the one before it along, and how much longer that makes them.
MOST = 0.9
TWICE = 1.8


async def run(daemon: Daemon, given: argparse.Namespace) -> None:
    """One browser whistles with redundancy; another one and aiortc listen."""
    peers = [
        {"name": "ada", "hertz": TONE, "redundancy": True},
        {"name": "hedy", "redundancy": True},
    ]
    async with daemon.aio_channel() as channel, BrowserPeers(given, peers) as browsers:
        await create_room(channel, ROOM)
        joined = await browsers.join(channel, ROOM)
        await browsers.until("hedy", lambda seen: seen["packets"] >= ENOUGH)

        # Ada has the slot of those with one line by now, and keeps it from a voice that is no louder.
        grace = Peer("grace", 620.0)
        await grace.join(channel, ROOM)
        await until_heard([grace, joined["ada"]], {"grace": 1})
        line = grace.lines[0]
        true(len(line.formats) == 1, f"aiortc got packets of the formats {line.formats}")
        plain = line.payload_bytes / line.packets.total()

        before = await browsers.latest("hedy")
        hedy = await browsers.until(
            "hedy", lambda seen: seen["packets"] >= before["packets"] + ENOUGH
        )
        equal(hedy["lost"], 0, "what is lost on loopback")
        true(hedy["discarded"] >= MOST * hedy["packets"], f"redundancy is rare: {hedy}")
        redundant = hedy["bytes"] / hedy["packets"]
        true(redundant >= TWICE * plain, f"{redundant:.0f} bytes beside {plain:.0f} without")
        true(hedy["energy"] > before["energy"], f"Chromium hears nothing: {hedy}")
        print(f"Chromium: {hedy}")
        await grace.leave()


def main() -> None:
    """Read where the browsers and the daemon are."""
    parser = argparse.ArgumentParser()
    BrowserPeers.add_arguments(parser)
    asyncio.run(run(*Daemon.from_arguments_and(parser)))


if __name__ == "__main__":
    main()
