"""Join tokens, made by hand (RFC 7515), so that they can be wrong in any way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

TYPE = "stoa-join+jwt"
TENANT = "test"

Sign = Callable[[bytes], bytes]


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenKey:
    """The private half of the key `e`."""

    def __init__(self, file: Path) -> None:
        key = load_pem_private_key(file.read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        self._key = key

    def sign(self, message: bytes) -> bytes:
        """Ed25519."""
        return self._key.sign(message)

    @property
    def public(self) -> bytes:
        """The public half, which everybody may know."""
        return self._key.public_key().public_bytes_raw()

    def token(self, room: str, who: str, /, **changes: Any) -> str:
        """A token that is good but for these changes of its claims; `None` takes one out."""
        return token(claims(room, who, **changes), self.sign)


def claims(room: str, who: str, /, **changes: Any) -> dict[str, Any]:
    """The claims of somebody who may speak, with some of them different."""
    now = int(time.time())
    full = {
        "iss": TENANT,
        "sub": who,
        "room": room,
        "role": "speaker",
        "publish": ["audio"],
        "name": who.title(),
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_hex(16),
    }
    full.update(changes)
    return {name: value for name, value in full.items() if value is not None}


def token(body: dict[str, Any], sign: Sign, **header: Any) -> str:
    """A token with this header, where it differs."""
    head = {"alg": "EdDSA", "typ": TYPE, "kid": "e"} | header
    parts = [encode(json.dumps(part).encode()) for part in (head, body)]
    message = ".".join(parts)
    return f"{message}.{encode(sign(message.encode()))}"


def hs256(secret: bytes) -> Sign:
    """HMAC with SHA-256."""
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()


def bad_tokens(key: TokenKey, room: str, who: str) -> dict[str, str]:
    """One bad token of each kind, by what is wrong with it."""
    now = int(time.time())
    good = claims(room, who)
    stranger = Ed25519PrivateKey.generate()
    return {
        "none at all": "",
        "no token": "something",
        "expired": key.token(room, who, iat=now - 600, exp=now - 300),
        "not valid yet": key.token(room, who, iat=now + 300, exp=now + 600),
        "good for a day": key.token(room, who, exp=now + 86_400),
        "of another tenant": key.token(room, who, iss="other"),
        "without a room": key.token(room, who, room=None),
        "with a number for a role": key.token(room, who, role=1),
        "with a role that is none": key.token(room, who, role="owner"),
        "forged": token(good, stranger.sign),
        "alg none": token(good, lambda _: b"", alg="none"),
        "the public key as a secret": token(good, hs256(key.public), alg="HS256"),
        "the secret's algorithm": token(good, key.sign, alg="HS256", kid="h"),
        "an unknown kid": token(good, key.sign, kid="x"),
        "no kid": token(good, key.sign, kid=""),
        "another type": token(good, key.sign, typ="JWT"),
        "a key in the header": token(good, key.sign, jwk={"kty": "OKP"}),
        "oversized": key.token(room, who, filler="x" * 5000),
    }
