"""What a stock OpenTelemetry receiver is sent of real calls, over HTTP/2 and HTTP/3."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import threading
import time
import urllib.request
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2
from stoa.control.v1 import node_pb2, node_pb2_grpc, rooms_pb2, rooms_pb2_grpc

import offers
from daemon import CALL_SECONDS, Daemon
from expect import equal, refusal, true
from http3_aioquic import NODE, connect

# How long anything may take that the daemon does by itself.
PATIENCE = 30.0
POLL = 0.02

# More than one, fewer than wait in the queue.
CALLS_WITHOUT_A_COLLECTOR = 20

# What must never be in a span: what calls are about, who makes them, and from where.
ROOM = "a-room-that-is-nobodys-business"
PARTICIPANT = "somebody-who-is-not-told-of"
WRONG_KEY = "a-wrong-key-that-is-not-told-of"
WRONG_METHOD = "AMethodThatNobodyHas"
STATE = "vendor=a-state-that-is-not-passed-on"
ADDRESS = "127.0.0.1"

RPC = "stoa.control.v1."
Span = trace_pb2.Span


class Caller:
    """A place in a trace, as a caller that traces has one."""

    def __init__(self, flags: str = "01") -> None:
        self.trace = secrets.token_bytes(16)
        self.span = secrets.token_bytes(8)
        self.header = f"00-{self.trace.hex()}-{self.span.hex()}-{flags}"

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """What goes with a call."""
        return [("traceparent", self.header), ("tracestate", STATE)]


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes what it is sent, and keeps it."""

    def __init__(self, address: str) -> None:
        self._changed = threading.Condition()
        self.requests: list[trace_service_pb2.ExportTraceServiceRequest] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        true(self._server.add_insecure_port(address) != 0, f"{address} is not free")
        self._server.start()

    def Export(  # noqa: N802
        self,
        request: trace_service_pb2.ExportTraceServiceRequest,
        context: grpc.ServicerContext,
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """What the daemon calls."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self) -> list[Span]:
        """All that came."""
        resources = [found for request in self.requests for found in request.resource_spans]
        return [span for of in resources for scope in of.scope_spans for span in scope.spans]

    def of(self, caller: Caller) -> list[Span]:
        """Those of a trace."""
        return [span for span in self.spans() if span.trace_id == caller.trace]

    def span(self, caller: Caller) -> Span:
        """The only one of a trace, once it is there."""
        with self._changed:
            there = self._changed.wait_for(lambda: self.of(caller), PATIENCE)
        true(bool(there), "no span has come")
        equal(len(self.of(caller)), 1, "the spans of the call")
        return self.of(caller)[0]

    def stop(self) -> None:
        """Take nothing more."""
        self._server.stop(0).wait()


def attributes(of: Span) -> dict[str, str]:
    """Its attributes, which are texts."""
    return {entry.key: entry.value.string_value for entry in of.attributes}


def expect(span: Span, caller: Caller, version: str, method: str, code: str, reason: str) -> None:
    """Expect this of a call that was in a caller's trace."""
    equal(span.parent_span_id, caller.span, "the parent")
    equal(span.kind, Span.SPAN_KIND_SERVER, "the kind")
    expected = {
        "rpc.system.name": "grpc",
        "rpc.method": method or "_OTHER",
        "rpc.response.status_code": code,
        "network.protocol.name": "http",
        "network.protocol.version": version,
    }
    if reason:
        expected["stoa.error.reason"] = reason
    status = trace_pb2.Status.STATUS_CODE_UNSET
    if code == "UNIMPLEMENTED":
        status = trace_pb2.Status.STATUS_CODE_ERROR
        expected["error.type"] = code
    equal(span.name, method or "grpc", "the name")
    equal(attributes(span), expected, "the attributes")
    equal(span.status.code, status, "the status")
    now = time.time_ns()
    true(0 < span.start_time_unix_nano <= span.end_time_unix_nano <= now, "its times")


def metric(ops: str, name: str) -> int:
    """A metric without labels."""
    with urllib.request.urlopen(f"http://{ops}/metrics", timeout=CALL_SECONDS) as answer:
        lines = answer.read().decode().splitlines()
    values = [line.split(" ")[1] for line in lines if line.startswith(f"{name} ")]
    equal(len(values), 1, name)
    return int(float(values[0]))


def a_collector_that_is_not_there_changes_nothing(daemon: Daemon, ops: str) -> None:
    with daemon.channel(daemon.api_key) as channel:
        node = node_pb2_grpc.NodeStub(channel)
        for _ in range(CALLS_WITHOUT_A_COLLECTOR):
            node.GetStatus(
                node_pb2.GetStatusRequest(), timeout=CALL_SECONDS, metadata=Caller().metadata
            )
    deadline = time.monotonic() + PATIENCE
    while metric(ops, "stoa_spans_lost_total") < CALLS_WITHOUT_A_COLLECTOR:
        true(time.monotonic() < deadline, "the lost spans are not counted")
        time.sleep(POLL)  # bounded: by the deadline
    equal(metric(ops, "stoa_spans_lost_total"), CALLS_WITHOUT_A_COLLECTOR, "the lost spans")
    equal(metric(ops, "stoa_spans_sent_total"), 0, "the sent spans")


def calls_over_http2(daemon: Daemon, collector: Collector) -> None:
    callers = [Caller() for _ in range(5)]
    created, joined, missing, watched, wrong = callers
    with daemon.channel(daemon.api_key) as channel:
        rooms = rooms_pb2_grpc.RoomsStub(channel)
        create = rooms_pb2.CreateRoomRequest(room_id=ROOM)
        rooms.CreateRoom(create, timeout=CALL_SECONDS, metadata=created.metadata)
        join = rooms_pb2.JoinRequest(
            room_id=ROOM, participant_id=PARTICIPANT, sdp_offer=offers.offer()
        )
        rooms.Join(join, timeout=CALL_SECONDS, metadata=joined.metadata)
        get = rooms_pb2.GetRoomRequest(room_id=ROOM + "-not")
        refusal(
            lambda: rooms.GetRoom(get, timeout=CALL_SECONDS, metadata=missing.metadata),
            grpc.StatusCode.NOT_FOUND,
            "ROOM_NOT_FOUND",
        )
        watch = rooms.Watch(
            rooms_pb2.WatchRequest(room_id=ROOM), timeout=CALL_SECONDS, metadata=watched.metadata
        )
        next(watch)
        watch.cancel()
    with daemon.channel(WRONG_KEY) as channel:
        status = node_pb2_grpc.NodeStub(channel).GetStatus
        refusal(
            lambda: status(
                node_pb2.GetStatusRequest(), timeout=CALL_SECONDS, metadata=wrong.metadata
            ),
            grpc.StatusCode.UNAUTHENTICATED,
            "CREDENTIAL_INVALID",
        )
    for caller, method, code, reason in [
        (created, "Rooms/CreateRoom", "OK", ""),
        (joined, "Rooms/Join", "OK", ""),
        (missing, "Rooms/GetRoom", "NOT_FOUND", "ROOM_NOT_FOUND"),
        (watched, "Rooms/Watch", "CANCELLED", ""),
        (wrong, "Node/GetStatus", "UNAUTHENTICATED", "CREDENTIAL_INVALID"),
    ]:
        expect(collector.span(caller), caller, "2", RPC + method, code, reason)


async def calls_over_http3(daemon: Daemon, collector: Collector) -> None:
    known, unknown = Caller(), Caller()
    request = node_pb2.GetStatusRequest()
    async with connect(daemon) as http3:
        call = http3.start(NODE + "GetStatus", request, metadata=known.metadata)
        await call.status()
        call = http3.start(NODE + WRONG_METHOD, request, metadata=unknown.metadata)
        await call.status()
    span = collector.span(known)
    expect(span, known, "3", RPC + "Node/GetStatus", "OK", "")
    expect(collector.span(unknown), unknown, "3", "", "UNIMPLEMENTED", "METHOD_UNKNOWN")


def only_what_is_sampled_is_sent(daemon: Daemon, collector: Collector) -> None:
    """With a ratio of 0, that is what a caller has sampled."""
    before = len(collector.spans())
    unsampled, malformed, last = Caller("00"), Caller(), Caller()
    with daemon.channel(daemon.api_key) as channel:
        status = node_pb2_grpc.NodeStub(channel).GetStatus
        for metadata in [
            unsampled.metadata,
            [("traceparent", malformed.header[:-4])],
            [],
            last.metadata,
        ]:
            status(node_pb2.GetStatusRequest(), timeout=CALL_SECONDS, metadata=metadata)
    collector.span(last)
    equal(len(collector.spans()) - before, 1, "the spans of four calls, one of them sampled")


def nothing_else_is_told(daemon: Daemon, collector: Collector) -> None:
    """Also not in fields that this test does not know: they are kept when it is written again."""
    true(len(collector.requests) > 0, "nothing has come")
    for request in collector.requests:
        sent = request.SerializeToString()
        for secret in [
            ROOM, PARTICIPANT, WRONG_KEY, WRONG_METHOD, STATE, ADDRESS, daemon.api_key, "test",
        ]:  # fmt: skip
            true(secret.encode() not in sent, f"{secret} is told of")
        for of in request.resource_spans:
            named = {entry.key: entry.value.string_value for entry in of.resource.attributes}
            equal(named["service.name"], "stoad", "the service")
            equal(named["service.instance.id"], "seventh", "what the environment says")


def the_last_spans_are_sent_at_the_end(daemon: Daemon, collector: Collector) -> None:
    last = Caller()
    with daemon.channel(daemon.api_key) as channel:
        status = node_pb2_grpc.NodeStub(channel).GetStatus
        status(node_pb2.GetStatusRequest(), timeout=CALL_SECONDS, metadata=last.metadata)
    os.kill(daemon.pid, signal.SIGTERM)
    collector.span(last)


def main() -> None:
    """Begin without a collector."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ops", required=True)
    parser.add_argument("--collector", required=True)
    daemon, given = Daemon.from_arguments_and(parser)
    a_collector_that_is_not_there_changes_nothing(daemon, given.ops)
    collector = Collector(given.collector)
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(collector.stop)
        calls_over_http2(daemon, collector)
        asyncio.run(calls_over_http3(daemon, collector))
        only_what_is_sampled_is_sent(daemon, collector)
        the_last_spans_are_sent_at_the_end(daemon, collector)
        nothing_else_is_told(daemon, collector)


if __name__ == "__main__":
    main()
