"""Filters for numbers: `floatformat`, `intcomma`, `pluralize`, `filesizeformat`.

A number of more than 200 digits is returned as it came: formatting it is work
that whoever sent it must not be able to ask for.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from jinja2 import Undefined
from jinja2.filters import do_filesizeformat

from .dates import english_suffix

__all__ = [
    "add", "apnumber", "divisibleby", "filesizeformat", "floatformat", "get_digit", "intcomma", "intword", "ordinal",
    "pluralize",
]  # fmt: skip

_MOST_DIGITS = 200
_ROOM = Context(prec=3 * _MOST_DIGITS)
_WHOLE = re.compile(r"-?[0-9]{1,200}")

_WORDS = (
    (100, "googol"),
    (33, "decillion"),
    (30, "nonillion"),
    (27, "octillion"),
    (24, "septillion"),
    (21, "sextillion"),
    (18, "quintillion"),
    (15, "quadrillion"),
    (12, "trillion"),
    (9, "billion"),
    (6, "million"),
)
_UNITS = ("KB", "MB", "GB", "TB", "PB")
_SMALL = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _to_decimal(value: Any) -> Decimal | None:
    """Return *value* as a finite number of at most 200 digits, or `None`."""
    if isinstance(value, Undefined):
        value = str(value)
    text = repr(value) if isinstance(value, float) else str(value)[: _MOST_DIGITS * 2].strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    parts = number.as_tuple()
    if not isinstance(parts.exponent, int) or len(parts.digits) + abs(parts.exponent) > _MOST_DIGITS:
        return None
    return number


def _to_int(value: Any) -> int | None:
    if isinstance(value, Undefined):
        value = str(value)
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value.strip()) else None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number.bit_length() <= _MOST_DIGITS * 3 else None


def floatformat(value: Any, places: int | str = -1) -> str:
    """Round to *places* decimals, halves away from zero; negative: only where there are any.

    A `g` after the number (`"2g"`) groups the thousands; a `u` says not to.
    """
    number = _to_decimal(value)
    if number is None:
        return str(value) if _is_numeric(value) else ""
    text = str(places)
    grouped = "g" in text
    try:
        decimals = int(text.rstrip("gu") or "-1")
    except ValueError:
        return str(value)
    decimals = max(-_MOST_DIGITS, min(decimals, _MOST_DIGITS))
    if decimals <= 0 and number == number.to_integral_value():
        return f"{int(number):,}" if grouped else f"{int(number)}"
    rounded = number.quantize(Decimal(1).scaleb(-abs(decimals)), ROUND_HALF_UP, _ROOM)
    if not rounded:
        rounded = abs(rounded)
    return f"{rounded:,f}" if grouped else f"{rounded:f}"


def _is_numeric(value: Any) -> bool:
    # What cannot be formatted, such as infinity, is shown as it is; what is no number is not shown.
    try:
        Decimal(str(value)[: _MOST_DIGITS * 2])
    except InvalidOperation:
        return False
    return True


def intcomma(value: Any) -> str:
    """Put a comma at every third digit: 4500000 becomes 4,500,000."""
    text = str(value)
    if len(text) > _MOST_DIGITS:
        return text
    found = _WHOLE.match(text)
    return text if found is None else f"{int(found[0]):,}{text[found.end() :]}"


def intword(value: Any) -> str:
    """Return a large number in words: 1200000 becomes "1.2 million"."""
    number = _to_int(value)
    if number is None or abs(number) < 1_000_000:
        return str(value)
    power, word = next(pair for pair in _WORDS if abs(number) >= 10 ** pair[0])
    return f"{floatformat(Decimal(number) / 10**power, 1)} {word}"


def ordinal(value: Any) -> str:
    """Return 1st for 1, 2nd for 2."""
    number = _to_int(value)
    if number is None or number < 0:
        return str(value)
    return f"{number}{english_suffix(number)}"


def apnumber(value: Any) -> Any:
    """Return one to nine as words, as newspapers do; other values as they are."""
    number = _to_int(value)
    return value if number is None or not 0 < number < 10 else _SMALL[number - 1]


def pluralize(value: Any, suffixes: str = "s") -> str:
    """Return the ending that fits a number, or the length of a list: `{{ n }} vote{{ n|pluralize }}`."""
    if isinstance(value, Undefined):
        value = str(value)
    endings = suffixes.split(",") if "," in suffixes else ["", suffixes]
    if len(endings) > 2:
        return ""
    try:
        is_one = float(value) == 1
    except ValueError:
        return ""
    except TypeError:
        try:
            is_one = len(value) == 1
        except TypeError:
            return ""
    return endings[0] if is_one else endings[1]


def add(value: Any, other: Any) -> Any:
    """Return the sum of two whole numbers, else the two values joined, else the empty text."""
    if isinstance(value, Undefined):
        value = str(value)
    left, right = _to_int(value), _to_int(other)
    if left is not None and right is not None:
        return left + right
    try:
        return value + other
    except TypeError:
        return ""


def divisibleby(value: Any, divisor: Any) -> bool:
    """Tell whether *value* can be divided by *divisor* without a rest."""
    return int(value) % int(divisor) == 0


def get_digit(value: Any, place: Any) -> Any:
    """Return a digit of a whole number, 1 being the rightmost; what is no such number unchanged."""
    number, position = _to_int(value), _to_int(place)
    if number is None or position is None or position < 1:
        return value
    digits = str(abs(number))
    return int(digits[-position]) if position <= len(digits) else 0


def filesizeformat(value: Any, binary: bool | None = None) -> str:  # noqa: FBT001 - Jinja2's signature
    """Return a size in bytes as people read it: 117.7 MB, counting by 1024.

    With *binary* given, as Jinja2's filter of that name: kB or KiB.
    """
    if binary is not None:
        return do_filesizeformat(value, binary)
    number = _to_decimal(value)
    size = int(number) if number is not None else 0
    sign, size = ("-", -size) if size < 0 else ("", size)
    if size < 1024:
        return f"{sign}{size}\xa0byte{'' if size == 1 else 's'}"
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{sign}{floatformat(Decimal(size) / 1024**power, 1)}\xa0{_UNITS[power - 1]}"
