"""Bans and removals of people who came with join tokens, by WHIP, by WHEP and over gRPC."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

import grpc
import grpc.aio
from stoa.control.v1 import bans_pb2, bans_pb2_grpc, rooms_pb2, rooms_pb2_grpc

from aiortc_peer import Peer
from daemon import CALL_SECONDS, Daemon
from expect import equal, refused, true
from join_tokens import TokenKey
from watcher import Watcher, create_room
from whip_http import FRAGMENT, SDP, Http, HttpPeer

ROOM = "hall"
DENIED = grpc.StatusCode.PERMISSION_DENIED
# How often the clock is looked at.
CLOCK_STEP = 0.05


@dataclass(frozen=True)
class House:
    """Everything that a step needs."""

    daemon: Daemon
    http: Http
    key: TokenKey
    service: grpc.aio.Channel
    # Offers of nobody's, for what is to be refused.
    sends: str
    receives: str

    def holder(self, token: str) -> grpc.aio.Channel:
        """A connection of somebody with this token."""
        return replace(self.daemon, api_key=token).aio_channel()

    async def join(self, who: str, token: str, resume_token: str = "") -> None:
        """Try to come in over gRPC."""
        request = rooms_pb2.JoinRequest(
            room_id=ROOM, participant_id=who, sdp_offer=self.sends, resume_token=resume_token
        )
        async with self.holder(token) as channel:
            await rooms_pb2_grpc.RoomsStub(channel).Join(request, timeout=CALL_SECONDS)

    async def all_refused(self, who: str, token: str, what: str, resume_token: str = "") -> None:
        """There is no way in with this token."""
        for path, offer in [("/whip", self.sends), ("/whep", self.receives)]:
            answer = await self.http.call("POST", path, token, offer, Content_Type=SDP)
            answer.refused(403, "SUBJECT_BANNED", f"{what}, {path}")
        tries = ["", resume_token] if resume_token else [""]
        for resume in tries:
            try:
                await self.join(who, token, resume)
            except grpc.aio.AioRpcError as error:
                refused(error, DENIED, "SUBJECT_BANNED")
            else:
                raise AssertionError(f"let in: {what}")

    async def ban(self, who: str, room: str = "") -> None:
        """CreateBan of what was issued until now."""
        ban = bans_pb2.Ban(room_id=room, participant_id=who)
        bans = bans_pb2_grpc.BansStub(self.service)
        await bans.CreateBan(bans_pb2.CreateBanRequest(ban=ban), timeout=CALL_SECONDS)

    async def present(self) -> set[str]:
        """Who is in."""
        rooms = rooms_pb2_grpc.RoomsStub(self.service)
        room = await rooms.GetRoom(rooms_pb2.GetRoomRequest(room_id=ROOM), timeout=CALL_SECONDS)
        return {participant.participant_id for participant in room.participants}


async def next_second() -> None:
    """Wait until a token is made later than everything before, in whole seconds."""
    begin = int(time.time())
    while int(time.time()) <= begin:
        await asyncio.sleep(CLOCK_STEP)


async def live_ones_are_ended(house: House) -> None:
    """Who is in by whichever entrance is put out when the ban is answered, and nothing brings them back."""
    tokens = {who: house.key.token(ROOM, who) for who in ["ada", "grace", "hedy", "ivy"]}
    ada, grace, ivy = HttpPeer("ada", 440.0), HttpPeer("grace", None), HttpPeer("ivy", 660.0)
    hedy = Peer("hedy", 910.0)
    async with Watcher(house.service, ROOM) as watcher:
        await ada.enter(house.http, "/whip", tokens["ada"])
        await grace.enter(house.http, "/whep", tokens["grace"])
        await ivy.enter(house.http, "/whip", tokens["ivy"])
        async with house.holder(tokens["hedy"]) as channel:
            await hedy.join(channel, ROOM)
        await house.ban("ada")
        equal(await house.present(), {"grace", "hedy", "ivy"}, "who is in after the first ban")
        await house.ban("grace", ROOM)
        await house.ban("hedy")
        equal(await house.present(), {"ivy"}, "who is in after all bans")
        banned = {"ada", "grace", "hedy"}
        await watcher.until(lambda: set(watcher.left()) >= banned, "all are put out")
        for who in banned:
            equal(watcher.left()[who], "LEAVE_REASON_BANNED", f"why {who} left")
            resume_token = hedy.resume_token if who == "hedy" else ""
            await house.all_refused(who, tokens[who], f"{who} is banned", resume_token)
        for peer in [ada, grace]:
            await over(house, peer, tokens[peer.name])
        equal(ivy.state, "connected", "whom no ban means")
        gone = await house.http.call("DELETE", ivy.resource, tokens["ivy"])
        equal(gone.status, 200, "ivy's leaving")
    for peer in [ada, grace, hedy, ivy]:
        await peer.leave()


async def over(house: House, peer: HttpPeer, token: str) -> None:
    """The session that a ban has ended is over for its address, too."""
    body = f"a=ice-ufrag:abcd\r\na=ice-pwd:{'x' * 24}\r\n"
    for tag in [peer.tag, "*"]:
        patch = await house.http.call(
            "PATCH", peer.resource, token, body, Content_Type=FRAGMENT, If_Match=tag
        )
        true(patch.status in {403, 404}, f"PATCH of {peer.name}: {patch.status} {patch.body}")
        patch.problem()
    equal((await house.http.call("DELETE", peer.resource, token)).status // 100, 2, "DELETE")


async def a_removal_is_for_old_tokens(house: House) -> None:
    """Who was removed does not come back by a reload, and does with what the service gives them then."""
    old = house.key.token(ROOM, "kay")
    kay = HttpPeer("kay", 440.0)
    await kay.enter(house.http, "/whip", old)
    rooms = rooms_pb2_grpc.RoomsStub(house.service)
    request = rooms_pb2.RemoveParticipantRequest(room_id=ROOM, participant_id="kay")
    await rooms.RemoveParticipant(request, timeout=CALL_SECONDS)
    await house.all_refused("kay", old, "kay was removed")
    await next_second()
    new = house.key.token(ROOM, "kay")
    again = HttpPeer("kay", 440.0)
    await again.enter(house.http, "/whip", new)
    await house.all_refused("kay", old, "kay's old token, while kay is in")
    equal((await house.http.call("DELETE", again.resource, new)).status, 200, "kay's leaving")
    for peer in [kay, again]:
        await peer.leave()


async def a_ban_can_be_lifted(house: House) -> None:
    """What was refused lets in again, if it has not expired."""
    token = house.key.token(ROOM, "lea")
    await house.ban("lea")
    await house.all_refused("lea", token, "lea is banned")
    bans = bans_pb2_grpc.BansStub(house.service)
    await bans.DeleteBan(bans_pb2.DeleteBanRequest(participant_id="lea"), timeout=CALL_SECONDS)
    lea = HttpPeer("lea", 440.0)
    await lea.enter(house.http, "/whip", token)
    equal((await house.http.call("DELETE", lea.resource, token)).status, 200, "lea's leaving")
    await lea.leave()


async def main() -> None:
    """Run all of it."""
    daemon, given = Daemon.with_whip()
    sends, receives = HttpPeer("nobody", 440.0), HttpPeer("nobody", None)
    async with daemon.aio_channel() as service:
        house = House(
            daemon=daemon,
            http=Http(given.whip, daemon.ca_file),
            key=TokenKey(given.token_key),
            service=service,
            sends=await sends.offer(),
            receives=await receives.offer(),
        )
        await create_room(service, ROOM)
        steps: dict[str, Any] = {
            "live ones": live_ones_are_ended,
            "a removal": a_removal_is_for_old_tokens,
            "a lifted ban": a_ban_can_be_lifted,
        }
        for name, step in steps.items():
            await step(house)
            equal(await house.present(), set(), f"who is in after {name}")
            print(f"{name}: right")
    await sends.leave()
    await receives.leave()


if __name__ == "__main__":
    asyncio.run(main())
