"""People enter over gRPC with join tokens: they may what the token says, for themselves, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
from stoa.control.v1 import node_pb2, node_pb2_grpc, rooms_pb2, rooms_pb2_grpc

from aiortc_peer import Peer
from daemon import CALL_SECONDS, Daemon
from expect import equal, refused, true
from join_tokens import TokenKey
from listening import until_heard
from watcher import Watcher, create_room

ROOM = "hall"
LOW, HIGH = 440.0, 910.0
DENIED = grpc.StatusCode.PERMISSION_DENIED


async def denied(call: Awaitable[Any], what: str, reason: str = "TOKEN_NOT_SUFFICIENT") -> None:
    """Expect that the token is not good for this call."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        refused(error, DENIED, reason)
    else:
        raise AssertionError(f"allowed: {what}")


async def methods(channel: grpc.aio.Channel) -> None:
    """What is the signalling service's alone."""
    rooms = rooms_pb2_grpc.RoomsStub(channel)
    for what, call in {
        "CreateRoom": rooms.CreateRoom(rooms_pb2.CreateRoomRequest(room_id="x")),
        "GetRoom": rooms.GetRoom(rooms_pb2.GetRoomRequest(room_id=ROOM)),
        "ListRooms": rooms.ListRooms(rooms_pb2.ListRoomsRequest()),
        "CloseRoom": rooms.CloseRoom(rooms_pb2.CloseRoomRequest(room_id=ROOM)),
        "SetRole": rooms.SetRole(
            rooms_pb2.SetRoleRequest(room_id=ROOM, participant_id="ada", role="ROLE_MODERATOR")
        ),
        "SetMuted": rooms.SetMuted(rooms_pb2.SetMutedRequest(room_id=ROOM, participant_id="ada")),
        "UpdateRoom": rooms.UpdateRoom(rooms_pb2.UpdateRoomRequest()),
        "Watch": rooms.Watch(rooms_pb2.WatchRequest(room_id=ROOM)).read(),
        "GetStatus": node_pb2_grpc.NodeStub(channel).GetStatus(node_pb2.GetStatusRequest()),
    }.items():
        await denied(call, what)


async def joins(channel: grpc.aio.Channel, offer: str) -> None:
    """More than the token of ada, a speaker with audio, grants."""
    rooms = rooms_pb2_grpc.RoomsStub(channel)
    own = {"room_id": ROOM, "participant_id": "ada", "sdp_offer": offer}
    for changes in [
        {"room_id": "other"},
        {"participant_id": "grace"},
        {"role": "ROLE_MODERATOR"},
        {"audio_mode": "AUDIO_MODE_MUSIC"},
        {"display_name": "The Boss"},
        {"metadata": {"a": "b"}},
    ]:
        request = rooms_pb2.JoinRequest(**(own | changes))
        await denied(rooms.Join(request, timeout=CALL_SECONDS), str(changes))


async def themselves(channel: grpc.aio.Channel) -> None:
    """Ada may act for herself, and not for grace."""
    rooms = rooms_pb2_grpc.RoomsStub(channel)
    candidate = "candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host"

    def ice(who: str) -> Awaitable[Any]:
        request = rooms_pb2.AddIceCandidateRequest(
            room_id=ROOM, participant_id=who, candidate=candidate
        )
        return rooms.AddIceCandidate(request, timeout=CALL_SECONDS)

    def remove(who: str) -> Awaitable[Any]:
        request = rooms_pb2.RemoveParticipantRequest(room_id=ROOM, participant_id=who)
        return rooms.RemoveParticipant(request, timeout=CALL_SECONDS)

    await denied(ice("grace"), "another's candidate")
    await denied(remove("grace"), "another's removal")
    await ice("ada")
    await remove("ada")


async def main() -> None:
    """Run all of it."""
    daemon, given = Daemon.with_whip()
    key = TokenKey(given.token_key)

    def holder(who: str, **changes: Any) -> grpc.aio.Channel:
        return replace(daemon, api_key=key.token(ROOM, who, **changes)).aio_channel()

    async with (
        daemon.aio_channel() as service,
        holder("ada") as ada_channel,
        holder("grace", role="listener", publish=[]) as grace_channel,
        holder("hedy", publish=[]) as hedy_channel,
    ):
        await create_room(service, ROOM)
        ada, hedy = Peer("ada", LOW), Peer("hedy", HIGH)
        grace = Peer("grace", None, listening_lines=2)
        async with Watcher(service, ROOM) as watcher:
            await joins(ada_channel, await offer_of(Peer("ada", LOW)))
            for peer, channel in [(ada, ada_channel), (grace, grace_channel), (hedy, hedy_channel)]:
                await peer.join(channel, ROOM)
            # In a room where everybody may speak, hedy's token still lets her listen only.
            await until_heard([ada, grace, hedy], {"grace": 1})
            true("hedy" not in watcher.heard(), "hedy is heard")
            people = {
                event.participant_joined.participant.participant_id:
                event.participant_joined.participant
                for event in watcher.events
                if event.HasField("participant_joined")
            }
            equal(people["ada"].role, rooms_pb2.ROLE_SPEAKER, "ada's role is the token's")
            equal(people["ada"].display_name, "Ada", "ada's name is the token's")
            await methods(ada_channel)
            await themselves(ada_channel)
            await watcher.until(lambda: "ada" in watcher.left(), "ada's leaving")
            equal(watcher.left()["ada"], "LEAVE_REASON_CLIENT_CLOSED", "ada left by herself")
            # Her token is still good; grace, whom the service removes, does not come back with hers.
            await ada.leave()
            again = Peer("ada", LOW)
            await again.join(ada_channel, ROOM)
            rooms = rooms_pb2_grpc.RoomsStub(service)
            request = rooms_pb2.RemoveParticipantRequest(room_id=ROOM, participant_id="grace")
            await rooms.RemoveParticipant(request, timeout=CALL_SECONDS)
            comes_back = Peer("grace", None, listening_lines=1)
            await denied(comes_back.join(grace_channel, ROOM), "grace's return", "SUBJECT_BANNED")
            for peer in [again, grace, hedy, comes_back]:
                await peer.leave()
    print("join tokens over gRPC: right")


async def offer_of(peer: Peer) -> str:
    """Make an offer for calls that are to fail."""
    connection = peer._connection
    await connection.setLocalDescription(await connection.createOffer())
    sdp = str(connection.localDescription.sdp)
    await peer.leave()
    return sdp


if __name__ == "__main__":
    asyncio.run(main())
