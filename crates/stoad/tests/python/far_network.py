"""A network namespace behind a cable to the daemon's: a place for a browser whose network goes and changes."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Self

# The two ends of the cable, the near one in the daemon's namespace (RFC 1918).
NEAR, FAR = "stoa2", "stoa3"
NEAR_ADDRESS = "10.91.0.1"
# Where a page comes from that may use a microphone: the namespace's own loopback.
PAGE_PORT = 8000
PAGE = f"http://127.0.0.1:{PAGE_PORT}/"
# It ends by itself, should this process be killed.
LIFE_SECONDS = 600


async def run(*command: str) -> None:
    """Run a program that must succeed."""
    process = await asyncio.create_subprocess_exec(*command)
    code = await process.wait()
    if code != 0:
        raise AssertionError(f"{command} ended with {code}")


class FarNetwork:
    """The namespace, from its first address on."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __aenter__(self) -> Self:
        """Make it, and serve an empty page in it."""
        self._holder = await asyncio.create_subprocess_exec(
            "unshare", "--net", "sleep", str(LIFE_SECONDS)
        )
        self.within = ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]
        await self._until_made()
        netns = str(self._holder.pid)
        await run("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", netns)
        await run("ip", "address", "add", f"{NEAR_ADDRESS}/24", "dev", NEAR)
        await run("ip", "link", "set", NEAR, "up")
        await run(*self.within, "ip", "link", "set", "lo", "up")
        await self.connect(self._address)
        self._folder = tempfile.TemporaryDirectory()
        Path(self._folder.name, "index.html").write_text("<!doctype html><title>nothing</title>")
        self._page = await asyncio.create_subprocess_exec(
            *self.within,
            *("python3", "-m", "http.server", str(PAGE_PORT), "--bind", "127.0.0.1"),
            *("--directory", self._folder.name),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await self._until_served()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, and everything that is left in it."""
        for process in (self._page, self._holder):
            process.kill()
            await process.wait()
        self._folder.cleanup()

    async def _until_made(self) -> None:
        """Until the holder is in another namespace than this process."""
        ours = Path("/proc/self/ns/net").readlink()
        theirs = Path(f"/proc/{self._holder.pid}/ns/net")
        async with asyncio.timeout(10.0):
            while theirs.readlink() == ours:
                await asyncio.sleep(0.01)

    async def _until_served(self) -> None:
        """Until somebody listens where the page is to be."""
        probe = f"import socket; socket.create_connection(('127.0.0.1', {PAGE_PORT}), 1)"
        async with asyncio.timeout(10.0):
            while True:
                process = await asyncio.create_subprocess_exec(
                    *self.within, "python3", "-c", probe, stderr=asyncio.subprocess.DEVNULL
                )
                if await process.wait() == 0:
                    return

    async def connect(self, address: str) -> None:
        """Plug the cable in, with this address."""
        await run(*self.within, "ip", "address", "add", f"{address}/24", "dev", FAR)
        await run(*self.within, "ip", "link", "set", FAR, "up")
        await run(*self.within, "ip", "route", "add", "default", "via", NEAR_ADDRESS)

    async def cut(self) -> None:
        """Pull the cable out; the address goes with it."""
        await run(*self.within, "ip", "link", "set", FAR, "down")
        await run(*self.within, "ip", "address", "flush", "dev", FAR)
