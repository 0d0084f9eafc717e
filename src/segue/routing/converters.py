"""The types of path parameters: `Converter` and those that rules know by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Final
from uuid import UUID

__all__ = ["CONVERTERS", "NO_MATCH", "Converter"]


class _NoMatch:
    def __repr__(self) -> str:
        return "NO_MATCH"


NO_MATCH: Final[Any] = _NoMatch()  # Any: it stands in the place of a value

# No control character (a proxy's rules end at a newline, and so may a reader's eye) and no surrogate.
CLEAN = r"[^/\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_is_clean = re.compile(CLEAN + "+").fullmatch
_is_clean_path = re.compile(CLEAN.replace("/", "", 1) + "+").fullmatch


def is_clean(text: str) -> bool:
    """Whether *text* could be part of a path: no control characters, no surrogates."""
    return text.isprintable() or _is_clean_path(text) is not None


class Converter:
    """Turns one part of a path into a value, and back; subclass it for your own.

    Set `regex`, and override `to_python` and `to_url` where the value is no
    text. `to_python` may raise `ValueError`: the rule then does not match, and
    the next one is tried. A subclass whose rules give it arguments
    (`<name(a, b=1):parameter>`) takes them in `__init__`.

    Attributes:
        regex: What the text must match, in full, without `^` and `$`.
        rank: Which of two is tried first in the same place: the lower.
        part_isolating: Whether it stays between two slashes. False for `path`.
        python_type: The type of what `to_python` returns.
    """

    regex: str = CLEAN + "+"
    rank: ClassVar[int] = 60
    part_isolating: ClassVar[bool] = True
    python_type: type = str

    _pattern: re.Pattern[str] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls)
        # A hand-written accept() knows nothing of what a further subclass changes.
        if "accept" not in own and ("regex" in own or "to_python" in own):
            cls.accept = Converter.accept  # type: ignore[method-assign]  # that is the point
        if "to_python" in own and "python_type" not in own:
            made = getattr(own["to_python"], "__annotations__", {}).get("return", object)
            cls.python_type = made if isinstance(made, type) else object

    def to_python(self, text: str) -> Any:  # Any: whatever the subclass makes of it
        """Return the value of *text*, which matches `regex`."""
        return text

    def to_url(self, value: Any) -> str:  # Any: whatever the caller of url_for has
        """Return the text of *value*, not yet percent-encoded."""
        return str(value)

    def accept(self, text: str) -> Any:  # Any: the value, or NO_MATCH
        """Return the value of *text*, or `NO_MATCH`."""
        pattern = self._pattern
        if pattern is None:
            pattern = self._pattern = re.compile(self.regex)
        if pattern.fullmatch(text) is None or not is_clean(text):
            return NO_MATCH
        try:
            return self.to_python(text)
        except ValueError:
            return NO_MATCH


class StringConverter(Converter):
    """Text without a slash: `<name>`, `<string(length=2):country>`."""

    rank = 100
    python_type = str

    def __init__(self, minlength: int = 1, maxlength: int | None = None, length: int | None = None) -> None:
        self.least: int = length if length is not None else max(minlength, 1)
        self.most: int = length if length is not None else maxlength if maxlength is not None else 1 << 30
        if length is not None or maxlength is not None or minlength > 1:
            self.regex: str = f"{CLEAN}{{{self.least},{self.most if self.most < 1 << 30 else ''}}}"

    def accept(self, text: str) -> Any:
        """Return *text*, or `NO_MATCH`."""
        # `.` and `..` mean another path to every browser and proxy.
        if text in _DOTS or not (text.isprintable() or _is_clean(text)) or "/" in text:
            return NO_MATCH
        return text if self.least <= len(text) <= self.most else NO_MATCH


_DOTS = frozenset({"", ".", ".."})


class PathConverter(Converter):
    """Text with slashes: `<path:file>`. No empty, `.` or `..` part, but it may end in a slash."""

    regex = f"{CLEAN}+(?:/{CLEAN}+)*/?"
    rank = 200
    part_isolating = False
    python_type = str

    def accept(self, text: str) -> Any:
        """Return *text*, or `NO_MATCH`."""
        parts = text.removesuffix("/").split("/")
        return text if is_clean(text) and _DOTS.isdisjoint(parts) else NO_MATCH


class NumberConverter(Converter):
    """What `int` and `float` share: limits, and a sign where it is asked for."""

    # 19 digits always fit a signed 64-bit column or just miss it; int() of more costs quadratic time.
    digits: ClassVar[str]

    def __init__(
        self,
        min: float | None = None,  # noqa: A002 - what rules say
        max: float | None = None,  # noqa: A002 - the same
        *,
        signed: bool = False,
    ) -> None:
        self.signed: bool = signed or (min is not None and min < 0)
        self.low: float = min if min is not None else -(2**63) if self.signed else 0
        self.high: float = max if max is not None else 2**63 - 1
        self.regex: str = ("-?" if self.signed else "") + self.digits


class IntConverter(NumberConverter):
    """A whole number in ASCII digits: `<int:pk>`, `<int(min=1900, max=2100):year>`, `<int(signed=True):x>`."""

    rank = 30
    python_type = int
    digits = r"[0-9]{1,19}"

    def __init__(
        self,
        fixed_digits: int = 0,
        min: int | None = None,  # noqa: A002 - what rules say
        max: int | None = None,  # noqa: A002 - the same
        *,
        signed: bool = False,
    ) -> None:
        super().__init__(min, max, signed=signed)
        self.fixed_digits = fixed_digits
        self._is_plain = not (signed or fixed_digits) and min is None and max is None

    def to_python(self, text: str) -> int:
        """Return the number."""
        return int(text)

    def to_url(self, value: Any) -> str:
        """Return the digits, with leading zeros where their count is fixed."""
        return str(value).zfill(self.fixed_digits)

    def accept(self, text: str) -> Any:
        """Return the number, or `NO_MATCH`."""
        if self._is_plain and text.isdigit() and text.isascii() and len(text) < 19:
            return int(text)
        digits = text[1:] if self.signed and text[:1] == "-" else text
        # isdigit() alone would let `１２` and `²` through.
        if digits.isdigit() and digits.isascii() and len(digits) < 20:
            value = int(text)
            if self.low <= value <= self.high and (not self.fixed_digits or len(digits) == self.fixed_digits):
                return value
        return NO_MATCH


class FloatConverter(NumberConverter):
    """A number with a decimal point, as in `0.5`: no exponent, no `nan`, no `inf`."""

    rank = 40
    python_type = float
    digits = r"[0-9]{1,19}\.[0-9]{1,30}"

    def to_python(self, text: str) -> float:
        """Return the number, if it is within the limits."""
        value = float(text)
        if not self.low <= value <= self.high:
            raise ValueError(text)
        return value

    def to_url(self, value: Any) -> str:
        """Return the shortest digits that mean this number, without an exponent."""
        text = format(Decimal(repr(float(value))), "f")
        return text if "." in text else f"{text}.0"


class UUIDConverter(Converter):
    """A UUID in its usual form of 8-4-4-4-12 hexadecimal digits."""

    regex = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    rank = 20
    python_type = UUID

    def to_python(self, text: str) -> UUID:
        """Return the UUID."""
        return UUID(text)


class DateConverter(Converter):
    """A day as `2026-07-29`."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    rank = 20
    python_type = date

    def to_python(self, text: str) -> date:
        """Return the day, if there is such a day."""
        return date.fromisoformat(text)


