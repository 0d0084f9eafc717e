"""Rules that fields and users check values by.

Holds: limits of size and length, patterns, addresses.
Imports: floor 0.
Never: takes time that grows faster than the value; lengths come before patterns.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from .errors import Fault, ValidationError

__all__ = [
    "DecimalValidator",
    "EmailValidator",
    "FileExtensionValidator",
    "MaxLengthValidator",
    "MaxValueValidator",
    "MinLengthValidator",
    "MinValueValidator",
    "RegexValidator",
    "URLValidator",
    "validate_email",
    "validate_ip_address",
    "validate_path",
    "validate_slug",
    "validate_url",
]


_MOST_SHOWN = 80


def _fail(code: str, message: Any, value: Any = None, **params: Any) -> ValidationError:
    return ValidationError([Fault((), code, filled(message, value, params), params)])


def filled(message: Any, value: Any, params: Mapping[str, Any]) -> str:
    """Return a message with the values that it names as Django's do: `%(limit_value)s`, `%(value)s`.

    A text that names none stands as it is, whatever signs of percent are in it. Long values are cut.

    >>> filled("%(value)s is over %(limit_value)s.", 7, {"limit_value": 5})
    '7 is over 5.'
    """
    if "%(" not in str(message):
        return str(message)
    # *value* is none of the params of a fault: those go where the message does not, such as into logs.
    given = {"show_value": value, **params, "value": value}
    return str(message % {name: _shown(each) for name, each in given.items()})


def _shown(value: Any) -> Any:
    if isinstance(value, int | float | Decimal):
        return value  # for those who write %(limit_value)d
    text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


class _Limit:
    code = ""
    text = ""

    def __init__(self, limit_value: Any, message: Any = None) -> None:
        self.limit_value = limit_value
        self.message: Any = message or self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.limit_value!r})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.message))

    def __call__(self, value: Any) -> None:
        limit = self.limit_value() if callable(self.limit_value) else self.limit_value
        if self.broken(value, limit):
            raise _fail(self.code, self.message, value, limit_value=limit, **self.shown(value))

    def broken(self, value: Any, limit: Any) -> bool:
        """Tell whether *value* breaks the limit."""
        raise TypeError(type(self).__name__)  # pragma: no cover

    def shown(self, value: Any) -> dict[str, Any]:
        """Return what its message says of *value* besides, and its fault to programs."""
        return {}


class _Length(_Limit):
    def shown(self, value: Any) -> dict[str, Any]:
        return {"show_value": len(value)}


class MinValueValidator(_Limit):
    """At least *limit_value*."""

    code = "min_value"
    text = "This must be at least %(limit_value)s."

    def broken(self, value: Any, limit: Any) -> bool:
        return bool(value < limit)


class MaxValueValidator(_Limit):
    """At most *limit_value*."""

    code = "max_value"
    text = "This must be at most %(limit_value)s."

    def broken(self, value: Any, limit: Any) -> bool:
        return bool(value > limit)


class MinLengthValidator(_Length):
    """At least so many characters or items."""

    code = "min_length"
    text = "This is too short: %(show_value)s of at least %(limit_value)s."

    def broken(self, value: Any, limit: Any) -> bool:
        return len(value) < int(limit)


class MaxLengthValidator(_Length):
    """At most so many characters or items."""

    code = "max_length"
    text = "This is too long: %(show_value)s of at most %(limit_value)s."

    def broken(self, value: Any, limit: Any) -> bool:
        return len(value) > int(limit)


class DecimalValidator:
    """At most *digits* digits, *places* of them after the point."""

    def __init__(self, digits: int, places: int) -> None:
        self.digits = digits
        self.places = places

    def __call__(self, value: Decimal) -> None:
        _sign, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            raise _fail("invalid", "This is not a number.")
        after = max(-exponent, 0)
        before = max(len(digits) + exponent, 0) if digits != (0,) else 0
        if after > self.places:
            raise _fail("max_decimal_places", f"At most {self.places} places after the point.", value, max=self.places)
        if before > self.digits - self.places:
            limit = self.digits - self.places
            raise _fail("max_whole_digits", f"At most {limit} digits before the point.", value, max=limit)


class RegexValidator:
    """Match (or, with *inverse*, do not match) a pattern; longer texts than *longest* never do."""

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        message: Any = "This is not a valid value.",
        code: str = "invalid",
        *,
        inverse: bool = False,
        longest: int = 10_000,
    ) -> None:
        self.pattern: re.Pattern[str] = re.compile(pattern)
        self.message = message
        self.code = code
        self.inverse = inverse
        self.longest = longest

    def __call__(self, value: Any) -> None:
        text = str(value)
        found = len(text) <= self.longest and self.pattern.search(text) is not None
        if found is self.inverse:
            raise _fail(self.code, self.message, text)


validate_slug: Callable[[Any], None] = RegexValidator(
    re.compile(r"\A[-a-zA-Z0-9_]+\Z"), "Only letters, digits, - and _ may stand here.", "slug"
)

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u0080-\U0010ffff]{1,64}")
_DOMAIN_LABEL = re.compile(r"(?!-)[A-Za-z0-9\-\u0080-\U0010ffff]{1,63}(?<!-)")
_BLANK_OR_CONTROL = re.compile(r"[\x00-\x20\x7f]").search


class EmailValidator:
    """An address that mail can be sent to: one `@`, a local part, a domain with a point.

    The grammar is that of HTML's e-mail input, with other letters allowed (RFC 6531);
    quoted local parts and literals are not taken.
    """

    def __call__(self, value: Any) -> None:
        text = str(value)
        local, at, domain = text.rpartition("@")
        labels = domain.split(".")
        good = (
            len(text) <= 320
            and bool(at)
            # No separators, and no marks that turn the direction of writing.
            and text.isprintable()
            and _LOCAL.fullmatch(local) is not None
            and not local.startswith(".")
            and not local.endswith(".")
            and ".." not in local
            and (len(labels) > 1 or domain == "localhost")
            and all(_DOMAIN_LABEL.fullmatch(label) for label in labels)
        )
        if not good:
            raise _fail("email", "This is not an e-mail address.")


class URLValidator:
    """An absolute URL of one of *schemes*, without white space or control characters."""

    def __init__(self, schemes: tuple[str, ...] = ("http", "https", "ftp", "ftps")) -> None:
        self.schemes = schemes

    def __call__(self, value: Any) -> None:
        text = str(value)
        try:
            if len(text) > 2048 or _BLANK_OR_CONTROL(text):
                raise ValueError(text)
            parts = urlsplit(text)
            host = parts.hostname or ""
            _ = parts.port
            if parts.scheme.lower() not in self.schemes or not _is_host(host):
                raise ValueError(text)
        except ValueError:
            raise _fail("url", "This is not a URL.") from None


def _is_host(host: str) -> bool:
    if ":" in host:
        return _is_ip(host)
    labels = host.rstrip(".").split(".")
    return bool(host) and len(host) <= 253 and all(_DOMAIN_LABEL.fullmatch(label) for label in labels)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class FileExtensionValidator:
    """A name that ends in one of *extensions*, whatever their case."""

    def __init__(self, extensions: Iterable[str]) -> None:
        self.extensions: frozenset[str] = frozenset(each.lower().removeprefix(".") for each in extensions)

    def __call__(self, value: Any) -> None:
        name = str(value).rpartition("/")[2]
        if name.rpartition(".")[2].lower() not in self.extensions or "." not in name:
            allowed = ", ".join(sorted(self.extensions))
            raise _fail("invalid_extension", f"The name must end in one of: {allowed}.", allowed_extensions=allowed)


def validate_path(value: Any) -> None:
    """Refuse a path that leads out of its storage, or that some system reads as another."""
    text = str(value)
    parts = text.split("/")
    if (
        text.startswith("/")
        or any(part in ("", ".", "..") for part in parts)
        or any(character in "\\:" or character < " " or character == "\x7f" for character in text)
    ):
        raise _fail("path", "This is not the path of a file.")


def validate_ip_address(value: Any) -> None:
    """Refuse what is no IPv4 or IPv6 address."""
    if not _is_ip(str(value)):
        raise _fail("ip_address", "This is not an IP address.")


validate_email: Callable[[Any], None] = EmailValidator()
validate_url: Callable[[Any], None] = URLValidator()
