"""Origins: reading one, and whether a list of them holds it.

Holds: `Origin`, `parse_origin`, `origin_of_url`, and `OriginList`, which CORS and the
decision about cross-site requests share. Everything is compared literally, as parsed
values: there is no pattern language, so there is none to get wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import BadRequest, SetupError, cut
from ..http.hosts import parse_host

__all__ = ["Origin", "OriginList", "origin_of_url", "parse_origin"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_ORIGIN = 280  # a scheme, a host of 253 letters, a port
_SPLIT = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?#@\\\s]+)\Z").match
_WILDCARD = "*."


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host and a port: what browsers mean by one site.

    Attributes:
        host: In lower case; an IPv6 address keeps its brackets.
        port: Never `None`: the scheme's own where none is written.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def parse_origin(text: str) -> Origin | None:
    """Return the origin that *text* is, or `None` where it is not exactly one.

    It must be written as browsers write it (RFC 6454 §6.2): lower case, no port where it
    is the scheme's own, nothing behind it. `null` is no origin.

    >>> parse_origin("https://example.com:8443")
    Origin(scheme='https', host='example.com', port=8443)
    >>> parse_origin("https://example.com/") is None
    True
    """
    found = _SPLIT(text) if len(text) <= _MAX_ORIGIN else None
    if found is None:
        return None
    try:
        host, port = parse_host(found["host"])
    except BadRequest:
        return None
    origin = Origin(found["scheme"], host, port if port is not None else _DEFAULT_PORTS[found["scheme"]])
    return origin if port != 0 and str(origin) == text else None


def origin_of_url(url: str) -> Origin | None:
    """Return the origin of an address such as `SITE_URL`, however it is written, or `None`.

    >>> str(origin_of_url("https://Example.com:443/club/"))
    'https://example.com'
    """
    try:
        parts = urlsplit(url)
        host, port = parse_host(parts.netloc.rpartition("@")[2])
    except (ValueError, BadRequest):
        return None
    if parts.scheme not in _DEFAULT_PORTS or port == 0:
        return None
    return Origin(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme])


class OriginList:
    """Origins that are trusted: whole ones, or with `*` as their whole first label.

    Args:
        patterns: Such as `https://www.example.com` or `https://*.example.com`, which
            stands for every name one label longer than `example.com`.
        name: What the error calls the list.

    Raises:
        SetupError: A pattern that could match nothing, or too much (`security/bad-origin`).

    >>> OriginList(["https://*.example.com"]).allows("https://api.example.com")
    True
    >>> OriginList(["https://*.example.com"]).allows("https://a.api.example.com")
    False
    """

    __slots__ = ("_below", "_exact", "patterns")

    def __init__(self, patterns: Iterable[str], *, name: str = "The list of origins") -> None:
        self.patterns: tuple[str, ...] = (patterns,) if isinstance(patterns, str) else tuple(patterns)
        exact: set[Origin] = set()
        below: set[Origin] = set()
        for pattern in self.patterns:
            origin, has_wildcard = _read_pattern(pattern, name)
            (below if has_wildcard else exact).add(origin)
        self._exact = frozenset(exact)
        self._below = frozenset(below)

    def __repr__(self) -> str:
        return f"<OriginList {', '.join(self.patterns) or 'empty'}>"

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def allows(self, origin: str | Origin | None) -> bool:
        """Whether *origin*, an Origin header or a parsed one, is on the list."""
        found = parse_origin(origin) if isinstance(origin, str) else origin
        if found is None:
            return False
        if found in self._exact:
            return True
        label, _, parent = found.host.partition(".")
        return bool(label) and Origin(found.scheme, parent, found.port) in self._below


def _read_pattern(pattern: object, name: str) -> tuple[Origin, bool]:
    """Return the origin of a pattern, without its wildcard, and whether it had one."""
    if isinstance(pattern, str):
        scheme, separator, host = pattern.partition("://")
        has_wildcard = host.startswith(_WILDCARD)
        origin = parse_origin(f"{scheme}{separator}{host.removeprefix(_WILDCARD)}")
        if origin is not None and not (has_wildcard and _is_too_wide(origin.host)):
            return origin, has_wildcard
    raise SetupError(
        f"{name} holds {cut(pattern)}, which is no origin.",
        code="security/bad-origin",
        why="An origin is a scheme, a host, and a port where it is not the scheme's own, in lower case, with nothing "
        "behind it. `*` may only be the whole first label, before a name of two labels or more.",
        hint=_suggestion(pattern),
    )


def _is_too_wide(host: str) -> bool:
    """Whether `*.host` would stand for names of many owners, or for none."""
    # An address ends in a number, and nothing lies below it.
    return "." not in host or host.rpartition(".")[2].isdigit() or host.startswith("[")


def _suggestion(pattern: object) -> str:
    origin = origin_of_url(str(pattern)) or origin_of_url(f"https://{pattern}")
    if origin is None or str(origin) == pattern:
        return 'Write "https://www.example.com" for one, "https://*.example.com" for all one label below.'
    return f'Write "{origin}".'
