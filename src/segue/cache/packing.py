"""Keys and values as a back end sees them.

A value is its digits where it is a whole number, so that a server can count; else `v` and
MessagePack; with tags, or where it may be given out stale, `e` and an envelope around that.
Nothing is ever unpickled, and bytes that are none of these are as good as nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import cut
from .errors import BadKey, NotStorable

__all__ = ["MISSING", "Envelope", "hashed", "pack", "start_of", "unpack", "unwrap", "wrap"]

MISSING: Any = object()

_encoder = msgspec.msgpack.Encoder()
_64_BITS = range(-(2**63), 2**63)


class Envelope(msgspec.Struct, array_like=True):
    """A packed value, and what says whether it is good.

    Attributes:
        fresh_until: After that moment somebody should make it anew; `None` is never.
        tags: The tags it was given, each with the token that it had then.
    """

    packed: bytes
    fresh_until: float | None
    tags: dict[str, str]


_opener = msgspec.msgpack.Decoder(Envelope)
_GARBAGE = (msgspec.MsgspecError, ValueError, RecursionError)


def pack(value: Any) -> bytes:
    """Return *value* as bytes.

    Raises:
        NotStorable: MessagePack cannot hold it.
    """
    if type(value) is int and value in _64_BITS:
        return b"%d" % value
    if isinstance(value, str) and type(value) is not str:
        value = str.__str__(value)  # of a subclass, such as Markup
    try:
        return b"v" + _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NotStorable(
            f"A cache cannot keep {cut(value)}.",
            code="cache/not-storable",
            why=f"It keeps what JSON can say, bytes and moments, and no objects: {error}.",
            hint='cache.set(key, {"name": record.name})   # the values of the object, not the object',
        ) from None


def unpack(packed: bytes, kind: Any = Any) -> Any:
    """Return the value of *packed*, or `MISSING` where it is none, or not of that *kind*."""
    try:
        if packed[:1] == b"v":
            return msgspec.msgpack.decode(packed[1:], type=kind)
        number = int(packed) if len(packed) <= 20 else MISSING
        return number if kind is Any or number is MISSING else msgspec.convert(number, kind)
    except _GARBAGE:
        return MISSING


def wrap(packed: bytes, *, fresh_until: float | None, tags: Mapping[str, str]) -> bytes:
    """Put a packed value into an envelope, where it needs one."""
    if fresh_until is None and not tags:
        return packed
    return b"e" + _encoder.encode(Envelope(packed, fresh_until, dict(tags)))


def unwrap(stored: bytes) -> Envelope | None:
    """Return what is stored in an envelope; `None` where it is garbage."""
    if stored[:1] != b"e":
        return Envelope(stored, None, {})
    try:
        return _opener.decode(stored[1:])
    except _GARBAGE:
        return None


def hashed(prefix: str, kind: str, version: Any, key: str) -> str:
    """Return the key that a back end sees: equal for no two keys, versions, kinds or prefixes.

    Raises:
        BadKey: It is no text.
    """
    if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # users give anything
        raise BadKey(
            f"The key of a cache is text, not {cut(key)}.",
            code="cache/bad-key",
            hint='cache.get(f"record:{record.pk}")',
        )
    parts = [each.encode("utf-8", "surrogatepass") for each in (kind, str(version), key)]
    digest = hashlib.sha256(b"".join(b"%d:%s" % (len(part), part) for part in parts))
    return start_of(prefix) + digest.hexdigest()


def start_of(prefix: str) -> str:
    """Return what all keys of *prefix* start with: no sign that any server takes for a command."""
    return hashlib.sha256(prefix.encode("utf-8", "surrogatepass")).hexdigest()[:16] + ":"
