"""Peers on aiortc that speak one SRTP profile alone hear each other, and reports go both ways."""

from __future__ import annotations

import asyncio

import grpc.aio
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTP_PROFILES,
    SRTPProtectionProfile,
)

from aiortc_peer import Peer
from daemon import Daemon
from expect import equal, true
from listening import until_heard
from watcher import Watcher, create_room

# In a room with somebody of the one before it, the first with the last.
PROFILES = [SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM]
# No tone is a multiple of another: a distorted tone is never taken for somebody else's.
LOW, MIDDLE, HIGH = 440.0, 620.0, 910.0
# Reports come every few seconds, and a quality is told after some of them.
REPORT_SECONDS = 40.0
POLL_SECONDS = 0.1


async def until_reported(peer: Peer, kinds: set[str]) -> None:
    """Wait until a peer has got reports of these kinds: the daemon's SRTCP is right, too."""
    try:
        async with asyncio.timeout(REPORT_SECONDS):
            while not kinds <= await peer.reports():
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        found = await peer.reports()
        raise AssertionError(f"{peer.name} got {found} of {kinds}") from None


async def converse(
    channel: grpc.aio.Channel, profile: SRTPProtectionProfile, other: SRTPProtectionProfile
) -> None:
    """Three speak, one of them by another profile, and one listens.

    Ada is the client of her DTLS handshake, grace the server of hers.
    """
    room = profile.openssl_profile.decode()
    await create_room(channel, room)
    async with Watcher(channel, room) as watcher:
        ada = Peer("ada", LOW, listening_lines=1, srtp_profile=profile, setup="active")
        grace = Peer("grace", MIDDLE, listening_lines=1, srtp_profile=profile, setup="passive")
        hedy = Peer("hedy", HIGH, listening_lines=1, srtp_profile=other)
        iris = Peer("iris", None, listening_lines=3, srtp_profile=profile)
        peers = [ada, grace, hedy, iris]
        await asyncio.gather(*(peer.join(channel, room) for peer in peers))
        for peer in peers:
            expected = other if peer is hedy else profile
            equal(peer.srtp_profile, expected.openssl_profile.decode(), f"{peer.name}'s profile")
            print(f"{peer.name}: {peer.srtp_profile} ({peer.dtls})")
        equal([peer.dtls.split(",")[0] for peer in (ada, grace)], ["client", "server"], "the sides")

        await until_heard(peers, {"ada": 2, "grace": 2, "hedy": 2, "iris": 3})
        for peer in (ada, grace, hedy):
            await until_reported(peer, {"remote-inbound-rtp", "remote-outbound-rtp"})
        await until_reported(iris, {"remote-outbound-rtp"})
        # Of somebody who sends nothing but reports, this is known by their reports alone.
        await watcher.until(
            lambda: watcher.quality("iris") == "CONNECTION_QUALITY_GOOD",
            "that iris is well connected",
            REPORT_SECONDS,
        )
        await asyncio.gather(*(peer.leave() for peer in peers))


async def the_daemon_takes_the_strongest(channel: grpc.aio.Channel) -> None:
    """Whoever insists on nothing offers all three and leaves the choice to the daemon."""
    await create_room(channel, "free")
    joan = Peer("joan", None, listening_lines=1)
    await joan.join(channel, "free")
    equal(joan.srtp_profile, SRTP_AEAD_AES_256_GCM.openssl_profile.decode(), "joan's profile")
    print(f"{joan.name}: {joan.srtp_profile} ({joan.dtls})")
    await joan.leave()


async def main() -> None:
    """Have a room for each profile, one after the other, and one for no profile."""
    missing = [p.openssl_profile.decode() for p in PROFILES if p not in SRTP_PROFILES]
    true(not missing, f"this libsrtp cannot do {missing}")
    daemon = Daemon.from_arguments()
    async with daemon.aio_channel() as channel:
        for i, profile in enumerate(PROFILES):
            await converse(channel, profile, PROFILES[i - 1])
            print(f"{profile.openssl_profile.decode()}: right")
        await the_daemon_takes_the_strongest(channel)


if __name__ == "__main__":
    asyncio.run(main())
