"""The gate in front of everything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BadRequest, HeaderFieldsTooLarge, URITooLong
from segue.http.hygiene import KNOWN_METHODS, MAX_URI, check_headers, check_path, check_target


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("", id="A07-empty"),
        pytest.param("@evil.example", id="A07-no-slash"),
        pytest.param("*", id="A07-star"),
        pytest.param("http://evil.example/", id="A08-absolute"),
        pytest.param("/private\n", id="C10-trailing-line-break"),
        pytest.param("/admin\n/", id="C10-embedded-line-break"),
        pytest.param("/a\r\nb", id="C10-crlf"),
        pytest.param("/a\0", id="C11-nul"),
        pytest.param("/a\ufffd", id="C11-not-utf-8"),
        pytest.param("/a\ud800", id="C11-surrogate"),
        pytest.param("/a\x7f", id="C11-delete"),
        pytest.param("/a\x85b", id="C11-next-line"),
        pytest.param("/a\u2028b", id="C11-line-separator"),
        pytest.param("/a\\b", id="C11-backslash"),
        pytest.param("//evil.example", id="D05-two-slashes"),
        pytest.param("/\\evil.example", id="D05-backslash"),
        pytest.param("/\t/evil.example", id="D05-tab"),
        pytest.param("/a//b", id="C11-empty-segment"),
        pytest.param("/a//", id="C11-empty-last-segment"),
        pytest.param("/./a", id="C11-dot"),
        pytest.param("/a/.", id="C11-last-dot"),
        pytest.param("/a/../b", id="C11-two-dots"),
        pytest.param("/a/..", id="C11-last-two-dots"),
        pytest.param("/..", id="E04-two-dots"),
        pytest.param("/../é", id="C11-two-dots-and-utf-8"),
    ],
)
def test_a_path_that_parsers_read_differently_is_400(path: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_path(path)

    assert caught.value.code == "http/bad-path"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a",
        "/a/",
        "/a b",
        "/.well-known/acme",
        "/a/...",
        "/a/..b",
        "/a/.b/",
        "/é/日本",
        "/می\u200cخواهم",
        "/👩\u200d🚀",
        "/a\u00a0b",
        "/a;x=1",
        "/%2e%2e/a",
        "/a:b@c",
        "/~user",
    ],
)
def test_a_plain_path_passes(path: str) -> None:
    assert check_path(path) is None  # type: ignore[func-returns-value]


@settings(deadline=None)
@given(st.text(st.sampled_from("/.\\\n a\u00e9\0"), max_size=12).map(lambda tail: "/" + tail))
def test_what_passes_has_no_segment_that_anybody_resolves(path: str) -> None:
    try:
        check_path(path)
    except BadRequest:
        assert any(mark in path + "/" for mark in ("//", "/./", "/../", "\\", "\n", "\0"))
    else:
        assert not {".", ".."} & set(path.split("/"))
        assert "" not in path.split("/")[1:-1]


def test_a09_seven_methods_are_known_in_upper_case_only() -> None:
    assert {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} == KNOWN_METHODS
    assert not {"get", "Get", "TRACE", "CONNECT", "__init__", "dispatch", ""} & KNOWN_METHODS


def test_a15_a_long_address_is_414() -> None:
    check_target("/" + "a" * 4000, "b" * (MAX_URI - 4001))

    with pytest.raises(URITooLong):
        check_target("/" + "a" * 4000, "b" * (MAX_URI - 4000))


def test_a12_names_with_an_underscore_are_dropped() -> None:
    pairs = [("X_Forwarded_For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2"), ("X_Remote_User", "root")]

    assert check_headers(pairs) == [("x-forwarded-for", "2.2.2.2")]


def test_headers_keep_their_order_and_lose_their_case() -> None:
    assert check_headers([("B", "1"), ("a", "2"), ("b", "3")]) == [("b", "1"), ("a", "2"), ("b", "3")]


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([("Host", "a"), ("host", "b")], id="A05-two-hosts"),
        pytest.param([("Content-Length", "1"), ("Content-Length", "2")], id="A02-two-lengths"),
        pytest.param([("Content-Length", "1"), ("content-length", "1")], id="A02-the-same-length-twice"),
        pytest.param([("Transfer-Encoding", "chunked"), ("Content-Length", "1")], id="A01-both"),
        pytest.param([("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "x")], id="A03-two-encodings"),
        pytest.param([("Content-Type", "application/json"), ("Content-Type", "text/plain")], id="B14-two-types"),
    ],
)
def test_ambiguous_headers_are_400(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest) as caught:
        check_headers(pairs)

    assert caught.value.code == "http/ambiguous-headers"


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([("a", "x" * 500_000)], id="A15-one-of-500-KB"),
        pytest.param([(f"a{number}", "x") for number in range(200)], id="A15-200-headers"),
        pytest.param([("a", "x" * 4096)] * 20, id="A13-repeated"),
        pytest.param([("x_" + "y" * 500, "z" * 500)] * 90, id="A12-dropped-ones-count"),
    ],
)
def test_a15_too_many_headers_are_431(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(HeaderFieldsTooLarge):
        check_headers(pairs)


def test_as_many_headers_as_allowed_pass() -> None:
    assert len(check_headers([(f"a{number}", "x" * 600) for number in range(100)])) == 100
