"""Filters for plain text: `slugify`, `truncatewords`, `stringformat`, `safe_url`."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import quote

from jinja2.filters import do_urlencode
from markupsafe import soft_str

__all__ = [
    "addslashes", "capfirst", "center", "cut", "iriencode", "ljust", "phone2numeric", "rjust", "safe_url", "slugify",
    "stringformat", "truncatechars", "truncatewords", "urlencode",
]  # fmt: skip

# Normalising is quadratic in runs of combining marks, so it is never asked for more.
_MOST_SLUG = 255
_MOST_WIDTH = 1_000

_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_NO_SLUG = re.compile(r"[^\w\s-]")
_GAPS = re.compile(r"[-\s]+")
_FORMAT = re.compile(r"[-+ #0]{0,5}(\d{0,6})(?:\.(\d{0,6}))?[diouxXeEfFgGcrsa]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
# Browsers drop some of these from an address before they look at its scheme.
_IGNORED = dict.fromkeys((*range(0x21), 0x7F, 0xA0, 0xFEFF))


def addslashes(value: Any) -> str:
    """Put a backslash before quotes and backslashes."""
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")


def capfirst(value: Any) -> str:
    """Make the first letter large and leave the others."""
    text = soft_str(value)
    return text[:1].upper() + text[1:]


def center(value: Any, width: Any = 80) -> str:
    """Centre in a field of *width* characters."""
    return soft_str(value).center(int(width))


def ljust(value: Any, width: Any) -> str:
    """Align left in a field of *width* characters."""
    return soft_str(value).ljust(int(width))


def rjust(value: Any, width: Any) -> str:
    """Align right in a field of *width* characters."""
    return soft_str(value).rjust(int(width))


def cut(value: Any, part: str) -> str:
    """Remove every *part*. Markup becomes plain text, which is escaped: a cut can make a tag of two halves."""
    return str(value).replace(part, "")


def phone2numeric(value: Any) -> str:
    """Turn the letters of a phone number into the digits on its keys."""
    return str(value).lower().translate(_KEYPAD)


def slugify(value: Any, allow_unicode: bool = False) -> str:  # noqa: FBT001, FBT002 - a filter's argument
    """Return text for an address: small letters, digits, hyphens; of the first 255 characters."""
    text = str(value)[:_MOST_SLUG]
    if allow_unicode:
        text = unicodedata.normalize("NFKC", text)
    else:
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _GAPS.sub("-", _NO_SLUG.sub("", text.lower())).strip("-_")


def stringformat(value: Any, format: str) -> str:  # noqa: A002 - Django's word
    """Format by one of Python's `%` formats, written without the `%`: `"03d"`; else the empty text."""
    found = _FORMAT.fullmatch(format)
    if found is None or any(int(size or 0) > _MOST_WIDTH for size in found.groups()):
        return ""
    try:
        # In a tuple of its own, so that a tuple is one value, not many.
        return f"%{format}" % (value,)
    except (TypeError, ValueError, OverflowError):
        return ""


def truncatechars(value: Any, length: Any) -> str:
    """Cut to *length* characters, the last of which is then an ellipsis."""
    text, most = str(value), int(length)
    if len(text) <= most:
        return text
    return text[: most - 1] + "…" if most > 0 else ""


def truncatewords(value: Any, count: Any) -> str:
    """Cut to *count* words and an ellipsis; line breaks become spaces."""
    most = max(int(count), 0)
    words = str(value).split(maxsplit=most)
    if len(words) <= most:
        return " ".join(words)
    return " ".join([*words[:most], "…"])


def iriencode(value: Any) -> str:
    """Return an address with international letters as one of ASCII alone."""
    return quote(str(value), safe="/#%[]=:;$&()+,!?*@'~")


def urlencode(value: Any, safe: str | None = None) -> str:
    """Escape for use in an address; *safe* lists what stays, by default the slash."""
    return do_urlencode(value) if safe is None else quote(str(value), safe=safe)


def safe_url(value: Any) -> str:
    """Return an address that a link may have, else `#`.

    http, https, mailto, tel and relative addresses are such; `javascript:` in
    any disguise is not. Escaping alone does not see the difference.

    >>> safe_url("java\\nscript:alert(1)")
    '#'
    """
    text = str(value)
    seen = text.translate(_IGNORED)
    found = _SCHEME.match(seen)
    if found is not None:
        return text if found[1].lower() in _SAFE_SCHEMES else "#"
    # Without a scheme that can be read, a colon is harmless only after the first slash, ? or #.
    return "#" if ":" in re.split(r"[/?#\\]", seen, maxsplit=1)[0] else text
