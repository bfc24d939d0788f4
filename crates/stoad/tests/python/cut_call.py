"""A browser loses its network and its address in mid-call, and comes back as who it was."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from aiortc_peer import Peer
from browser_peers import BrowserPeer, BrowserPeers, Statistics
from daemon import CALL_SECONDS, Daemon
from expect import equal, true
from far_network import PAGE, FarNetwork
from listening import until_heard
from watcher import Watcher, create_room

ROOM = "cut"
FIRST_ADDRESS, SECOND_ADDRESS = "10.91.0.2", "10.91.0.3"
# The daemon's ICE timeout, and what its timers and this process may add.
AWAY_SECONDS = 15.0 + 10.0
# How long the network is gone, however soon others were told: as long as a tunnel takes.
CUT_SECONDS = 20.0
BACK_SECONDS = 20.0
ADA: dict[str, Any] = {"name": "ada", "hertz": 440.0, "listeningLines": 1}


def told(watcher: Watcher, participant_id: str) -> list[str]:
    """How others were told that somebody comes and goes, after they were connected."""
    kinds = []
    for event in watcher.events:
        kind = event.WhichOneof("event")
        if kind == "participant_left":
            who = event.participant_left.participant_id
        elif kind in ("participant_joined", "participant_reconnecting", "participant_resumed"):
            who = getattr(event, kind).participant.participant_id
        else:
            continue
        if who == participant_id:
            kinds.append(kind)
    return kinds


def resumed(watcher: Watcher) -> rooms_pb2.Participant:
    """Whoever was told last to be back."""
    events = [event for event in watcher.events if event.HasField("participant_resumed")]
    return events[-1].participant_resumed.participant


def who(participant: rooms_pb2.Participant) -> tuple[object, ...]:
    """What is to stay."""
    return (
        participant.participant_id,
        participant.csrc,
        participant.role,
        participant.join_time.ToJsonString(),
    )


async def until_both_hear(grace: Peer, ada: BrowserPeer, browsers: BrowserPeers) -> None:
    """From here on: what was heard before counts for nothing."""
    for line in grace.lines:
        line.heard.clear()
    await until_heard([grace, ada], {"grace": 1})
    before = await browsers.latest("ada")

    def louder(seen: Statistics) -> bool:
        return sum(seen["energies"]) > sum(before["energies"]) + 0.01

    await browsers.until("ada", louder)


async def main() -> None:
    """Run one call of two, of whom one is cut off."""
    parser = argparse.ArgumentParser()
    BrowserPeers.add_arguments(parser)
    daemon, given = Daemon.from_arguments_and(parser)
    async with daemon.aio_channel() as channel, FarNetwork(FIRST_ADDRESS) as far:
        rooms = rooms_pb2_grpc.RoomsStub(channel)
        await create_room(channel, ROOM)
        async with Watcher(channel, ROOM) as watcher:
            grace = Peer("grace", 910.0, listening_lines=1)
            await grace.join(channel, ROOM)
            async with BrowserPeers(given, [ADA], within=far.within, page=PAGE) as browsers:
                ada = (await browsers.join(channel, ROOM))["ada"]
                await watcher.until(lambda: "ada" in watcher.connected(), "ada", BACK_SECONDS)
                role = rooms_pb2.SetRoleRequest(
                    room_id=ROOM, participant_id="ada", role=rooms_pb2.ROLE_MODERATOR
                )
                await rooms.SetRole(role, timeout=CALL_SECONDS)
                await until_both_hear(grace, ada, browsers)
                room = await rooms.GetRoom(
                    rooms_pb2.GetRoomRequest(room_id=ROOM), timeout=CALL_SECONDS
                )
                before = room.participants[0]
                equal(before.participant_id, "ada", "the first of the room")

                await far.cut()
                until = asyncio.get_running_loop().time() + CUT_SECONDS
                away = ["participant_joined", "participant_reconnecting"]
                await watcher.until(lambda: told(watcher, "ada") == away, "away", AWAY_SECONDS)
                await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))
                equal(told(watcher, "ada"), away, "what others were told while the network was gone")
                await far.connect(SECOND_ADDRESS)
                await browsers.restart_ice(channel, ROOM, "ada")
                back = [*away, "participant_resumed"]
                await watcher.until(lambda: told(watcher, "ada") == back, "back", BACK_SECONDS)
                after = resumed(watcher)
                equal(who(after), who(before), "who is back")
                equal(after.session_id, before.session_id, "the session of who is back")
                await until_both_hear(grace, ada, browsers)
                token = browsers.resume_tokens["ada"]
                true(token != "", "there is a token")
                # Whatever the page says when it is closed, nobody hears it.
                await far.cut()

            await far.connect(FIRST_ADDRESS)
            async with BrowserPeers(given, [ADA], within=far.within, page=PAGE) as browsers:
                count = len(told(watcher, "ada"))
                if "participant_left" in told(watcher, "ada"):
                    raise AssertionError("closing the page has ended the participant")
                ada = (await browsers.join(channel, ROOM, tokens={"ada": token}))["ada"]
                await watcher.until(
                    lambda: told(watcher, "ada")[count:][-1:] == ["participant_resumed"],
                    "back by a new session",
                    BACK_SECONDS,
                )
                after = resumed(watcher)
                equal(who(after), who(before), "who is back by a new session")
                true(after.session_id != before.session_id, "it is another session")
                await until_both_hear(grace, ada, browsers)
            await grace.leave()


if __name__ == "__main__":
    asyncio.run(main())
