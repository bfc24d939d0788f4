"""A call moves from a node that drains to another one, and those in it hear each other there."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from aiortc_peer import Peer
from daemon import CALL_SECONDS, Daemon
from expect import equal
from listening import until_heard
from watcher import Watcher, create_room

ROOM = "moving"
HEARD = {"ada": 1, "grace": 1}


def people() -> list[Peer]:
    """Make the same two, with new sessions."""
    return [Peer("ada", 440.0), Peer("grace", 620.0)]


async def main() -> None:
    """Begin at one node, end it in order, and go on at the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--next-control", required=True)
    parser.add_argument("--next-ca", type=Path, required=True)
    daemon, given = Daemon.from_arguments_and(parser)
    other = replace(daemon, control=given.next_control, ca=given.next_ca.read_bytes())
    async with daemon.aio_channel() as here, other.aio_channel() as there:
        await create_room(here, ROOM)
        async with Watcher(here, ROOM) as watcher:
            before = people()
            await asyncio.gather(*(peer.join(here, ROOM) for peer in before))
            await until_heard(before, HEARD)

            os.kill(daemon.pid, signal.SIGTERM)
            await watcher.until(
                lambda: any(event.HasField("node_updated") for event in watcher.events),
                "the deadline",
            )
            await create_room(there, ROOM)
            after = people()
            await asyncio.gather(*(peer.join(there, ROOM) for peer in after))
            equal([peer.state for peer in before], ["connected"] * 2, "the calls at the old node")
            await until_heard(after, HEARD)

            close = rooms_pb2.CloseRoomRequest(room_id=ROOM)
            await rooms_pb2_grpc.RoomsStub(here).CloseRoom(close, timeout=CALL_SECONDS)
            await until_heard(after, HEARD)
        await asyncio.gather(*(peer.leave() for peer in before + after))


if __name__ == "__main__":
    asyncio.run(main())
