"""Participants in Chromium, for tests that make their calls: `browser/peers.mjs` as a process."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

Statistics = dict[str, Any]

WAIT_SECONDS = 60.0
END_SECONDS = 20.0
# A line of statistics is short, an offer is not.
LONGEST_LINE = 1 << 20


class BrowserPeers:
    """The process, and what it has told."""

    def __init__(self, given: argparse.Namespace, peers: list[dict[str, Any]]) -> None:
        self._command = [given.node, given.peers, given.page, json.dumps(peers)]
        self._names = [peer["name"] for peer in peers]
        self._offers: dict[str, str] = {}
        self._statistics: dict[str, Statistics] = {}
        self._changed = asyncio.Condition()

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Say what the Rust side hands over."""
        parser.add_argument("--node", required=True)
        parser.add_argument("--peers", required=True)
        parser.add_argument("--page", required=True)

    async def __aenter__(self) -> Self:
        """Start the browsers."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, limit=LONGEST_LINE
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End them."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.terminate()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            async with self._changed:
                if "offer" in told:
                    self._offers[told["name"]] = told["offer"]
                else:
                    self._statistics[told["name"]] = told["statistics"]
                self._changed.notify_all()

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            raise AssertionError(f"not seen: {what}; last was {self._statistics}") from None

    async def offers(self) -> dict[str, str]:
        """Wait for what each of them offers."""
        await self._until(lambda: len(self._offers) == len(self._names), "all offers")
        return self._offers

    def answer(self, name: str, sdp: str) -> None:
        """Hand over what the node has answered."""
        assert self._process.stdin is not None
        line = json.dumps({"name": name, "answer": sdp})
        self._process.stdin.write(f"{line}\n".encode())

    async def until(self, name: str, holds: Callable[[Statistics], bool]) -> Statistics:
        """Wait until something holds of what one of them receives, and give that."""
        await self._until(
            lambda: name in self._statistics and holds(self._statistics[name]),
            f"what {name} should receive",
        )
        return self._statistics[name]

    async def latest(self, name: str) -> Statistics:
        """Give what one of them has received so far."""
        return await self.until(name, lambda _: True)
