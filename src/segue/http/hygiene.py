"""The gate in front of everything: what no request may look like, whatever its route.

Pure functions that the adapters share, so that guards, router, cache and logs see
the same request, and no server's leniency reaches them.
"""

from __future__ import annotations

import re

from ..errors import BadRequest, HeaderFieldsTooLarge, URITooLong

__all__ = [
    "KNOWN_METHODS",
    "MAX_HEADERS",
    "MAX_HEADER_BYTES",
    "MAX_URI",
    "check_headers",
    "check_path",
    "check_target",
]

KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

MAX_URI = 8192
MAX_HEADERS = 100
MAX_HEADER_BYTES = 65_536

# Controls (a decoded %0a or %00), lone surrogates and U+FFFD (what a server could not
# decode), backslashes, and the segments that proxies and browsers resolve or merge.
_BAD_PATH = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\ud800-\udfff\ufffd]|//|/\.\.?(?:/|\Z)").search

# Two of these and two parsers may believe different ones (RFC 9112 §3.2, §6.3).
_ONCE = frozenset({"host", "content-length", "transfer-encoding", "content-type", "authorization"})


def check_path(path: str) -> None:
    """Refuse a decoded path that two parsers could read differently.

    Raises:
        BadRequest: `http/bad-path`. It does not start with one slash, holds a control
            character, backslash, `//`, `/./` or `/../`, or was not UTF-8.
    """
    # PERF: these take half the time of one search, and all but few paths end here.
    if (
        path.isprintable()
        and path.isascii()
        and "//" not in path
        and "/." not in path
        and "\\" not in path
        and path[:1] == "/"
    ):
        return
    if path[:1] != "/" or _BAD_PATH(path):
        raise BadRequest("The path is malformed.", code="http/bad-path")


def check_target(path: str, query_string: str) -> None:
    """Refuse an address over 8 KB.

    Raises:
        URITooLong: `http/uri-too-long`.
    """
    if len(path) + len(query_string) > MAX_URI:
        raise URITooLong(f"An address may have at most {MAX_URI} bytes.")


def check_headers(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the header fields that a request may show, names in lower case.

    Names with an underscore are dropped: under CGI rules `X_Remote_User` and
    `X-Remote-User` are one, and a proxy that removes the latter lets the former by.

    Raises:
        HeaderFieldsTooLarge: Over 100 fields or 64 KB (`http/header-fields-too-large`).
        BadRequest: A field that may come once came twice, or a body has two lengths
            (`http/ambiguous-headers`).
    """
    if len(pairs) > MAX_HEADERS:
        raise HeaderFieldsTooLarge(f"A request may have at most {MAX_HEADERS} header fields.")
    size = 0
    seen: set[str] = set()
    kept: list[tuple[str, str]] = []
    for name, value in pairs:
        size += len(name) + len(value)
        name = name.lower()
        if name in _ONCE:
            if name in seen:
                raise BadRequest(f"The header {name} came twice.", code="http/ambiguous-headers")
            seen.add(name)
        if "_" not in name:
            kept.append((name, value))
    if size > MAX_HEADER_BYTES:
        raise HeaderFieldsTooLarge(f"The header fields may have at most {MAX_HEADER_BYTES} bytes together.")
    if "content-length" in seen and "transfer-encoding" in seen:
        raise BadRequest("The body has two lengths.", code="http/ambiguous-headers")
    return kept
