"""People enter by WHIP and WHEP: aiortc by a stock HTTP client, Chromium by another's client library."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from typing import Any

import grpc.aio
from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from daemon import CALL_SECONDS, Daemon
from expect import equal, true
from join_tokens import TokenKey
from listening import HEAR_SECONDS, STEADY
from tones import TOLERANCE_HERTZ
from watcher import Watcher, create_room
from whip_http import FRAGMENT, Http, HttpPeer

ROOM = "hall"
LOW, HIGH = 440.0, 910.0
BROWSER_SECONDS = 90.0


async def until_heard(peer: HttpPeer, hertz: float) -> None:
    """Wait until a peer hears a tone steadily."""
    deadline = asyncio.get_running_loop().time() + HEAR_SECONDS
    while True:
        heard = [spectrum.spectrum for line in peer.lines for spectrum in line.heard]
        right = [
            not spectrum.silent and abs(spectrum.loudest - hertz) <= TOLERANCE_HERTZ
            for spectrum in heard[-STEADY:]
        ]
        if len(right) == STEADY and all(right):
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{peer.name} does not hear {hertz} Hz: {right}")
        await asyncio.sleep(0.1)


async def shown(channel: grpc.aio.Channel) -> dict[str, rooms_pb2.Participant]:
    """Ask the control API who is in the room."""
    rooms = rooms_pb2_grpc.RoomsStub(channel)
    room = await rooms.GetRoom(rooms_pb2.GetRoomRequest(room_id=ROOM), timeout=CALL_SECONDS)
    return {participant.participant_id: participant for participant in room.participants}


async def two_meet(http: Http, key: TokenKey, channel: grpc.aio.Channel) -> None:
    """One publishes, one plays; a third comes by the address without a room."""
    async with Watcher(channel, ROOM) as watcher:
        ada, grace = HttpPeer("ada", LOW), HttpPeer("grace", None)
        ada_token = key.token(ROOM, "ada")
        answer = await ada.enter(http, f"/whip/{ROOM}", ada_token)
        true(bool(re.fullmatch("/session/[0-9a-f]{32}", ada.resource)), ada.resource)
        true(bool(re.fullmatch('"[^"]+"', ada.tag)), f"a strong entity tag: {ada.tag}")
        equal(answer["Accept-Patch"], FRAGMENT, "Accept-Patch")
        links = answer.headers.get_all("Link")
        equal(links[0], '<stun:stun.example:3478>; rel="ice-server"', "the first Link")
        true('credential="p"; credential-type="password"' in links[1], f"the second: {links[1]}")
        grace_token = key.token(ROOM, "grace", role="moderator", publish=["audio"])
        await grace.enter(http, "/whep", grace_token)
        true(ada.resource != grace.resource and ada.tag != grace.tag, "each has its own")
        await watcher.until(lambda: watcher.connected() == {"ada", "grace"}, "both connected")
        await until_heard(grace, LOW)

        people = await shown(channel)
        equal(people["ada"].role, rooms_pb2.ROLE_SPEAKER, "ada's role")
        equal(people["ada"].display_name, "Ada", "ada's name")
        equal(people["grace"].role, rooms_pb2.ROLE_LISTENER, "who comes by WHEP listens")

        await patches(http, ada, ada_token)
        again = await http.call(
            "POST", "/whip", ada_token, await HttpPeer("ada", LOW).offer(),
            Content_Type="application/sdp",
        )
        again.refused(409, "PARTICIPANT_ALREADY_EXISTS", "the same person at the same time")

        await leaves(http, grace, grace_token, key)
        await watcher.until(lambda: "grace" in watcher.left(), "grace's leaving")
        equal(watcher.left()["grace"], "LEAVE_REASON_CLIENT_CLOSED", "why grace left")
        equal(ada.state, "connected", "ada's connection")
        await restart(http, ada, ada_token)
        equal((await http.call("DELETE", ada.resource, ada_token)).status, 200, "ada's leaving")
        await watcher.until(lambda: "ada" in watcher.left(), "ada's leaving")
        await ada.leave()


async def restart(http: Http, peer: HttpPeer, token: str) -> None:
    """Other credentials begin a new ICE session: the node's own are others too, and so is the tag."""
    body = f"a=ice-ufrag:abcd\r\na=ice-pwd:{'x' * 24}\r\n"

    async def patch(tag: str) -> Any:
        headers = {"Content_Type": FRAGMENT, "If_Match": tag}
        return await http.call("PATCH", peer.resource, token, body, **headers)

    remote = peer._connection.remoteDescription.sdp
    before = re.search("a=ice-ufrag:(.*)\r\n", remote).group(1)
    stale = await patch('"old"')
    stale.refused(412, "SESSION_MISMATCH", "a restart with an old tag")
    new = await patch("*")
    equal((new.status, new["Content-Type"]), (200, FRAGMENT), f"a restart ({new.body})")
    true(new["ETag"] != peer.tag, "the tag is another one")
    user = re.search("a=ice-ufrag:(.*)\r\n", new.body).group(1)
    true(user != before, "the node's credentials are others")
    for part in ["a=ice-lite\r\n", "a=ice-pwd:", "a=candidate:", "m=audio ", "a=mid:"]:
        true(part in new.body, f"{part!r} in the node's fragment: {new.body}")
    equal((await patch(new["ETag"])).status, 204, "the same credentials again are no restart")
    (await patch(peer.tag)).refused(412, "SESSION_MISMATCH", "the tag before the restart")


