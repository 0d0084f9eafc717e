"""Where a browser may be sent: an allow list, not a list of known tricks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import BadRequest, SegueError, cut
from .hosts import matches_host, parse_host

__all__ = ["MAX_TARGET", "BadRedirect", "LazyURL", "check_redirect_target", "safe_url"]

MAX_TARGET = 2048

# Bytes that browsers strip or turn into a slash, whatever a parser makes of them.
_HOSTILE = re.compile(r"[\x00-\x20\x7f\\]").search
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]").search
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:").match
_WEB = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE).match
# Everything that is left as it stands; `%` too, so that nothing is encoded twice.
_SAFE = "%/:?#[]@!$&'()*+,;=-._~"


class BadRedirect(SegueError, ValueError):
    """A redirect to where no browser may be sent."""

    code = "http/bad-redirect"


class LazyURL:
    """A URL that is made anew each time it is used, by the app that runs then.

    Reads as its text everywhere: in templates and f-strings, by `+`, `in`, `==` and the
    methods of `str`. Where a `str` itself is needed, as in JSON, it is `str(url)`.

    Args:
        name: What it leads to, for its `repr`.
        make: Makes the text.
    """

    __slots__ = ("_make", "_name")

    def __init__(self, name: str, make: Callable[[], str]) -> None:
        self._name = name
        self._make = make

    def __repr__(self) -> str:
        return f"<LazyURL {self._name!r}>"

    def __str__(self) -> str:
        return self._make()

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, str | LazyURL) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __add__(self, other: str) -> str:
        return str(self) + other

    def __radd__(self, other: str) -> str:
        return other + str(self)

    def __contains__(self, part: str) -> bool:
        return part in str(self)

    def __len__(self) -> int:
        return len(str(self))

    def __getitem__(self, index: int | slice) -> str:
        return str(self)[index]

    def __iter__(self) -> Iterator[str]:
        return iter(str(self))

    def __getattr__(self, name: str) -> Any:  # Any: whatever `str` has of that name
        if name.startswith("_"):  # what looks for a protocol must not need a running app
            raise AttributeError(name)
        return getattr(str(self), name)


def safe_url(target: str, *, allowed_hosts: Iterable[str] = ()) -> bool:
    """Whether a browser that goes to *target* stays on this site, or on an allowed host.

    For values that come from a visitor, such as `next`. True for a path that starts
    with exactly one slash, and for an http or https address whose host is listed.

    Args:
        allowed_hosts: Hosts, or `.suffixes`, as in `ALLOWED_HOSTS`. `*` allows none.

    >>> safe_url("/inbox?page=2"), safe_url("//evil.example")
    (True, False)
    """
    if not target or len(target) > MAX_TARGET or _HOSTILE(target):
        return False
    try:
        parts = urlsplit(target)
        encoded = quote(target, safe=_SAFE)
    except ValueError:  # a lone surrogate too
        return False
    if len(encoded) > 3 * MAX_TARGET:
        return False
    if target[0] == "/":
        return target[1:2] != "/" and not parts.scheme and not parts.netloc
    return _is_allowed(target, allowed_hosts)


def check_redirect_target(target: str, *, external: bool = False, allowed: Iterable[str] = ()) -> str:
    """Return *target* percent-encoded for a `Location` header.

    Args:
        target: A reference within this site (`/a`, `../a`, `?page=2`), an address on
            an allowed host, or with *external* any http or https address.
        external: Whether other origins are meant.
        allowed: Hosts that need no *external*.

    Raises:
        BadRedirect: A control character or backslash, another scheme than http and
            https, another origin without *external*, or over 2048 characters.
    """
    if len(target) > MAX_TARGET:
        raise _refuse(target, f"it has over {MAX_TARGET} characters")
    if _CONTROL(target):
        raise _refuse(target, "it holds a control character or a backslash")
    if target != target.strip():
        raise _refuse(target, "it begins or ends with a space, which browsers strip")
    if target.startswith("//"):
        raise _refuse(target, "it starts with two slashes, so it is an address on another site")
    web = _WEB(target)
    if web is not None:
        if not external and not _is_allowed(target, allowed):
            raise _refuse(target, "it is on another site")
        host = _ascii_host(web[2], target)
        target = f"{web[1].lower()}://{host}{target[web.end() :]}"
    elif _SCHEME(target):
        raise _refuse(target, "its scheme is neither http nor https")
    elif ":" in re.split(r"[/?#]", target, maxsplit=1)[0]:
        raise _refuse(target, "what stands before its colon could be read as a scheme")
    try:
        encoded = quote(target, safe=_SAFE)
    except UnicodeEncodeError:
        raise _refuse(target, "it is not valid text (a lone surrogate)") from None
    if len(encoded) > 3 * MAX_TARGET:
        raise _refuse(target, f"encoded, it has over {3 * MAX_TARGET} characters")
    return encoded


def _is_allowed(target: str, hosts: Iterable[str]) -> bool:
    web = _WEB(target)
    if web is None:
        return False
    try:
        host, port = parse_host(web[2])
    except BadRequest:
        return False
    return any(matches_host(host, port, pattern) for pattern in hosts if pattern != "*")


def _ascii_host(netloc: str, target: str) -> str:
    if len(netloc) > 255:
        raise _refuse(target, "its host is too long")
    try:
        parse_host(netloc.encode("idna").decode("ascii") if not netloc.isascii() else netloc)
        return netloc if netloc.isascii() else netloc.encode("idna").decode("ascii")
    except (BadRequest, UnicodeError):
        raise _refuse(target, "its host is malformed, or carries a user name") from None


def _refuse(target: str, why: str) -> BadRedirect:
    return BadRedirect(
        f"No redirect to {cut(target)}: {why}.",
        why="A redirect to a place that a visitor chose sends others to forged sites.",
        hint="Redirect to url_for(…), check visitors' values by safe_url(), or pass external=True for another site.",
    )
