"""A peer's process is killed in mid-call: others see it go, and their call goes on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiortc_peer import Peer
from daemon import Daemon
from expect import equal, true
from listening import until_heard
from watcher import Watcher, create_room

ROOM = "vanished"
START_SECONDS = 40.0
# The daemon's ICE timeout in this test, and what its timers and this process may add.
GONE_SECONDS = 8.0 + 12.0
# The child ends by itself, should this process be killed.
LIFE_SECONDS = 120.0


async def start_child(name: str, hertz: float) -> asyncio.subprocess.Process:
    """A peer in a process of its own, with the same daemon."""
    program = Path(__file__).with_name("aiortc_peer.py")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        *sys.argv[1:],
        "--room",
        ROOM,
        "--name",
        name,
        "--hertz",
        str(hertz),
        "--seconds",
        str(LIFE_SECONDS),
    )


async def main() -> None:
    """Run one call of three."""
    daemon = Daemon.from_arguments()
    async with daemon.aio_channel() as channel:
        await create_room(channel, ROOM)
        async with Watcher(channel, ROOM) as watcher:
            ada = Peer("ada", 440.0, listening_lines=2)
            grace = Peer("grace", 620.0, listening_lines=2)
            child = await start_child("hedy", 910.0)
            try:
                await asyncio.gather(ada.join(channel, ROOM), grace.join(channel, ROOM))
                await watcher.until(
                    lambda: "hedy" in watcher.heard(), "hedy is heard", START_SECONDS
                )
            finally:
                child.kill()
                await child.wait()
            await watcher.until(lambda: "hedy" in watcher.left(), "hedy's end", GONE_SECONDS)
            expected = {"hedy": "LEAVE_REASON_ICE_TIMEOUT"}
            equal(watcher.left(), expected, "who left and why")
            await watcher.until(
                lambda: watcher.heard() == {"ada", "grace"}, "only the others are heard"
            )
            # From here on: what was heard before counts for nothing.
            for peer in (ada, grace):
                for line in peer.lines:
                    line.heard.clear()
            await until_heard([ada, grace], {"ada": 1, "grace": 1})
            equal(watcher.left(), expected, "who left and why, in the end")
            true(watcher.code is None, f"the watch ended: {watcher.code}")
            await asyncio.gather(ada.leave(), grace.leave())


if __name__ == "__main__":
    asyncio.run(main())
