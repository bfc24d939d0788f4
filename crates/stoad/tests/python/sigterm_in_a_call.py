"""SIGTERM in the middle of a call: everybody is told, over HTTP/2 and over DTLS."""

from __future__ import annotations

import asyncio
import os
import signal

from grpc import StatusCode
from stoa.control.v1 import rooms_pb2

from aiortc_peer import Peer
from daemon import Daemon
from expect import equal, true
from listening import until_heard
from watcher import Watcher, create_room

ROOM = "ending"
END_SECONDS = 15.0


async def main() -> None:
    """Run one call of two, to the daemon's end."""
    daemon = Daemon.from_arguments()
    async with daemon.aio_channel() as channel:
        await create_room(channel, ROOM)
        async with Watcher(channel, ROOM) as watcher:
            peers = [Peer("ada", 440.0), Peer("grace", 620.0)]
            await asyncio.gather(*(peer.join(channel, ROOM) for peer in peers))
            await until_heard(peers, {"ada": 1, "grace": 1})
            equal(watcher.left(), {}, "who left before the signal")

            os.kill(daemon.pid, signal.SIGTERM)
            await watcher.until(
                lambda: watcher.code is not None, "the end of the watch", END_SECONDS
            )
            shutdown = "LEAVE_REASON_NODE_SHUTDOWN"
            everybody = {"ada": shutdown, "grace": shutdown}
            equal(watcher.left(), everybody, "who left and why")
            true(watcher.events[-1].HasField("room_closed"), "the room was not closed")
            reason = watcher.events[-1].room_closed.reason
            equal(reason, rooms_pb2.ROOM_CLOSE_REASON_NODE_SHUTDOWN, "why it was closed")
            equal(watcher.code, StatusCode.OK, "how the watch ended")
            for peer in peers:
                # By the DTLS close alone: aiortc would notice a dead path only after 30 s.
                await peer.until_state({"closed", "failed"}, END_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())
