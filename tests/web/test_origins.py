import pytest

from segue.errors import SetupError
from segue.web.origins import Origin, OriginList, origin_of_url, parse_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://example.com", Origin("https", "example.com", 443)),
        ("http://example.com", Origin("http", "example.com", 80)),
        ("https://example.com:8443", Origin("https", "example.com", 8443)),
        ("http://localhost:5000", Origin("http", "localhost", 5000)),
        ("http://[::1]:5000", Origin("http", "[::1]", 5000)),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(text: str, origin: Origin) -> None:
    assert parse_origin(text) == origin
    assert str(origin) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "https://",
        "https://example.com/",
        "https://example.com/path",
        "https://example.com?",
        "https://example.com#",
        "https://user@example.com",
        "https://example.com@evil.test",
        "https://example.com\\.evil.test",
        "https://EXAMPLE.com",
        "HTTPS://example.com",
        "https://example.com:443",
        "https://example.com:0443",
        "https://example.com:0",
        "https://example.com:70000",
        "https://example.com.",
        "https://exam ple.com",
        "https://example.com\n",
        "https://éxample.com",
        "https://example.com https://evil.test",
        "https://[::1",
        "https://[0:0:0:0:0:0:0:1]",
        "https://" + "a" * 300 + ".com",
    ],
)
def test_what_no_browser_sends_is_no_origin(text: str) -> None:
    assert parse_origin(text) is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Example.com:443/club/?a#b", "https://example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://user:secret@example.com", "https://example.com"),
    ],
)
def test_an_address_has_an_origin(url: str, origin: str) -> None:
    assert str(origin_of_url(url)) == origin


@pytest.mark.parametrize("url", ["", "/path", "example.com", "ftp://example.com", "https://exa mple.com", "https://[x"])
def test_what_is_no_address_of_a_site_has_no_origin(url: str) -> None:
    assert origin_of_url(url) is None


@pytest.mark.parametrize(
    "origin", ["https://www.example.com", "https://api.example.com", "http://localhost:3000", "https://a.b.example.org"]
)
def test_a_list_allows_what_it_holds(origin: str) -> None:
    origins = OriginList(
        ["https://www.example.com", "https://*.example.com", "http://localhost:3000", "https://*.b.example.org"]
    )

    assert origins.allows(origin)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://example.com",
        "https://apixexample.com",
        "https://evilexample.com",
        "https://a.example.com.evil.test",
        "https://a.b.example.com",
        "https://.example.com",
        "https://*.example.com",
        "https://a.EXAMPLE.com",
        "http://a.example.com",
        "https://a.example.com:8443",
        "https://example.com.evil.test",
        "http://localhost:3001",
        "http://localhost",
    ],
)
def test_a_list_refuses_what_only_resembles_it(origin: str | None) -> None:
    origins = OriginList(["https://*.example.com", "http://localhost:3000"])

    assert not origins.allows(origin)


def test_an_empty_list_allows_nothing() -> None:
    assert not OriginList([]).allows("https://example.com")


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "null",
        "",
        "example.com",
        "https://*",
        "https://*.com",
        "https://*.*.example.com",
        "https://a.*.example.com",
        "https://a*.example.com",
        "https://*example.com",
        "https://*.127.0.0.1",
        "https://*.[::1]",
        "https://.example.com",
        "https://example.com/",
        "https://[a-z]+.example.com",
        "https://Example.com",
        "https://example.com:443",
    ],
)
def test_a_pattern_that_is_no_origin_stops_the_start(pattern: str) -> None:
    with pytest.raises(SetupError) as caught:
        OriginList([pattern], name="TRUSTED_ORIGINS")

    assert caught.value.code == "security/bad-origin"
    assert "TRUSTED_ORIGINS" in caught.value.message


def test_the_hint_writes_the_origin_that_was_meant() -> None:
    with pytest.raises(SetupError) as caught:
        OriginList(["https://Example.com:443/app"])

    assert '"https://example.com"' in caught.value.hint