class SlugConverter(Converter):
    """ASCII letters, digits, hyphens and underscores."""

    regex = r"[-a-zA-Z0-9_]+"
    rank = 50
    python_type = str

    def accept(self, text: str) -> Any:
        """Return *text*, or `NO_MATCH`."""
        return text if _is_slug(text) is not None else NO_MATCH


_is_slug = re.compile(SlugConverter.regex).fullmatch


class AnyConverter(Converter):
    """One of a few words: `<any(about, help):page>`."""

    rank = 10
    python_type = str

    def __init__(self, *words: str) -> None:
        self.words: frozenset[str] = frozenset(str(word) for word in words)
        if not words or not all(is_clean(word) and "/" not in word and word not in _DOTS for word in self.words):
            raise ValueError("it takes one word or more, none with a slash or a control character")
        self.regex: str = "|".join(sorted((re.escape(word) for word in self.words), key=len, reverse=True))

    def accept(self, text: str) -> Any:
        """Return *text*, or `NO_MATCH`."""
        return text if text in self.words else NO_MATCH


CONVERTERS: Mapping[str, type[Converter]] = MappingProxyType(
    {
        "any": AnyConverter,
        "date": DateConverter,
        "default": StringConverter,
        "float": FloatConverter,
        "int": IntConverter,
        "path": PathConverter,
        "slug": SlugConverter,
        "string": StringConverter,
        "uuid": UUIDConverter,
    }
)
