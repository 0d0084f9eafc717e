"""Conditional requests (RFC 9110 §13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import UsageError
from segue.http.conditional import (
    evaluate,
    format_http_date,
    if_range_holds,
    make_etag,
    parse_etags,
    parse_http_date,
)

MOMENT = datetime(2024, 5, 6, 7, 8, 9, 500_000, tzinfo=UTC)
DATE = "Mon, 06 May 2024 07:08:09 GMT"
EARLIER = "Mon, 06 May 2024 07:08:08 GMT"
LATER = "Mon, 06 May 2024 07:08:10 GMT"


@pytest.mark.parametrize(
    ("method", "headers", "verdict"),
    [
        ("GET", {}, None),
        ("GET", {"if-none-match": '"a"'}, 304),
        ("HEAD", {"if-none-match": '"a"'}, 304),
        ("PUT", {"if-none-match": '"a"'}, 412),
        ("GET", {"if-none-match": 'W/"a"'}, 304),
        ("GET", {"if-none-match": '"x", "a"'}, 304),
        ("GET", {"if-none-match": '"x","y"'}, None),
        ("GET", {"if-none-match": "*"}, 304),
        ("PUT", {"if-none-match": "*"}, 412),
        ("GET", {"if-none-match": '"x"', "if-modified-since": LATER}, None),
        ("GET", {"if-modified-since": DATE}, 304),
        ("GET", {"if-modified-since": LATER}, 304),
        ("GET", {"if-modified-since": EARLIER}, None),
        ("POST", {"if-modified-since": LATER}, None),
        ("PUT", {"if-match": '"a"'}, None),
        ("PUT", {"if-match": "*"}, None),
        ("PUT", {"if-match": '"x"'}, 412),
        ("PUT", {"if-match": 'W/"a"'}, 412),
        ("GET", {"if-match": '"x"'}, 412),
        ("PUT", {"if-match": '"a"', "if-unmodified-since": EARLIER}, None),
        ("PUT", {"if-unmodified-since": EARLIER}, 412),
        ("PUT", {"if-unmodified-since": DATE}, None),
        ("GET", {"if-match": '"a"', "if-none-match": '"a"'}, 304),
        ("PUT", {"if-unmodified-since": EARLIER, "if-none-match": '"a"'}, 412),
    ],
)
def test_conditions_are_evaluated_in_their_order(method: str, headers: dict[str, str], verdict: int | None) -> None:
    assert evaluate(method, headers.get, etag='"a"', last_modified=MOMENT) == verdict


@pytest.mark.parametrize(
    ("method", "headers", "verdict"),
    [
        ("PUT", {"if-match": "*"}, 412),
        ("PUT", {"if-none-match": "*"}, None),
        ("PUT", {"if-match": '"a"'}, 412),
        ("GET", {"if-modified-since": LATER}, None),
    ],
)
def test_conditions_on_what_is_not_there(method: str, headers: dict[str, str], verdict: int | None) -> None:
    assert evaluate(method, headers.get, exists=False) == verdict


def test_a_weak_tag_never_satisfies_if_match() -> None:
    assert evaluate("PUT", {"if-match": 'W/"a"'}.get, etag='W/"a"') == 412
    assert evaluate("GET", {"if-none-match": '"a"'}.get, etag='W/"a"') == 304


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("Mon, 01 Jan 99999 00:00:00 GMT", id="C05-year-99999"),
        pytest.param("-1", id="C05-minus-one"),
        pytest.param("0", id="C05-zero"),
        pytest.param("", id="C05-empty"),
        pytest.param("Mon, 31 Feb 2024 00:00:00 GMT", id="C05-no-such-day"),
        pytest.param("Mon, 01 Jan 0000 00:00:00 GMT", id="C05-year-0"),
        pytest.param("Mon, 01 Xxx 2024 00:00:00 GMT", id="C05-no-such-month"),
        pytest.param("Mon, 01 Jan 2024 24:00:00 GMT", id="C05-hour-24"),
        pytest.param("Mon, ٠١ Jan 2024 00:00:00 GMT", id="C05-arabic-digits"),
        pytest.param("Mon, 01 Jan 2024 00:00:00 +0000", id="C05-offset"),
        pytest.param("Mon, 01 Jan 2024 00:00:00 GMT\n", id="C05-line-break"),
        pytest.param("2024-01-01T00:00:00Z", id="C05-iso"),
        pytest.param("(" * 8000, id="C05-comments"),
    ],
)
def test_c05_a_bad_date_is_ignored(date: str) -> None:
    assert parse_http_date(date) is None
    assert evaluate("GET", {"if-modified-since": date, "if-unmodified-since": date}.get, last_modified=MOMENT) is None


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_the_three_forms_of_a_date_are_read(text: str) -> None:
    assert parse_http_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


def test_a_leap_second_is_read() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1000, 1, 2), timezones=st.just(UTC)))
def test_a_date_that_was_written_is_read_back(moment: datetime) -> None:
    assert parse_http_date(format_http_date(moment)) == moment.replace(microsecond=0)


def test_other_zones_are_written_as_gmt() -> None:
    assert format_http_date(MOMENT.astimezone(timezone(timedelta(hours=5)))) == DATE


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(UsageError):
        format_http_date(datetime(2024, 1, 1))


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ('"a"', ['"a"']),
        ('"a" , W/"b",,"c,d"', ['"a"', 'W/"b"', '"c,d"']),
        ('""', ['""']),
        ("a", []),
        ('"a" "b"', []),
        ('"a", b, "c"', ['"a"']),
        ('w/"a"', []),
        ("*", "*"),
        (" * ", "*"),
        ('"*"', ['"*"']),
    ],
)
def test_the_grammar_of_entity_tags(header: str, tags: list[str] | str) -> None:
    assert parse_etags(header) == tags


@pytest.mark.parametrize(
    ("header", "count"),
    [
        pytest.param('"a",' * 2000, 64, id="C05-2000-tags"),
        pytest.param('"' * 8000, 0, id="C05-quotes"),
        pytest.param("," * 8000, 0, id="C05-commas"),
        pytest.param(' ,"' * 3000, 0, id="C05-mixed"),
        pytest.param('"a"' + " " * 8000 + "x", 0, id="C05-spaces"),
    ],
)
def test_c05_long_lists_of_tags_are_cut(header: str, count: int) -> None:
    assert len(parse_etags(header)) == count


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        (None, True),
        ('"a"', True),
        ('"b"', False),
        ('W/"a"', False),
        (DATE, True),
        (EARLIER, False),
        (LATER, False),
        ("x", False),
    ],
)
def test_if_range_holds_for_the_very_same_validator(header: str | None, holds: bool) -> None:
    assert if_range_holds(header, etag='"a"', last_modified=MOMENT) is holds


def test_if_range_never_holds_by_a_weak_tag() -> None:
    assert not if_range_holds('W/"a"', etag='W/"a"')


def test_equal_content_has_an_equal_tag() -> None:
    assert make_etag(b"a") == make_etag(b"a") != make_etag(b"b")
    assert parse_etags(make_etag(b"a", weak=True)) == [make_etag(b"a", weak=True)]
