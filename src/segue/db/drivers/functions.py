"""What SQLite cannot do itself, done in Python on its connections.

Holds: functions and a collation that plans use on SQLite alone.
Imports: the standard library.
Never: is called with anything but values of a statement.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from ..search.words import rank

__all__ = ["register"]


def register(connection: sqlite3.Connection) -> None:
    """Give a connection everything here."""
    for name, (count, function) in _FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)
    for name, (count, function) in _RANDOM.items():
        connection.create_function(name, count, function)
    for name, (width, aggregate) in _AGGREGATES.items():
        connection.create_aggregate(name, width, aggregate)
    connection.create_collation("segue_decimal", _compare_decimals)


def _fold(text: Any) -> str | None:
    return None if text is None else str(text).casefold()


@lru_cache(maxsize=256)
def _pattern(pattern: str, *, folded: bool) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE if folded else 0)


def _regex(pattern: Any, text: Any, folded: int) -> int | None:
    if pattern is None or text is None:
        return None
    return int(_pattern(str(pattern), folded=bool(folded)).search(str(text)) is not None)


def _iso(part: str, text: str | None) -> int | None:
    if text is None:
        return None
    year, week, _ = date.fromisoformat(text[:10]).isocalendar()
    return week if part == "week" else year


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _difference(first: str | None, second: str | None) -> int | None:
    if first is None or second is None:
        return None
    return (_moment(first) - _moment(second)) // timedelta(microseconds=1)


def _moved(text: str | None, microseconds: int | None) -> str | None:
    if text is None or microseconds is None:
        return None
    return (_moment(text) + timedelta(microseconds=microseconds)).isoformat(" ", "microseconds")


def _truncated(part: str, text: str | None, kind: str) -> str | None:
    """Cut a date (`day`), a moment (`moment`) or a time of day (`time`) to the beginning of a part."""
    if text is None:
        return None
    at = _moment(text if kind != "time" else f"2000-01-01 {text}")
    if part == "week":
        at = datetime(at.year, at.month, at.day) - timedelta(days=at.weekday())
    elif part == "quarter":
        at = datetime(at.year, (at.month - 1) // 3 * 3 + 1, 1)
    else:
        whole = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        count = {"year": 1, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6}[part]
        year, month, day, hour, minute, second = [*whole[:count], *[1, 1, 1, 0, 0, 0][count:]]
        at = datetime(year, month, day, hour, minute, second)
    if kind == "time":
        return at.time().isoformat("microseconds")
    return at.date().isoformat() if kind == "day" else at.isoformat(" ", "microseconds")


def _zone(name: str) -> tzinfo:
    """Return a zone by its name, or by its distance from UTC, such as `+05:30`."""
    from zoneinfo import ZoneInfo

    if name[:1] not in "+-":
        return ZoneInfo(name)
    hours, _, minutes = name[1:].partition(":")
    apart = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-apart if name[0] == "-" else apart)


def _zoned(text: str | None, zone: str) -> str | None:
    """Return a moment in UTC as the wall clock of a zone shows it."""
    if text is None:
        return None
    local = _moment(text).replace(tzinfo=UTC).astimezone(_zone(zone))
    return local.replace(tzinfo=None).isoformat(" ", "microseconds")


def _unzoned(text: str | None, zone: str) -> str | None:
    """Return what the wall clock of a zone shows as a moment in UTC."""
    if text is None:
        return None
    found = _moment(text).replace(tzinfo=_zone(zone)).astimezone(UTC)
    return found.replace(tzinfo=None).isoformat(" ", "microseconds")


def _json(text: str | None) -> str | None:
    if text is None:
        return None
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _json_at(text: str | None, path: str | None) -> str | None:
    """Return what stands at a path, a JSON list of keys, as JSON."""
    if text is None or path is None:
        return None
    found: Any = json.loads(text)
    for key in json.loads(path):
        whole: Any = found
        if isinstance(found, dict) and key in found:
            found = whole[key]
        elif isinstance(found, list) and key.isdigit() and int(key) < len(whole):
            found = whole[int(key)]
        else:
            return None
    return json.dumps(found, ensure_ascii=False)


def _json_has(text: str | None, key: str | None) -> int | None:
    if text is None or key is None:
        return None
    found = json.loads(text)
    return int(isinstance(found, dict) and key in found)


def _json_contains(whole: str | None, part: str | None) -> int | None:
    if whole is None or part is None:
        return None
    return int(_contains(json.loads(whole), json.loads(part)))


def _items(whole: Any) -> list[Any]:
    found: Any = whole
    return list(found) if isinstance(whole, list) else []


def _contains(whole: Any, part: Any) -> bool:
    """Tell what PostgreSQL's `@>` does: every key and item of *part* is in *whole*."""
    if isinstance(part, dict):
        named = cast("dict[str, Any]", part)
        return isinstance(whole, dict) and all(
            key in whole and _contains(whole[key], value) for key, value in named.items()
        )
    items = _items(whole)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(_contains(each, item) for each in items) for item in _items(part))
    if isinstance(whole, list):
        return any(_same(each, part) for each in items)
    return _same(whole, part)


