"""OpenSSL, willing to speak whatever it knows, meets the daemon: what is old is refused, and by an alert of the daemon's."""

from __future__ import annotations

import socket
import ssl
import warnings

from daemon import CALL_SECONDS, Daemon
from expect import equal, true

OLD = [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1]

# What TLS 1.2 had and has no forward secrecy, no authenticated encryption, or neither.
WEAK = ["AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384"]
SOUND = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"


def shake_hands(
    address: str, ca: str, protocol: str, version: ssl.TLSVersion, ciphers: str
) -> ssl.SSLSocket:
    """Connect with one version of TLS and these cipher suites, however weak OpenSSL finds both."""
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        # That the old ones are old is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version
    context.set_alpn_protocols([protocol])
    host, port = address.rsplit(":", 1)
    stream = socket.create_connection((host, int(port)), timeout=CALL_SECONDS)
    try:
        return context.wrap_socket(stream, server_hostname=host)
    except BaseException:
        stream.close()
        raise


def speaks(address: str, ca: str, protocol: str, version: ssl.TLSVersion, ciphers: str) -> None:
    """It is let in, with what it asked for."""
    with shake_hands(address, ca, protocol, version, ciphers) as stream:
        equal(stream.version(), version.name.replace("_", "."), "the version")
        equal(stream.selected_alpn_protocol(), protocol, "the protocol")


def refuses(address: str, ca: str, protocol: str, version: ssl.TLSVersion, ciphers: str) -> None:
    """It is turned away by an alert, and not by what OpenSSL itself would not say."""
    what = f"{version.name} with {ciphers} at {address}"
    try:
        stream = shake_hands(address, ca, protocol, version, ciphers)
    except ssl.SSLError as error:
        true("ALERT" in (error.reason or ""), f"{what}: {error}")
    else:
        stream.close()
        raise AssertionError(f"{what} was spoken")


def main() -> None:
    """Try both ports."""
    daemon, given = Daemon.with_whip()
    ports = [(daemon.control, "h2"), (given.whip, "http/1.1")]
    for address, protocol in ports:
        speaks(address, daemon.ca_file, protocol, ssl.TLSVersion.TLSv1_3, "ALL")
        for version in OLD:
            refuses(address, daemon.ca_file, protocol, version, "ALL")
        for ciphers in WEAK:
            refuses(address, daemon.ca_file, protocol, ssl.TLSVersion.TLSv1_2, ciphers)
    # Browsers may come with TLS 1.2; those who call the control API need not.
    speaks(given.whip, daemon.ca_file, "http/1.1", ssl.TLSVersion.TLSv1_2, SOUND)
    refuses(daemon.control, daemon.ca_file, "h2", ssl.TLSVersion.TLSv1_2, SOUND)


main()
