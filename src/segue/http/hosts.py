"""The Host header: its grammar, and the hosts that a site answers for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv6Address

from ..errors import BadRequest, SetupError, cut

__all__ = ["HostRules", "matches_host", "parse_host"]

# RFC 3986 §3.2.2, ASCII names only; underscores occur in internal names.
_HOST = re.compile(
    r"(?P<name>[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*)\.?(?::(?P<port>[0-9]{1,5}))?\Z"
    r"|\[(?P<v6>[0-9A-Fa-f:.]{2,45})\](?::(?P<v6_port>[0-9]{1,5}))?\Z"
).match
_MAX_HOST = 253
_MAX_MEMO = 256
_LOCAL = ("localhost", ".localhost", "127.0.0.1", "[::1]")


def parse_host(raw: str) -> tuple[str, int | None]:
    """Return the host in lower case, without a trailing dot, and the port if there is one.

    An IPv6 address keeps its brackets, in its shortest form.

    Raises:
        BadRequest: It is not a host with at most a port (`http/bad-host`).

    >>> parse_host("Example.COM.:8000")
    ('example.com', 8000)
    """
    found = _HOST(raw) if len(raw) <= _MAX_HOST + 7 else None
    if found is None:
        raise _bad(raw)
    name, digits = found["name"], found["port"] or found["v6_port"]
    port = int(digits) if digits else None
    if port is not None and port > 65_535:
        raise _bad(raw)
    if name is not None:
        if len(name) > _MAX_HOST or any(len(label) > 63 for label in name.split(".")):
            raise _bad(raw)
        return name.lower(), port
    try:
        return f"[{IPv6Address(found['v6']).compressed}]", port
    except AddressValueError:
        raise _bad(raw) from None


def _bad(_: str) -> BadRequest:
    # Without the value: an error page shows nothing that the request chose.
    return BadRequest("The Host header is not a host.", code="http/bad-host")


def matches_host(host: str, port: int | None, pattern: str) -> bool:
    """Whether a parsed host fits *pattern*: a literal or a `.suffix`, with or without a port.

    >>> matches_host("www.example.com", None, ".example.com")
    True
    """
    pattern = pattern.lower()
    tail = pattern.rpartition("]")[2] if pattern.startswith("[") else pattern
    if ":" in tail:
        pattern, _, digits = pattern.rpartition(":")
        if digits != str(port):
            return False
    pattern = pattern.removesuffix(".")
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return host == pattern


class HostRules:
    """The hosts that a site answers for.

    Args:
        allowed: Literal hosts, `.suffixes` (the domain and all below), either with a
            port if only that one is meant, or `*`.
        debug: Whether the names of this machine are allowed too.

    Attributes:
        accepted: Raw hosts that were found good, at most 256: one `in` answers for them.
        accepted_raw: The same as bytes.

    Raises:
        SetupError: An entry that could match no host (`http/bad-allowed-host`).
    """

    __slots__ = ("_any", "_patterns", "accepted", "accepted_raw")

    def __init__(self, allowed: Sequence[str], *, debug: bool = False) -> None:
        self._any = "*" in allowed
        patterns = [each for each in allowed if each != "*"]
        for each in patterns:
            _check_pattern(each)
        self._patterns = (*patterns, *_LOCAL) if debug else tuple(patterns)
        self.accepted: dict[str, None] = {}
        self.accepted_raw: dict[bytes, None] = {}

    def __repr__(self) -> str:
        return f"<HostRules {'*' if self._any else ', '.join(self._patterns)}>"

    def allows(self, raw: str) -> bool:
        """Whether the site answers for *raw*, a Host header.

        Raises:
            BadRequest: It is malformed (`http/bad-host`), even where `*` is allowed.
        """
        if raw in self.accepted:
            return True
        host, port = parse_host(raw)
        if not self._any and not any(matches_host(host, port, pattern) for pattern in self._patterns):
            return False
        if len(self.accepted) >= _MAX_MEMO:
            # Somebody tries ports or subdomains: forget all, what is in use comes back.
            self.accepted.clear()
            self.accepted_raw.clear()
        self.accepted[raw] = None
        self.accepted_raw[raw.encode("ascii")] = None
        return True


def _check_pattern(pattern: str) -> None:
    try:
        parse_host(pattern.removeprefix("."))
    except BadRequest:
        raise SetupError(
            f"ALLOWED_HOSTS holds {cut(pattern)}, which matches no host.",
            code="http/bad-allowed-host",
            why="An entry is a host, a `.suffix`, or `*`; it has no scheme, path or wildcard inside.",
            hint='Write "example.com" for one host, ".example.com" for it and all below.',
        ) from None