def _same(first: Any, second: Any) -> bool:
    return (type(first) is type(second) and bool(first == second)) or (
        isinstance(first, int | float)
        and isinstance(second, int | float)
        and not isinstance(first, bool)
        and not isinstance(second, bool)
        and first == second
    )


def _array(how: str, whole: str | None, other: str | None) -> int | None:
    if whole is None or other is None:
        return None
    mine, theirs = json.loads(whole), json.loads(other)
    if how == "overlap":
        return int(any(each in theirs for each in mine))
    if how == "contains":
        return int(all(each in mine for each in theirs))
    return int(all(each in theirs for each in mine))


def _compare_decimals(first: str, second: str) -> int:
    one, two = Decimal(first), Decimal(second)
    return (one > two) - (one < two)


# Texts


def _changed(text: Any, change: Callable[[str], str]) -> str | None:
    """Change each character for which there is one other: as the servers do."""
    if text is None:
        return None
    found = str(text)
    if found.isascii():
        return change(found)
    return "".join(new if len(new := change(each)) == 1 else each for each in found)


def _lower(text: Any) -> str | None:
    return _changed(text, str.lower)


def _upper(text: Any) -> str | None:
    return _changed(text, str.upper)


def _reverse(text: Any) -> str | None:
    return None if text is None else str(text)[::-1]


def _repeat(text: Any, number: Any) -> str | None:
    return None if text is None or number is None else str(text) * int(number)


