"""CORE-64, SECURITY B24: compressed responses, and what is left as it is."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from threading import get_ident
from typing import Any

import brotli
import pytest
import zstandard

from segue import App, Request, Response, conditional, send_file
from segue.errors import SetupError
from segue.http import StreamResponse
from segue.web import Compression

Clients = Callable[..., Any]

TEXT = "All blues. " * 400
LARGE = "".join(f"{number} bars of {number * 7919 % 9973}\n" for number in range(30_000))
ALL = {"accept-encoding": "gzip, br, zstd"}

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    "gzip": gzip.decompress,
}


@pytest.fixture
def packed(app: App) -> App:
    """An app that compresses."""
    app.register(Compression())
    return app


def text_of(response: Any) -> str:
    """Return the unpacked text of a response."""
    return UNPACK[response.headers["content-encoding"]](response.body).decode()


@pytest.mark.parametrize("coding", list(UNPACK))
def test_a_page_is_compressed_as_the_client_asks(packed: App, client: Clients, coding: str) -> None:
    packed.get("/")(lambda: TEXT)

    response = client().get("/", headers={"accept-encoding": coding})

    assert response.headers["content-encoding"] == coding
    assert response.headers["content-length"] == str(len(response.body))
    assert len(response.body) < 200
    assert text_of(response) == TEXT


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_both_colours_are_compressed(packed: App, client: Clients, colour: str) -> None:
    async def coroutine() -> dict[str, str]:
        return {"text": TEXT}

    packed.get("/")(coroutine if colour == "async def" else lambda: {"text": TEXT})

    response = client().get("/", headers=ALL)

    assert response.headers["content-type"] == "application/json"
    assert text_of(response) == f'{{"text":"{TEXT}"}}'


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("br;q=0.1, gzip;q=0.9", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "zstd"),
        ("deflate", None),
        ("gzip;q=0", None),
        ("identity", None),
        ("", None),
    ],
)
def test_the_coding_that_the_client_likes_best_is_used(
    packed: App, client: Clients, accepted: str, chosen: str | None
) -> None:
    packed.get("/")(lambda: TEXT)

    response = client().get("/", headers={"accept-encoding": accepted})

    assert response.headers.get("content-encoding") == chosen


def test_the_answer_says_that_it_depends_on_the_client(packed: App, client: Clients) -> None:
    packed.get("/")(lambda: TEXT)

    browser = client()

    assert browser.get("/", headers=ALL).headers["vary"] == "Accept-Encoding"
    assert browser.get("/").headers["vary"] == "Accept-Encoding"
    assert browser.get("/").text == TEXT


def test_small_bodies_stay_as_they_are(app: App, client: Clients) -> None:
    app.register(Compression(minimum_bytes=100))
    app.get("/<int:size>")(lambda size: "x" * size)

    browser = client()

    assert browser.get("/99", headers=ALL).headers.get("content-encoding") is None
    assert browser.get("/100", headers=ALL).headers.get("content-encoding") == "br"


UNTOUCHED: dict[str, Callable[[], Response]] = {
    "encoded already": lambda: Response(TEXT, headers={"content-encoding": "x-own", "content-type": "text/plain"}),
    "an image": lambda: Response(TEXT, content_type="image/png"),
    "octets": lambda: Response(TEXT.encode()),
    "not to be transformed": lambda: Response(TEXT, headers={"cache-control": "private, no-transform"}),
    "a part": lambda: Response(TEXT, 206, headers={"content-range": "bytes 0-9/99"}),
    "with a digest": lambda: Response(TEXT, headers={"repr-digest": "sha-256=:x:"}),
    "a file": lambda: send_file(__file__),
    "a short stream": lambda: StreamResponse(iter(["x"]), headers={"content-length": "1"}),
}


@pytest.mark.parametrize("what", list(UNTOUCHED))
def test_some_responses_stay_as_they_are(packed: App, client: Clients, what: str) -> None:
    make = UNTOUCHED[what]
    packed.get("/")(lambda: make())

    browser = client()
    packed_answer, plain = browser.get("/", headers=ALL), browser.get("/")

    assert packed_answer.body == plain.body
    assert packed_answer.headers.get("content-encoding") == plain.headers.get("content-encoding")


@pytest.mark.parametrize(
    "kind",
    ["text/css", "application/json", "application/problem+json", "image/svg+xml", "application/javascript; charset=x"],
)
def test_types_that_compress_well_are_compressed(packed: App, client: Clients, kind: str) -> None:
    packed.get("/")(lambda: Response(TEXT, content_type=kind))

    assert client().get("/", headers=ALL).headers["content-encoding"] == "br"


# Secrets


def with_cookie() -> Response:
    response = Response(TEXT)
    response.set_cookie("token", "secret")
    return response


def test_a_response_that_sets_a_cookie_stays_as_it_is(packed: App, client: Clients) -> None:
    packed.get("/")(with_cookie)

    response = client().get("/", headers=ALL)

    assert response.headers.get("content-encoding") is None
    assert response.text == TEXT


def test_a_response_that_sets_a_cookie_is_compressed_where_that_was_wanted(app: App, client: Clients) -> None:
    app.register(Compression(secrets=True))
    app.get("/")(with_cookie)

    response = client().get("/", headers=ALL)

    assert response.headers["content-encoding"] == "br"
    assert response.headers["set-cookie"].startswith("token=secret")


# Caches


def test_a_strong_tag_becomes_weak(packed: App, client: Clients) -> None:
    packed.get("/")(lambda: Response(TEXT, headers={"etag": '"abc"'}))

    browser = client()

    assert browser.get("/", headers=ALL).headers["etag"] == 'W/"abc"'
    assert browser.get("/").headers["etag"] == '"abc"'


def test_a_tag_that_was_made_weak_is_known_again(packed: App, client: Clients) -> None:
    packed.get("/")(conditional(lambda: TEXT))
    browser = client()
    tag = browser.get("/", headers=ALL).headers["etag"]

    again = browser.get("/", headers={**ALL, "if-none-match": tag})

    assert (again.status_code, again.body) == (304, b"")
    assert again.headers["etag"] == tag
    assert again.headers["vary"] == "Accept-Encoding"


def test_head_has_the_headers_of_get(packed: App, client: Clients) -> None:
    packed.get("/")(lambda: Response(TEXT, headers={"etag": '"abc"'}))

    response = client().head("/", headers=ALL)

    assert response.body == b""
    assert [response.headers[name] for name in ("content-encoding", "vary", "etag")] == [
        "br",
        "Accept-Encoding",
        'W/"abc"',
    ]


def test_one_response_that_is_returned_many_times_is_not_changed(packed: App, client: Clients) -> None:
    shared = Response(TEXT)
    packed.get("/")(lambda: shared)
    browser = client()

    browser.get("/", headers=ALL)

    assert browser.get("/").text == TEXT
    assert text_of(browser.get("/", headers={"accept-encoding": "gzip"})) == TEXT


# Large bodies and streams


@pytest.mark.parametrize("coding", list(UNPACK))
@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_large_body_is_compressed(packed: App, client: Clients, coding: str, colour: str) -> None:
    async def coroutine() -> str:
        return LARGE

    packed.get("/")(coroutine if colour == "async def" else lambda: LARGE)

    response = client().get("/", headers={"accept-encoding": coding})

    assert len(response.body) < len(LARGE) / 2
    assert text_of(response) == LARGE


@pytest.mark.parametrize("protocol", ["asgi", "rsgi"])
def test_a_large_body_is_never_compressed_on_the_loop(app: App, client: Clients) -> None:
    threads: list[int] = []

    def recorded(chunks: Any) -> Iterator[bytes]:
        for chunk in chunks:
            threads.append(get_ident())
            yield chunk

    @app.middleware
    def record(request: Request) -> Iterator[Any]:
        response = yield
        response.chunks = recorded(response.chunks)

    app.register(Compression())

    @app.get("/")
    async def view() -> Response:
        return Response(LARGE, headers={"x-loop": str(get_ident())})

    response = client().get("/", headers=ALL)

    assert text_of(response) == LARGE
    assert int(response.headers["x-loop"]) not in threads


@pytest.mark.parametrize("coding", list(UNPACK))
def test_what_a_stream_yields_is_sent_at_once(packed: App, client: Clients, coding: str) -> None:
    def lines() -> Iterator[str]:
        yield "one\n"
        yield ""
        yield "two\n"

    packed.get("/")(lambda: StreamResponse(lines()))

    response = client().get("/", headers={"accept-encoding": coding})

    assert text_of(response) == "one\ntwo\n"
    assert len(response.chunks) == 3  # two that were yielded, and the end


def test_the_first_piece_of_a_stream_can_be_read_before_the_next_is_made(packed: App, client: Clients) -> None:
    packed.get("/")(lambda: StreamResponse(iter(["one\n", "two\n"])))

    response = client().get("/", headers={"accept-encoding": "gzip"})

    assert zlib.decompressobj(31).decompress(response.chunks[0]) == b"one\n"


@pytest.mark.parametrize("piece", ["two\n", LARGE])
def test_an_async_stream_is_compressed(packed: App, client: Clients, piece: str) -> None:
    async def lines() -> AsyncIterator[str]:
        yield "one\n"
        yield piece

    @packed.get("/")
    async def view() -> StreamResponse:
        return StreamResponse(lines())

    response = client().get("/", headers={"accept-encoding": "br"})

    assert text_of(response) == f"one\n{piece}"


def test_the_length_of_a_stream_is_not_that_of_the_compressed_one(packed: App, client: Clients) -> None:
    packed.get("/")(lambda: StreamResponse(iter([TEXT]), headers={"content-length": str(len(TEXT))}))

    response = client().get("/", headers=ALL)

    assert response.headers.get("content-length") in (None, str(len(response.body)))
    assert text_of(response) == TEXT


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_the_generator_inside_is_closed(packed: App, client: Clients, colour: str) -> None:
    log: list[str] = []

    def lines() -> Iterator[str]:
        try:
            yield "one\n"
        finally:
            log.append("closed")

    async def alines() -> AsyncIterator[str]:
        try:
            yield "one\n"
        finally:
            log.append("closed")

    @packed.get("/")
    def view(request: Request) -> StreamResponse:
        response = StreamResponse(lines() if colour == "def" else alines())
        response.on_close(lambda: log.append("callback"))
        return response

    client().get("/", headers=ALL)

    assert log == ["closed", "callback"]


# Set-up


def test_the_codings_can_be_chosen(app: App, client: Clients) -> None:
    app.register(Compression(codings=["gzip"]))
    app.get("/")(lambda: TEXT)

    assert client().get("/", headers=ALL).headers["content-encoding"] == "gzip"


def test_an_unknown_coding_is_refused(app: App) -> None:
    with pytest.raises(SetupError, match="web/unknown-coding"):
        app.register(Compression(codings=["gzp"]))


def test_a_coding_that_is_not_installed_names_the_extra(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)

    with pytest.raises(SetupError) as caught:
        app.register(Compression(codings=["br"]))

    assert caught.value.code == "web/coding-not-installed"
    assert caught.value.hint == 'pip install "segue[compress]"'


def test_without_the_extra_there_is_gzip(app: App, client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    app.register(Compression())
    app.get("/")(lambda: TEXT)

    assert client().get("/", headers=ALL).headers["content-encoding"] == "gzip"
