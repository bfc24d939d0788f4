"""Chromium, in a network that blocks UDP, and aiortc, in one that does not, hear each other."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import grpc.aio

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


async def converse(
    channel: grpc.aio.Channel,
    given: argparse.Namespace,
    peers: list[dict[str, Any]],
    way: dict[str, str],
) -> None:
    """Have Ada, in a browser, and Grace talk, and look by which way Ada's datagrams travel."""
    async with BrowserPeers(given, peers) as browsers:
        await create_room(channel, ROOM)
        joined = await browsers.join(channel, ROOM)
        grace = Peer("grace", HIGH, listening_lines=1)
        await grace.join(channel, ROOM)
        await until_heard([grace, *joined.values()], {"grace": len(joined)})
        seen = await until_louder(browsers, "ada", grace.csrc)
        for name, value in way.items():
            equal(seen["way"][name], value, f"{name} of Ada's way")
        print(f"{seen['browser']}: {seen['way']}")
        await grace.leave()


async def main() -> None:
    """Have them talk over TCP."""
    parser = argparse.ArgumentParser()
    BrowserPeers.add_arguments(parser)
    daemon, given = Daemon.from_arguments_and(parser)
    async with daemon.aio_channel() as channel:
        await converse(channel, given, BROWSERS, {"protocol": "tcp"})


if __name__ == "__main__":
    asyncio.run(main())
