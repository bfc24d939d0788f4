"""Peers on aiortc in rooms: each hears the others' tones under the right names."""

from __future__ import annotations

import asyncio

import grpc.aio

from aiortc_peer import Peer
from daemon import Daemon
from expect import equal
from listening import until_heard
from watcher import Watcher, create_room

# No tone is a multiple of another: a distorted tone is never taken for somebody else's.
LOW, MIDDLE, HIGH = 440.0, 620.0, 910.0


async def two_hear_each_other(channel: grpc.aio.Channel) -> None:
    """One line each, as the plainest client has it; then one leaves with goodbye."""
    await create_room(channel, "two")
    async with Watcher(channel, "two") as watcher:
        ada, grace = Peer("ada", LOW), Peer("grace", MIDDLE)
        await asyncio.gather(ada.join(channel, "two"), grace.join(channel, "two"))
        both = {"ada", "grace"}
        await watcher.until(lambda: watcher.connected() == both, "both connected")
        await until_heard([ada, grace], {"ada": 1, "grace": 1})

        await ada.leave()
        await watcher.until(lambda: "ada" in watcher.left(), "ada's leaving")
        equal(watcher.left(), {"ada": "LEAVE_REASON_CLIENT_CLOSED"}, "who left and why")
        equal(grace.state, "connected", "grace's connection")
        await grace.leave()


async def a_listener_with_three_lines_hears_all(channel: grpc.aio.Channel) -> None:
    """Three speak; who has one line hears one of the others, who has three hears them all."""
    await create_room(channel, "three")
    async with Watcher(channel, "three") as watcher:
        peers = [
            Peer("ada", LOW, listening_lines=2),
            Peer("grace", MIDDLE),
            Peer("hedy", HIGH, listening_lines=2),
        ]
        await asyncio.gather(*(peer.join(channel, "three") for peer in peers))
        await until_heard(peers, {"ada": 2, "grace": 1, "hedy": 2})
        everybody = {peer.name for peer in peers}
        await watcher.until(lambda: watcher.heard() == everybody, "all are heard")

        await asyncio.gather(*(peer.leave() for peer in peers))
        await watcher.until(lambda: len(watcher.left()) == len(peers), "all left")
        reasons = set(watcher.left().values())
        equal(reasons, {"LEAVE_REASON_CLIENT_CLOSED"}, "why they left")


async def main() -> None:
    """Run both rooms, one after the other."""
    daemon = Daemon.from_arguments()
    async with daemon.aio_channel() as channel:
        for step in [two_hear_each_other, a_listener_with_three_lines_hears_all]:
            await step(channel)
            print(f"{step.__name__}: right")


if __name__ == "__main__":
    asyncio.run(main())
