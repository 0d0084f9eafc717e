"""Where sessions are kept: the interface, and the two kinds of store.

A *store* turns the text of a cookie into what was stored, and back. In the signed cookie
the text is the session itself; a server store puts a random id into the cookie and leaves
the rest to a *backend*, which sees only the hash of the id: who reads the table or its
backups can not become anybody (SECURITY F10).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

import msgspec

from ...colours import Operation
from ...errors import ServiceUnavailable
from ...signing import BadSignature, Signer

__all__ = ["Backend", "CookieStore", "Outcome", "ServerStore", "Store", "Stored", "unavailable"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One session as a store has it.

    Attributes:
        data: Its encoded content.
        created: When it began, in seconds since 1970.
        seen: When it was last saved or refreshed.
        expires: When it ends unless it is seen again.
        version: Counts the saves, so that two at once do not lose each other's.
        owner: Whose it is: the user's key as text, or empty.
        key: What the backend knows it by; empty before it was stored.
    """

    data: bytes
    created: int
    seen: int
    expires: int
    version: int = 0
    owner: str = ""
    key: str = ""


class Outcome(Enum):
    """Why a session was not kept.

    Attributes:
        CHANGED: Another request saved it since it was loaded.
        GONE: It was ended since it was loaded; it is not made again.
    """

    CHANGED = "changed"
    GONE = "gone"


class Store(Protocol):
    """Keeps sessions behind the texts of cookies.

    Attributes:
        waits: Whether it waits for something, and so may not be asked on an event loop.
    """

    waits: bool

    def binding(self, text: str, stored: Stored | None) -> str:
        """Return what a form can be tied to: the same until the session gets a new id."""
        ...

    def open(self, text: str) -> Operation[Stored | None]:
        """Return what stands behind *text*; `None` where it is unknown, forged or garbage."""
        ...

    def create(self, stored: Stored) -> Operation[str]:
        """Keep a new session and return the text of its cookie."""
        ...

    def replace(self, text: str, stored: Stored) -> Operation[str | Outcome]:
        """Keep a session that exists in this version, and return the text of its cookie."""
        ...

    def end(self, text: str) -> Operation[None]:
        """Forget a session."""
        ...


class CookieStore:
    """Keeps a session in its own cookie, signed: readable by its owner, forgeable by nobody.

    It cannot be ended on the server: a copy of the cookie stays good until it expires.
    """

    waits = False

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def __repr__(self) -> str:
        return "<CookieStore>"

    def binding(self, text: str, stored: Stored | None) -> str:
        """Return the random key that was given to the session when it began."""
        return stored.key if stored is not None else ""

    def open(self, text: str) -> Operation[Stored | None]:
        """Read the session out of its cookie."""
        try:
            encoded = self._signer.unsign(text)
            return _decode_cookie(_unpack(encoded)).stored()
        except (BadSignature, ValueError, msgspec.MsgspecError):
            return None
        yield  # an operation that takes no step

    def create(self, stored: Stored) -> Operation[str]:
        """Write the session into its cookie."""
        key = stored.key or secrets.token_urlsafe(16)
        content = (stored.data, stored.created, stored.seen, stored.expires, stored.owner, key)
        return self._signer.sign(_pack(msgspec.msgpack.encode(content)))
        yield

    def replace(self, text: str, stored: Stored) -> Operation[str | Outcome]:
        """Write the session into its cookie."""
        return (yield from self.create(stored))

    def end(self, text: str) -> Operation[None]:
        """Do nothing: what the browser forgets is gone."""
        return
        yield


class _Cookie(msgspec.Struct, array_like=True, frozen=True):
    data: bytes
    created: int
    seen: int
    expires: int
    owner: str
    key: str

    def stored(self) -> Stored:
        return Stored(self.data, self.created, self.seen, self.expires, owner=self.owner, key=self.key)


_decode_cookie = msgspec.msgpack.Decoder(_Cookie).decode


def _pack(data: bytes) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Backend(Protocol):
    """Keeps sessions by keys; a key is the hash of what the cookie holds."""

    def read(self, key: str) -> Operation[Stored | None]:
        """Return the session of *key*, or `None`."""
        ...

    def insert(self, key: str, stored: Stored) -> Operation[None]:
        """Keep a new session."""
        ...

    def update(self, key: str, stored: Stored) -> Operation[Literal["saved", "changed", "gone"]]:
        """Keep a session that exists in this version, and count the version up; make none."""
        ...

    def remove(self, key: str) -> Operation[None]:
        """Forget the session of *key*."""
        ...

    def of_owner(self, owner: str) -> Operation[Sequence[Stored]]:
        """Return the sessions of one user, latest seen first."""
        ...

    def remove_of_owner(self, owner: str, *, keep: str = "") -> Operation[int]:
        """End the sessions of one user, but that of the key *keep*; say how many."""
        ...

    def remove_expired(self) -> Operation[int]:
        """Forget what has expired; say how much it was."""
        ...


class ServerStore:
    """Keeps sessions on the server; the cookie holds 256 random bits."""

    waits = True

    def __init__(self, backend: Backend) -> None:
        self.backend: Backend = backend

    def __repr__(self) -> str:
        return f"<ServerStore in {self.backend!r}>"

    def binding(self, text: str, stored: Stored | None) -> str:
        """Return the hash of the id."""
        return key_of(text)

    def open(self, text: str) -> Operation[Stored | None]:
        """Look the session up; an id that no session has is never adopted."""
        if len(text) != _ID_LENGTH:
            return None
        return (yield from self.backend.read(key_of(text)))

    def create(self, stored: Stored) -> Operation[str]:
        """Keep the session under a new id, and return the id."""
        text = secrets.token_urlsafe(32)
        yield from self.backend.insert(key_of(text), stored)
        return text

    def replace(self, text: str, stored: Stored) -> Operation[str | Outcome]:
        """Keep the session under its id."""
        outcome = yield from self.backend.update(key_of(text), stored)
        return text if outcome == "saved" else Outcome(outcome)

    def end(self, text: str) -> Operation[None]:
        """Forget the session."""
        yield from self.backend.remove(key_of(text))


def unavailable() -> ServiceUnavailable:
    """Return what a request is told whose session cannot be read or saved: nobody is logged out by that."""
    return ServiceUnavailable(
        "Your session cannot be looked at. Try again in a moment.",
        code="web/sessions-unavailable",
        why="What keeps the sessions does not answer.",
        hint="Look whether the server of SESSION_STORE runs, and whether its address is right.",
    )


_ID_LENGTH = len(secrets.token_urlsafe(32))


def key_of(text: str) -> str:
    """Return what a backend knows a session by: the SHA-256 of its id, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
