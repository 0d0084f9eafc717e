"""Where browsers may be sent."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.http.redirects import BadRedirect, check_redirect_target, safe_url

HOSTILE = [
    "",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "http://evil.example",
    "HTTP://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "http://site.example@evil.example",
    "http://site.example:80@evil.example",
    "http://site.example\\@evil.example",
    "http://site.example.evil.example",
    "http://evil.example#site.example",
    "http://evil.example?site.example",
    "http://evil.example/site.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\tjavascript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\0/evil.example",
    "\x01//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/a\x7f",
    "evil.example",
    "ftp://site.example",
    "http://[::1",
    "http://",
    "/" + "a" * 2048,
    "/" + "\N{GRINNING FACE}" * 2000,
    "/\ud800",
]


@pytest.mark.parametrize("target", [pytest.param(each, id=f"D04-{number}") for number, each in enumerate(HOSTILE)])
def test_d04_a_hostile_next_is_not_safe(target: str) -> None:
    assert not safe_url(target, allowed_hosts=["site.example"])


@pytest.mark.parametrize("target", ["/", "/a", "/a/b?c=d#e", "/a//b", "/@evil.example", "/?next=//evil.example", "/é"])
def test_a_path_of_this_site_is_safe(target: str) -> None:
    assert safe_url(target)


@pytest.mark.parametrize(
    ("target", "is_safe"),
    [
        ("https://site.example", True),
        ("https://site.example/a", True),
        ("https://SITE.example:443/a", True),
        ("https://www.site.example/", False),
        ("https://site.example.", True),
        ("https://x.sub.example", True),
        ("https://sub.example", True),
        ("https://xsub.example", False),
    ],
)
def test_an_allowed_host_is_safe(target: str, is_safe: bool) -> None:
    assert safe_url(target, allowed_hosts=["site.example", ".sub.example"]) is is_safe


def test_a_star_allows_no_host() -> None:
    assert not safe_url("https://evil.example", allowed_hosts=["*"])


@settings(deadline=None)
@given(st.text(st.sampled_from("/\\.:@evil?# \t%é"), max_size=12))
def test_d04_what_is_safe_stays_on_the_site_as_the_library_joins_it(target: str) -> None:
    if safe_url(target):
        assert urlsplit(urljoin("https://site.example/a/b", target)).netloc == "site.example"
    else:
        assert not (target.startswith("/") and target[1:].isalpha())


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/a", "/a"),
        ("", ""),
        ("?page=2", "?page=2"),
        ("#top", "#top"),
        ("../up", "../up"),
        ("a/b:c", "a/b:c"),
        ("/é?q=ü", "/%C3%A9?q=%C3%BC"),
        ("/a b", "/a%20b"),
        ("/a%20b%zz", "/a%20b%zz"),
        ('/"<>', "/%22%3C%3E"),
    ],
)
def test_a_reference_within_the_site_is_encoded(target: str, location: str) -> None:
    assert check_redirect_target(target) == location


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/a\r\nSet-Cookie: x", id="D06-crlf"),
        pytest.param("/a\0", id="D06-nul"),
        pytest.param("/a\t", id="D06-tab"),
        pytest.param("javascript:alert(1)", id="D06-javascript"),
        pytest.param("JAVASCRIPT:alert(1)", id="D06-javascript-capitals"),
        pytest.param("data:text/html,x", id="D06-data"),
        pytest.param("é" * 1_000_000, id="D06-a-megabyte"),
        pytest.param("/" + "a" * 2048, id="D06-2049"),
        pytest.param("https://evil.example", id="D08-origin"),
        pytest.param("//evil.example", id="D05-two-slashes"),
        pytest.param("/\\evil.example", id="D05-backslash"),
        pytest.param(" /a", id="leading-space"),
        pytest.param("\u00a0javascript:x", id="leading-no-break-space"),
        pytest.param("a:b", id="colon-in-the-first-segment"),
        pytest.param("/\ud800", id="surrogate"),
    ],
)
def test_a_redirect_to_a_hostile_target_is_refused(target: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_redirect_target(target)

    assert isinstance(caught.value, BadRedirect)
    assert caught.value.code == "http/bad-redirect"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://other.example/é", "https://other.example/%C3%A9"),
        ("HTTPS://Other.example", "https://Other.example"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
    ],
)
def test_d08_another_site_needs_external(target: str, location: str) -> None:
    assert check_redirect_target(target, external=True) == location


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "//evil.example",
        "https://user@evil.example",
        "https://",
        "https://a b/",
        "https://" + "é" * 1900,
        "https:///evil.example",
        "ftp://other.example",
        "https://h:99999/",
    ],
)
def test_external_does_not_allow_everything(target: str) -> None:
    with pytest.raises(BadRedirect):
        check_redirect_target(target, external=True)


def test_an_allowed_host_needs_no_external() -> None:
    assert check_redirect_target("https://site.example/a", allowed=["site.example"]) == "https://site.example/a"
