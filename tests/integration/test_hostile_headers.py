"""Attacks on the parsing of request headers and URLs (C), and on hosts and redirects (D)."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from servers import Server
from verdicts import assert_discreet
from wire import request

COOKIES = {
    "C01-escapes": "a=" + '"' + "\\134" * 2000 + '"',
    "C01-quotes": "a=" + '"' * 7900,
    "C01-semicolons": ";" * 7900,
    "C01-2000": "; ".join(f"c{number}=1" for number in range(1500)),
    "C01-equals": "a=" + "=" * 7900,
    "C01-spaces": "a=1;" + " " * 7900,
    "C01-open-quote": 'a="1; b=2',
    "C02-nameless": "=__Host-session=evil",
    "C02-encoded-name": "__%48ost-session=evil",
    "C02-space-in-name": "__Host-session =evil; \u00a0__Host-session=evil",
    "C02-quoted-neighbour": 'a="; __Host-session=evil',
    "C02-control": "__Host-\x7fsession=evil",
}


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_a_strange_cookie_header_is_read_in_linear_time(server: Server, colour: str, cookie: str) -> None:
    reply = server.get(f"/{colour}/echo", f"Cookie: {cookie}")

    assert reply.status in (200, 400, 431)
    assert_discreet(reply)


@pytest.mark.parametrize(
    "cookie",
    [
        b"=__Host-session=evil",
        b"__%48ost-session=evil",
        b"\xe2\x80\x80__Host-session=evil",
        b"\xa0__Host-session=evil",
        b"__Host-session",
        b"a\x0b__Host-session=evil",
    ],
    ids=lambda cookie: f"C02-{cookie!r}",
)
def test_no_cookie_poses_as_the_session(server: Server, colour: str, cookie: bytes) -> None:
    reply = server.get(f"/{colour}/echo", b"Cookie: " + cookie)

    assert reply.status == 400 or "__Host-session" not in reply.json["cookies"]


NEGOTIATIONS = {
    "C03-8-kb-language": "Accept-Language: " + "x" * 7900,
    "C03-many-languages": "Accept-Language: " + ",".join(f"l{number};q=0.5" for number in range(600)),
    "C04-ranges": "Accept: " + ",".join(["*/*;q=0.1"] * 800),
    "C04-quoted": 'Accept: text/html;a="' + '\\"' * 3500 + '"',
    "C04-open-quote": 'Accept: text/html;a="' + "," * 7000,
    "C04-wildcards": "Accept: " + "*;q=," * 1500,
    "C04-bad-q": "Accept: text/html;q=1e309, text/html;q=nan, */*;q=-1, a/b;q=0.0000000000000001",
    "C04-encoding": "Accept-Encoding: " + ",".join(["gzip;q=0.1"] * 700),
    "C04-encoding-bad": "Accept-Encoding: " + "*;q=;" * 1500,
    "C05-none-match": "If-None-Match: " + '"' * 7900,
    "C05-none-match-commas": "If-None-Match: " + "," * 7900,
    "C05-none-match-many": "If-None-Match: " + ",".join([f'W/"{number}"' for number in range(800)]),
    "C05-match": "If-Match: " + ",".join([f'"{number}"' for number in range(800)]),
    "C05-year-99999": "If-Modified-Since: Mon, 01 Jan 99999 00:00:00 GMT",
    "C05-minus-1": "If-Modified-Since: -1",
    "C05-year-0": "If-Modified-Since: Mon, 01 Jan 0000 00:00:00 GMT",
    "C05-digits": "If-Unmodified-Since: Mon, 01 Jan " + "9" * 5000 + " 00:00:00 GMT",
    "C05-day-32": "If-Modified-Since: Mon, 32 Jan 2024 25:61:61 GMT",
    "C05-offset": "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 +9999",
    "C05-non-ascii": "If-Modified-Since: Mon, 01 J\xe4n 2024 00:00:00 GMT",
    "C05-if-range": "If-Range: " + '"' * 7000,
    "C07-basic": "Authorization: Basic " + "A" * 7900,
    "C07-basic-garbage": "Authorization: Basic \x80\xff!!",
    "C07-token": "Authorization: Token token=" + '"' * 7000,
}


@pytest.mark.parametrize("line", NEGOTIATIONS.values(), ids=NEGOTIATIONS)
@pytest.mark.parametrize("path", ["/a/languages", "/static/app.css"])
def test_a_strange_header_is_never_an_error_of_ours(server: Server, path: str, line: str) -> None:
    reply = server.get(path, line)

    assert reply.status < 500
    assert_discreet(reply)


def test_many_languages_leave_no_memory_behind(server: Server) -> None:
    before = server.look()["rss"]  # C03

    for number in range(100):
        server.get("/d/languages", f"Accept-Language: {number}" + "x" * 7900, f"Accept: a/{number}" + "y" * 7000)

    assert server.look()["rss"] - before < 8_000_000


RANGES = {
    "C06-1000": "bytes=" + ",".join(f"{number}-{number}" for number in range(1000)),
    "C06-overlapping": "bytes=" + ",".join(["0-"] * 16),
    "C06-overlapping-two": "bytes=0-,0-",
    "C06-unicode-digits": "bytes=\u0661-".encode().decode("latin-1"),
    "C06-minus-0": "bytes=-0",
    "C06-5000-digits": "bytes=" + "9" * 5000 + "-",
    "C06-5000-digits-suffix": "bytes=-" + "9" * 5000,
    "C06-reversed": "bytes=9-1",
    "C06-negative": "bytes=--1",
    "C06-unit": "lines=1-2",
    "C06-empty": "bytes=",
    "C06-commas": "bytes=" + "," * 5000,
    "C06-spaces": "bytes= 0 - 1 ",
    "C06-hex": "bytes=0x0-0x1",
    "C06-beyond": "bytes=1000000-",
    "C06-many-small": "bytes=" + ",".join(f"{number * 5}-{number * 5}" for number in range(16)),
}


@pytest.mark.parametrize("asked", RANGES.values(), ids=RANGES)
def test_a_strange_range_never_sends_more_than_twice_the_file(server: Server, asked: str) -> None:
    reply = server.get("/static/plain.txt", f"Range: {asked}")

    assert reply.status in (200, 206, 400, 416)
    # 100 bytes of content; what is more is the framing of at most sixteen parts.
    assert len(reply.body) <= 2 * 100 + 16 * 150


BAD_INTEGERS = [
    "9" * 5000, "9223372036854775808", "-1", "+5", "%2B5", "1_0", "%205%20", "0x1", "1.0", "1e3", "%EF%BC%91",
    "%D9%A1", "5%0A", "%0A5", "5%00", "", "0b1", "NaN", "%C2%B2", "1%2F2", "null", "5;x=1", "--5",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_INTEGERS, ids=[f"C08-{text[:12]}" for text in BAD_INTEGERS])
def test_a_path_that_is_no_whole_number_is_not_found(server: Server, colour: str, text: str) -> None:
    reply = server.get(f"/{colour}/items/{text}")

    assert reply.status in (400, 404)
    assert_discreet(reply)


@pytest.mark.parametrize(
    "path",
    [
        "floats/nan", "floats/inf", "floats/-inf", "floats/1e999", "floats/Infinity", "floats/1_0.0",
        "floats/" + "9" * 400 + ".0", "floats/%EF%BC%91.0", "uuids/{{12345678123456781234567812345678}}",
        "uuids/urn:uuid:12345678-1234-5678-1234-567812345678", "uuids/12345678", "uuids/" + "g" * 36,
        "slugs/abc%0a", "slugs/abc%0d%0a", "slugs/a%20b", "slugs/%E2%80%AE", "slugs/a%2Fb", "slugs/a%00",
    ],
    ids=lambda path: f"C09-{path[:24]}",
)  # fmt: skip
def test_a_path_that_its_converter_refuses_is_not_found(server: Server, colour: str, path: str) -> None:
    reply = server.get(f"/{colour}/{path.replace('{{', '{').replace('}}', '}')}")

    assert reply.status in (400, 404)
    assert_discreet(reply)


GUARDED = [
    "/private%0a", "/private%0A/", "/private%00", "/private/", "//private", "/./private", "/../private",
    "/x/../private", "/%2e%2e/private", "/%2e/private", "/%252e%252e/private", "/private;x=1", "/private/.",
    "/private/..;/private", "/PRIVATE", "/private%20", "/private%09", "/private%ff", "/%70rivate", "/private%2F",
    "/private//area/", "/private/area/%2e", "/private/area", "/private\\area", "/private%5Carea/", "/private%c0%af",
    "/private/area/%2e%2e/area/", "/private%E2%80%A8", "/private?", "/private#x", "/private%23", "/private%3F",
    "/static/../private", "/static/%2e%2e/private", "/private%ED%A0%80",
]  # fmt: skip


@pytest.mark.parametrize("target", GUARDED, ids=[f"C10-C11-{target}" for target in GUARDED])
def test_no_spelling_of_a_path_passes_its_guard(server: Server, target: str) -> None:
    reply = server.get(target)

    assert reply.status in (301, 302, 307, 308, 400, 403, 404, 405)
    assert b"the-private-page" not in reply.body
    location = reply["location"]
    assert location is None or (location.startswith("/") and not location.startswith("//"))


def test_the_guard_lets_in_who_has_the_key(server: Server) -> None:
    assert server.get("/private", "X-Key: open").body == b"the-private-page"


@pytest.mark.parametrize("piece", [b"%ff", b"%C3%A9", b"%", b"%zz", b"%E2%82"], ids=lambda piece: f"C12-{piece!r}")
def test_a_long_run_of_escapes_is_decoded_in_linear_time(server: Server, colour: str, piece: bytes) -> None:
    path = server.one(request("GET", f"/{colour}/slugs/".encode() + piece * 1200))
    query = server.one(request("GET", f"/{colour}/search?q=".encode() + piece * 1200))

    assert path.status in (400, 404)
    assert query.status in (200, 400)


@pytest.mark.parametrize(
    "target",
    [b"/d/\xff", b"/\xc3\xa9", b"/d/ok?\xff", b"/d/echo?a=\xff", b"/d/echo?a=\x80\xff=b"],
    ids=lambda target: f"C11-{target!r}",
)
def test_raw_bytes_in_a_target_are_no_error_of_ours(server: Server, target: bytes) -> None:
    replies = server.send(request("GET", target))

    assert all(reply.status < 500 for reply in replies)


CLIENTS = {
    "C13-x-forwarded-for": "X-Forwarded-For: 6.6.6.6",
    "C13-x-real-ip": "X-Real-IP: 6.6.6.6",
    "C13-x-client-ip": "X-Client-IP: 6.6.6.6",
    "C13-true-client-ip": "True-Client-IP: 6.6.6.6",
    "C13-cf": "CF-Connecting-IP: 6.6.6.6",
    "C13-forwarded": "Forwarded: for=6.6.6.6;host=evil.example;proto=https",
    "C14-proto": "X-Forwarded-Proto: https",
    "C14-proto-list": "X-Forwarded-Proto: https, http",
    "C14-ssl": "X-Forwarded-Ssl: on",
    "C14-scheme": "X-Url-Scheme: https",
    "C14-front-end": "Front-End-Https: on",
    "C15-original-url": "X-Original-URL: /private",
    "C15-rewrite-url": "X-Rewrite-URL: /private",
    "C15-prefix": "X-Forwarded-Prefix: /evil",
    "C15-script-name": "SCRIPT-NAME: /evil",
    "C15-path-info": "PATH-INFO: /private",
    "D02-forwarded-host": "X-Forwarded-Host: evil.example",
    "D02-host": "X-Host: evil.example",
    "D02-forwarded-server": "X-Forwarded-Server: evil.example",
    "D02-forwarded-port": "X-Forwarded-Port: 6666",
}


@pytest.mark.parametrize("line", CLIENTS.values(), ids=CLIENTS)
def test_what_a_stranger_says_of_itself_is_not_believed(server: Server, colour: str, line: str) -> None:
    reply = server.get(f"/{colour}/echo", line)

    seen = reply.json
    assert (seen["client"], seen["scheme"], seen["is_secure"]) == ("127.0.0.1", "http", False)
    assert (seen["host"], seen["path"], seen["link"]) == ("localhost", f"/{colour}/echo", "http://localhost/private")


def test_a_trusted_proxy_is_believed_about_its_right_most_hop(behind_proxy: Server, colour: str) -> None:
    reply = behind_proxy.get(
        f"/{colour}/echo",
        "X-Forwarded-For: 6.6.6.6, 9.9.9.9",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: www.example.com",
    )  # C13, C14

    seen = reply.json
    assert (seen["client"], seen["scheme"], seen["is_secure"]) == ("9.9.9.9", "https", True)
    assert (seen["host"], seen["link"]) == ("www.example.com", "https://www.example.com/private")


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("Forwarded: for=1.1.1.1;host=evil.example", "client", "127.0.0.1"),
        ("X-Forwarded-For: nonsense", "client", "127.0.0.1"),
        ("X-Forwarded-For: 1.1.1.1, <script>", "client", "127.0.0.1"),
        ("X-Forwarded-For: 1.1.1.1, 127.0.0.1", "client", "1.1.1.1"),
        ("X-Forwarded-For: " + "1.1.1.1," * 1000, "client", "127.0.0.1"),
        ("X-Forwarded-For: ::ffff:1.2.3.4", "client", "1.2.3.4"),
        ("X-Forwarded-For: [2001:db8::1]:443", "client", "2001:db8::1"),
        ("X-Forwarded-Proto: https, http", "scheme", "http"),
        ("X-Forwarded-Proto: javascript", "scheme", "http"),
        ("X-Forwarded-Host: evil.example", "host", "localhost"),
        ("X-Forwarded-Host: www.example.com/@evil", "host", "localhost"),
        ("X-Forwarded-Host: www.example.com, evil.example", "host", "localhost"),
    ],
    ids=[f"C13-C14-D02-{number}" for number in range(12)],
)
def test_what_a_trusted_proxy_passes_on_is_still_judged(behind_proxy: Server, line: str, key: str, value: str) -> None:
    assert behind_proxy.get("/d/echo", line).json[key] == value


QUERIES = [
    "q=%00", "q=%ED%A0%80", "q=%ff", "page=" + "9" * 20, "page=" + "9" * 5000, "page=1_0", "page=%EF%BC%91",
    "page=nan", "page=", "page=1&page=x", "page=-0", "page=1.5", "ratio=nan", "ratio=inf", "ratio=1e999", "ratio=x",
    "page=%0a1", "page[]=1", "&" * 5000, "=" * 5000, "q=" + "%41" * 2500, "&".join(["q=1"] * 1100), "page=true",
    "%00=1", "page=%201", "ratio=1_0", "ratio=%EF%BC%91",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=[f"C16-{query[:16]}" for query in QUERIES])
def test_a_strange_query_is_read_or_refused(server: Server, colour: str, query: str) -> None:
    reply = server.get(f"/{colour}/search?{query}")

    assert reply.status in (200, 400, 404, 413, 414, 422)
    assert_discreet(reply)


STRANGERS = [
    "evil.example", "localhost.evil.example", "exampleXcom", "evilexample.com", "example.com.evil.example", "0.0.0.0",
    "127.0.0.2", "2130706433", "0x7f000001", "[::2]", "local", "localhost.localdomain", "example.co", "com",
]  # fmt: skip


@pytest.mark.parametrize("host", STRANGERS, ids=[f"D01-{host}" for host in STRANGERS])
def test_a_host_that_is_not_listed_is_refused(server: Server, host: str) -> None:
    reply = server.get("/d/ok", host=host)

    assert reply.status == 400
    assert host not in reply.text


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost:8000", "example.com", "www.Example.com.", "a.b.example.com", "[::1]:80"],
)
def test_a_listed_host_is_answered_in_every_spelling(server: Server, host: str) -> None:
    assert server.get("/d/ok", host=host).status == 200  # D01


TARGETS = [
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "http://evil.example", "https://evil.example", "HTTP://evil.example", "http:evil.example", "http:/evil.example",
    "http:///evil.example", "https:evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)",
    "\tjavascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example/%2f..",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/\x00/evil.example", "\x01//evil.example",
    "http://localhost@evil.example", "http://localhost:80@evil.example", "//localhost@evil.example",
    "http://localhost.evil.example", "http://evil.example#localhost", "http://evil.example?localhost",
    "//evil\u3002example", "https:\\\\evil.example", "ftp://evil.example", "file:///etc/passwd",
    "//[::1]", "///", "//", "http://", "?next=//evil.example" * 200, "/" + "a" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=[f"D04-{target[:20]!r}" for target in TARGETS])
def test_a_hostile_next_falls_back(server: Server, target: str) -> None:
    reply = server.get(f"/d/login?next={quote(target, safe='')}")

    assert reply.status in (302, 400)
    assert reply["location"] in ("/home", None)


@pytest.mark.parametrize("target", TARGETS, ids=[f"D06-D08-{target[:20]!r}" for target in TARGETS])
def test_a_redirect_to_a_hostile_target_is_refused(server: Server, target: str) -> None:
    reply = server.get(f"/a/go?to={quote(target, safe='')}")

    location = reply["location"]
    assert reply.status in (302, 400, 500)
    assert location is None or (not location.startswith("//") and ":" not in location.partition("?")[0])
    assert reply["x-injected"] is None
    assert_discreet(reply)


@pytest.mark.parametrize("target", ["/%0d%0aX-Injected:yes", "/a%0aX-Injected:yes", "/a%00b"])
def test_a_redirect_injects_no_header(server: Server, colour: str, target: str) -> None:
    reply = server.get(f"/{colour}/go?to={target}")  # D06

    assert reply.status in (400, 500)
    assert reply["x-injected"] is None


SLASHES = [
    "//evil.example", "//evil.example/", "/%2fevil.example", "/%5cevil.example", "/\\evil.example",
    "/%09/evil.example", "/slash/%2f%2fevil.example", "//slash", "/slash//evil.example", "/%2F%2Fevil.example/..",
    "/slash/evil.example%2f..", "/static//evil.example/%2e%2e", "/static//evil.example/..",
    "/slash/%0d%0aX-Injected:yes",
    "/slash/a%0aX-Injected:yes", "/slash/%E2%80%A8", "/slash/a%3Fb", "/slash/a%23b", "/slash/a%25b",
]  # fmt: skip


@pytest.mark.parametrize("target", SLASHES, ids=[f"D05-D07-{target}" for target in SLASHES])
def test_adding_a_slash_never_leads_off_the_site(server: Server, target: str) -> None:
    reply = server.get(target)

    location = reply["location"]
    assert reply.status in (301, 307, 308, 400, 404)
    assert reply["x-injected"] is None
    assert location is None or (location.isascii() and location[0] == "/" and location[1:2] not in ("/", "\\"))


@pytest.mark.parametrize("query", ["?next=//evil.example", "?a=b%0d%0aX-Injected:yes", "?a=%00"])
def test_a_slash_redirect_keeps_the_query_as_it_was(server: Server, query: str) -> None:
    reply = server.get(f"/slash{query}")

    assert reply.status in (301, 308)
    assert reply["location"] == f"/slash/{query}"
