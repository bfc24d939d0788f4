"""gRPC over HTTP/3 by hand, on aioquic: a stack that shares no code with the daemon's."""

from __future__ import annotations

import asyncio
import base64
import ssl
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aioquic.asyncio import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamReset
from google.protobuf.message import Message
from google.rpc import status_pb2
from stoa.control.v1 import node_pb2, rooms_pb2

import offers
from daemon import CALL_SECONDS, Daemon
from expect import Details, equal, true

ROOMS = "/stoa.control.v1.Rooms/"
NODE = "/stoa.control.v1.Node/"
CANCELS = 50

OK = 0
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
UNIMPLEMENTED = 12
UNAUTHENTICATED = 16


class Ended(Exception):
    """The stream has no further message."""


class Call:
    """One request stream."""

    def __init__(self, stream_id: int) -> None:
        self.stream_id = stream_id
        self.headers: dict[str, str] = {}
        self.trailers: dict[str, str] = {}
        self.reset: int | None = None
        self._body = bytearray()
        self._changed = asyncio.Condition()
        self._ended = False

    async def take(self, event: H3Event | StreamReset | None) -> None:
        """Note what came; `None` is the end of the connection."""
        async with self._changed:
            if isinstance(event, HeadersReceived):
                fields = {name.decode(): value.decode() for name, value in event.headers}
                if self.headers:
                    self.trailers = fields
                else:
                    self.headers = fields
                self._ended |= event.stream_ended
            elif isinstance(event, DataReceived):
                self._body += event.data
                self._ended |= event.stream_ended
            elif isinstance(event, StreamReset):
                self.reset = event.error_code
                self._ended = True
            else:
                self._ended = True
            self._changed.notify_all()

    async def message(self) -> bytes:
        """The next message: one byte for compression, four for the length, the message."""
        async with asyncio.timeout(CALL_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self._complete() or self._ended)
        if not self._complete():
            true(not self._body, f"{len(self._body)} bytes of half a message")
            raise Ended
        compressed, length = struct.unpack_from(">BI", self._body)
        equal(compressed, 0, "the compression flag")
        message = bytes(self._body[5 : 5 + length])
        del self._body[: 5 + length]
        return message

    def _complete(self) -> bool:
        if len(self._body) < 5:
            return False
        return len(self._body) >= 5 + struct.unpack_from(">I", self._body, 1)[0]

    async def end(self) -> None:
        """Wait for the end of the stream, however it ends."""
        async with asyncio.timeout(CALL_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self._ended)

    async def status(self) -> tuple[int, Details]:
        """How the call ended in gRPC's terms, after messages that nobody asked for."""
        await self.end()
        equal(self.reset, None, "the reset of the stream")
        equal(self.headers.get(":status"), "200", "the HTTP status")
        equal(self.headers.get("content-type"), "application/grpc", "the content type")
        # "Trailers-Only": the status is in the only header block, and there is no body.
        last = self.trailers or self.headers
        code = int(last["grpc-status"])
        packed = last.get("grpc-status-details-bin")
        if packed is None:
            return code, Details()
        status = status_pb2.Status.FromString(base64.b64decode(packed + "=="))
        equal(status.code, code, "the code in the details")
        return code, Details.of(status)


