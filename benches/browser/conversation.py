"""One room, one setting of the pre-roll: a newcomer speaks, and a listener in Chromium hears."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from stoa.control.v1 import rooms_pb2, rooms_pb2_grpc

from browser_peers import BrowserPeers
from daemon import CALL_SECONDS
from voices import (
    BURST_MS,
    LOUD_DBOV,
    SOFT_DBOV,
    SOFT_STEPS,
    STEP_MS,
    TONES,
    Holder,
    Microphone,
    Newcomer,
    Speaker,
)

LISTENER = "listener"
SLOTS = 3
HOLDERS_HERTZ = [400.0, 700.0, 1_000.0]
# The newcomer is silent for so long before each burst: longer than it takes for the slot to be free again.
PAUSE_SECONDS = (3.1, 3.8)
# How long after the end of a burst it is still looked for.
TAIL_MS = 1_200.0
# Before the first burst, so that the jitter buffers have settled.
SETTLE_SECONDS = 5.0
# How long starting and one burst may take.
START_SECONDS, CYCLE_SECONDS = 120, 10

HOP_MS = 5
# A tone is there if it is no weaker than that below what was said; a sine's amplitude is 3 dB above its
# root mean square.
HEARD_DB = 8.0 - 3.0
# Where something loud is heard, what a window has beside it says nothing about soft tones.
LOUD_LEAKS_DB = -60.0

# What the ear tells: the middle of each window that is not silent, and the decibels of tones in it.
Windows = list[tuple[float, list[tuple[int, float]]]]

COUNTED = [
    "samples",
    "lost",
    "buffered_seconds",
    "target_seconds",
    "emitted",
    "concealed",
    "concealed_silent",
    "removed",
    "inserted",
]


@dataclass(frozen=True)
class Scenario:
    """What the newcomer comes into."""

    text: str
    # Whether three others hold the slots; where nobody does, the newcomer begins too softly for a voice.
    taken: bool = True
    # Whether all leave out silence.
    dtx: bool = True


SCENARIOS = {
    "taken": Scenario("three others talk, the newcomer is louder by 15 dB"),
    "free": Scenario(
        "nobody else talks, the newcomer's first 60 ms are too soft for a voice", taken=False
    ),
    "steady": Scenario("as taken, but nobody has discontinuous transmission", dtx=False),
}


@dataclass
class Burst:
    """What was heard of one burst, in milliseconds."""

    heard: float
    # How much of the beginning was not heard.
    lost: float
    # From mouth to ear, for those moments of the burst that were heard: the step and the delay.
    delays: dict[int, float]


def read(heard: Windows, began_ms: float, *, soft: bool) -> Burst:
    """Find the burst that began at this moment in what was heard."""
    moments: dict[int, list[float]] = {}
    soft_steps = SOFT_STEPS if soft else 0
    for at, tones in heard:
        if at < began_ms:
            continue
        is_loud = any(level > LOUD_LEAKS_DB for step, level in tones if step >= soft_steps)
        for step, level in tones:
            is_soft = step < soft_steps
            said = SOFT_DBOV if is_soft else LOUD_DBOV
            if level >= said - HEARD_DB and not (is_soft and is_loud):
                moments.setdefault(step, []).append(at)
    lengths = {step: min(STEP_MS, HOP_MS * len(at)) for step, at in moments.items()}
    if not lengths:
        return Burst(heard=0.0, lost=BURST_MS, delays={})
    first = min(lengths)
    return Burst(
        heard=sum(lengths.values()),
        lost=STEP_MS * (first + 1) - lengths[first],
        delays={
            step: sum(at) / len(at) - (began_ms + STEP_MS * (step + 0.5))
            for step, at in sorted(moments.items())
        },
    )


@dataclass(frozen=True)
class Setting:
    """What is compared."""

    scenario: str
    preroll_ms: int


async def converse(
    channel: grpc.aio.Channel,
    given: argparse.Namespace,
    setting: Setting,
    turn: int,
    progress: Callable[[], None],
) -> tuple[list[Burst], dict[str, float]]:
    """Let the newcomer speak in a room of their own.

    Gives what was heard of each burst, and what `getStats` counted meanwhile in all lines.
    """
    scenario = SCENARIOS[setting.scenario]
    room_id = f"{setting.scenario}-{setting.preroll_ms}-{turn}"
    newcomer = Newcomer(soft=not scenario.taken)
    microphones: dict[str, Microphone] = {"newcomer": newcomer}
    if scenario.taken:
        microphones |= {f"holder-{hertz:.0f}": Holder(hertz) for hertz in HOLDERS_HERTZ}
    async with contextlib.AsyncExitStack() as stack:
        await create_room(channel, room_id, setting.preroll_ms)
        seconds = START_SECONDS + given.bursts * CYCLE_SECONDS
        ear = {"name": LISTENER, "lines": SLOTS, "tones": TONES, "seconds": seconds}
        browsers = await stack.enter_async_context(BrowserPeers(given, [ear]))
        await listen(channel, room_id, browsers)
        for name, microphone in microphones.items():
            speaker = Speaker(name, microphone, dtx=scenario.dtx)
            stack.push_async_callback(speaker.leave)
            await speaker.join(channel, room_id)
        await asyncio.sleep(SETTLE_SECONDS)

        # The same moments in each setting.
        chance = random.Random(turn)
        bursts = []
        before = after = await browsers.latest(LISTENER)
        for _ in range(given.bursts):
            began_ms = newcomer.say(chance.uniform(*PAUSE_SECONDS) - TAIL_MS / 1_000)
            end_ms = began_ms + BURST_MS + TAIL_MS
            after = await browsers.until(LISTENER, lambda seen: seen["heard_until_ms"] >= end_ms)
            bursts.append(read(after["heard"], began_ms, soft=not scenario.taken))
            progress()
        return bursts, {name: after[name] - before[name] for name in COUNTED}


async def create_room(channel: grpc.aio.Channel, room_id: str, preroll_ms: int) -> None:
    """Make a room with this setting."""
    preroll = Duration()
    preroll.FromMilliseconds(preroll_ms)
    room = rooms_pb2.Room(audio_slots=SLOTS, speech_preroll=preroll)
    request = rooms_pb2.CreateRoomRequest(room_id=room_id, room=room)
    await rooms_pb2_grpc.RoomsStub(channel).CreateRoom(request, timeout=CALL_SECONDS)


async def listen(channel: grpc.aio.Channel, room_id: str, browsers: BrowserPeers) -> None:
    """Join for the browser, and wait until it is connected."""
    await browsers.join(channel, room_id)
    await browsers.until(LISTENER, lambda seen: seen["connection"] == "connected")
