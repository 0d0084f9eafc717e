"""Range requests (RFC 9110 §14)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import RangeNotSatisfiable
from segue.http.ranges import Range, content_range, multipart_pieces, parse_range


@pytest.mark.parametrize(
    ("header", "ranges"),
    [
        ("bytes=0-4", [(0, 5)]),
        ("bytes=-5", [(95, 100)]),
        ("bytes=90-", [(90, 100)]),
        ("bytes=90-1000", [(90, 100)]),
        ("bytes=-1000", [(0, 100)]),
        ("Bytes = 0-0 ", [(0, 1)]),
        ("bytes=0-0,-1", [(0, 1), (99, 100)]),
        ("bytes=50-59, 0-9", [(50, 60), (0, 10)]),
        ("bytes=0-9,5-19", [(0, 20)]),
        ("bytes=0-9,10-19", [(0, 20)]),
        ("bytes=0-9,,20-29", [(0, 10), (20, 30)]),
        ("bytes=0-9,200-300", [(0, 10)]),
        ("bytes=007-9", [(7, 10)]),
        ("bytes=0-" + "9" * 5000, [(0, 100)]),
    ],
)
def test_lawful_ranges_are_cut_to_the_size(header: str, ranges: list[tuple[int, int]]) -> None:
    assert parse_range(header, 100) == [Range(*each) for each in ranges]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="empty"),
        pytest.param("items=0-1", id="other-unit"),
        pytest.param("bytes", id="no-equals"),
        pytest.param("bytes=", id="no-range"),
        pytest.param("bytes=,", id="only-commas"),
        pytest.param("bytes=-", id="only-a-dash"),
        pytest.param("bytes=5-3", id="backwards"),
        pytest.param("bytes=a-b", id="letters"),
        pytest.param("bytes=1-2-3", id="two-dashes"),
        pytest.param("bytes=+1-2", id="sign"),
        pytest.param("bytes=1_0-20", id="underscore"),
        pytest.param("bytes=0 - 1", id="spaces"),
        pytest.param("bytes=１-２", id="C06-full-width-digits"),
        pytest.param("bytes=" + ",".join(f"{n * 2}-{n * 2}" for n in range(1000)), id="C06-1000-ranges"),
        pytest.param("bytes=" + ",".join(["0-99"] * 17), id="C06-17-overlapping"),
        pytest.param("bytes=" + "0" * 9000 + "-1", id="C06-9000-digits"),
    ],
)
def test_a_range_that_is_none_is_ignored(header: str) -> None:
    assert parse_range(header, 100) is None


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("bytes=-0", id="C06-minus-zero"),
        pytest.param("bytes=100-", id="at-the-end"),
        pytest.param("bytes=" + "9" * 5000 + "-", id="C06-5000-digits"),
        pytest.param("bytes=100-200,300-400", id="all-beyond"),
    ],
)
def test_ranges_beyond_the_end_are_416_and_say_the_size(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        parse_range(header, 100)

    assert caught.value.headers == {"Content-Range": "bytes */100"}


def test_nothing_is_satisfiable_in_an_empty_file() -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range("bytes=0-", 0)

    with pytest.raises(RangeNotSatisfiable):
        parse_range("bytes=-5", 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), min_size=1, max_size=16), st.integers(1, 100))
def test_c06_ranges_cover_what_was_asked_and_never_send_a_byte_twice(asked: list[tuple[int, int]], size: int) -> None:
    specs = [(min(pair), max(pair)) for pair in asked]
    wanted = {place for first, last in specs for place in range(first, last + 1) if place < size}

    try:
        found = parse_range("bytes=" + ",".join(f"{first}-{last}" for first, last in specs), size)
    except RangeNotSatisfiable:
        found = []
    sent = [place for each in found or [] for place in range(each.start, each.end)]

    assert sorted(sent) == sorted(wanted)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_header_is_ranges_or_none_or_416(text: str) -> None:
    try:
        found = parse_range(f"bytes={text}", 50) or []
    except RangeNotSatisfiable:
        found = []

    assert all(0 <= each.start < each.end <= 50 for each in found)


def test_the_pieces_of_a_multipart_answer_add_up() -> None:
    content = bytes(range(100))
    ranges = [Range(0, 5), Range(50, 60)]

    boundary, pieces, length = multipart_pieces(ranges, 100, "text/plain")
    body = b"".join(content[piece.start : piece.end] if isinstance(piece, Range) else piece for piece in pieces)

    assert len(body) == length
    assert body == (
        f"--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-4/100\r\n\r\n".encode()
        + content[0:5]
        + f"\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 50-59/100\r\n\r\n".encode()
        + content[50:60]
        + f"\r\n--{boundary}--\r\n".encode()
    )


def test_the_content_range_ends_at_the_last_byte() -> None:
    assert content_range(Range(95, 100), 100) == "bytes 95-99/100"
