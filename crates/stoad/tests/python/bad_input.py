"""Calls that cannot be obeyed: each says why, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
from grpc import StatusCode
from stoa.control.v1 import node_pb2, node_pb2_grpc, rooms_pb2, rooms_pb2_grpc

import offers
from daemon import CALL_SECONDS, Daemon
from expect import equal, refusal

ROOM = "steady"
INVALID = StatusCode.INVALID_ARGUMENT
LONG_OFFER_BYTES = 70 * 1024
LONG_MESSAGE_BYTES = 300 * 1024

# What it is, the offer, the reason.
OFFERS: list[tuple[str, str, str]] = [
    ("no SDP at all", "hello", "SDP_MALFORMED"),
    ("an SDP cut off in a line", offers.offer()[:40], "SDP_MALFORMED"),
    ("no media line", offers.without_media(), "SDP_NO_AUDIO"),
    ("an audio line not in use", offers.offer(offers.line(0, port=0)), "SDP_NO_AUDIO"),
    (
        "video alone",
        offers.offer(offers.line(0, kind="video", codec="96 VP8/90000")),
        "SDP_NO_AUDIO",
    ),
    ("no Opus", offers.offer(offers.line(0, codec=offers.PCMU)), "SDP_NO_COMMON_CODEC"),
    (
        "Opus at another rate",
        offers.offer(offers.line(0, codec="111 opus/16000/2")),
        "SDP_NO_COMMON_CODEC",
    ),
    (
        "four audio lines",
        offers.offer(*(offers.line(mid) for mid in range(4))),
        "SDP_TOO_MANY_AUDIO_LINES",
    ),
    (
        "video beside audio",
        offers.offer(offers.line(0), offers.line(1, kind="video", codec="96 VP8/90000")),
        "SDP_UNUSABLE",
    ),
    (
        "no ICE credentials",
        offers.offer(offers.line(0, transport=[offers.FINGERPRINT])),
        "SDP_UNUSABLE",
    ),
    (
        "no DTLS fingerprint",
        offers.offer(offers.line(0, transport=offers.ICE)),
        "SDP_UNUSABLE",
    ),
]


class Room:
    """One room with one participant, and every call that could spoil it."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._rooms = rooms_pb2_grpc.RoomsStub(channel)
        self._node = node_pb2_grpc.NodeStub(channel)
        create = rooms_pb2.CreateRoomRequest(room_id=ROOM)
        self._rooms.CreateRoom(create, timeout=CALL_SECONDS)
        self.join("ada", offers.offer())

    def join(
        self, participant_id: str, offer: str, *, room_id: str = ROOM, name: str = ""
    ) -> rooms_pb2.JoinResponse:
        """Join."""
        request = rooms_pb2.JoinRequest(
            room_id=room_id,
            participant_id=participant_id,
            sdp_offer=offer,
            display_name=name,
        )
        return self._rooms.Join(request, timeout=CALL_SECONDS)

    def candidate(self, participant_id: str, candidate: str, session_id: str = "") -> None:
        """AddIceCandidate."""
        request = rooms_pb2.AddIceCandidateRequest(
            room_id=ROOM,
            participant_id=participant_id,
            session_id=session_id,
            candidate=candidate,
        )
        self._rooms.AddIceCandidate(request, timeout=CALL_SECONDS)

    def remove(self, participant_id: str, session_id: str = "") -> None:
        """RemoveParticipant."""
        request = rooms_pb2.RemoveParticipantRequest(
            room_id=ROOM, participant_id=participant_id, session_id=session_id
        )
        self._rooms.RemoveParticipant(request, timeout=CALL_SECONDS)

    def watch(self, from_revision: int) -> None:
        """Watch, to the first event."""
        request = rooms_pb2.WatchRequest(room_id=ROOM, from_revision=from_revision)
        next(self._rooms.Watch(request, timeout=CALL_SECONDS))

    def state(self) -> tuple[rooms_pb2.Room, int, int]:
        """Everything that must not change: the room, and what the node counts."""
        get = rooms_pb2.GetRoomRequest(room_id=ROOM)
        room = self._rooms.GetRoom(get, timeout=CALL_SECONDS)
        node = self._node.GetStatus(node_pb2.GetStatusRequest(), timeout=CALL_SECONDS)
        return room, node.room_count, node.participant_count

    @contextmanager
    def unchanged(self, after: str) -> Iterator[None]:
        """Check that what happens inside changes nothing."""
        before = self.state()
        yield
        equal(self.state(), before, f"the room and the node after: {after}")
        print(f"{after}: right")


