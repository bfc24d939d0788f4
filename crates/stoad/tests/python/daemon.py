"""The daemon under test: where it is, and who may call it.

The stubs (`stoa.control.v1`) come from the stock generator; the Rust side makes them and puts them
on the path.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

# Every call is bounded, so that a daemon that does not answer fails the test and does not hang it.
CALL_SECONDS = 15.0

# Nothing between the test and the daemon: no proxy from the environment.
OPTIONS = [("grpc.enable_http_proxy", 0)]


@dataclass(frozen=True)
class Daemon:
    """A running daemon."""

    control: str
    ca: bytes
    ca_file: str
    api_key: str
    pid: int

    @classmethod
    def from_arguments(cls) -> Daemon:
        """Read what the Rust side hands over."""
        return cls.from_arguments_and(argparse.ArgumentParser())[0]

    @classmethod
    def from_arguments_and(
        cls, parser: argparse.ArgumentParser
    ) -> tuple[Daemon, argparse.Namespace]:
        """Read what the Rust side hands over, and arguments of the program's own."""
        parser.add_argument("--control", required=True)
        parser.add_argument("--ca", type=Path, required=True)
        parser.add_argument("--api-key-file", type=Path, required=True)
        parser.add_argument("--daemon-pid", type=int, required=True)
        given = parser.parse_args()
        daemon = cls(
            control=given.control,
            ca=given.ca.read_bytes(),
            ca_file=str(given.ca),
            api_key=given.api_key_file.read_text().strip(),
            pid=given.daemon_pid,
        )
        return daemon, given

    @classmethod
    def with_whip(cls) -> tuple[Daemon, argparse.Namespace]:
        """Read what the Rust side hands over for a daemon with WHIP and WHEP, and for a browser there."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--whip", required=True)
        parser.add_argument("--token-key", type=Path, required=True)
        parser.add_argument("--node", required=True)
        parser.add_argument("--script", required=True)
        parser.add_argument("--page-port", type=int, required=True)
        return cls.from_arguments_and(parser)

    def channel(self, api_key: str | None) -> grpc.Channel:
        """Open a connection that shows this key, or none."""
        return grpc.secure_channel(self.control, self._credentials(api_key), OPTIONS)

    def aio_channel(self) -> grpc.aio.Channel:
        """Open a connection for asyncio, with the right key."""
        return grpc.aio.secure_channel(self.control, self._credentials(self.api_key), OPTIONS)

    def _credentials(self, api_key: str | None) -> grpc.ChannelCredentials:
        tls = grpc.ssl_channel_credentials(self.ca)
        if api_key is None:
            return tls
        bearer = grpc.access_token_call_credentials(api_key)
        return grpc.composite_channel_credentials(tls, bearer)
