"""Tones: made, and found again by Fourier transform."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from fractions import Fraction

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray

RATE = 48_000
FRAME = RATE // 50
AMPLITUDE = 0.25 * 32_767
# Half a second: bins of 2 Hz, and every tone of the tests falls on one.
WINDOW = RATE // 2
# What Opus makes of a pure tone stays within two bins.
TOLERANCE_HERTZ = 4.0
# Below this root mean square there is nothing to hear: -50 dB under the amplitude.
SILENCE = AMPLITUDE / 300
# A tone this far below the loudest one is no voice: a gap in the sound, where packets came late,
# spreads so much of a tone over its neighbours.
RESIDUE = 0.15


def audio_frame(wave: NDArray[np.floating], position: int) -> AudioFrame:
    """Samples of 16 bits, of which so many came before."""
    samples = wave.astype(np.int16).reshape(1, -1)
    frame = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = RATE
    frame.pts = position
    frame.time_base = Fraction(1, RATE)
    return frame


class ToneTrack(MediaStreamTrack):
    """A microphone into which somebody whistles."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._samples = 0
        self._start = time.monotonic()

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due."""
        due = self._start + self._samples / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        at = (self._samples + np.arange(FRAME)) / RATE
        wave = AMPLITUDE * np.sin(2 * np.pi * self._hertz * at)
        frame = audio_frame(wave, self._samples)
        self._samples += FRAME
        return frame


class Spectrum:
    """What is in half a second of sound."""

    def __init__(self, samples: NDArray[np.float64]) -> None:
        self._magnitudes = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        self._hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
        self.silent = bool(np.sqrt(np.mean(samples**2)) < SILENCE)

    @property
    def loudest(self) -> float:
        """The frequency of the strongest tone."""
        return float(self._hertz[int(np.argmax(self._magnitudes))])

    def has(self, hertz: float) -> bool:
        """Whether this tone is there, beside a louder one or alone."""
        near = np.abs(self._hertz - hertz) <= TOLERANCE_HERTZ
        peak = float(self._magnitudes[near].max())
        return not self.silent and peak > RESIDUE * float(self._magnitudes.max())


class Ear:
    """Collects what arrives on one line, and hands it out by the half second."""

    def __init__(self) -> None:
        self._samples: deque[NDArray[np.float64]] = deque()
        self._count = 0

    def take(self, frame: AudioFrame) -> Spectrum | None:
        """One more frame (16 bit, interleaved); a spectrum where half a second is full."""
        channels = len(frame.layout.channels)
        left = frame.to_ndarray().reshape(-1, channels)[:, 0]
        self._samples.append(left.astype(np.float64))
        self._count += len(left)
        if self._count < WINDOW:
            return None
        samples = np.concatenate(list(self._samples))
        self._samples.clear()
        self._count = 0
        return Spectrum(samples[:WINDOW])
