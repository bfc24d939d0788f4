"""Participants in browsers, for tests that make their calls: `browser/peers.mjs` as a process."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import grpc.aio
from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from aiortc_peer import Line
from daemon import CALL_SECONDS

Statistics = dict[str, Any]

WAIT_SECONDS = 60.0
END_SECONDS = 20.0
# A line of statistics is short, an offer is not.
LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class BrowserPeer:
    """One of them, as those who listen to it have to know it."""

    name: str
    hertz: float | None
    csrc: int
    state: str = "in a browser"
    # What it hears itself is in its statistics.
    lines: list[Line] = field(default_factory=list)


class BrowserPeers:
    """The process, and what it has told."""

    def __init__(
        self,
        given: argparse.Namespace,
        peers: list[dict[str, Any]],
        *,
        within: list[str] | None = None,
        page: str | None = None,
    ) -> None:
        # Perhaps within another network than this process, where the page is elsewhere, too.
        page = page or given.page
        self._command = [*(within or given.behind), given.node, given.peers, page, json.dumps(peers)]
        # With which they may come back.
        self.resume_tokens: dict[str, str] = {}
        self._tones = {peer["name"]: peer.get("hertz") for peer in peers}
        self._offers: dict[str, str] = {}
        self._statistics: dict[str, Statistics] = {}
        self._changed = asyncio.Condition()

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Say what the Rust side hands over."""
        parser.add_argument("--node", required=True)
        parser.add_argument("--peers", required=True)
        parser.add_argument("--page", required=True)
        # What runs the browsers in another network, and its arguments.
        parser.add_argument("--behind", action="append", default=[])

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

    async def join(
        self,
        channel: grpc.aio.Channel,
        room_id: str,
        *,
        setup: str = "actpass",
        tokens: dict[str, str] | None = None,
    ) -> dict[str, BrowserPeer]:
        """Join for all of them, each with this side of the DTLS handshake (RFC 5763, section 5).

        Whoever has a resume token comes back with it.
        """
        await self._until(lambda: len(self._offers) == len(self._tones), "all offers")
        joined = {}
        for name, offer in self._offers.items():
            request = rooms_pb2.JoinRequest(
                room_id=room_id,
                participant_id=name,
                sdp_offer=offer.replace("a=setup:actpass", f"a=setup:{setup}"),
                resume_token=(tokens or {}).get(name, ""),
            )
            rooms = rooms_pb2_grpc.RoomsStub(channel)
            answer = await rooms.Join(request, timeout=CALL_SECONDS)
            self._tell({"name": name, "answer": answer.sdp_answer})
            self.resume_tokens[name] = answer.resume_token
            joined[name] = BrowserPeer(name, self._tones[name], answer.participant.csrc)
        return joined

    async def restart_ice(self, channel: grpc.aio.Channel, room_id: str, name: str) -> None:
        """Have one of them begin ICE anew, and make the call for it (RFC 8445, section 9)."""
        first = self._offers[name]
        self._tell({"name": name, "restart": True})
        await self._until(lambda: self._offers[name] != first, f"{name}'s second offer")
        request = rooms_pb2.RenegotiateRequest(
            room_id=room_id, participant_id=name, sdp_offer=self._offers[name]
        )
        rooms = rooms_pb2_grpc.RoomsStub(channel)
        answer = await rooms.Renegotiate(request, timeout=CALL_SECONDS)
        self._tell({"name": name, "answer": answer.sdp_answer})

    def _tell(self, message: dict[str, Any]) -> None:
        """Hand something over to the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(message)}\n".encode())

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
