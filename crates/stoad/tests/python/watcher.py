"""A watch over HTTP/2 that runs beside everything else and remembers what it saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

import grpc
import grpc.aio
from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from daemon import CALL_SECONDS


async def create_room(channel: grpc.aio.Channel, room_id: str) -> None:
    """CreateRoom."""
    rooms = rooms_pb2_grpc.RoomsStub(channel)
    request = rooms_pb2.CreateRoomRequest(room_id=room_id)
    await rooms.CreateRoom(request, timeout=CALL_SECONDS)


class Watcher:
    """The events of one room, in order, from its snapshot on."""

    def __init__(self, channel: grpc.aio.Channel, room_id: str) -> None:
        self.events: list[rooms_pb2.WatchResponse] = []
        # How the stream ended.
        self.code: grpc.StatusCode | None = None
        rooms = rooms_pb2_grpc.RoomsStub(channel)
        self._call = rooms.Watch(rooms_pb2.WatchRequest(room_id=room_id))
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._read())

    async def __aenter__(self) -> Self:
        """Wait for the snapshot."""
        await self.until(lambda: bool(self.events), "the snapshot")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancel the call."""
        self._call.cancel()
        await self._task

    async def _read(self) -> None:
        try:
            async for event in self._call:
                async with self._changed:
                    self.events.append(event)
                    self._changed.notify_all()
        except (grpc.RpcError, asyncio.CancelledError):
            pass
        code = await self._call.code()
        async with self._changed:
            self.code = code
            self._changed.notify_all()

    async def until(
        self, holds: Callable[[], bool], what: str, seconds: float = CALL_SECONDS
    ) -> None:
        """Wait until something holds about what was seen."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            seen = [event.WhichOneof("event") for event in self.events]
            raise AssertionError(
                f"not seen within {seconds} s: {what}; seen were {seen}, {self.code}"
            ) from None

    def connected(self) -> set[str]:
        """Who was seen to be connected."""
        return {
            event.participant_connected.participant.participant_id
            for event in self.events
            if event.HasField("participant_connected")
        }

    def left(self) -> dict[str, str]:
        """Who was seen to leave, and why: the name of the reason."""
        return {
            event.participant_left.participant_id: rooms_pb2.LeaveReason.Name(
                event.participant_left.reason
            )
            for event in self.events
            if event.HasField("participant_left")
        }

    def quality(self, participant_id: str) -> str:
        """How well somebody is connected by the latest word: the name of the quality."""
        for event in reversed(self.events):
            if event.HasField("participant_updated"):
                participant = event.participant_updated.participant
                if participant.participant_id == participant_id:
                    return rooms_pb2.ConnectionQuality.Name(participant.connection_quality)
        return ""

    def heard(self) -> set[str]:
        """Who is heard by the latest word."""
        for event in reversed(self.events):
            if event.HasField("active_speakers"):
                speakers = event.active_speakers.speakers
                return {speaker.participant_id for speaker in speakers}
        return set()
