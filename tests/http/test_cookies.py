"""Cookies, read and written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import HeaderFieldsTooLarge
from segue.http.cookies import BadCookie, dump_cookie, parse_cookies

VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200)


@settings(deadline=None)
@given(VALUES)
def test_a_value_that_was_set_is_read_back(value: str) -> None:
    cookie = dump_cookie("name", value, path=None, samesite=None)

    assert parse_cookies(cookie) == {"name": value}
    assert cookie.isascii()
    assert ";" not in cookie


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_header_is_read(header: str) -> None:
    names = parse_cookies(header)

    assert all(name.isascii() and name.isprintable() and " " not in name for name in names)


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("a=1; b=2", {"a": "1", "b": "2"}, id="two"),
        pytest.param("a=1;b=2", {"a": "1", "b": "2"}, id="no-space"),
        pytest.param("a=1; a=2", {"a": "1"}, id="the-first-counts"),
        pytest.param("a=b=c", {"a": "b=c"}, id="equals-in-value"),
        pytest.param("a=; b", {"a": ""}, id="empty-and-flag"),
        pytest.param('a="1; b=2"', {"a": '"1', "b": '2"'}, id="quotes-span-no-semicolon"),
        pytest.param(
            '$Version=1; a="x; __Host-session=y"', {"$Version": "1", "a": '"x', "__Host-session": 'y"'}, id="sandwich"
        ),
        pytest.param('a="\\073\\042"', {"a": ';"'}, id="octal"),
        pytest.param("a=\u00c3\u00a9", {"a": "é"}, id="utf-8-as-latin-1"),
        pytest.param("a=\u00e9", {"a": "é"}, id="latin-1"),
        pytest.param("a=%41", {"a": "%41"}, id="percent-stays"),
    ],
)
def test_the_grammar_of_a_cookie_header(header: str, cookies: dict[str, str]) -> None:
    assert parse_cookies(header) == cookies


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("=__Host-session=x", id="C02-nameless"),
        pytest.param("; =__Host-session=x", id="C02-nameless-second"),
        pytest.param("__%48ost-session=x", id="C02-percent-encoded"),
        pytest.param("\u2000__Host-session=x", id="C02-unicode-space"),
        pytest.param("\x0b__Host-session=x", id="C02-vertical-tab"),
        pytest.param("\xa0__Host-session=x", id="C02-no-break-space"),
        pytest.param("\x1f__Host-session=x", id="C02-unit-separator"),
        pytest.param("__HOST-SESSION=x", id="C02-upper-case"),
        pytest.param("__Host-session", id="C02-no-equals"),
        pytest.param('a="\\073 __Host-session=x"', id="C02-escaped-semicolon"),
    ],
)
def test_no_cookie_poses_as_the_session(header: str) -> None:
    assert "__Host-session" not in parse_cookies(header)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("; ".join(f"c{number}=1" for number in range(2000)), id="C01-2000-cookies"),
        pytest.param("a=" + "x" * 9000, id="C01-9000-bytes"),
        pytest.param(";" * 8000, id="C01-semicolons"),
    ],
)
def test_too_many_cookies_are_refused(header: str) -> None:
    with pytest.raises(HeaderFieldsTooLarge) as caught:
        parse_cookies(header)

    assert caught.value.code == "http/too-many-cookies"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        pytest.param('a="' + "\\134" * 2000 + '"', "\\" * 2000, id="C01-octal-backslashes"),
        pytest.param("a=" + '"' * 8000, '"' * 7998, id="C01-quotes"),
        pytest.param('a="' + "\\" * 8000 + '"', "\\" * 4000, id="C01-backslashes"),
    ],
)
def test_eight_kilobytes_of_escapes_are_read(header: str, value: str) -> None:
    assert parse_cookies(header) == {"a": value}


def test_every_attribute_is_written() -> None:
    cookie = dump_cookie(
        "a",
        "b",
        max_age=60,
        expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        path="/x",
        domain=".example.com",
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )

    assert cookie == (
        "a=b; Max-Age=60; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Path=/x; Domain=example.com; "
        "Secure; HttpOnly; SameSite=None; Partitioned"
    )


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", ";", " ", "é", "\t", "\x7f", '"'])
@pytest.mark.parametrize("part", ["name", "path", "domain", "samesite"])
def test_f01_no_attribute_can_be_injected(part: str, bad: str) -> None:
    arguments = {"name": "a", "value": "b", part: {"path": "/", "name": "a"}.get(part, "") + bad + "x"}
    allowed = part == "path" and bad == '"'

    if allowed:
        assert dump_cookie(**arguments).count(";") == 2  # type: ignore[arg-type]
    else:
        with pytest.raises(BadCookie):
            dump_cookie(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b", "a\x7fb", "\ud800"])
def test_f01_a_control_character_in_a_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError) as caught:
        dump_cookie("a", value)

    assert caught.value.code == "http/bad-cookie"  # type: ignore[attr-defined]


def test_f01_a_semicolon_in_a_value_is_quoted() -> None:
    assert dump_cookie("a", "b; Domain=evil", path=None, samesite=None) == 'a="b\\073\\040Domain=evil"'


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"name": "__Host-s"}, id="host-insecure"),
        pytest.param({"name": "__HOST-s"}, id="host-in-capitals"),
        pytest.param({"name": "__Host-s", "secure": True, "path": "/x"}, id="host-with-path"),
        pytest.param({"name": "__Host-s", "secure": True, "domain": "example.com"}, id="host-with-domain"),
        pytest.param({"name": "__Secure-s"}, id="secure-insecure"),
        pytest.param({"name": "a", "samesite": "None"}, id="none-insecure"),
        pytest.param({"name": "a", "partitioned": True}, id="partitioned-insecure"),
        pytest.param({"name": "a", "samesite": "lax"}, id="samesite-spelled-wrong"),
        pytest.param({"name": ""}, id="no-name"),
        pytest.param({"name": "a", "expires": datetime(2030, 1, 1)}, id="naive"),
        pytest.param({"name": "a", "domain": "ex_ample..com;"}, id="bad-domain"),
    ],
)
def test_a_cookie_that_browsers_refuse_is_an_error(arguments: dict[str, object]) -> None:
    with pytest.raises(BadCookie):
        dump_cookie(value="x", **arguments)  # type: ignore[arg-type]


def test_f02_a_cookie_over_4096_bytes_is_an_error() -> None:
    assert len(dump_cookie("a", "x" * 4094, path=None, samesite=None)) == 4096

    with pytest.raises(BadCookie):
        dump_cookie("a", "x" * 4095, path=None, samesite=None)