def _padding(text: Any, length: Any, fill: Any) -> tuple[str, str] | None:
    """Return a text cut to *length*, and what it lacks."""
    if text is None or length is None or fill is None:
        return None
    wanted, found, filler = max(int(length), 0), str(text), str(fill)
    lacking = max(wanted - len(found), 0)
    return found[:wanted], (filler * (lacking // len(filler) + 1))[:lacking] if filler else ""


def _lpad(text: Any, length: Any, fill: Any) -> str | None:
    parts = _padding(text, length, fill)
    return None if parts is None else parts[1] + parts[0]


def _rpad(text: Any, length: Any, fill: Any) -> str | None:
    parts = _padding(text, length, fill)
    return None if parts is None else parts[0] + parts[1]


def _ord(text: Any) -> int | None:
    if text is None:
        return None
    return ord(str(text)[0]) if text != "" else 0


def _digest(algorithm: str, text: Any) -> str | None:
    if text is None:
        return None
    data = text if isinstance(text, bytes) else str(text).encode()
    return hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()


# Numbers


def _math(name: str, *values: Any) -> float | None:
    """Return what `math` does; `None` where there is no result."""
    if None in values:
        return None
    try:
        return _MATH[name](*map(float, values))
    except (ValueError, OverflowError, ZeroDivisionError):
        return None


def _cotangent(x: float) -> float:
    return 1 / math.tan(x)


def _logarithm(base: float, x: float) -> float:
    exact = {10.0: math.log10, 2.0: math.log2}.get(base)
    return exact(x) if exact is not None else math.log(x, base)


_MATH: dict[str, Callable[..., float]] = {
    **{name: getattr(math, name) for name in ("acos", "asin", "atan", "atan2", "cos", "exp", "sin", "sqrt", "tan")},
    "cot": _cotangent,
    "degrees": math.degrees,
    "fmod": math.fmod,
    "ln": math.log,
    "log": _logarithm,
    "pi": lambda: math.pi,
    "power": math.pow,
    "radians": math.radians,
}
# Enough for every digit that a column or a real number can have.
_EXACT = Context(prec=1000, rounding=ROUND_HALF_UP)


def _rounded(how: str, value: Any, places: int, precision: Any) -> Any:
    """Round a number and return it as it came: a whole number, a real one, or a decimal.

    Args:
        places: How many places a scaled decimal has; -1 for one that is a text.
        precision: How many digits after the point stay.
    """
    if value is None or precision is None:
        return None
    number = Decimal(repr(value) if isinstance(value, float) else str(value))
    if places > 0:
        number = number.scaleb(-places, _EXACT)
    if how == "abs":
        return format(number.copy_abs(), "f")
    rounding = {"round": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}[how]
    precision = max(min(int(precision), 300), -300)
    if -precision > number.adjusted() + 1:
        number = Decimal(0)
    elif number.as_tuple().exponent < -precision:
        number = number.quantize(Decimal(1).scaleb(-precision, _EXACT), rounding, _EXACT)
    if isinstance(value, float):
        return float(number)
    if places < 0:
        return format(number, "f")
    return int(number.scaleb(places, _EXACT)) if places else int(number)


def _decimal(text: Any, places: int, scaled: int) -> Any:
    """Return a text as the column of a decimal keeps it; `None` where it is no number."""
    if text is None:
        return None
    try:
        number = Decimal(str(text).strip()).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
    except InvalidOperation:
        return None
    return int(number.scaleb(places, _EXACT)) if scaled else format(number, "f")


def _decimal_text(value: Any, places: int) -> str | None:
    if value is None:
        return None
    number = Decimal(str(value))
    return format(number.scaleb(-places, _EXACT) if places > 0 else number, "f")


def _real_text(value: Any) -> str | None:
    """Return a number as PostgreSQL writes it: a whole one has no point."""
    return None if value is None else repr(float(value)).removesuffix(".0")


# Moments from texts


def _moment_of(text: Any) -> str | None:
    if text is None:
        return None
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    return found.isoformat(" ", "microseconds")


def _time_of(text: Any) -> str | None:
    if text is None:
        return None
    plain = str(text)
    found = datetime.fromisoformat(plain).time() if len(plain) > 15 else time.fromisoformat(plain)
    return found.isoformat("microseconds")


class _Moments:
    """Collects numbers for a deviation, by Welford's method."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.squares = 0.0

    def step(self, value: Any) -> None:
        if value is None:
            return
        self.count += 1
        apart = float(value) - self.mean
        self.mean += apart / self.count
        self.squares += apart * (float(value) - self.mean)

    def variance(self, *, sample: bool) -> float | None:
        divisor = self.count - 1 if sample else self.count
        return self.squares / divisor if divisor > 0 else None


class _VarPop(_Moments):
    def finalize(self) -> float | None:
        return self.variance(sample=False)


class _VarSamp(_Moments):
    def finalize(self) -> float | None:
        return self.variance(sample=True)


class _StdPop(_Moments):
    def finalize(self) -> float | None:
        found = self.variance(sample=False)
        return None if found is None else found**0.5


class _StdSamp(_Moments):
    def finalize(self) -> float | None:
        found = self.variance(sample=True)
        return None if found is None else found**0.5


class _Joined:
    """Joins texts, ordered by keys and each once where that is wanted."""

    def __init__(self) -> None:
        self.how = ""
        self.delimiter = ""
        self.found: list[tuple[Any, ...]] = []

    def step(self, how: str, text: Any, delimiter: Any, *keys: Any) -> None:
        if text is None:
            return
        self.how, self.delimiter = how, str(delimiter)
        self.found.append((str(text), *keys))

    def finalize(self) -> str | None:
        if not self.found:
            return None
        rows = self.found
        for at in range(len(rows[0]) - 1, 0, -1):
            direction, nulls = self.how[2 * at - 1], self.how[2 * at]
            known = [row for row in rows if row[at] is not None]
            missing = [row for row in rows if row[at] is None]
            known.sort(key=itemgetter(at), reverse=direction == "d")
            rows = [*known, *missing] if nulls == "l" else [*missing, *known]
        texts = [row[0] for row in rows]
        return self.delimiter.join(dict.fromkeys(texts) if self.how[0] == "1" else texts)


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "segue_search_rank": (-1, rank),
    "segue_fold": (1, _fold),
    "segue_regex": (3, _regex),
    "segue_iso": (2, _iso),
    "segue_difference": (2, _difference),
    "segue_moved": (2, _moved),
    "segue_trunc": (3, _truncated),
    "segue_zoned": (2, _zoned),
    "segue_json": (1, _json),
    "segue_json_at": (2, _json_at),
    "segue_json_has": (2, _json_has),
    "segue_json_contains": (2, _json_contains),
    "segue_array": (3, _array),
    "segue_lower": (1, _lower),
    "segue_upper": (1, _upper),
    "segue_reverse": (1, _reverse),
    "segue_repeat": (2, _repeat),
    "segue_lpad": (3, _lpad),
    "segue_rpad": (3, _rpad),
    "segue_ord": (1, _ord),
    "segue_digest": (2, _digest),
    "segue_math0": (1, _math),
    "segue_math1": (2, _math),
    "segue_math2": (3, _math),
    "segue_rounded": (4, _rounded),
    "segue_decimal": (3, _decimal),
    "segue_decimal_text": (2, _decimal_text),
    "segue_real_text": (1, _real_text),
    "segue_moment": (1, _moment_of),
    "segue_time": (1, _time_of),
    "segue_unzoned": (2, _unzoned),
}
_RANDOM: dict[str, tuple[int, Callable[..., Any]]] = {"segue_random": (0, random.random)}
_AGGREGATES: dict[str, tuple[int, Any]] = {
    "var_pop": (1, _VarPop),
    "var_samp": (1, _VarSamp),
    "stddev_pop": (1, _StdPop),
    "stddev_samp": (1, _StdSamp),
    "segue_joined": (-1, _Joined),
}
