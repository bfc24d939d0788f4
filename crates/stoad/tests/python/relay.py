"""A real coturn, with the configuration that `deploy/coturn` recommends, beside the daemon."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import hmac
import ipaddress
import subprocess
import time
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

START_SECONDS = 20.0
POLL_SECONDS = 0.05
SECRET = "a-secret-of-this-test-alone"
RECOMMENDED = Path(__file__).parents[4] / "deploy" / "coturn" / "turnserver.conf"


def _certificate(folder: Path, address: str) -> Path:
    """Make an authority, and a certificate of it for an address. Give the authority's file."""
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority for tests")])

    def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    authority_key = ec.generate_private_key(ec.SECP256R1())
    is_authority = x509.BasicConstraints(ca=True, path_length=0)
    authority = builder(name, authority_key).add_extension(is_authority, critical=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a relay for tests")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    relay = builder(subject, key).add_extension(names, critical=False)

    def write(file: str, made: x509.CertificateBuilder) -> Path:
        pem = made.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        (folder / file).write_bytes(pem)
        return folder / file

    write("certificate.pem", relay)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "private-key.pem").write_bytes(
        key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    )
    return write("authority.pem", authority)


def _configuration(folder: Path, address: str) -> str:
    """Give the recommended configuration with the addresses and the secret of this test."""
    text = RECOMMENDED.read_text()
    for wanted, here in [
        ("203.0.113.20", address),
        ("203.0.113.10", address),
        ("replace-by-the-output-of-openssl-rand-hex-32", SECRET),
        ("/etc/coturn", str(folder)),
        ("\nsyslog\n", f"\nlog-file=stdout\npidfile={folder}/pid\nuserdb={folder}/users\n"),
    ]:
        if wanted not in text:
            raise AssertionError(f"{wanted} is not in {RECOMMENDED}")
        text = text.replace(wanted, here)
    return text


def _credential(name: str) -> tuple[str, str]:
    """Make a user name and a password as docs/turn.md says."""
    user = f"{int(time.time()) + 3600}:{name}"
    digest = hmac.new(SECRET.encode(), user.encode(), hashlib.sha1).digest()
    return user, base64.b64encode(digest).decode()


class Relay:
    """The process. Whoever trusts `home` trusts its certificate."""

    def __init__(self, folder: Path, address: str) -> None:
        self.home = folder
        self._address = address
        self._config = folder / "turnserver.conf"
        authority = _certificate(folder, address)
        self._config.write_text(_configuration(folder, address))
        # Where Chromium looks for authorities of the user's own.
        database = folder / ".pki" / "nssdb"
        database.mkdir(parents=True)
        certutil = ["certutil", "-d", f"sql:{database}"]
        subprocess.run([*certutil, "-N", "--empty-password"], check=True)
        add = ["-A", "-t", "C,,", "-n", "relay", "-i", str(authority)]
        subprocess.run([*certutil, *add], check=True)

    def ice_servers(self, name: str) -> list[dict[str, str]]:
        """Give what the signalling service hands to a client."""
        user, password = _credential(name)
        url = f"turns:{self._address}:443?transport=tcp"
        return [{"urls": url, "username": user, "credential": password}]

    async def __aenter__(self) -> Self:
        """Start it, and wait until it listens."""
        command = ["turnserver", "-c", str(self._config)]
        log = (self.home / "log").open("wb")
        self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        log.close()
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._listens():
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise AssertionError(f"coturn did not start:\n{self.log()}") from None
        return self

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._address, 443)
        except OSError:
            return False
        writer.close()
        return True

    def log(self) -> str:
        """Give what it has said."""
        return (self.home / "log").read_text(errors="replace")

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        self._process.kill()
        await self._process.wait()
