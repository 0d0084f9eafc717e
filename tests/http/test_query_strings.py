"""Query strings, and the urlencoded grammar that forms share."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BadRequest, ContentTooLarge, HTTPError
from segue.http.forms import parse_urlencoded
from segue.http.limits import Limits
from segue.http.query import parse_query

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=8)


@settings(deadline=None)
@given(PAIRS)
def test_what_a_browser_encodes_is_read_back(pairs: list[tuple[str, str]]) -> None:
    assert parse_query(urlencode(pairs)) == [pair for pair in pairs if pair != ("", "")]


@settings(deadline=None)
@given(PAIRS)
def test_a_form_is_read_as_a_query_is(pairs: list[tuple[str, str]]) -> None:
    short = [(name[:20], value) for name, value in pairs]

    assert parse_urlencoded(urlencode(short).encode(), Limits()) == parse_query(urlencode(short))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        pairs = parse_query(text)
    except BadRequest as error:
        assert error.code.startswith("http/")  # noqa: PT017 - either outcome is right
    else:
        assert all("\0" not in name + value for name, value in pairs)
        "".join(name + value for name, value in pairs).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("a=1;b=2", [("a", "1;b=2")], id="B11-semicolon-separates-nothing"),
        pytest.param("a=1&&b=2&", [("a", "1"), ("b", "2")], id="empty-pairs"),
        pytest.param("a", [("a", "")], id="no-equals"),
        pytest.param("=1", [("", "1")], id="no-name"),
        pytest.param("a=b=c", [("a", "b=c")], id="second-equals"),
        pytest.param("a+b=c%2Bd", [("a b", "c+d")], id="plus"),
        pytest.param("a=%C3%A9", [("a", "é")], id="utf-8"),
        pytest.param("a=%zz%4", [("a", "%zz%4")], id="broken-escape-stays"),
        pytest.param("a=\u00c3\u00a9", [("a", "é")], id="raw-bytes-as-latin-1"),
        pytest.param("a=日本", [("a", "日本")], id="decoded-by-the-server"),
        pytest.param("a=%252e", [("a", "%2e")], id="decoded-once"),
    ],
)
def test_the_grammar_of_a_query(text: str, pairs: list[tuple[str, str]]) -> None:
    assert parse_query(text) == pairs


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("a=%00", "http/nul-character", id="C16-encoded-nul"),
        pytest.param("a=\0", "http/nul-character", id="C16-nul"),
        pytest.param("a=%ff", "http/bad-encoding", id="C11-not-utf-8"),
        pytest.param("a=%C0%AF", "http/bad-encoding", id="overlong-slash"),
        pytest.param("a=%ED%A0%80", "http/bad-encoding", id="C16-encoded-surrogate"),
        pytest.param("a=\ud800", "http/bad-encoding", id="C16-surrogate"),
        pytest.param("a=\xff", "http/bad-encoding", id="raw-byte"),
        pytest.param("a=\ufffd", "http/bad-encoding", id="damaged-by-the-server"),
        pytest.param("a=" + "%ff" * 2_000, "http/bad-encoding", id="C12-many-escapes"),
        pytest.param("a=" + "%ff" * 300_000, "http/uri-too-long", id="C12-a-megabyte-of-escapes"),
        pytest.param("&".join(["a"] * 1001), "http/too-many-fields", id="B10-1001-fields"),
        pytest.param("&".join(["%61"] * 1001), "http/too-many-fields", id="B10-1001-encoded-fields"),
    ],
)
def test_a_hostile_query_is_refused(text: str, code: str) -> None:
    with pytest.raises(HTTPError) as caught:
        parse_query(text)

    assert caught.value.code == code


def test_as_many_fields_as_allowed_are_read() -> None:
    assert len(parse_query("&".join(["a=1"] * 1000))) == 1000


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b"a=b&" * 600_000, ContentTooLarge, id="B10-600000-fields"),
        pytest.param(b"a=b&" * 1000 + b"c", ContentTooLarge, id="B10-1001-fields"),
        pytest.param(b"a=" + b"b" * 2_500_000, ContentTooLarge, id="B02-long-field"),
        pytest.param(b"n" * 257 + b"=1", BadRequest, id="long-name"),
        pytest.param(b"a=\xff", BadRequest, id="B17-not-utf-8"),
        pytest.param(b"a=%ff", BadRequest, id="B17-escaped-not-utf-8"),
        pytest.param(b"a=%00", BadRequest, id="C16-nul"),
    ],
)
def test_a_hostile_urlencoded_body_is_refused(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_urlencoded(body, Limits())


def test_an_urlencoded_body_obeys_its_charset() -> None:
    assert parse_urlencoded(b"a=%e9", Limits(), "iso-8859-1") == [("a", "é")]


def test_the_limit_counts_one_more_than_the_separators() -> None:
    assert len(parse_urlencoded(b"&".join([b"a=1"] * 3), Limits(max_fields=3))) == 3