class Grpc(QuicConnectionProtocol):
    """A connection of its own to the control API."""

    daemon: Daemon

    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic)
        self._http = H3Connection(quic)
        self._calls: dict[int, Call] = {}
        self._events: asyncio.Queue[QuicEvent] = asyncio.Queue()
        self._pump = asyncio.ensure_future(self._deliver())

    def quic_event_received(self, event: QuicEvent) -> None:
        """Queue what QUIC reports, in order."""
        self._events.put_nowait(event)

    async def _deliver(self) -> None:
        while True:
            event = await self._events.get()
            for http in self._http.handle_event(event):
                await self._calls[http.stream_id].take(http)
            if isinstance(event, StreamReset):
                await self._calls[event.stream_id].take(event)
            elif isinstance(event, ConnectionTerminated):
                for call in self._calls.values():
                    await call.take(None)

    def start(
        self,
        path: str,
        request: Message | None,
        *,
        timeout: str | None = None,
        key: bool = True,
        metadata: Iterable[tuple[str, str]] = (),
    ) -> Call:
        """Send a request; without a message, its stream stays open."""
        stream_id = self._quic.get_next_available_stream_id()
        call = self._calls[stream_id] = Call(stream_id)
        headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", path),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
        if timeout is not None:
            headers.append(("grpc-timeout", timeout))
        if key:
            headers.append(("authorization", f"Bearer {self.daemon.api_key}"))
        headers.extend(metadata)
        encoded = [(name.encode(), value.encode()) for name, value in headers]
        self._http.send_headers(stream_id, encoded)
        if request is not None:
            body = request.SerializeToString()
            # Two DATA frames: where they are cut means nothing to gRPC.
            self._http.send_data(stream_id, struct.pack(">BI", 0, len(body)), False)
            self._http.send_data(stream_id, body, True)
        self.transmit()
        return call

    async def call(self, path: str, request: Message) -> bytes:
        """A unary call that succeeds."""
        call = self.start(path, request)
        answer = await call.message()
        code, details = await call.status()
        equal((code, details.reason), (OK, ""), f"the status of {path}")
        return answer

    async def refusal(
        self, path: str, request: Message, code: int, reason: str, *, key: bool = True
    ) -> tuple[Call, Details]:
        """A call that fails like this."""
        call = self.start(path, request, key=key)
        found, details = await call.status()
        equal((found, details.reason), (code, reason), f"the status of {path}")
        return call, details

    def give_up(self, call: Call) -> None:
        """Cancel a call whose request was complete: its answer is not wanted any more."""
        self._quic.stop_stream(call.stream_id, ErrorCode.H3_REQUEST_CANCELLED)
        self.transmit()

    def break_off(self, call: Call) -> None:
        """Cancel a call in the middle of its request."""
        self._quic.reset_stream(call.stream_id, ErrorCode.H3_REQUEST_CANCELLED)
        self._quic.stop_stream(call.stream_id, ErrorCode.H3_REQUEST_CANCELLED)
        self.transmit()


@asynccontextmanager
async def connect(daemon: Daemon) -> AsyncIterator[Grpc]:
    """Connect from a socket that is bound to loopback."""
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=H3_ALPN,
        server_name="localhost",
        verify_mode=ssl.CERT_REQUIRED,
    )
    configuration.load_verify_locations(cafile=daemon.ca_file)
    quic = QuicConnection(configuration=configuration)
    loop = asyncio.get_running_loop()
    transport, grpc = await loop.create_datagram_endpoint(
        lambda: Grpc(quic), local_addr=("127.0.0.1", 0)
    )
    grpc.daemon = daemon
    host, port = daemon.control.rsplit(":", 1)
    try:
        grpc.connect((host, int(port)))
        async with asyncio.timeout(CALL_SECONDS):
            await grpc.wait_connected()
        yield grpc
    finally:
        grpc.close()
        transport.close()


async def room_count(grpc: Grpc) -> int:
    """How many rooms the node has: a call like any other."""
    answer = await grpc.call(NODE + "GetStatus", node_pb2.GetStatusRequest())
    return node_pb2.NodeStatus.FromString(answer).room_count


async def unary_calls_work(grpc: Grpc) -> None:
    create = rooms_pb2.CreateRoomRequest(room_id="quic")
    created = rooms_pb2.Room.FromString(await grpc.call(ROOMS + "CreateRoom", create))
    equal(created.room_id, "quic", "the room")
    get = rooms_pb2.GetRoomRequest(room_id="quic")
    found = rooms_pb2.Room.FromString(await grpc.call(ROOMS + "GetRoom", get))
    equal(found, created, "the room as GetRoom shows it")
    equal(await room_count(grpc), 1, "the rooms of the node")


async def many_calls_share_the_connection(grpc: Grpc) -> None:
    get = rooms_pb2.GetRoomRequest(room_id="quic")
    answers = await asyncio.gather(*(grpc.call(ROOMS + "GetRoom", get) for _ in range(100)))
    equal(len(set(answers)), 1, "the different answers")


async def errors_carry_their_details(grpc: Grpc) -> None:
    create = ROOMS + "CreateRoom"
    again = rooms_pb2.CreateRoomRequest(room_id="quic")
    call, details = await grpc.refusal(create, again, ALREADY_EXISTS, "ROOM_ALREADY_EXISTS")
    equal(call.trailers, {}, "the trailers of an error without an answer")
    true("grpc-message" in call.headers, "an error without a message")
    equal(details.metadata.get("room_id"), "quic", "the metadata")
    bad = rooms_pb2.CreateRoomRequest(room_id="a b")
    _, details = await grpc.refusal(create, bad, INVALID_ARGUMENT, "FIELD_INVALID")
    equal(details.fields, ["room_id"], "the wrong fields")
    nowhere = rooms_pb2.WatchRequest(room_id="nowhere")
    await grpc.refusal(ROOMS + "Watch", nowhere, NOT_FOUND, "ROOM_NOT_FOUND")


