"""Content types and their parameters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import UnsupportedMediaType
from segue.http.bodies import parse_content_type, parse_parameters, proves_own_end


@pytest.mark.parametrize(
    ("header", "mime", "params"),
    [
        ("", "", {}),
        ("text/HTML", "text/html", {}),
        ("text/plain; a=b; C=d", "text/plain", {"a": "b", "c": "d"}),
        ('text/plain;a="b;c\\"d"', "text/plain", {"a": 'b;c"d'}),
        ("text/plain;a=1;a=2", "text/plain", {"a": "1"}),
        ("text/plain;;; a=1;", "text/plain", {"a": "1"}),
        ('text/plain;a="unclosed', "text/plain", {}),
        ("text/plain;a=b c;d=e", "text/plain", {}),
        ("application/json, text/plain", "", {}),
        ("text", "", {}),
        ("/", "", {}),
        ("text/pl ain", "", {}),
    ],
)
def test_the_grammar_of_a_content_type(header: str, mime: str, params: dict[str, str]) -> None:
    found = parse_content_type(header)

    assert (found.mime, dict(found.params)) == (mime, params)


@pytest.mark.parametrize(
    ("header", "is_json"),
    [
        pytest.param("application/json", True, id="B14-plain"),
        pytest.param("application/json; charset=utf-8", True, id="B14-charset"),
        pytest.param("application/problem+json", True, id="B14-suffix"),
        pytest.param("text/plain", False, id="B14-text"),
        pytest.param("text/plain;x=application/json", False, id="B14-in-a-parameter"),
        pytest.param("text/plain;application/json", False, id="B14-behind-a-semicolon"),
        pytest.param("text/plain, application/json", False, id="B14-list"),
        pytest.param("text/x+json", False, id="B14-text-suffix"),
        pytest.param("", False, id="B14-none"),
    ],
)
def test_only_json_types_are_json(header: str, is_json: bool) -> None:
    assert parse_content_type(header).is_json is is_json


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "punycode", "idna", "zip", "unicode_escape", "x" * 5000, ""])
def test_b17_a_charset_that_is_not_read_is_415(charset: str) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        parse_content_type(f'text/plain; charset="{charset}"')

    assert caught.value.status == 415


@pytest.mark.parametrize(
    "charset", ["UTF-8", "utf8", "us-ascii", "ISO-8859-1", "windows-1252", "Shift_JIS", "windows-1250"]
)
def test_a_charset_that_is_read_is_one_of_pythons(charset: str) -> None:
    found = parse_content_type(f"text/plain; charset={charset}")

    assert found.charset is not None
    assert b"a".decode(found.charset) == "a"


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(";" * 40_000, id="B13-semicolons"),
        pytest.param('; c="' + '\\"' * 20_000, id="B13-escapes-unclosed"),
        pytest.param('; c="' + ";" * 20_000 + '"', id="B13-semicolons-in-quotes"),
        pytest.param('; c="\\"' * 8000, id="B13-quotes-over-and-over"),
        pytest.param("; " + " " * 40_000 + "x", id="B13-spaces"),
        pytest.param("; c=" + '"x' * 20_000, id="B13-broken-token"),
    ],
)
def test_b13_long_hostile_parameters_are_read_as_far_as_they_go(tail: str) -> None:
    value, params = parse_parameters("multipart/form-data; boundary=x" + tail)

    assert value == "multipart/form-data"
    assert params["boundary"] == "x"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_parsed(text: str) -> None:
    value, params = parse_parameters(text)

    assert value == value.lower()
    assert all(isinstance(each, str) for each in params.values())


@pytest.mark.parametrize(
    ("header", "proves"),
    [
        ("multipart/form-data; boundary=x", True),
        ("multipart/form-data", False),
        ("application/json", True),
        ("application/x-www-form-urlencoded", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_only_some_formats_prove_their_own_end(header: str, proves: bool) -> None:
    assert proves_own_end(parse_content_type(header)) is proves
