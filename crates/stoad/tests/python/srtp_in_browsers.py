"""Chromium, Firefox and aiortc in one room hear each other, whatever DTLS and SRTP end with."""

from __future__ import annotations

import argparse
import asyncio

import grpc.aio
from aiortc.rtcdtlstransport import SRTP_AES128_CM_SHA1_80

from aiortc_peer import Peer
from browser_peers import BrowserPeers, Statistics
from daemon import Daemon
from expect import equal, true
from listening import until_heard
from watcher import create_room

# No tone is a multiple of another: a distorted tone is never taken for somebody else's.
LOW, MIDDLE, HIGH = 440.0, 620.0, 910.0

BROWSERS = [
    {"name": "ada", "hertz": LOW, "listeningLines": 1},
    {"name": "hedy", "hertz": MIDDLE, "listeningLines": 1, "firefox": True},
]

# By the names of the IANA registry (RFC 5764, RFC 7714), as browsers give them.
AES_256_GCM = "SRTP_AEAD_AES_256_GCM"
PROFILES = {AES_256_GCM, "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80"}
# What the browsers offer (RFC 5763, section 5), which side of DTLS that is, and the profiles that
# it may end with. The server chooses: the daemon takes the strongest one that it is offered.
SIDES = [
    ("active", "client", {AES_256_GCM}),
    ("passive", "server", PROFILES),
]
# DTLS 1.2, as it stands in its packets (RFC 6347), and keys that are of no use to a later thief.
DTLS_1_2 = "FEFD"
KEY_EXCHANGE = "TLS_ECDHE_ECDSA_WITH_"
REPORTS = {"remote-inbound-rtp", "remote-outbound-rtp"}


def protection(name: str, seen: Statistics, role: str, profiles: set[str]) -> str:
    """Check what a browser says of its transport, and give it in a few words."""
    transport = seen["transport"]
    equal(transport["dtlsState"], "connected", f"{name}'s DTLS")
    equal(transport["dtlsRole"], role, f"{name}'s side of DTLS")
    equal(transport["tlsVersion"], DTLS_1_2, f"{name}'s version of DTLS")
    cipher, profile = transport["dtlsCipher"], transport["srtpCipher"]
    true(cipher.startswith(KEY_EXCHANGE), f"{name}'s DTLS has ended with {cipher}")
    true(profile in profiles, f"{name}'s SRTP is {profile}, none of {profiles}")
    return f"{profile} (DTLS {role}, {cipher})"


async def until_lively(browsers: BrowserPeers, name: str, others: set[int]) -> Statistics:
    """Wait until a browser hears both others, each on one line, and reports go both ways."""
    before = await browsers.until(name, lambda seen: set(seen["csrcs"]) == others)

    def lively(seen: Statistics) -> bool:
        louder = [now > then for then, now in zip(before["energies"], seen["energies"])]
        return (
            len(louder) == len(others)
            and all(louder)
            and set(seen["csrcs"]) == others
            and set(seen["reports"]) >= REPORTS
        )

    return await browsers.until(name, lively)


async def converse(
    channel: grpc.aio.Channel, browsers: BrowserPeers, side: tuple[str, str, set[str]]
) -> None:
    """One room, in which aiortc speaks a profile that the browsers need not have."""
    setup, role, profiles = side
    await create_room(channel, setup)
    joined = await browsers.join(channel, setup, setup=setup)
    grace = Peer("grace", HIGH, listening_lines=1, srtp_profile=SRTP_AES128_CM_SHA1_80)
    await grace.join(channel, setup)
    equal(grace.srtp_profile, SRTP_AES128_CM_SHA1_80.openssl_profile.decode(), "grace's profile")
    await until_heard([grace, *joined.values()], {"grace": len(joined)})

    everybody = {grace.csrc, *(peer.csrc for peer in joined.values())}
    for name, peer in joined.items():
        seen = await until_lively(browsers, name, everybody - {peer.csrc})
        print(f"{seen['browser']}: {protection(name, seen, role, profiles)}")
    await grace.leave()


async def main() -> None:
    """Have a room for each side of DTLS, one after the other."""
    parser = argparse.ArgumentParser()
    BrowserPeers.add_arguments(parser)
    daemon, given = Daemon.from_arguments_and(parser)
    async with daemon.aio_channel() as channel:
        for side in SIDES:
            async with BrowserPeers(given, BROWSERS) as browsers:
                await converse(channel, browsers, side)


if __name__ == "__main__":
    asyncio.run(main())
