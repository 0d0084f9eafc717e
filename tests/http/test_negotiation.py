"""Content negotiation (RFC 9110 §12)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.http.negotiation import best, best_charset, best_encoding, best_language, prefers_json, quality

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("header", "offered", "winner"),
    [
        ("", ["text/html"], "text/html"),
        ("*/*", ["application/json", "text/html"], "application/json"),
        (BROWSER, ["application/json", "text/html"], "text/html"),
        ("application/json", ["text/html"], None),
        ("text/*;q=0.5, text/html;q=0.1", ["text/html", "text/plain"], "text/plain"),
        ("text/html;q=0, */*", ["text/html"], None),
        ("text/html;q=0.5;ext=1, text/plain;q=0.4", ["text/plain", "text/html"], "text/html"),
        ("text/html;level=1;q=0.9, text/html;q=0.2", ["text/html", "text/html;level=1"], "text/html;level=1"),
        ("TEXT/HTML", ["text/html"], "text/html"),
        ("text/html;q=2, text/plain", ["text/html", "text/plain"], "text/plain"),
        ("text/html;q=, text/plain;q=0.1", ["text/html", "text/plain"], "text/plain"),
        ("text/html;q=0.1234, text/plain;q=0.1", ["text/html", "text/plain"], "text/plain"),
        ("text/html;q=nan", ["text/html"], None),
        ('text/html;x="a,b;q=0", text/plain;q=0.1', ['text/html;x="a,b;q=0"', "text/plain"], 'text/html;x="a,b;q=0"'),
        ('text/html;x="a,b;q=0", text/plain;q=0.1', ["text/html", "text/plain"], "text/plain"),
        (BROWSER, [], None),
    ],
)
def test_the_best_media_type_wins(header: str, offered: list[str], winner: str | None) -> None:
    assert best(header, offered) == winner


def test_the_most_exact_range_decides_the_quality() -> None:
    header = "text/*;q=0.3, text/plain;q=0.7, */*;q=0.1"

    assert [quality(header, kind) for kind in ("text/plain", "text/html", "image/png")] == [0.7, 0.3, 0.1]


@pytest.mark.parametrize(
    ("header", "prefers"),
    [
        ("", False),
        ("*/*", False),
        (BROWSER, False),
        ("application/json", True),
        ("application/problem+json", True),
        ("application/json, text/plain, */*", True),
        ("application/json, text/html", False),
        ("application/json;q=0.9, text/html", False),
        ("text/html;q=0.9, application/json", True),
        ("application/json;q=0", False),
        ("text/html;x=json", False),
    ],
)
def test_who_would_rather_have_json(header: str, prefers: bool) -> None:
    assert prefers_json(header) is prefers


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("zstd", "identity"),
        ("identity", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0, gzip;q=0", None),
        ("*;q=0", None),
        ("gzip;q=0", "identity"),
        ("GZIP", "gzip"),
        ("x-gzip;q=foo, gzip;q=0.1", "gzip"),
    ],
)
def test_the_content_coding_that_is_used(header: str, chosen: str | None) -> None:
    assert best_encoding(header, ["br", "gzip"]) == chosen


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("en", "en-GB"),
        ("en-US, de;q=0.5", "de"),
        ("fr, *;q=0.1", "de"),
        ("de;q=0, *", "en-GB"),
        ("de;q=0", None),
        ("EN-gb", "en-GB"),
        ("zh-Hant-TW", "zh_Hant"),
        ("fr", None),
        ("", None),
        ("x" * 500, None),
    ],
)
def test_the_language_that_is_used(header: str, chosen: str | None) -> None:
    assert best_language(header, ["de", "en-GB", "zh_Hant"]) == chosen


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "utf-8"),
        ("iso-8859-1", "iso-8859-1"),
        ("utf-8;q=0.1, iso-8859-1;q=0.2", "iso-8859-1"),
        ("utf-16", None),
        ("*", "utf-8"),
    ],
)
def test_the_charset_that_is_used(header: str, chosen: str | None) -> None:
    assert best_charset(header, ["utf-8", "iso-8859-1"]) == chosen


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("*;q=" * 2000, id="C04-wildcards"),
        pytest.param(",".join(f"a/b{n}" for n in range(1000)), id="C04-many-ranges"),
        pytest.param('a/b;x="' + '\\"' * 4000, id="C04-quotes-unclosed"),
        pytest.param('a/b;x="",' * 900, id="C04-quoted-ranges"),
        pytest.param(",".join(["en-" * 20] * 130), id="C03-long-tags"),
        pytest.param("a-" * 4000, id="C03-one-long-tag"),
        pytest.param(";" * 8000, id="C04-semicolons"),
    ],
)
def test_c04_hostile_headers_accept_nothing_in_particular(header: str) -> None:
    assert best(header, ["text/html"]) is None
    assert best_language(header, ["de"]) is None
    assert best_encoding(header, ["gzip"]) == "identity"


def test_c04_only_the_first_32_items_count() -> None:
    items = [f"a/b{number}" for number in range(40)]

    assert best(",".join(items), ["a/b31"]) == "a/b31"
    assert best(",".join(items), ["a/b32"]) is None


@settings(deadline=None)
@given(st.text(max_size=100))
def test_any_header_is_answered(header: str) -> None:
    assert best(header, ["text/html"]) in ("text/html", None)
    assert best_language(header, ["de"]) in ("de", None)
    assert best_encoding(header, ["gzip"]) in ("gzip", "identity", None)
