#!/usr/bin/env python3
"""Makes speech/sample.bin, the speech that stoa-load says: pip install av numpy; python3 make.py

Nothing was recorded, so it is free to ship: a pulse train with a moving pitch and some noise goes through
resonators that stand where those of vowels do (after G. Fant, Acoustic Theory of Speech Production, 1960),
with about four syllables a second. Opus encodes it as browsers do: mono, 48 kHz, 20 ms, variable bit rate, about 90 bytes a
packet, as they send speech.

The file has one entry for each packet: a byte with the audio level in -dBov (RFC 6464), two bytes with
the length (big endian), and the packet.
"""

import math
import pathlib
import struct

import av
import numpy as np

RATE = 48_000
FRAME = RATE // 50
SECONDS = 12
# The first three formants in Hz: a, e, i, o, u and a neutral one.
VOWELS = [(730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010),
          (570, 840, 2410), (300, 870, 2240), (500, 1500, 2500)]
WIDTHS = (90, 110, 170)


def resonate(signal, centre, width):
    """A two-pole resonator whose centre moves (one value for each sample)."""
    radius = math.exp(-math.pi * width / RATE)
    first = 2 * radius * np.cos(2 * math.pi * centre / RATE)
    gain = 1 - first + radius * radius
    out = np.zeros_like(signal)
    before, earlier = 0.0, 0.0
    for i, value in enumerate(signal):
        now = gain[i] * value + first[i] * before - radius * radius * earlier
        out[i], earlier, before = now, before, now
    return out


def speech():
    random = np.random.default_rng(7)
    length = RATE * SECONDS
    envelope = np.zeros(length)
    formants = np.zeros((3, length))
    at = 0
    while at < length:
        syllable = int(RATE * random.uniform(0.18, 0.32))
        end = min(at + syllable, length)
        vowel = VOWELS[random.integers(len(VOWELS))]
        rise = np.sin(np.linspace(0, math.pi, end - at)) ** 0.6
        envelope[at:end] = 0.08 + rise * random.uniform(0.6, 1.0)
        for number, frequency in enumerate(vowel):
            formants[number, at:end] = frequency
        at = end
    smooth = np.ones(1920) / 1920
    for number in range(3):
        padded = np.pad(formants[number], 960, mode="edge")
        formants[number] = np.convolve(padded, smooth, mode="same")[960:-960]
    seconds = np.arange(length) / RATE
    pitch = 115 + 18 * np.sin(2 * math.pi * 0.4 * seconds) + 6 * np.sin(2 * math.pi * 2.3 * seconds)
    phase = np.cumsum(pitch / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    source = np.convolve(pulses, np.exp(-np.arange(200) / 40), mode="full")[:length]
    source += 0.02 * random.standard_normal(length)
    voice = source
    for number in range(3):
        voice = resonate(voice, formants[number], WIDTHS[number])
    voice *= envelope
    return 0.35 * voice / np.max(np.abs(voice))


def level(samples):
    power = float(np.mean(samples ** 2))
    return 127 if power <= 0 else min(127, max(0, round(-10 * math.log10(power))))


def encoder():
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = RATE, "mono", "s16", 25_000
    codec.options = {"application": "voip", "frame_duration": "20", "vbr": "on"}
    return codec


def decoded(packets):
    codec = av.CodecContext.create("libopus", "r")
    codec.sample_rate, codec.layout = RATE, "mono"
    frames = [frame for packet in packets for frame in codec.decode(av.Packet(packet))]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


def padded(packet, trailer):
    """As stoa-load does it: one frame in a packet of code 3 with padding (RFC 6716, section 3.2.5)."""
    return bytes([packet[0] | 3, 0x41, len(trailer)]) + packet[1:] + trailer


def main():
    voice = speech()
    codec = encoder()
    packets = []
    for start in range(0, len(voice), FRAME):
        samples = (voice[start:start + FRAME] * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    assert all(packet[0] & 3 == 0 for packet in packets), "one frame in each packet"
    stamped = [padded(packet, bytes(range(30))) for packet in packets]
    assert np.array_equal(decoded(packets), decoded(stamped)), "padding is not heard"
    entries = []
    for number, packet in enumerate(packets[:len(voice) // FRAME]):
        loudness = level(voice[number * FRAME:(number + 1) * FRAME])
        entries.append(struct.pack(">BH", loudness, len(packet)) + packet)
    file = pathlib.Path(__file__).with_name("sample.bin")
    file.write_bytes(b"".join(entries))
    print(len(entries), "packets,", file.stat().st_size, "bytes")


main()
