"""Somebody is banned in mid-call: they hear nobody and are heard by nobody, and have no way back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from stoa.control.v1 import bans_pb2, bans_pb2_grpc, rooms_pb2, rooms_pb2_grpc

from aiortc_peer import Peer
from daemon import CALL_SECONDS, Daemon
from expect import equal, refused, true
from listening import until_heard
from watcher import Watcher, create_room

ROOM = "banned"
# What requirement A4 allows.
IN_FORCE_SECONDS = 1.0
# A hundred packets of everybody who is heard.
QUIET_SECONDS = 2.0
END_SECONDS = 15.0


def packets(listener: Peer, speaker: Peer) -> int:
    """How many packets of the one have come to the other."""
    return sum(line.packets[speaker.csrc] for line in listener.lines)


async def is_refused(call: Awaitable[Any], code: StatusCode, reason: str) -> None:
    """Expect this failure of a call under way."""
    try:
        answer = await call
    except grpc.RpcError as error:
        refused(error, code, reason)
        return
    raise AssertionError(f"expected {reason}, not the answer {answer!r}")


async def main() -> None:
    """Run one call of three, of whom one is banned."""
    daemon = Daemon.from_arguments()
    async with daemon.aio_channel() as channel:
        rooms = rooms_pb2_grpc.RoomsStub(channel)
        await create_room(channel, ROOM)
        async with Watcher(channel, ROOM) as watcher:
            decided = Timestamp()
            decided.GetCurrentTime()
            ada = Peer("ada", 440.0, listening_lines=1)
            grace = Peer("grace", 620.0, listening_lines=1)
            mallory = Peer("mallory", 910.0, listening_lines=1)
            everybody = [ada, grace, mallory]
            await asyncio.gather(*(peer.join(channel, ROOM) for peer in everybody))
            await until_heard(everybody, {"ada": 2, "grace": 2, "mallory": 2})

            ban = bans_pb2.CreateBanRequest(ban=bans_pb2.Ban(participant_id="mallory"))
            await bans_pb2_grpc.BansStub(channel).CreateBan(ban, timeout=CALL_SECONDS)
            await asyncio.sleep(IN_FORCE_SECONDS)
            pairs = [(one, other) for one in everybody for other in everybody if one != other]
            before = {(one.name, other.name): packets(one, other) for one, other in pairs}
            await asyncio.sleep(QUIET_SECONDS)
            for one, other in pairs:
                more = packets(one, other) - before[one.name, other.name]
                if mallory in (one, other):
                    equal(more, 0, f"packets of {other.name} that came to {one.name}")
                else:
                    true(more > 0, f"{one.name} hears {other.name} no more")
            banned = {"mallory": "LEAVE_REASON_BANNED"}
            await watcher.until(lambda: watcher.left() == banned, "mallory's end")
            await mallory.until_state({"closed", "failed"}, END_SECONDS)

            again = rooms_pb2.JoinRequest(
                room_id=ROOM, participant_id="mallory", sdp_offer="v=0", issue_time=decided
            )
            join = rooms.Join(again, timeout=CALL_SECONDS)
            await is_refused(join, StatusCode.PERMISSION_DENIED, "SUBJECT_BANNED")
            restart = rooms_pb2.RenegotiateRequest(
                room_id=ROOM,
                participant_id="mallory",
                session_id=mallory.session_id,
                sdp_offer="v=0",
            )
            call = rooms.Renegotiate(restart, timeout=CALL_SECONDS)
            await is_refused(call, StatusCode.NOT_FOUND, "PARTICIPANT_NOT_FOUND")
            equal(watcher.left(), banned, "who left and why, in the end")
            await asyncio.gather(ada.leave(), grace.leave(), mallory.leave())


if __name__ == "__main__":
    asyncio.run(main())
