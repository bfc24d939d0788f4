"""People who speak by whistling: those who hold the slots, and the newcomer."""

from __future__ import annotations

import asyncio
import time

import grpc.aio
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from av import AudioFrame
from numpy.typing import NDArray
from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

import aiortc_peer  # Keeps ICE on loopback.
from daemon import CALL_SECONDS
from tones import FRAME, RATE, audio_frame

# 20 ms of each tone, so that every tone that is heard says which moment of the burst it is. Far enough
# apart for a window of 10 ms.
STEP_MS = 20
TONES = [1_600.0 + 200.0 * step for step in range(20)]
BURST_MS = STEP_MS * len(TONES)

LOUD_DBOV = -15.0
HOLDER_DBOV = -30.0
# Below what counts as a voice (-60 dBov).
SOFT_DBOV = -66.0
SOFT_STEPS = 3

# Discontinuous transmission as libopus does it: after so many packets of silence one of twenty is sent.
DTX_AFTER, DTX_EVERY = 10, 20
SILENCE_DBOV = -127

# Nobody talks for long without a breath, and who does is not believed.
TALK_SECONDS, BREATH_SECONDS = 1.5, 0.15


def amplitude(dbov: float) -> float:
    """Give the amplitude of a sine of this level (RFC 6464: root mean square, full scale is 0)."""
    return float(np.sqrt(2) * 10 ** (dbov / 20))


def burst(*, soft: bool) -> NDArray[np.float64]:
    """Make what the newcomer says: all tones, the first ones perhaps too soft for a voice."""
    length = RATE * STEP_MS // 1_000
    hertz = np.repeat(TONES, length)
    dbov = [SOFT_DBOV if soft and step < SOFT_STEPS else LOUD_DBOV for step in range(len(TONES))]
    levels = np.repeat([amplitude(level) for level in dbov], length)
    return levels * np.sin(2 * np.pi * np.cumsum(hertz) / RATE)


class Microphone(MediaStreamTrack):
    """Gives 20 ms when they are over, as microphones do."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._samples = 0
        self._start: float | None = None

    def sound(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the sound at these samples, 1 being full scale."""
        raise NotImplementedError

    def wall_ms(self, sample: int) -> float:
        """Give the wall clock's time at which this sample was spoken."""
        assert self._start is not None
        return (self._start + (sample - FRAME) / RATE) * 1_000

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due."""
        if self._start is None:
            self._start = time.time()
        await asyncio.sleep(max(0.0, self._start + self._samples / RATE - time.time()))
        at = np.arange(self._samples, self._samples + FRAME)
        frame = audio_frame(np.round(self.sound(at) * 32_767), self._samples)
        self._samples += FRAME
        return frame


class Holder(Microphone):
    """Talks all the time, with breaths."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz

    def sound(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """A tone with gaps."""
        talks = at / RATE % (TALK_SECONDS + BREATH_SECONDS) < TALK_SECONDS
        return talks * amplitude(HOLDER_DBOV) * np.sin(2 * np.pi * self._hertz * at / RATE)


class Newcomer(Microphone):
    """Says bursts."""

    def __init__(self, *, soft: bool) -> None:
        super().__init__()
        self._burst = burst(soft=soft)
        self._from = -len(self._burst)

    def say(self, after_seconds: float) -> float:
        """Begin a burst so long after now, and give the time when it begins, by the wall clock."""
        self._from = self._samples + int(after_seconds * RATE)
        return self.wall_ms(self._from)

    def sound(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """The burst in its time, silence otherwise."""
        place = at - self._from
        inside = (place >= 0) & (place < len(self._burst))
        return np.where(inside, self._burst[place * inside], 0.0)


def leave_out_silence(sender: RTCRtpSender) -> None:
    """Give a sender discontinuous transmission, as browsers have it; aiortc has none."""
    encode = sender._next_encoded_frame
    silent = 0

    async def next_frame(codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        nonlocal silent
        frame = await encode(codec)
        if frame is None or frame.audio_level != SILENCE_DBOV:
            silent = 0
            return frame
        silent += 1
        return frame if silent <= DTX_AFTER or silent % DTX_EVERY == 0 else None

    sender._next_encoded_frame = next_frame


class Speaker:
    """A participant on aiortc who speaks and does not listen."""

    def __init__(self, name: str, microphone: Microphone, *, dtx: bool) -> None:
        self._name = name
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        line = self._connection.addTransceiver(microphone, direction="sendonly")
        if dtx:
            leave_out_silence(line.sender)

    async def join(self, channel: grpc.aio.Channel, room_id: str) -> None:
        """Join, and wait until ICE and DTLS are done."""
        connected = asyncio.Event()

        def look() -> None:
            if self._connection.connectionState == "connected":
                connected.set()

        self._connection.on("connectionstatechange", look)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        request = rooms_pb2.JoinRequest(
            room_id=room_id,
            participant_id=self._name,
            sdp_offer=self._connection.localDescription.sdp,
        )
        joined = await rooms_pb2_grpc.RoomsStub(channel).Join(request, timeout=CALL_SECONDS)
        await self._connection.setRemoteDescription(
            RTCSessionDescription(sdp=joined.sdp_answer, type="answer")
        )
        async with asyncio.timeout(aiortc_peer.CONNECT_SECONDS):
            await connected.wait()

    async def leave(self) -> None:
        """Close the connection."""
        await self._connection.close()
