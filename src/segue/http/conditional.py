"""Conditional requests (RFC 9110 §13): entity tags, dates, and what they decide."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from ..errors import UsageError

__all__ = ["evaluate", "format_http_date", "if_range_holds", "make_etag", "parse_etags", "parse_http_date"]

_MAX_TAGS = 64
_MAX_HEADER = 8192

# RFC 9110 §8.8.3, with the commas around it.
_TAG = re.compile(r'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|\Z)').match

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
# RFC 9110 §5.6.7: the form to send, and two that must still be read.
_DATES = tuple(
    re.compile(pattern + r"\Z", re.ASCII).match
    for pattern in (
        r"[A-Z][a-z]{2}, (?P<day>\d\d) (?P<month>[A-Z][a-z]{2}) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) GMT",
        r"[A-Z][a-z]{5,8}, (?P<day>\d\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d\d) (?P<time>\d\d:\d\d:\d\d) GMT",
        r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<time>\d\d:\d\d:\d\d) (?P<year>\d{4})",
    )
)


def make_etag(content: bytes, *, weak: bool = False) -> str:
    """Return an entity tag of *content*, quotes included.

    >>> make_etag(b"so what")
    '"05af5a04809db309d9b70dcd4ee51fbf"'
    """
    from hashlib import blake2b

    return f'{"W/" if weak else ""}"{blake2b(content, digest_size=16).hexdigest()}"'


def format_http_date(moment: datetime) -> str:
    """Return an aware *moment* as HTTP writes it, in whole seconds.

    Raises:
        UsageError: It has no time zone (`http/naive-moment`).

    >>> format_http_date(datetime(1959, 8, 17, tzinfo=UTC))
    'Mon, 17 Aug 1959 00:00:00 GMT'
    """
    if moment.tzinfo is None:
        raise UsageError(
            "A moment without a time zone was given to HTTP.", code="http/naive-moment", hint="Use datetime.now(UTC)."
        )
    from email.utils import format_datetime  # its weight is for those who send dates

    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_http_date(text: str) -> datetime | None:
    """Return the moment, or `None` for anything that is no HTTP date.

    >>> parse_http_date("Mon, 01 Jan 99999 00:00:00 GMT") is None
    True
    """
    if len(text) > 40:
        return None
    for match_date in _DATES:
        found = match_date(text)
        if found is not None:
            year, month = found["year"], _MONTHS.get(found["month"], 0)
            hour, minute, second = map(int, found["time"].split(":"))
            try:
                return datetime(_full_year(year), month, int(found["day"]), hour, minute, min(second, 59), tzinfo=UTC)
            except ValueError:
                return None
    return None


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    # A two-digit year that seems over 50 years ahead is of the past (RFC 9110 §5.6.7).
    now = datetime.now(UTC).year
    year += now - now % 100
    return year - 100 if year > now + 50 else year


def parse_etags(header: str) -> list[str] | Literal["*"]:
    """Return the entity tags of a list, quotes included, or `"*"`.

    At most 64 are read; what follows something malformed is left out.
    """
    if header.strip(" \t") == "*":
        return "*"
    tags: list[str] = []
    position, header = 0, header[:_MAX_HEADER]
    while len(tags) < _MAX_TAGS:
        found = _TAG(header, position)
        if found is None:
            break
        tags.append(found[1])
        position = found.end()
    return tags


def evaluate(
    method: str,
    get: Callable[[str], str | None],
    *,
    etag: str | None = None,
    last_modified: datetime | None = None,
    exists: bool = True,
) -> Literal[304, 412] | None:
    """Return the status that answers the conditions of a request, or `None` to go on.

    Follows the order of RFC 9110 §13.2.2. Dates that cannot be read are ignored.

    Args:
        get: Returns a header by its lower-case name.
        etag: Of what would be sent, quotes included.
        last_modified: Of what would be sent, aware.
        exists: Whether there is anything at all: `If-Match: *` and `If-None-Match: *` ask that.
    """
    changed = last_modified.replace(microsecond=0) if last_modified is not None else None
    is_read = method in ("GET", "HEAD")
    required = get("if-match")
    if required is not None:
        if not _matches(required, etag, exists=exists, weakly=False):
            return 412
    elif changed is not None and (before := _date_of(get("if-unmodified-since"))) is not None and changed > before:
        return 412
    known = get("if-none-match")
    if known is not None:
        if _matches(known, etag, exists=exists, weakly=True):
            return 304 if is_read else 412
        return None
    if is_read and changed is not None and (since := _date_of(get("if-modified-since"))) is not None:
        return 304 if changed <= since else None
    return None


def if_range_holds(header: str | None, *, etag: str | None = None, last_modified: datetime | None = None) -> bool:
    """Whether a range may be sent: there is no `If-Range`, or its validator is the current one.

    A weak tag never holds, and a date only if it is the very one (RFC 9110 §13.1.5).
    """
    if header is None:
        return True
    if header.startswith(('"', "W/")):
        return etag is not None and header == etag and not etag.startswith("W/")
    date = parse_http_date(header)
    return date is not None and last_modified is not None and last_modified.replace(microsecond=0) == date


def _date_of(header: str | None) -> datetime | None:
    return parse_http_date(header) if header is not None else None


def _matches(header: str, etag: str | None, *, exists: bool, weakly: bool) -> bool:
    tags = parse_etags(header)
    if tags == "*":
        return exists
    if etag is None:
        return False
    if weakly:
        bare = etag.removeprefix("W/")
        return any(tag.removeprefix("W/") == bare for tag in tags)
    return not etag.startswith("W/") and etag in tags
