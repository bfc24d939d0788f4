"""Chromium, in a network that blocks UDP, and aiortc, in one that does not, hear each other."""

from __future__ import annotations

import argparse
import asyncio

from aiortc_peer import Peer
from browser_peers import BrowserPeers, Statistics
from daemon import Daemon
from expect import equal
from listening import until_heard
from watcher import create_room

ROOM = "behind-a-firewall"
LOW, HIGH = 440.0, 910.0
BROWSERS = [{"name": "ada", "hertz": LOW, "listeningLines": 1}]


async def until_louder(browsers: BrowserPeers, name: str, csrc: int) -> Statistics:
    """Wait until a browser hears somebody, and hears more of them after that."""
    before = await browsers.until(name, lambda seen: csrc in seen["csrcs"])
    return await browsers.until(
        name, lambda seen: csrc in seen["csrcs"] and sum(seen["energies"]) > sum(before["energies"])
    )


async def main() -> None:
    """Have them talk, and look by which way."""
    parser = argparse.ArgumentParser()
    BrowserPeers.add_arguments(parser)
    parser.add_argument("--protocol", required=True)
    daemon, given = Daemon.from_arguments_and(parser)
    async with daemon.aio_channel() as channel, BrowserPeers(given, BROWSERS) as browsers:
        await create_room(channel, ROOM)
        joined = await browsers.join(channel, ROOM)
        grace = Peer("grace", HIGH, listening_lines=1)
        await grace.join(channel, ROOM)
        await until_heard([grace, *joined.values()], {"grace": len(joined)})
        seen = await until_louder(browsers, "ada", grace.csrc)
        way = seen["way"]
        equal(way["protocol"], given.protocol, "how Ada's datagrams travel")
        print(f"{seen['browser']}: {way}")
        await grace.leave()


if __name__ == "__main__":
    asyncio.run(main())
