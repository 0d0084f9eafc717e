"""Range requests (RFC 9110 §14): which bytes are asked for, and how parts are framed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import RangeNotSatisfiable

__all__ = ["Range", "content_range", "multipart_pieces", "parse_range"]

_SPEC = re.compile(r"[ \t]*([0-9]*)-([0-9]*)[ \t]*\Z").match
# More digits than any file has bytes; int() itself refuses thousands of them.
_MAX_DIGITS = 18
_MAX_HEADER = 8192


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes from *start* up to, and without, *end*."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start


def parse_range(header: str, size: int, *, max_ranges: int = 16) -> list[Range] | None:
    """Return the asked parts of *size* bytes, or `None` to send everything.

    Everything is sent where the unit is not bytes, the header is malformed, or
    more than *max_ranges* are asked. Parts that overlap or touch are made one, so
    no answer is longer than the whole and its framing.

    Raises:
        RangeNotSatisfiable: Every part lies beyond the end.

    >>> parse_range("bytes=-5", 100)
    [Range(start=95, end=100)]
    """
    unit, equals, text = header[: _MAX_HEADER + 1].partition("=")
    if unit.strip(" \t").lower() != "bytes" or not equals or len(header) > _MAX_HEADER:
        return None
    if text.count(",") >= max_ranges:
        return None
    found: list[Range] = []
    is_any = False
    for spec in text.split(","):
        if not spec.strip(" \t"):
            continue  # an empty list element is allowed (RFC 9110 §5.6.1)
        match = _SPEC(spec)
        if match is None:
            return None
        first, last = match.groups()
        if not first and not last:
            return None
        if first and last and _number(last) < _number(first):
            return None
        is_any = True
        asked = _resolve(first, last, size)
        if asked is not None:
            found.append(asked)
    if not is_any:
        return None
    if not found:
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return _coalesce(found)


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def _resolve(first: str, last: str, size: int) -> Range | None:
    if not first:
        length = min(_number(last), size)
        return Range(size - length, size) if length else None
    start = _number(first)
    if start >= size:
        return None
    return Range(start, min(_number(last) + 1, size) if last else size)


def _coalesce(ranges: list[Range]) -> list[Range]:
    merged: list[Range] = []
    for each in sorted(ranges, key=lambda one: one.start):
        if merged and each.start <= merged[-1].end:
            merged[-1] = Range(merged[-1].start, max(merged[-1].end, each.end))
        else:
            merged.append(each)
    # The client's order is kept where nothing was merged (RFC 9110 §15.3.7.2).
    return ranges if len(merged) == len(ranges) else merged


def content_range(part: Range, size: int) -> str:
    """Return the `Content-Range` of a part.

    >>> content_range(Range(0, 5), 100)
    'bytes 0-4/100'
    """
    return f"bytes {part.start}-{part.end - 1}/{size}"


def multipart_pieces(ranges: Sequence[Range], size: int, content_type: str) -> tuple[str, list[bytes | Range], int]:
    """Return the boundary, the pieces and the length of a `multipart/byteranges` body.

    A piece is bytes of the framing, or a `Range` in whose place the caller sends
    those bytes of the content.
    """
    boundary = os.urandom(16).hex()
    pieces: list[bytes | Range] = []
    length = 0
    for number, part in enumerate(ranges):
        head = (
            f"{'' if number == 0 else chr(13) + chr(10)}--{boundary}\r\n"
            f"Content-Type: {content_type}\r\nContent-Range: {content_range(part, size)}\r\n\r\n"
        ).encode("latin-1")
        pieces += [head, part]
        length += len(head) + part.length
    tail = f"\r\n--{boundary}--\r\n".encode("ascii")
    return boundary, [*pieces, tail], length + len(tail)