async def patches(http: Http, peer: HttpPeer, token: str) -> None:
    """Entity tags and fragments as RFC 9725 (section 4.3) has them."""
    local = peer._connection.localDescription.sdp
    user = re.search("a=ice-ufrag:(.*)\r\n", local).group(1)
    password = re.search("a=ice-pwd:(.*)\r\n", local).group(1)

    def fragment(user: str = user, password: str = password) -> str:
        return (
            f"a=ice-ufrag:{user}\r\na=ice-pwd:{password}\r\n"
            "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
            "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"
            "a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n"
            "a=candidate:3 1 udp 2122260223 x.local 61764 typ host\r\n"
            "a=candidate:nonsense\r\na=end-of-candidates\r\n"
        )

    async def patch(body: str, **headers: str) -> Any:
        headers = {"Content_Type": FRAGMENT} | headers
        return await http.call("PATCH", peer.resource, token, body, **headers)

    for tag in [peer.tag, f'"other", {peer.tag}']:
        good = await patch(fragment(), If_Match=tag)
        equal((good.status, good.body, good.headers["ETag"]), (204, "", None), "a candidate")
    (await patch(fragment())).refused(428, "FIELD_INVALID", "no If-Match")
    (await patch(fragment(), If_Match='"old"')).refused(412, "SESSION_MISMATCH", "an old tag")
    weak = await patch(fragment(), If_Match=f"W/{peer.tag}")
    weak.refused(412, "SESSION_MISMATCH", "a weak tag")
    wrong = await patch(fragment(), If_Match=peer.tag, Content_Type="application/sdp")
    wrong.refused(415, "MESSAGE_MALFORMED", "another type")
    equal(wrong["Accept-Patch"], FRAGMENT, "what is taken instead")
    for bad in ["", "nonsense", "a=ice-ufrag:abcd\r\n"]:
        (await patch(bad, If_Match=peer.tag)).refused(400, "MESSAGE_MALFORMED", bad)
    long = await patch("a=x\r\n" * 5000, If_Match=peer.tag)
    long.refused(413, "MESSAGE_TOO_LARGE", "a long fragment")
    for method in ["GET", "HEAD", "POST", "PUT"]:
        other = await http.call(method, peer.resource, token)
        equal((other.status, other["Allow"]), (405, "PATCH, DELETE, OPTIONS"), method)


async def leaves(http: Http, peer: HttpPeer, token: str, key: TokenKey) -> None:
    """Only who entered may end the session, and the entity tag does not matter."""
    stranger = key.token(ROOM, "mallory")
    (await http.call("DELETE", peer.resource)).refused(401, "CREDENTIAL_MISSING", "no token")
    (await http.call("DELETE", peer.resource, "x")).refused(401, "TOKEN_INVALID", "a bad token")
    other = await http.call("DELETE", peer.resource, stranger)
    other.refused(404, "PARTICIPANT_NOT_FOUND", "another's session")
    nothing = await http.call("DELETE", f"/session/{'0' * 32}", stranger)
    equal(nothing.body, other.body, "another's session is like none at all")
    ended = await http.call("DELETE", peer.resource, token, If_Match='"old"')
    equal((ended.status, ended.body), (200, ""), "the end")
    again = await http.call("DELETE", peer.resource, token)
    again.refused(404, "PARTICIPANT_NOT_FOUND", "the end of the end")


