"""An authenticator in software: it makes passkeys and answers challenges with real keys."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One device with one passkey; `count` is its counter, which stays 0 for one that does not count."""

    origin: str = "http://localhost"
    rp: str = "localhost"
    count: int = 0
    algorithm: int = -7
    step: int = 1
    flags: int = PRESENT | VERIFIED
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: str = ""

    def make(self, options: dict[str, Any], **client: Any) -> str:
        """Make the passkey that a site asked for, as a browser writes it."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        key = {1: 2, 3: self.algorithm, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        data = self._data(self.flags | ATTESTED) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id
        attested = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data + cbor.encode(key)})
        written = self._client("webauthn.create", options, client)
        return self._answer(
            {"clientDataJSON": encoded(written), "attestationObject": encoded(attested), "transports": ["internal"]}
        )

    def show(self, options: dict[str, Any], **client: Any) -> str:
        """Answer a challenge."""
        self.count += self.step
        data, written = self._data(self.flags), self._client("webauthn.get", options, client)
        signed = self.key.sign(data + hashlib.sha256(written).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": encoded(written),
                "authenticatorData": encoded(data),
                "signature": encoded(signed),
                "userHandle": self.handle,
            }
        )

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], changes: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps({**told, **changes}).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        own = encoded(self.id)
        return json.dumps(
            {"id": own, "rawId": own, "type": "public-key", "response": response, "clientExtensionResults": {}}
        )
