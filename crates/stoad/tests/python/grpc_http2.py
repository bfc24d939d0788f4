"""Stock gRPC stubs against the control API: HTTP/2 as gRPC's own library speaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, Self

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import StatusCode
from stoa.control.v1 import node_pb2, node_pb2_grpc, rooms_pb2, rooms_pb2_grpc

import offers
from daemon import CALL_SECONDS, Daemon
from expect import equal, refusal, true

CANCELS = 50
DEADLINE_SECONDS = 1.0
OVERSIZED_BYTES = 300 * 1024
SERVICES = [
    b"stoa.control.v1.Rooms",
    b"stoa.control.v1.Node",
    b"grpc.health.v1.Health",
]


class Watch(Protocol):
    """What gRPC returns for a server stream."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> rooms_pb2.WatchResponse: ...
    def cancel(self) -> None: ...
    def code(self) -> StatusCode: ...


class Caller:
    """Both services of one connection; every call with a deadline."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self._rooms = rooms_pb2_grpc.RoomsStub(channel)
        self._node = node_pb2_grpc.NodeStub(channel)

    def create(
        self, room_id: str, request_id: str = "", room: rooms_pb2.Room | None = None
    ) -> rooms_pb2.Room:
        """CreateRoom."""
        request = rooms_pb2.CreateRoomRequest(room_id=room_id, request_id=request_id, room=room)
        return self._rooms.CreateRoom(request, timeout=CALL_SECONDS)

    def get(self, room_id: str) -> rooms_pb2.Room:
        """GetRoom."""
        request = rooms_pb2.GetRoomRequest(room_id=room_id)
        return self._rooms.GetRoom(request, timeout=CALL_SECONDS)

    def list(self, size: int = 0, token: str = "") -> rooms_pb2.ListRoomsResponse:
        """ListRooms."""
        request = rooms_pb2.ListRoomsRequest(page_size=size, page_token=token)
        return self._rooms.ListRooms(request, timeout=CALL_SECONDS)

    def close(self, room_id: str) -> None:
        """CloseRoom."""
        request = rooms_pb2.CloseRoomRequest(room_id=room_id)
        self._rooms.CloseRoom(request, timeout=CALL_SECONDS)

    def watch_rooms(self, from_revision: int = 0) -> Iterator[rooms_pb2.WatchRoomsResponse]:
        """WatchRooms."""
        request = rooms_pb2.WatchRoomsRequest(from_revision=from_revision)
        return self._rooms.WatchRooms(request, timeout=CALL_SECONDS)

    def join(self, room_id: str, participant_id: str) -> rooms_pb2.JoinResponse:
        """Join with an offer of text."""
        request = rooms_pb2.JoinRequest(
            room_id=room_id, participant_id=participant_id, sdp_offer=offers.offer()
        )
        return self._rooms.Join(request, timeout=CALL_SECONDS)

    def set_role(self, room_id: str, participant_id: str, role: rooms_pb2.Role.ValueType) -> int:
        """SetRole."""
        request = rooms_pb2.SetRoleRequest(
            room_id=room_id, participant_id=participant_id, role=role
        )
        return self._rooms.SetRole(request, timeout=CALL_SECONDS).room_revision

    def mute(self, room_id: str, participant_id: str) -> int:
        """SetMuted, by a moderator."""
        request = rooms_pb2.SetMutedRequest(
            room_id=room_id,
            participant_id=participant_id,
            source=rooms_pb2.MUTE_SOURCE_MODERATOR,
            muted=True,
        )
        return self._rooms.SetMuted(request, timeout=CALL_SECONDS).room_revision

    def raise_hand(self, room_id: str, participant_id: str, path: str = "metadata") -> int:
        """UpdateParticipant."""
        described = rooms_pb2.Participant(participant_id=participant_id, metadata={"hand": "up"})
        request = rooms_pb2.UpdateParticipantRequest(
            room_id=room_id, participant=described, update_mask=FieldMask(paths=[path])
        )
        return self._rooms.UpdateParticipant(request, timeout=CALL_SECONDS).room_revision

    def silence(self, room_id: str, participant_id: str, others: list[str]) -> None:
        """UpdateSubscriptions: everybody but these."""
        subscription = rooms_pb2.Subscription(
            mode=rooms_pb2.SUBSCRIPTION_MODE_ALL_EXCEPT, participant_ids=others
        )
        request = rooms_pb2.UpdateSubscriptionsRequest(
            room_id=room_id, participant_id=participant_id, subscription=subscription
        )
        self._rooms.UpdateSubscriptions(request, timeout=CALL_SECONDS)

    def update(
        self, room_id: str, slots: int, policy: rooms_pb2.SpeakPolicy.ValueType
    ) -> rooms_pb2.Room:
        """UpdateRoom."""
        room = rooms_pb2.Room(room_id=room_id, audio_slots=slots, speak_policy=policy)
        mask = FieldMask(paths=["audio_slots", "speak_policy"])
        request = rooms_pb2.UpdateRoomRequest(room=room, update_mask=mask)
        return self._rooms.UpdateRoom(request, timeout=CALL_SECONDS)

    def remove(self, room_id: str, participant_id: str) -> int:
        """RemoveParticipant."""
        request = rooms_pb2.RemoveParticipantRequest(room_id=room_id, participant_id=participant_id)
        return self._rooms.RemoveParticipant(request, timeout=CALL_SECONDS).room_revision

    def watch(self, room_id: str, seconds: float = CALL_SECONDS) -> Watch:
        """Watch."""
        request = rooms_pb2.WatchRequest(room_id=room_id)
        return self._rooms.Watch(request, timeout=seconds)

    def status(self) -> node_pb2.NodeStatus:
        """GetStatus."""
        return self._node.GetStatus(node_pb2.GetStatusRequest(), timeout=CALL_SECONDS)


def rooms_are_created_found_and_closed(caller: Caller) -> None:
    created = caller.create("first")
    equal(created.room_id, "first", "the room's name")
    if not 0 < created.revision < 2**53:
        raise AssertionError(f"the first revision is {created.revision}")
    equal(created.audio_slots, 3, "the slots")
    equal(caller.get("first"), created, "the room as GetRoom shows it")
    equal(caller.status().room_count, 1, "the rooms of the node")
    caller.close("first")
    refusal(lambda: caller.get("first"), StatusCode.NOT_FOUND, "ROOM_NOT_FOUND")
    equal(caller.status().room_count, 0, "the rooms of the node")


def a_repeated_request_gets_the_first_answer(caller: Caller) -> None:
    first = caller.create("repeated", request_id="once")
    equal(caller.create("repeated", request_id="once"), first, "the same answer again")
    refusal(
        lambda: caller.create("another", request_id="once"),
        StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )
    caller.close("repeated")


def rooms_are_listed_in_pages(caller: Caller) -> None:
    names = [f"page-{number}" for number in range(5)]
    for name in reversed(names):
        caller.create(name)
    seen: list[list[str]] = []
    token = ""
    while True:
        page = caller.list(size=2, token=token)
        seen.append([room.room_id for room in page.rooms])
        token = page.next_page_token
        if not token:
            break
    equal(seen, [names[:2], names[2:4], names[4:]], "the pages")
    refusal(
        lambda: caller.list(token="made-up"),
        StatusCode.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
    )
    for name in names:
        caller.close(name)


def errors_say_what_and_where(caller: Caller) -> None:
    caller.create("taken")
    exists = refusal(
        lambda: caller.create("taken"), StatusCode.ALREADY_EXISTS, "ROOM_ALREADY_EXISTS"
    )
    equal(exists.metadata.get("room_id"), "taken", "the metadata")
    caller.close("taken")
    refusal(lambda: caller.get("nowhere"), StatusCode.NOT_FOUND, "ROOM_NOT_FOUND")
    for name in ["", "a b", "é", "x" * 129]:
        bad = refusal(
            lambda name=name: caller.create(name),
            StatusCode.INVALID_ARGUMENT,
            "FIELD_INVALID",
        )
        equal(bad.fields, ["room_id"], f"the wrong fields of {name!r}")


def every_call_is_refused(caller: Caller, reason: str) -> None:
    calls: list[Callable[[], object]] = [
        caller.status,
        lambda: caller.create("stolen"),
        lambda: next(caller.watch("stolen")),
    ]
    for call in calls:
        refusal(call, StatusCode.UNAUTHENTICATED, reason)


def nobody_calls_without_a_credential(daemon: Daemon) -> None:
    for key, reason in [(None, "CREDENTIAL_MISSING"), ("wrong", "CREDENTIAL_INVALID")]:
        with daemon.channel(key) as channel:
            every_call_is_refused(Caller(channel), reason)


def the_health_check_needs_no_credential(daemon: Daemon) -> None:
    """`HealthCheckRequest` is empty, `HealthCheckResponse` has SERVING (1) in field 1."""
    with daemon.channel(None) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        equal(check(b"", timeout=CALL_SECONDS), b"\x08\x01", "the health of the node")


def reflection_lists_the_services(caller: Caller) -> None:
    """`list_services` is field 7 of the request; the answer has the names as they are."""
    info = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    stream = caller.channel.stream_stream(info)
    answer = next(stream(iter([b"\x3a\x01*"]), timeout=CALL_SECONDS))
    for service in SERVICES:
        true(service in answer, f"{service!r} is not in {answer!r}")


def a_watch_shows_what_another_call_does(caller: Caller) -> None:
    caller.create("watched")
    watch = caller.watch("watched")
    first = next(watch)
    equal(first.WhichOneof("event"), "snapshot", "the first event")
    equal(first.snapshot, caller.get("watched"), "the snapshot")

    joined = caller.join("watched", "ada")
    event = next(watch)
    equal(event.participant_joined.participant, joined.participant, "who joined")
    equal(event.revision, joined.room_revision, "the revision after it")

    revision = caller.remove("watched", "ada")
    event = next(watch)
    equal(event.participant_left.session_id, joined.participant.session_id, "who left")
    equal(event.participant_left.reason, rooms_pb2.LEAVE_REASON_REMOVED, "why they left")
    equal(event.revision, revision, "the revision after it")

    caller.close("watched")
    equal(next(watch).WhichOneof("event"), "room_closed", "the last event")
    equal(list(watch), [], "what comes after the last event")
    equal(watch.code(), StatusCode.OK, "how the stream ends")


def roles_mutes_and_settings_are_changed(caller: Caller) -> None:
    caller.create("stage")
    caller.join("stage", "ada")
    watch = caller.watch("stage")
    next(watch)

    revision = caller.set_role("stage", "ada", rooms_pb2.ROLE_MODERATOR)
    event = next(watch)
    equal(event.revision, revision, "the revision after the role")
    equal(list(event.participant_updated.changed.paths), ["role"], "what is other")
    caller.mute("stage", "ada")
    caller.raise_hand("stage", "ada")
    ada = caller.get("stage").participants[0]
    equal(ada.role, rooms_pb2.ROLE_MODERATOR, "the role")
    equal((ada.muted_by_moderator, ada.muted_by_participant), (True, False), "the mutes")
    equal(dict(ada.metadata), {"hand": "up"}, "the metadata")

    room = caller.update("stage", 5, rooms_pb2.SPEAK_POLICY_SPEAKERS_ONLY)
    equal(room.audio_slots, 5, "the slots")
    equal(room.speak_policy, rooms_pb2.SPEAK_POLICY_SPEAKERS_ONLY, "who may speak")
    for wrong in [
        lambda: caller.raise_hand("stage", "ada", path="csrc"),
        lambda: caller.update("stage", 9, rooms_pb2.SPEAK_POLICY_EVERYONE),
        lambda: caller.set_role("stage", "ada", rooms_pb2.ROLE_UNSPECIFIED),
    ]:
        refusal(wrong, StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    for call in [
        lambda: caller.mute("stage", "bob"),
        lambda: caller.silence("stage", "bob", ["ada"]),
    ]:
        refusal(call, StatusCode.NOT_FOUND, "PARTICIPANT_NOT_FOUND")
    caller.silence("stage", "ada", ["bob"])
    refusal(
        lambda: caller.silence("stage", "ada", ["a b"]),
        StatusCode.INVALID_ARGUMENT,
        "FIELD_INVALID",
    )
    equal(caller.get("stage"), room, "the room after the refusals")
    watch.cancel()
    caller.close("stage")


def all_rooms_are_watched_until_they_end_by_themselves(caller: Caller) -> None:
    caller.create("there")
    watch = caller.watch_rooms()
    equal(next(watch).snapshot_begin.room_count, 1, "the rooms of the snapshot")
    equal(next(watch).snapshot_room, caller.get("there"), "the room of the snapshot")
    end = next(watch)
    equal(end.WhichOneof("event"), "snapshot_end", "the end of the snapshot")

    room = rooms_pb2.Room(empty_timeout=Duration(seconds=1))
    created = caller.create("soon-gone", room=room)
    equal(created.empty_timeout, room.empty_timeout, "the timeout")
    event = next(watch).room_event
    equal(event.room_id, "soon-gone", "where something happens")
    equal(event.event.room_created.room, created, "the room that is created")
    last = next(watch)
    reason = last.room_event.event.room_closed.reason
    equal(reason, rooms_pb2.ROOM_CLOSE_REASON_EMPTY, "why it is closed")
    equal(last.revision, end.revision + 2, "the tenant's revision")
    refusal(lambda: caller.get("soon-gone"), StatusCode.NOT_FOUND, "ROOM_NOT_FOUND")

    again = caller.watch_rooms(end.revision)
    equal(next(again).WhichOneof("event"), "bookmark", "the first message of a resumed watch")
    missed = [next(again).room_event.event.WhichOneof("event") for _ in range(2)]
    equal(missed, ["room_created", "room_closed"], "what was missed")
    caller.close("there")


def a_watch_ends_with_its_deadline(caller: Caller) -> None:
    caller.create("timed")
    watch = caller.watch("timed", seconds=DEADLINE_SECONDS)
    try:
        events = [event.WhichOneof("event") for event in watch]
        raise AssertionError(f"the watch ended in order, after {events}")
    except grpc.RpcError as error:
        equal(error.code(), StatusCode.DEADLINE_EXCEEDED, "how the stream ends")
    caller.close("timed")


def cancelled_watches_leave_the_connection_whole(caller: Caller) -> None:
    created = caller.create("cancelled")
    for _ in range(CANCELS):
        watch = caller.watch("cancelled")
        equal(next(watch).WhichOneof("event"), "snapshot", "the first event")
        watch.cancel()
        equal(watch.code(), StatusCode.CANCELLED, "how the stream ends")
    equal(caller.get("cancelled").revision, created.revision, "the revision")
    caller.close("cancelled")


def an_oversized_message_is_refused(caller: Caller) -> None:
    refusal(
        lambda: caller.create("x" * OVERSIZED_BYTES),
        StatusCode.RESOURCE_EXHAUSTED,
        "MESSAGE_TOO_LARGE",
    )
    equal(caller.status().room_count, 0, "the rooms of the node")


def main() -> None:
    """Run everything against one daemon, on one connection but for the credentials."""
    daemon = Daemon.from_arguments()
    with daemon.channel(daemon.api_key) as channel:
        caller = Caller(channel)
        for step in [
            rooms_are_created_found_and_closed,
            a_repeated_request_gets_the_first_answer,
            rooms_are_listed_in_pages,
            errors_say_what_and_where,
            reflection_lists_the_services,
            a_watch_shows_what_another_call_does,
            roles_mutes_and_settings_are_changed,
            all_rooms_are_watched_until_they_end_by_themselves,
            a_watch_ends_with_its_deadline,
            cancelled_watches_leave_the_connection_whole,
            an_oversized_message_is_refused,
        ]:
            step(caller)
            print(f"{step.__name__}: right")
    for apart in [nobody_calls_without_a_credential, the_health_check_needs_no_credential]:
        apart(daemon)
        print(f"{apart.__name__}: right")


if __name__ == "__main__":
    main()