def offers_that_cannot_be_answered(room: Room) -> None:
    for what, offer, reason in OFFERS:
        with room.unchanged(what):
            refusal(lambda offer=offer: room.join("grace", offer), INVALID, reason)


def fields_that_are_not_what_they_should_be(room: Room) -> None:
    good = offers.offer()
    cases: list[tuple[str, Callable[[], object], list[str]]] = [
        ("no participant", lambda: room.join("", good), ["participant_id"]),
        ("no offer", lambda: room.join("grace", ""), ["sdp_offer"]),
        (
            "two wrong fields",
            lambda: room.join("a/b", good, room_id="a b"),
            ["room_id", "participant_id"],
        ),
        (
            "a long name",
            lambda: room.join("grace", good, name="x" * 257),
            ["display_name"],
        ),
        (
            "an offer of 70 KiB",
            lambda: room.join("grace", good + "a" * LONG_OFFER_BYTES),
            ["sdp_offer"],
        ),
        ("a session with a blank", lambda: room.remove("ada", "a b"), ["session_id"]),
    ]
    for what, call, fields in cases:
        with room.unchanged(what):
            equal(refusal(call, INVALID, "FIELD_INVALID").fields, fields, what)


def calls_that_do_not_fit_the_room(room: Room) -> None:
    good = offers.offer()
    cases: list[tuple[str, Callable[[], object], StatusCode, str]] = [
        (
            "an unknown room",
            lambda: room.join("grace", good, room_id="nowhere"),
            StatusCode.NOT_FOUND,
            "ROOM_NOT_FOUND",
        ),
        (
            "a participant twice",
            lambda: room.join("ada", good),
            StatusCode.ALREADY_EXISTS,
            "PARTICIPANT_ALREADY_EXISTS",
        ),
        (
            "nobody's removal",
            lambda: room.remove("grace"),
            StatusCode.NOT_FOUND,
            "PARTICIPANT_NOT_FOUND",
        ),
        (
            "a candidate that is none",
            lambda: room.candidate("ada", "candidate:nonsense"),
            INVALID,
            "ICE_CANDIDATE_MALFORMED",
        ),
        (
            "nobody's candidate",
            lambda: room.candidate("grace", ""),
            StatusCode.NOT_FOUND,
            "PARTICIPANT_NOT_FOUND",
        ),
        (
            "a revision to come",
            lambda: room.watch(2**53),
            StatusCode.OUT_OF_RANGE,
            "REVISION_IN_FUTURE",
        ),
        (
            "a message of 300 KiB",
            lambda: room.join("grace", "v" * LONG_MESSAGE_BYTES),
            StatusCode.RESOURCE_EXHAUSTED,
            "MESSAGE_TOO_LARGE",
        ),
    ]
    for what, call, code, reason in cases:
        with room.unchanged(what):
            refusal(call, code, reason)


def a_session_that_is_over_is_told_from_the_present_one(room: Room) -> None:
    first = room.join("grace", offers.offer()).participant.session_id
    room.remove("grace", first)
    room.join("grace", offers.offer())
    for call in [lambda: room.remove("grace", first), lambda: room.candidate("grace", "", first)]:
        with room.unchanged("a call for a session that is over"):
            refusal(call, StatusCode.FAILED_PRECONDITION, "SESSION_MISMATCH")


def main() -> None:
    """Run everything against one room."""
    daemon = Daemon.from_arguments()
    with daemon.channel(daemon.api_key) as channel:
        room = Room(channel)
        offers_that_cannot_be_answered(room)
        fields_that_are_not_what_they_should_be(room)
        calls_that_do_not_fit_the_room(room)
        a_session_that_is_over_is_told_from_the_present_one(room)


if __name__ == "__main__":
    main()