async def nobody_calls_without_a_credential(grpc: Grpc) -> None:
    for path, request in [
        (NODE + "GetStatus", node_pb2.GetStatusRequest()),
        (ROOMS + "CreateRoom", rooms_pb2.CreateRoomRequest(room_id="stolen")),
        (ROOMS + "Watch", rooms_pb2.WatchRequest(room_id="quic")),
    ]:
        await grpc.refusal(path, request, UNAUTHENTICATED, "CREDENTIAL_MISSING", key=False)
    equal(await room_count(grpc), 1, "the rooms of the node")


async def a_wrong_path_is_no_method(grpc: Grpc) -> None:
    for path in [ROOMS + "Nothing", "/no.such.Service/Method", "/"]:
        await grpc.refusal(path, node_pb2.GetStatusRequest(), UNIMPLEMENTED, "METHOD_UNKNOWN")


async def event(watch: Call) -> rooms_pb2.WatchResponse:
    """The next event of a watch."""
    return rooms_pb2.WatchResponse.FromString(await watch.message())


async def a_stream_brings_events_until_the_room_is_closed(grpc: Grpc) -> None:
    create = rooms_pb2.CreateRoomRequest(room_id="watched")
    await grpc.call(ROOMS + "CreateRoom", create)
    watch = grpc.start(ROOMS + "Watch", rooms_pb2.WatchRequest(room_id="watched"))
    first = await event(watch)
    equal(first.snapshot.room_id, "watched", "the room of the snapshot")

    join = rooms_pb2.JoinRequest(room_id="watched", participant_id="ada", sdp_offer=offers.offer())
    joined = rooms_pb2.JoinResponse.FromString(await grpc.call(ROOMS + "Join", join))
    seen = await event(watch)
    equal(seen.participant_joined.participant, joined.participant, "who joined")
    equal(seen.revision, joined.room_revision, "the revision after it")

    close = rooms_pb2.CloseRoomRequest(room_id="watched")
    await grpc.call(ROOMS + "CloseRoom", close)
    left = (await event(watch)).participant_left
    equal(left.reason, rooms_pb2.LEAVE_REASON_ROOM_CLOSED, "why ada left")
    equal((await event(watch)).WhichOneof("event"), "room_closed", "the last event")
    code, _ = await watch.status()
    equal(code, OK, "how the stream ends")


async def the_daemon_itself_obeys_a_deadline(grpc: Grpc) -> None:
    """Nobody but the daemon can end the stream: the client has no clock for it."""
    watch = grpc.start(ROOMS + "Watch", rooms_pb2.WatchRequest(room_id="quic"), timeout="500m")
    equal((await event(watch)).WhichOneof("event"), "snapshot", "the first event")
    code, details = await watch.status()
    equal((code, details.reason), (DEADLINE_EXCEEDED, "DEADLINE_PASSED"), "the end")
    true("grpc-status" in watch.trailers, "the status came without trailers")


async def cancelled_watches_are_dropped(grpc: Grpc) -> None:
    """A server that drops a stream whose answer is not wanted resets it (RFC 9000, 3.5)."""
    for _ in range(CANCELS):
        watch = grpc.start(ROOMS + "Watch", rooms_pb2.WatchRequest(room_id="quic"))
        equal((await event(watch)).WhichOneof("event"), "snapshot", "the first event")
        grpc.give_up(watch)
        await watch.end()
        true(watch.reset is not None, "the watch ended in order")
    equal(await room_count(grpc), 1, "the rooms of the node")


async def broken_off_requests_do_no_harm(grpc: Grpc) -> None:
    for _ in range(CANCELS):
        call = grpc.start(ROOMS + "CreateRoom", None)
        grpc.break_off(call)
    equal(await room_count(grpc), 1, "the rooms of the node")


async def main() -> None:
    """Run everything on one connection."""
    daemon = Daemon.from_arguments()
    async with connect(daemon) as grpc:
        for step in [
            unary_calls_work,
            many_calls_share_the_connection,
            errors_carry_their_details,
            nobody_calls_without_a_credential,
            a_wrong_path_is_no_method,
            a_stream_brings_events_until_the_room_is_closed,
            the_daemon_itself_obeys_a_deadline,
            cancelled_watches_are_dropped,
            broken_off_requests_do_no_harm,
        ]:
            await step(grpc)
            print(f"{step.__name__}: right")


if __name__ == "__main__":
    asyncio.run(main())
