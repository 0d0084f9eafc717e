"""What SQLite cannot do itself, done in Python on its connections.

Holds: functions and a collation that plans use on SQLite alone.
Imports: the standard library.
Never: is called with anything but values of a statement.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

__all__ = ["register"]


def register(connection: sqlite3.Connection) -> None:
    """Give a connection everything here."""
    for name, (count, function) in _FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)
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
    """Cut a date (`day`) or a moment (`moment`) to the beginning of a part."""
    if text is None:
        return None
    at = _moment(text)
    if part == "week":
        at = datetime(at.year, at.month, at.day) - timedelta(days=at.weekday())
    elif part == "quarter":
        at = datetime(at.year, (at.month - 1) // 3 * 3 + 1, 1)
    else:
        whole = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        count = {"year": 1, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6}[part]
        year, month, day, hour, minute, second = [*whole[:count], *[1, 1, 1, 0, 0, 0][count:]]
        at = datetime(year, month, day, hour, minute, second)
    return at.date().isoformat() if kind == "day" else at.isoformat(" ", "microseconds")


def _zoned(text: str | None, zone: str) -> str | None:
    """Return a moment in UTC as the wall clock of a zone shows it."""
    if text is None:
        return None
    from zoneinfo import ZoneInfo

    local = _moment(text).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    return local.replace(tzinfo=None).isoformat(" ", "microseconds")


def _json(text: str | None) -> str | None:
    if text is None:
        return None
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _json_contains(whole: str | None, part: str | None) -> int | None:
    if whole is None or part is None:
        return None
    return int(_contains(json.loads(whole), json.loads(part)))


def _contains(whole: Any, part: Any) -> bool:
    """Tell what PostgreSQL's `@>` does: every key and item of *part* is in *whole*."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and _contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(_contains(each, item) for each in whole) for item in part)
    if isinstance(whole, list):
        return any(_same(each, part) for each in whole)
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


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "segue_fold": (1, _fold),
    "segue_regex": (3, _regex),
    "segue_iso": (2, _iso),
    "segue_difference": (2, _difference),
    "segue_moved": (2, _moved),
    "segue_trunc": (3, _truncated),
    "segue_zoned": (2, _zoned),
    "segue_json": (1, _json),
    "segue_json_contains": (2, _json_contains),
    "segue_array": (3, _array),
}
_AGGREGATES: dict[str, tuple[int, Any]] = {
    "var_pop": (1, _VarPop),
    "var_samp": (1, _VarSamp),
    "stddev_pop": (1, _StdPop),
    "stddev_samp": (1, _StdSamp),
}