async def once(http: Http, key: TokenKey) -> None:
    """A token that is good once is used up by entering, and not by trying to."""
    token = key.token(ROOM, "hedy", once=True)
    bad = await http.call("POST", "/whip", token, "v=0\r\n", Content_Type="application/sdp")
    equal(bad.status // 100, 4, f"no offer ({bad.body})")
    first = HttpPeer("hedy", LOW)
    await first.enter(http, "/whip", token)
    equal((await http.call("DELETE", first.resource, token)).status, 200, "hedy's leaving")
    await first.leave()
    second = await http.call(
        "POST", "/whip", token, await HttpPeer("hedy", LOW).offer(), Content_Type="application/sdp"
    )
    second.refused(401, "TOKEN_INVALID", "the second use")


async def expired(http: Http, key: TokenKey) -> None:
    """A token that has expired lets nobody in, and is still good for the session that it has opened."""
    # Clocks may differ by 30 s, so this one is good for a few seconds more.
    now = int(time.time())
    token = key.token(ROOM, "ira", iat=now - 60, exp=now - 20)
    ira = HttpPeer("ira", LOW)
    await ira.enter(http, "/whip", token)
    nothing = f"/session/{'0' * 32}"
    async with asyncio.timeout(CALL_SECONDS):
        while (await http.call("DELETE", nothing, token)).status != 401:
            await asyncio.sleep(1)
    body = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"
    headers = {"Content_Type": FRAGMENT, "If_Match": ira.tag}
    trickle = await http.call("PATCH", ira.resource, token, body, **headers)
    equal(trickle.status, 204, f"a candidate ({trickle.body})")
    equal((await http.call("DELETE", ira.resource, token)).status, 200, "ira's leaving")
    await ira.leave()


async def browsers_meet(
    given: argparse.Namespace, http: Http, key: TokenKey, channel: grpc.aio.Channel
) -> None:
    """Chromium publishes by somebody else's client; Chromium and aiortc hear it."""
    url = f"https://{given.whip}"
    told = {
        "whip": f"{url}/whip/{ROOM}",
        "whep": f"{url}/whep/{ROOM}",
        "publisher": key.token(ROOM, "browser-publisher"),
        "player": key.token(ROOM, "browser-player", role="listener", publish=[]),
        "hertz": HIGH,
        "port": given.page_port,
    }
    pipe = asyncio.subprocess.PIPE
    browser = await asyncio.create_subprocess_exec(
        given.node, given.script, json.dumps(told), stdin=pipe, stdout=pipe
    )
    listener = HttpPeer("aiortc-player", None)
    async with Watcher(channel, ROOM) as watcher:
        both = {"browser-publisher", "browser-player"}
        await watcher.until(
            lambda: watcher.connected() >= both, "both in the browser", BROWSER_SECONDS
        )
        token = key.token(ROOM, "aiortc-player", role="listener", publish=[])
        await listener.enter(http, "/whep", token)
        await until_heard(listener, HIGH)
        await listener.leave()
        assert browser.stdin is not None and browser.stdout is not None
        async with asyncio.timeout(BROWSER_SECONDS):
            heard = json.loads(await browser.stdout.readline())
        true(heard["energy"] > 0 and heard["packets"] > 0, f"the player hears: {heard}")
        # They leave by DELETE.
        browser.stdin.close()
        await watcher.until(lambda: set(watcher.left()) >= both, "both left", BROWSER_SECONDS)
    equal(await browser.wait(), 0, "the browsers' program")


async def main() -> None:
    """Run all of it."""
    daemon, given = Daemon.with_whip()
    http, key = Http(given.whip, daemon.ca_file), TokenKey(given.token_key)
    async with daemon.aio_channel() as channel:
        await create_room(channel, ROOM)
        await two_meet(http, key, channel)
        print("two meet: right")
        await once(http, key)
        print("once: right")
        await expired(http, key)
        print("expired: right")
        await browsers_meet(given, http, key, channel)
        print("browsers meet: right")


if __name__ == "__main__":
    asyncio.run(main())
