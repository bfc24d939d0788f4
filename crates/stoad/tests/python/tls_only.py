"""Chromium, in a network that lets only TLS out, hears and is heard through coturn."""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from browser_peers import BrowserPeers
from daemon import Daemon
from relay import Relay
from tcp_only import BROWSERS, converse

# The daemon's address in its network (tests/support/network.rs), where coturn is, too.
ADDRESS = "10.90.0.1"


async def main() -> None:
    """Have them talk through the relay."""
    parser = argparse.ArgumentParser()
    BrowserPeers.add_arguments(parser)
    daemon, given = Daemon.from_arguments_and(parser)
    with tempfile.TemporaryDirectory(prefix="stoad-relay-") as folder:
        async with Relay(Path(folder), ADDRESS) as relay, daemon.aio_channel() as channel:
            os.environ["HOME"] = folder
            ada = {**BROWSERS[0], "iceServers": relay.ice_servers("ada")}
            try:
                await converse(channel, given, [ada], {"localType": "relay", "protocol": "tls"})
            except BaseException:
                print(relay.log())
                raise


if __name__ == "__main__":
    asyncio.run(main())
