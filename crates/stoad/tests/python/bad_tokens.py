"""Bad tokens and bad requests at the HTTP entrance: refused alike, with nothing made."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
from dataclasses import replace

import grpc
import grpc.aio
from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from daemon import CALL_SECONDS, Daemon
from expect import equal, refused, true
from join_tokens import TokenKey, bad_tokens
from watcher import create_room
from whip_http import SDP, Answer, Http, HttpPeer

ROOM = "hall"
FLOOD = 200


async def nobody_is_in(channel: grpc.aio.Channel, what: str) -> None:
    """The room is as it was made."""
    rooms = rooms_pb2_grpc.RoomsStub(channel)
    room = await rooms.GetRoom(rooms_pb2.GetRoomRequest(room_id=ROOM), timeout=CALL_SECONDS)
    equal((room.participant_count, room.revision), (0, created_revision), what)


created_revision = 0


def shape(answer: Answer) -> tuple[object, ...]:
    """All that a caller can see of an answer."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    headers.pop("date", None)
    return answer.status, tuple(sorted(headers.items())), answer.body


async def tokens(daemon: Daemon, http: Http, key: TokenKey, offers: tuple[str, str]) -> None:
    """Each kind of bad token has the same answer to the last byte, whichever entrance it comes to."""
    entrances = itertools.cycle(
        [
            ("POST", "/whip", offers[0]),
            ("POST", "/whep", offers[1]),
            ("PATCH", f"/session/{'0' * 32}", ""),
            ("POST", f"/whip/{ROOM}", offers[0]),
            ("DELETE", f"/session/{'0' * 32}", ""),
        ]
    )
    shapes: dict[tuple[object, ...], str] = {}
    said: dict[tuple[object, ...], str] = {}
    # So many bad ones are looked at in a minute from one source; one call at each entrance for each.
    for (what, bad), (method, path, body) in zip(bad_tokens(key, ROOM, "ada").items(), entrances):
        answer = await http.call(method, path, bad, body, Content_Type=SDP)
        answer.refused(401, "TOKEN_INVALID", f"{what}, {method} {path}")
        equal(answer["WWW-Authenticate"], 'Bearer error="invalid_token"', what)
        shapes[shape(answer)] = what
        if bad.count(".") != 2:
            # Over gRPC it could be a key.
            continue
        async with replace(daemon, api_key=bad).aio_channel() as channel:
            try:
                request = rooms_pb2.JoinRequest(
                    room_id=ROOM, participant_id="ada", sdp_offer=offers[0]
                )
                await rooms_pb2_grpc.RoomsStub(channel).Join(request, timeout=CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                refused(error, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
                told = [pair for pair in error.trailing_metadata() or [] if pair[0] != "date"]
                said[error.details(), tuple(sorted(told))] = what
            else:
                raise AssertionError(f"let in with a token that is {what}")
    equal(len(shapes), 1, f"how many different answers there are: {shapes}")
    equal(len(said), 1, f"how many different answers there are over gRPC: {said}")
    none = await http.call("POST", "/whip", None, offers[0], Content_Type=SDP)
    none.refused(401, "CREDENTIAL_MISSING", "no header")
    basic = await http.call(
        "POST", "/whip", None, offers[0], Content_Type=SDP, Authorization="Basic YTpi"
    )
    basic.refused(401, "TOKEN_INVALID", "another scheme")


async def grants(http: Http, key: TokenKey, offers: tuple[str, str]) -> None:
    """A good token is good for what it grants, and no more."""
    sends, receives = offers
    mute = key.token(ROOM, "ada", publish=[])
    answer = await http.call("POST", "/whip", mute, sends, Content_Type=SDP)
    answer.refused(403, "TOKEN_NOT_SUFFICIENT", "to speak with a token to listen")
    good = key.token(ROOM, "ada")
    answer = await http.call("POST", "/whip/other", good, sends, Content_Type=SDP)
    answer.refused(403, "TOKEN_NOT_SUFFICIENT", "another room")
    answer = await http.call("POST", "/whep", good, sends, Content_Type=SDP)
    answer.refused(422, "SDP_UNUSABLE", "to listen with an offer that sends")
    answer = await http.call("POST", "/whip", good, receives, Content_Type=SDP)
    answer.refused(422, "SDP_UNUSABLE", "to speak with an offer that does not send")
    elsewhere = key.token("no-such-room", "ada")
    answer = await http.call("POST", "/whip", elsewhere, sends, Content_Type=SDP)
    answer.refused(404, "ROOM_NOT_FOUND", "a room that is not there")


async def bodies(http: Http, key: TokenKey) -> None:
    """What is no offer is refused by what is wrong with it."""
    good = key.token(ROOM, "ada")
    cases = {
        "nothing": ("", SDP, 400, "SDP_MALFORMED"),
        "no SDP": ("{}", SDP, 400, "SDP_MALFORMED"),
        "another type": ("{}", "application/json", 415, "MESSAGE_MALFORMED"),
        "no type": ("v=0\r\n", "", 415, "MESSAGE_MALFORMED"),
        "no UTF-8": (b"\xff\xfe", SDP, 400, "MESSAGE_MALFORMED"),
        "too long": ("a" * 70_000, SDP, 413, "MESSAGE_TOO_LARGE"),
    }
    for what, (body, media_type, status, reason) in cases.items():
        answer = await http.call("POST", "/whip", good, body, Content_Type=media_type)
        answer.refused(status, reason, what)
        if status == 415:
            equal(answer["Accept-Post"], SDP, what)


async def methods(http: Http, key: TokenKey, origin: str) -> None:
    """What is reserved is 405; pages of the allowed origin may ask, others may not."""
    good = key.token(ROOM, "ada")
    for path in ["/whip", f"/whep/{ROOM}"]:
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"]:
            answer = await http.call(method, path, good)
            equal((answer.status, answer["Allow"]), (405, "POST, OPTIONS"), f"{method} {path}")
    for path in ["/", "/other", "/whip/a/b", "/session", "/session/", "/session/a/b"]:
        (await http.call("POST", path, good)).refused(404, "METHOD_UNKNOWN", path)
    preflight = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization,content-type",
    }
    allowed = await http.call("OPTIONS", "/whip", None, None, Origin=origin, **preflight)
    equal((allowed.status, allowed.body), (200, ""), "a preflight request")
    equal(allowed["Accept-Post"], SDP, "Accept-Post")
    equal(allowed["Access-Control-Allow-Origin"], origin, "the origin")
    equal(allowed["Access-Control-Allow-Methods"], "POST, OPTIONS", "the methods")
    taken = {name.strip().lower() for name in allowed["Access-Control-Allow-Headers"].split(",")}
    true(taken >= {"authorization", "content-type", "if-match"}, f"the headers: {taken}")
    session = await http.call("OPTIONS", f"/session/{'0' * 32}", None, None, Origin=origin)
    equal(session["Access-Control-Allow-Methods"], "PATCH, DELETE, OPTIONS", "of a session")
    for stranger in ["https://evil.example", "null", f"{origin}.evil.example"]:
        refused = await http.call("OPTIONS", "/whip", None, None, Origin=stranger, **preflight)
        equal(refused.headers["Access-Control-Allow-Origin"], None, stranger)
        equal(refused.headers["Access-Control-Allow-Methods"], None, stranger)
    # A page reads why it was refused, too.
    error = await http.call("POST", "/whip", None, "", Origin=origin)
    equal(error["Access-Control-Allow-Origin"], origin, "of an error")
    exposed = {name.strip() for name in error["Access-Control-Expose-Headers"].split(",")}
    true(exposed >= {"Location", "ETag", "Link"}, f"what a page may read: {exposed}")
    equal(error["Vary"], "Origin", "Vary")


def raw(address: str, ca_file: str, sent: bytes) -> bytes:
    """Send bytes and take what comes until the end."""
    host, _, port = address.rpartition(":")
    tls = ssl.create_default_context(cafile=ca_file)
    with socket.create_connection((host, int(port)), CALL_SECONDS) as plain:
        with tls.wrap_socket(plain, server_hostname=host) as stream:
            try:
                stream.sendall(sent)
            except (ConnectionError, ssl.SSLError):
                pass
            received = b""
            try:
                while part := stream.recv(65536):
                    received += part
            except (ConnectionError, ssl.SSLError):
                pass
            return received


async def heads(address: str, ca_file: str) -> None:
    """Heads that are too long or have too many lines, and what is no HTTP at all."""
    for what, sent in {
        "a long header": b"POST /whip HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
        "many headers": b"POST /whip HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100 + b"\r\n",
        "no HTTP": b"\x16\x03\x01 something\r\n\r\n",
        "two lengths": b"POST /whip HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        b"Content-Length: 2\r\n\r\nab",
    }.items():
        answer = await asyncio.to_thread(raw, address, ca_file, sent)
        first = answer.split(b"\r\n", 1)[0]
        true(not answer or first.split()[1] in {b"400", b"431"}, f"{what}: {first!r}")


async def flood(http: Http, key: TokenKey, offers: tuple[str, str]) -> None:
    """Many at once are refused, and after too many nothing is looked at; whoever is in keeps their session."""
    inside, own = HttpPeer("zoe", 440.0), key.token(ROOM, "zoe")
    await inside.enter(http, "/whip", own)
    bad = bad_tokens(key, ROOM, "ada")["forged"]
    calls = [http.call("POST", "/whip", bad, offers[0], Content_Type=SDP) for _ in range(FLOOD)]
    answers = await asyncio.gather(*calls)
    statuses = {answer.status for answer in answers}
    true(statuses <= {401, 429} and 429 in statuses, f"a flood of bad tokens: {statuses}")
    late = next(answer for answer in answers if answer.status == 429)
    late.refused(429, "RATE_EXCEEDED", "one too many")
    true(int(late["Retry-After"]) >= 1, "when to come back")
    good = await http.call("POST", "/whip", key.token(ROOM, "ada"), offers[0], Content_Type=SDP)
    good.refused(429, "RATE_EXCEEDED", "a good token from there")
    equal((await http.call("DELETE", inside.resource, own)).status, 200, "zoe's leaving")
    await inside.leave()


async def main() -> None:
    """Run all of it."""
    daemon, given = Daemon.with_whip()
    http, key = Http(given.whip, daemon.ca_file), TokenKey(given.token_key)
    origin = f"http://127.0.0.1:{given.page_port}"
    sends, receives = HttpPeer("ada", 440.0), HttpPeer("grace", None)
    offers = await sends.offer(), await receives.offer()
    async with daemon.aio_channel() as channel:
        await create_room(channel, ROOM)
        rooms = rooms_pb2_grpc.RoomsStub(channel)
        request = rooms_pb2.GetRoomRequest(room_id=ROOM)
        global created_revision
        created_revision = (await rooms.GetRoom(request, timeout=CALL_SECONDS)).revision
        steps = {
            "tokens": lambda: tokens(daemon, http, key, offers),
            "grants": lambda: grants(http, key, offers),
            "bodies": lambda: bodies(http, key),
            "methods": lambda: methods(http, key, origin),
            "heads": lambda: heads(given.whip, daemon.ca_file),
        }
        for name, step in steps.items():
            await step()
            await nobody_is_in(channel, f"after {name}")
            print(f"{name}: right")
        await flood(http, key, offers)
        room = await rooms.GetRoom(request, timeout=CALL_SECONDS)
        equal(room.participant_count, 0, "who is in after the flood")
        print("flood: right")
    await sends.leave()
    await receives.leave()


if __name__ == "__main__":
    asyncio.run(main())
