"""The core of a signalling service on gRPC's stock stubs, and a short story played with it.

Needs grpcio, grpcio-status, and stubs of crates/stoa-api/proto made by grpc_tools.protoc.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from stoa.control.v1 import rooms_pb2 as v1
from stoa.control.v1 import rooms_pb2_grpc

CALL_SECONDS = 5.0
# A connection on which nothing comes back is noticed after a while, not never.
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.keepalive_time_ms", 20_000)]
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0


def reason(error: grpc.RpcError) -> str:
    """Say why a call failed, as a name of `ErrorReason`; empty where the node did not say it."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    return next((info.reason for d in status.details if d.Unpack(info)), "") if status else ""


class Signalling:
    """One node, as a signalling service sees it."""

    def __init__(self, node: str, ca_pem: bytes, api_key: str) -> None:
        tls = grpc.ssl_channel_credentials(ca_pem)
        key = grpc.access_token_call_credentials(api_key)
        both = grpc.composite_channel_credentials(tls, key)
        self.channel = grpc.secure_channel(node, both, OPTIONS)
        self._rooms = rooms_pb2_grpc.RoomsStub(self.channel)
        self._revision = 0

    def open_room(self, room_id: str) -> None:
        """Make a room with a stage and an audience; one that is there already is as good."""
        room = v1.Room(speak_policy=v1.SPEAK_POLICY_SPEAKERS_ONLY)
        request = v1.CreateRoomRequest(room_id=room_id, request_id=str(uuid4()), room=room)
        try:
            self._rooms.CreateRoom(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            if reason(error) != "ROOM_ALREADY_EXISTS":
                raise

    def admit(self, room_id: str, who: str, offer: str) -> tuple[str, str]:
        """Let somebody listen: their answer and resume token, both for their client."""
        request = v1.JoinRequest(
            room_id=room_id,
            participant_id=who,
            role=v1.ROLE_LISTENER,
            sdp_offer=offer,
            request_id=str(uuid4()),
        )
        joined = self._rooms.Join(request, timeout=CALL_SECONDS)
        return joined.sdp_answer, joined.resume_token

    def promote(self, room_id: str, who: str) -> None:
        """Bring somebody to the stage."""
        request = v1.SetRoleRequest(room_id=room_id, participant_id=who, role=v1.ROLE_SPEAKER)
        self._rooms.SetRole(request, timeout=CALL_SECONDS)

    def mute(self, room_id: str, who: str) -> None:
        """Mute somebody as a moderator does."""
        source = v1.MUTE_SOURCE_MODERATOR
        request = v1.SetMutedRequest(
            room_id=room_id, participant_id=who, source=source, muted=True
        )
        self._rooms.SetMuted(request, timeout=CALL_SECONDS)

    def remove(self, room_id: str, who: str) -> None:
        """Put somebody out; who has left already is out."""
        request = v1.RemoveParticipantRequest(room_id=room_id, participant_id=who)
        try:
            self._rooms.RemoveParticipant(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            if reason(error) != "PARTICIPANT_NOT_FOUND":
                raise

    def follow(self) -> Iterator[v1.WatchRoomsResponse]:
        """Tell what happens in all rooms, without an end: a lost watch goes on where it was."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            request = v1.WatchRoomsRequest(from_revision=self._revision)
            whole = True
            try:
                for message in self._rooms.WatchRooms(request):
                    pause = FIRST_PAUSE_SECONDS
                    event = message.WhichOneof("event")
                    if event == "snapshot_begin":
                        whole = False
                    elif event == "snapshot_end":
                        whole = True
                    # Within a snapshot there is nothing to go on from.
                    self._revision = message.revision if whole else 0
                    yield message
            except grpc.RpcError as error:
                why = reason(error)
                if why == "REVISION_IN_FUTURE":
                    self._revision = 0
                elif error.code() != grpc.StatusCode.UNAVAILABLE and why != "WATCH_LIMIT_REACHED":
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def say(line: str) -> None:
    """Write a line at once: the watch and the calls are in threads of their own."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Play a short story and print what the watch told of it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--control", required=True, help="the node, ADDRESS:PORT")
    arguments.add_argument("--ca", type=Path, required=True)
    arguments.add_argument("--api-key-file", type=Path, required=True)
    arguments.add_argument("--offer", type=Path, required=True, help="an SDP offer of a client")
    given = arguments.parse_args()
    key = given.api_key_file.read_text().strip()
    service = Signalling(given.control, given.ca.read_bytes(), key)
    offer = given.offer.read_bytes().decode()

    told = service.follow()
    while next(told).WhichOneof("event") != "snapshot_end":
        pass

    def story() -> None:
        service.open_room("hall")
        answer, token = service.admit("hall", "ada", offer)
        say(f"answered: {answer.startswith('v=0')}, may resume: {token != ''}")
        try:
            service.admit("hall", "ada", offer)
        except grpc.RpcError as error:
            say(f"refused: {reason(error)}")
        service.promote("hall", "ada")
        service.mute("hall", "ada")
        service.remove("hall", "ada")

    teller = threading.Thread(target=story, daemon=True)
    teller.start()
    for message in told:
        if message.WhichOneof("event") == "room_event":
            event = message.room_event.event
            what = event.WhichOneof("event")
            changed = ",".join(event.participant_updated.changed.paths)
            say(f"told: {what} {changed}".rstrip())
            if what == "participant_left":
                break
    # The watch may tell of a change before the call that made it has its answer.
    teller.join()
    service.channel.close()


if __name__ == "__main__":
    main()
