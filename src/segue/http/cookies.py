"""Cookies: the request's, by an own linear parser, and the response's, validated.

The parser splits at `;` as browsers do, and nowhere else: quotes that span a `;`
would let one cookie swallow its neighbour. Names are never decoded, and only
spaces and tabs are stripped, so that no name can pose as `__Host-session`.
"""

from __future__ import annotations

import re
from datetime import datetime

from ..errors import HeaderFieldsTooLarge, SegueError, cut
from .signed import SameSite

__all__ = ["MAX_COOKIE_BYTES", "BadCookie", "SameSite", "dump_cookie", "parse_cookies"]


# RFC 6265 §6.1: what a browser keeps at least; more is dropped without a word.
MAX_COOKIE_BYTES = 4096
_MAX_HEADER = 8192
_MAX_COOKIES = 100

# RFC 6265 §4.1.1. The name is a token; the value, visible ASCII but `"`, `,`, `;` and `\`.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z").match
_NAME = re.compile(r"[!-~]+\Z").match
_PLAIN_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*\Z").match
_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search
_TO_QUOTE = re.compile(rb"[^!#-+\--:<-\[\]-~]")
_QUOTED = re.compile(rb"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)
_DOMAIN = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?\Z").match
_PATH = re.compile(r"/[!-:<-~]*\Z").match


class BadCookie(SegueError, ValueError):
    """A cookie that no header may carry, or that browsers refuse."""

    code = "http/bad-cookie"


def parse_cookies(header: str) -> dict[str, str]:
    """Return the cookies of a `Cookie` header by name; the first of a name counts.

    Nameless cookies and names with spaces or non-ASCII characters are left out.

    Raises:
        HeaderFieldsTooLarge: Over 8 KB or 100 cookies (`http/too-many-cookies`).

    >>> parse_cookies('a=1; b="2 3"; a=4')
    {'a': '1', 'b': '2 3'}
    """
    found: dict[str, str] = {}
    if not header:
        return found
    if len(header) > _MAX_HEADER or header.count(";") > _MAX_COOKIES:
        raise HeaderFieldsTooLarge(
            f"At most {_MAX_COOKIES} cookies of {_MAX_HEADER} bytes together are read.", code="http/too-many-cookies"
        )
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(" \t")
        if equals and name not in found and _NAME(name):
            found[name] = _read_value(value.strip(" \t"))
    return found


def _read_value(value: str) -> str:
    is_quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    if is_quoted:
        value = value[1:-1]
        if "\\" in value:
            raw = _QUOTED.sub(_unquote, value.encode("utf-8", "replace"))
            return raw.decode("utf-8", "replace")
    if not value.isascii():
        # Servers hand header bytes on as Latin-1; browsers send UTF-8.
        try:
            return value.encode("latin-1").decode("utf-8")
        except (UnicodeDecodeError, UnicodeEncodeError):
            return value
    return value


def _unquote(match: re.Match[bytes]) -> bytes:
    octal, plain = match.groups()
    return bytes((int(octal, 8),)) if octal is not None else plain


def dump_cookie(
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    expires: datetime | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: SameSite | None = "Lax",
    partitioned: bool = False,
) -> str:
    """Return the value of a `Set-Cookie` header (RFC 6265bis).

    A value with spaces, commas, semicolons, quotes or non-ASCII characters is
    quoted in a form that `parse_cookies` reads back; control characters are refused.

    Args:
        max_age: Seconds; 0 or less removes the cookie.
        expires: An aware moment.
        path: `None` leaves it to the browser.

    Raises:
        BadCookie: A part that no header may carry, over 4096 bytes in all, or flags
            that browsers refuse (`SameSite=None` or `Partitioned` or `__Secure-`
            without `secure`, `__Host-` with a domain or another path).

    >>> dump_cookie("theme", "dark", max_age=60)
    'theme=dark; Max-Age=60; Path=/; SameSite=Lax'
    """
    if not _TOKEN(name):
        raise BadCookie(f"{cut(name)} is no cookie name.", hint="Use letters, digits, `-` and `_`.")
    _check_flags(name, secure=secure, path=path, domain=domain, samesite=samesite, partitioned=partitioned)
    parts = [f"{name}={_write_value(name, value)}"]
    if max_age is not None:
        parts.append(f"Max-Age={int(max_age)}")
    if expires is not None:
        parts.append(f"Expires={_date(expires)}")
    if path is not None:
        parts.append(f"Path={path}")
    if domain is not None:
        parts.append(f"Domain={domain.removeprefix('.')}")
    parts += [flag for flag, is_on in (("Secure", secure), ("HttpOnly", httponly)) if is_on]
    if samesite is not None:
        parts.append(f"SameSite={samesite}")
    if partitioned:
        parts.append("Partitioned")
    cookie = "; ".join(parts)
    if len(cookie) > MAX_COOKIE_BYTES:
        raise BadCookie(
            f"The cookie {name!r} has {len(cookie)} bytes.",
            why=f"Browsers drop cookies over {MAX_COOKIE_BYTES} bytes without a word.",
            hint="Keep the data on the server, and its key in the cookie: sessions do that.",
        )
    return cookie


def _check_flags(
    name: str, *, secure: bool, path: str | None, domain: str | None, samesite: str | None, partitioned: bool
) -> None:
    if path is not None and not _PATH(path):
        raise BadCookie(
            f"{cut(path)} is no cookie path.",
            hint="Start with `/`; percent-encode spaces, `;` and non-ASCII characters.",
        )
    if domain is not None and not _DOMAIN(domain.removeprefix(".")):
        raise BadCookie(f"{cut(domain)} is no cookie domain.", hint='Write "example.com", in ASCII (punycode).')
    if samesite not in (None, "Lax", "Strict", "None"):
        raise BadCookie(f"{cut(samesite)} is no SameSite.", hint='Use "Lax", "Strict", "None" or None.')
    prefix = name[:9].lower()  # browsers compare the prefixes without regard to case
    is_host = prefix.startswith("__host-")
    if not secure and (samesite == "None" or partitioned or is_host or prefix == "__secure-"):
        raise BadCookie(f"Browsers refuse the cookie {name!r} without `secure`.", hint="Pass secure=True.")
    if is_host and (path != "/" or domain is not None):
        raise BadCookie(f"The cookie {name!r} must have path='/' and no domain.", hint="Drop the `__Host-` prefix.")


def _date(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise BadCookie(
            "The `expires` of a cookie has no time zone.", hint="Pass datetime.now(UTC) + timedelta(…), or max_age."
        )
    from .conditional import format_http_date  # for cookies that end at a moment

    return format_http_date(moment)


def _write_value(name: str, value: str) -> str:
    if _PLAIN_VALUE(value):
        return value
    if _CONTROL(value):
        raise BadCookie(
            f"The value of the cookie {name!r} holds a control character.",
            why="A line break in a header would let its author write further headers.",
            hint="Remove it, or encode the value, for example as base64.",
        )
    try:
        raw = value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadCookie(f"The value of the cookie {name!r} is not valid text (a lone surrogate).") from None
    return '"' + _TO_QUOTE.sub(lambda match: b"\\%03o" % match[0][0], raw).decode("ascii") + '"'
