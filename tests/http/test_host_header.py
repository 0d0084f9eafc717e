"""The Host header."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BadRequest, SetupError
from segue.http.hosts import HostRules, parse_host


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ("example.com", ("example.com", None)),
        ("Example.COM.", ("example.com", None)),
        ("example.com:8000", ("example.com", 8000)),
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]", ("[::1]", None)),
        ("[0:0:0:0:0:0:0:1]:65535", ("[::1]", 65535)),
        ("my_service", ("my_service", None)),
        ("xn--bcher-kva.example", ("xn--bcher-kva.example", None)),
    ],
)
def test_a_host_is_parsed(raw: str, parsed: tuple[str, int | None]) -> None:
    assert parse_host(raw) == parsed


BAD = [
    "", ".", "..", "a..b", ".a", "a/?x=", "a?x", "a#x", "a/b", "good@evil", "user:pw@evil", "[::1", "::1", "[::1]x",
    "[::1%25eth0]", "[v1.x]", "[]", "h:99999", "h:65536", "h:", "h:+1", "h:-1", "h:1:2", "h:٣", "h:0x50", " h", "h ",
    "h\t", "h\n", "h\r\nX: y", "h\0", "é.example", "ｅxample.com", "a,b", "a;b", "a\\b", "a%2eb", "http://a", "a..:80",
    "a" * 64, "a." * 200, "-" * 300,
]  # fmt: skip


@pytest.mark.parametrize("raw", [pytest.param(each, id=f"A06-{number}") for number, each in enumerate(BAD)])
def test_a06_a_host_that_is_none_is_400(raw: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_host(raw)

    assert caught.value.code == "http/bad-host"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_host_or_refused(raw: str) -> None:
    try:
        host, port = parse_host(raw)
    except BadRequest:
        host, port = "x", None

    assert host.isascii()
    assert not set(host) & set("/?#@\\ \t\r\n")
    assert port is None or 0 <= port <= 65_535


@pytest.mark.parametrize(
    ("allowed", "raw", "is_allowed"),
    [
        pytest.param(["example.com"], "example.com", True, id="D01-literal"),
        pytest.param(["example.com"], "EXAMPLE.com.:8000", True, id="D01-case-dot-port"),
        pytest.param(["Example.com"], "example.com", True, id="D01-case-of-the-entry"),
        pytest.param(["example.com"], "exampleXcom", False, id="D01-dot-is-no-wildcard"),
        pytest.param(["example.com"], "www.example.com", False, id="D01-subdomain"),
        pytest.param(["example.com"], "evilexample.com", False, id="D01-prefix"),
        pytest.param(["example.com"], "example.com.evil.test", False, id="D01-suffix"),
        pytest.param([".example.com"], "example.com", True, id="D01-dot-itself"),
        pytest.param([".example.com"], "a.b.example.com", True, id="D01-dot-below"),
        pytest.param([".example.com"], "evilexample.com", False, id="D01-dot-prefix"),
        pytest.param(["example.com:8000"], "example.com:8000", True, id="D01-port"),
        pytest.param(["example.com:8000"], "example.com", False, id="D01-no-port"),
        pytest.param(["example.com:8000"], "example.com:80", False, id="D01-other-port"),
        pytest.param(["[::1]"], "[::1]:9", True, id="D01-ipv6"),
        pytest.param(["[::1]:9"], "[::1]:8", False, id="D01-ipv6-port"),
        pytest.param(["*"], "anything.example", True, id="D01-star"),
        pytest.param([], "example.com", False, id="D01-nothing-allowed"),
        pytest.param([], "localhost", False, id="D01-local-without-debug"),
    ],
)
def test_d01_only_listed_hosts_are_allowed(allowed: list[str], raw: str, is_allowed: bool) -> None:
    assert HostRules(allowed, debug=False).allows(raw) is is_allowed


@pytest.mark.parametrize(
    ("raw", "is_allowed"),
    [
        ("localhost:8000", True),
        ("club.localhost", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("2130706433", False),
        ("0.0.0.0", False),
    ],
)
def test_d01_debug_allows_the_names_of_this_machine_and_no_others(raw: str, is_allowed: bool) -> None:
    assert HostRules([], debug=True).allows(raw) is is_allowed


def test_a_star_still_refuses_what_is_no_host() -> None:
    with pytest.raises(BadRequest):
        HostRules(["*"]).allows("a/b")


def test_an_accepted_host_is_remembered_as_text_and_bytes() -> None:
    rules = HostRules(["example.com"])
    rules.allows("Example.com")
    rules.allows("evil.example")

    assert list(rules.accepted) == ["Example.com"]
    assert list(rules.accepted_raw) == [b"Example.com"]


def test_x23_the_memory_of_hosts_is_bounded() -> None:
    rules = HostRules([".example.com"])

    answers = {rules.allows(f"h{number}.example.com") for number in range(2000)}

    assert answers == {True}
    assert len(rules.accepted) <= 256
    assert len(rules.accepted_raw) <= 256


@pytest.mark.parametrize("entry", ["https://example.com", "*.example.com", "example.com/", "", "a b", "."])
def test_an_entry_that_matches_no_host_is_a_start_up_error(entry: str) -> None:
    with pytest.raises(SetupError) as caught:
        HostRules([entry])

    assert caught.value.code == "http/bad-allowed-host"
