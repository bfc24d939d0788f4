"""One participant on aiortc, who whistles a tone and listens.

As a program it joins a room and stays in the call until it is killed or its time is up.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter, deque
from dataclasses import dataclass

import aioice.ice
import grpc.aio
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcdtlstransport import RTCDtlsTransport, SRTPProtectionProfile
from aiortc.rtp import RtpPacket
from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from daemon import CALL_SECONDS, Daemon
from tones import Ear, Spectrum, ToneTrack

CONNECT_SECONDS = 20.0
# How many half seconds of each line are kept.
MEMORY = 16


def only_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """Give the addresses on which candidates are gathered; aioice itself leaves loopback out."""
    del use_ipv6
    return ["127.0.0.1"] if use_ipv4 else []


aioice.ice.get_host_addresses = only_loopback


@dataclass(frozen=True)
class Heard:
    """Half a second of one line: the sound, and whose packets carried it."""

    spectrum: Spectrum
    csrcs: frozenset[int]


class Line:
    """One line on which the peer listens."""

    def __init__(self) -> None:
        self.heard: deque[Heard] = deque(maxlen=MEMORY)
        self.packets: Counter[int] = Counter()
        # The payload types under which they came, and how many bytes they carried.
        self.formats: set[int] = set()
        self.payload_bytes = 0
        self._ear = Ear()
        self._csrcs: set[int] = set()

    def packet(self, packet: RtpPacket) -> None:
        """Note whose packet it is."""
        self.formats.add(packet.payload_type)
        self.payload_bytes += len(packet.payload)
        self._csrcs.update(packet.csrc)
        self.packets.update(packet.csrc or [0])

    async def listen(self, track: MediaStreamTrack) -> None:
        """Take what the decoder gives, until the track ends."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            spectrum = self._ear.take(frame)
            if spectrum is not None:
                self.heard.append(Heard(spectrum, frozenset(self._csrcs)))
                self._csrcs.clear()


class Peer:
    """A participant with one line to speak and to listen, and perhaps more to listen.

    Without a tone there are the listening lines alone. A peer may speak one SRTP profile and no
    other, and insist on its side of the DTLS handshake: it offers `setup` (RFC 5763, section 5).
    """

    def __init__(
        self,
        name: str,
        hertz: float | None,
        *,
        listening_lines: int = 0,
        srtp_profile: SRTPProtectionProfile | None = None,
        setup: str = "actpass",
    ) -> None:
        self.name = name
        self.hertz = hertz
        self.csrc = 0
        self.session_id = ""
        self.resume_token = ""
        self.lines: list[Line] = []
        # No STUN server: nothing leaves this machine. Lines that share a transport from the start
        # would make aiortc look for candidates in the last line of the answer alone; they are in
        # the first, as BUNDLE wants it (RFC 9143, section 7.3).
        configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_COMPAT)
        self._connection = RTCPeerConnection(configuration)
        if hertz is not None:
            self._connection.addTrack(ToneTrack(hertz))
        for _ in range(listening_lines):
            self._connection.addTransceiver("audio", direction="recvonly")
        self._setup = setup
        if srtp_profile is not None:
            # One transport a line, until the answer bundles them.
            for transceiver in self._connection.getTransceivers():
                transceiver.sender.transport._srtp_profiles = [srtp_profile]
        self._listening: list[asyncio.Task[None]] = []

    @property
    def state(self) -> str:
        """The state of the connection, as in browsers."""
        return self._connection.connectionState

    @property
    def _dtls(self) -> RTCDtlsTransport:
        """The one transport of all lines, once there is an answer."""
        return self._connection.getTransceivers()[0].sender.transport

    @property
    def srtp_profile(self) -> str:
        """The profile that DTLS has ended with, by the name that OpenSSL gives it."""
        return self._dtls._ssl.get_selected_srtp_profile().decode()

    @property
    def dtls(self) -> str:
        """This side of the handshake, the version, and the cipher that it has ended with."""
        ssl = self._dtls._ssl
        return f"{self._dtls._role}, {ssl.get_protocol_version_name()}, {ssl.get_cipher_name()}"

    async def reports(self) -> set[str]:
        """The kinds of reports (RTCP) that have come, by their names in the statistics."""
        stats = (await self._connection.getStats()).values()
        return {entry.type for entry in stats if entry.type.startswith("remote-")}

    def _hear(self, transceiver: RTCRtpTransceiver) -> None:
        line = Line()
        self.lines.append(line)
        receiver = transceiver.receiver
        handle = receiver._handle_rtp_packet

        async def tap(packet: RtpPacket, arrival_time_ms: int) -> None:
            # aiortc has no `getContributingSources`: the packets themselves are looked at.
            line.packet(packet)
            await handle(packet, arrival_time_ms)

        receiver._handle_rtp_packet = tap
        self._listening.append(asyncio.create_task(line.listen(receiver.track)))

    async def join(self, channel: grpc.aio.Channel, room_id: str) -> None:
        """Join, and wait until ICE and DTLS are done."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        request = rooms_pb2.JoinRequest(
            room_id=room_id,
            participant_id=self.name,
            sdp_offer=self._connection.localDescription.sdp.replace(
                "a=setup:actpass", f"a=setup:{self._setup}"
            ),
        )
        rooms = rooms_pb2_grpc.RoomsStub(channel)
        joined = await rooms.Join(request, timeout=CALL_SECONDS)
        self.csrc = joined.participant.csrc
        self.session_id = joined.participant.session_id
        self.resume_token = joined.resume_token
        await self._connection.setRemoteDescription(
            RTCSessionDescription(sdp=joined.sdp_answer, type="answer")
        )
        for transceiver in self._connection.getTransceivers():
            self._hear(transceiver)
        await self.until_state({"connected"}, CONNECT_SECONDS)

    async def until_state(self, wanted: set[str], seconds: float) -> None:
        """Wait until the connection is in one of these states."""
        changed = asyncio.Event()
        self._connection.on("connectionstatechange", changed.set)
        try:
            async with asyncio.timeout(seconds):
                while self.state not in wanted:
                    await changed.wait()
                    changed.clear()
        except TimeoutError:
            raise AssertionError(f"{self.name} is {self.state}, not in {sorted(wanted)}") from None

    async def leave(self) -> None:
        """Close the connection with goodbye."""
        await self._connection.close()
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)


async def stay(daemon: Daemon, given: argparse.Namespace) -> None:
    """Be in a call, and never say goodbye."""
    peer = Peer(given.name, given.hertz)
    async with daemon.aio_channel() as channel:
        await peer.join(channel, given.room)
    await asyncio.sleep(given.seconds)


def main() -> None:
    """Read who is to be in which call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--room", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--hertz", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    asyncio.run(stay(*Daemon.from_arguments_and(parser)))


if __name__ == "__main__":
    main()
