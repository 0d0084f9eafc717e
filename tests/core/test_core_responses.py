"""CORE-58 to CORE-63, CORE-65: what is answered."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from segue import (
    App,
    Markup,
    Request,
    Response,
    UsageError,
    cache_control,
    conditional,
    escape,
    html,
    jsonify,
    make_response,
    never_cache,
    redirect,
    send_file,
    send_from_directory,
    stream,
    vary_on,
)

# CORE-58

HELPERS: list[tuple[str, Callable[[], Any], tuple[int, str, str]]] = [
    ("redirect", lambda: redirect("/next", 303), (303, "", "")),
    ("make_response", lambda: make_response({"a": 1}, 201), (201, "application/json", '{"a":1}')),
    ("jsonify", lambda: jsonify(1, 2), (200, "application/json", "[1,2]")),
    ("html", lambda: html("<p>{}</p>", "&"), (200, "text/html; charset=utf-8", "<p>&amp;</p>")),
    ("stream", lambda: stream(iter("ab"), content_type="text/csv"), (200, "text/csv", "ab")),
    ("Response", lambda: Response("x", 418, content_type="text/plain"), (418, "text/plain", "x")),
]


@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize(("name", "make", "expected"), HELPERS, ids=[each[0] for each in HELPERS])
def test_each_helper_makes_its_answer(
    app: App, client: Callable[..., Any], colour: str, name: str, make: Callable[[], Any], expected: tuple[Any, ...]
) -> None:
    def plain() -> Any:
        return make()

    async def coroutine() -> Any:
        return make()

    app.get("/")(plain if colour == "def" else coroutine)

    answer = client().get("/")

    assert (answer.status_code, answer.content_type, answer.text) == expected


def test_a_header_may_have_several_values_and_every_cookie_its_attributes(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    def show() -> Response:
        response = Response("", headers=[("x-a", "1"), ("x-a", "2")])
        response.set_cookie("one", "1", samesite="Strict", httponly=True)
        response.set_cookie("two", "2", samesite="None", secure=True, partitioned=True)
        response.delete_cookie("three")
        return response

    answer = client().get("/")

    assert answer.headers.getlist("x-a") == ["1", "2"]
    cookies = answer.headers.getlist("set-cookie")
    assert cookies[0] == "one=1; Path=/; HttpOnly; SameSite=Strict"
    assert cookies[1] == "two=2; Path=/; Secure; SameSite=None; Partitioned"
    assert cookies[2].startswith("three=;")
    assert "Max-Age=0" in cookies[2]


SPLITTERS: list[Callable[[], Any]] = [
    lambda: Response("", headers={"x-a": "1\r\nx-b: 2"}),
    lambda: Response("", headers={"x\r\n-a": "1"}),
    lambda: Response("", content_type="text/plain\nx-b: 2"),
    lambda: Response("").headers.add("x-a", "1\n2"),
    lambda: Response("").set_cookie("a", "1", path="/\r\nx"),
    lambda: Response("").set_cookie("a\r\n", "1"),
    lambda: redirect("/a\r\nx-b: 2"),
]


@pytest.mark.parametrize("make", SPLITTERS, ids=range(len(SPLITTERS)))
def test_a_line_break_in_a_header_raises(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError):
        make()


def test_a_line_break_in_a_header_of_a_handler_reaches_nobody(app: App, client: Callable[..., Any]) -> None:
    app.get("/")(lambda: ("x", {"x-a": "1\r\nx-b: 2"}))

    answer = client().get("/")

    assert answer.status_code == 500
    assert "x-b" not in answer.headers


# CORE-59


def test_html_escapes_every_value(app: App, client: Callable[..., Any]) -> None:
    app.get("/<path:name>")(lambda name: html("<b>{}</b> {kind}", name, kind='"x"'))

    answer = client().get("/%3Cscript%3Ealert(1)%3C/script%3E")

    assert answer.text == "<b>&lt;script&gt;alert(1)&lt;/script&gt;</b> &#34;x&#34;"
    assert len('html("<b>{}</b>", name)') <= len('"<b>%s</b>" % escape(name)')


def test_markup_and_escape_are_at_hand() -> None:
    assert Markup("<b>{}</b>").format("<i>") == "<b>&lt;i&gt;</b>"
    assert escape("<") == "&lt;"
    assert html("{}", Markup("<i>")).text == "<i>"


# CORE-60, CORE-61, CORE-63


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a text of a hundred bytes, beside what must stay secret."""
    root = tmp_path / "public"
    root.mkdir()
    (root / "text.txt").write_bytes(b"0123456789" * 10)
    (root / "ä b.txt").write_bytes(b"named")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    return root


@pytest.fixture(params=["def", "async def"])
def files(request: pytest.FixtureRequest, app: App, client: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Get a path of an app that sends files, by a handler of each colour."""

    def plain(name: str) -> Response:
        return send_from_directory(folder, name)

    async def coroutine(name: str) -> Response:
        return send_from_directory(folder, name)

    app.get("/files/<path:name>")(plain if request.param == "def" else coroutine)
    app.get("/download")(lambda: send_file(folder / "ä b.txt", as_attachment=True))
    browser = client()

    def get(path: str, **headers: str) -> Any:
        return browser.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return get


def test_a_file_has_validators_and_is_not_sent_twice(files: Callable[..., Any]) -> None:
    first = files("/files/text.txt")
    by_tag = files("/files/text.txt", if_none_match=first.headers["etag"])
    by_date = files("/files/text.txt", if_modified_since=first.headers["last-modified"])

    assert (first.status_code, len(first.body)) == (200, 100)
    assert (by_tag.status_code, by_tag.body) == (304, b"")
    assert (by_date.status_code, by_date.body) == (304, b"")
    assert by_tag.headers["etag"] == first.headers["etag"]


def test_a_file_that_changed_is_412_for_who_expects_the_old_one(files: Callable[..., Any]) -> None:
    assert files("/files/text.txt", if_match='"other"').status_code == 412


RANGES: list[tuple[str, int, bytes, str]] = [
    ("bytes=-5", 206, b"56789", "bytes 95-99/100"),
    ("bytes=0-1", 206, b"01", "bytes 0-1/100"),
    ("bytes=98-", 206, b"89", "bytes 98-99/100"),
    ("bytes=100-", 416, b"", "bytes */100"),
    ("lines=1-2", 200, b"0123456789" * 10, ""),
]


@pytest.mark.parametrize(("wanted", "status", "body", "place"), RANGES, ids=[each[0] for each in RANGES])
def test_a_range_of_a_file_is_sent(
    files: Callable[..., Any], wanted: str, status: int, body: bytes, place: str
) -> None:
    answer = files("/files/text.txt", range=wanted)

    assert answer.status_code == status
    assert answer.headers.get("content-range", "") == place
    if status != 416:
        assert answer.body == body
        assert answer.headers["content-length"] == str(len(body))


def test_a_range_of_another_version_is_the_whole_file(files: Callable[..., Any]) -> None:
    tag = files("/files/text.txt").headers["etag"]

    assert files("/files/text.txt", range="bytes=-5", if_range=tag).status_code == 206
    assert files("/files/text.txt", range="bytes=-5", if_range='"old"').status_code == 200


OPENED: dict[str, Callable[[Path], Any]] = {
    "bytes in memory": lambda path: io.BytesIO(path.read_bytes()),
    "an open file": lambda path: path.open("rb"),
    "bytes that were just written": lambda path: written(path.read_bytes()),
}


def written(data: bytes) -> io.BytesIO:
    """What stands at its end."""
    file = io.BytesIO()
    file.write(data)
    return file


@pytest.fixture(params=OPENED)
def opened(request: pytest.FixtureRequest, app: App, client: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Get an open file of 100 bytes; `opened.files` are those that were sent."""

    def handler() -> Response:
        file = OPENED[request.param](folder / "text.txt")
        get.files.append(file)
        return send_file(file, download_name="text.txt", etag='"1"')

    app.get("/")(handler)
    browser = client()

    def get(method: str = "GET", **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return browser.request(method, "/", headers=sent)

    get.files = []  # type: ignore[attr-defined]  # a note on the function
    return get


@pytest.mark.parametrize(("wanted", "status", "body", "place"), RANGES, ids=[each[0] for each in RANGES])
def test_a_range_of_an_open_file_is_sent(
    opened: Callable[..., Any], wanted: str, status: int, body: bytes, place: str
) -> None:
    answer = opened(range=wanted)

    assert (answer.status_code, answer.headers.get("content-range", "")) == (status, place)
    if status != 416:
        assert (answer.body, answer.headers["content-length"]) == (body, str(len(body)))
        assert answer.headers["accept-ranges"] == "bytes"


def test_several_ranges_of_an_open_file_are_sent_in_parts(opened: Callable[..., Any]) -> None:
    answer = opened(range="bytes=0-1,-2")

    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert b"\r\n\r\n01\r\n" in answer.body
    assert b"\r\n\r\n89\r\n" in answer.body


def test_an_open_file_is_named_typed_and_sent_once(opened: Callable[..., Any]) -> None:
    answer = opened()

    assert answer.body == b"0123456789" * 10
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'inline; filename="text.txt"'
    assert opened(if_none_match='"1"').status_code == 304
    assert opened(range="bytes=-5", if_range='"1"').status_code == 206
    assert opened(range="bytes=-5", if_range='"2"').status_code == 200


def test_the_head_of_an_open_file_has_its_length(opened: Callable[..., Any]) -> None:
    answer = opened("HEAD")

    assert (answer.headers["content-length"], answer.body) == ("100", b"")


@pytest.mark.parametrize("headers", [{}, {"range": "bytes=-5"}, {"range": "bytes=500-"}, {"if_none_match": '"1"'}])
def test_an_open_file_is_closed_whatever_was_sent_of_it(opened: Callable[..., Any], headers: dict[str, str]) -> None:
    opened(**headers)

    assert [file.closed for file in opened.files] == [True]  # type: ignore[attr-defined]


class Pipe(io.RawIOBase):
    """What cannot be sought in."""


@pytest.mark.parametrize("file", [io.StringIO("text"), Pipe()], ids=["text", "a pipe"])
def test_what_is_read_once_or_as_text_is_refused(file: Any) -> None:
    with pytest.raises(UsageError, match=r"http/not-seekable"):
        send_file(file)


OUTSIDE = [
    "/files/../secret.txt",
    "/files/%2e%2e/secret.txt",
    "/files/..%2fsecret.txt",
    "/files/link.txt",
    "/files/text.txt%00.png",
    "/files//etc/passwd",
    "/files/none.txt",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_the_folder_is_sent(files: Callable[..., Any], path: str) -> None:
    answer = files(path)

    assert answer.status_code in (400, 404)
    assert b"secret" not in answer.body


def test_what_is_hidden_in_the_folder_is_not_found(files: Callable[..., Any], folder: Path) -> None:
    (folder / ".env").write_text("secret")

    assert files("/files/.env").status_code == 404


def test_a_download_keeps_its_name_in_every_alphabet(files: Callable[..., Any]) -> None:
    assert files("/download").headers["content-disposition"] == (
        "attachment; filename=\"_ b.txt\"; filename*=UTF-8''%C3%A4%20b.txt"
    )


def test_the_server_sends_files_itself_under_rsgi(app: App, folder: Path) -> None:
    from segue.testing import transports

    handed: list[tuple[str, str]] = []

    class Protocol(transports._Protocol):
        def response_file(self, status: int, headers: list[tuple[str, str]], path: str) -> None:
            handed.append(("whole", Path(path).name))

        def response_file_range(
            self, status: int, headers: list[tuple[str, str]], path: str, start: int, end: int
        ) -> None:
            handed.append((f"{start}-{end}", Path(path).name))

    app.get("/")(lambda: send_file(folder / "text.txt"))
    app.testing = True

    adapter = app.__rsgi__

    async def ask(**headers: str) -> None:
        call = transports.Call("GET", "/", [("host", "localhost"), *headers.items()])
        await adapter(transports._Scope(call), Protocol(call, transports.Answer()))

    async def ask_both() -> None:
        await ask()
        await ask(range="bytes=0-4")

    asyncio.run(ask_both())

    assert handed == [("whole", "text.txt"), ("0-5", "text.txt")]


RAN: list[str] = []


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_with_a_validator_the_handler_does_not_run(app: App, client: Callable[..., Any], colour: str) -> None:
    RAN.clear()

    def tag_of(request: Request, pk: int) -> str:
        return f"v{pk}"

    def plain(pk: int) -> str:
        RAN.append("ran")
        return "text"

    async def coroutine(pk: int) -> str:
        return plain(pk)

    app.get("/<int:pk>")(conditional(etag=tag_of)(plain if colour == "def" else coroutine))
    browser = client()

    first = browser.get("/7")
    again = browser.get("/7", headers={"if-none-match": '"v7"'})

    assert (first.text, first.headers["etag"]) == ("text", '"v7"')
    assert (again.status_code, again.body) == (304, b"")
    assert RAN == ["ran"]


def test_a_write_on_an_old_version_is_412_and_does_not_run(app: App, client: Callable[..., Any]) -> None:
    RAN.clear()

    @app.put("/")
    @conditional(etag=lambda request: "v2")
    def save(request: Request) -> str:
        RAN.append("ran")
        return "saved"

    browser = client()

    assert browser.put("/", headers={"if-match": '"v1"'}).status_code == 412
    assert browser.put("/", headers={"if-match": '"v2"'}).text == "saved"
    assert RAN == ["ran"]


def test_a_moment_is_a_validator_too(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    @conditional(last_modified=lambda request: datetime(2024, 5, 1, tzinfo=UTC))
    def show() -> str:
        return "text"

    browser = client()
    date = browser.get("/").headers["last-modified"]

    assert date == "Wed, 01 May 2024 00:00:00 GMT"
    assert browser.get("/", headers={"if-modified-since": date}).status_code == 304


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_without_a_validator_the_tag_is_made_of_the_body(app: App, client: Callable[..., Any], colour: str) -> None:
    def plain() -> dict[str, int]:
        return {"a": 1}

    async def coroutine() -> dict[str, int]:
        return {"a": 1}

    app.get("/")(conditional(plain if colour == "def" else coroutine))
    browser = client()
    tag = browser.get("/").headers["etag"]

    again = browser.get("/", headers={"if-none-match": tag})

    assert (again.status_code, again.body) == (304, b"")


# CORE-62


@pytest.mark.parametrize("protocol", ["asgi", "rsgi"])
@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_a_client_that_leaves_closes_the_generator(app: App, protocol: str, colour: str) -> None:
    ended = threading.Event()
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def plain() -> Iterator[str]:
        try:
            while True:
                yield "x" * 100
                loop.call_soon_threadsafe(gone.set)
        finally:
            ended.set()

    async def coroutine() -> AsyncIterator[str]:
        try:
            while True:
                yield "x" * 100
                gone.set()
                await asyncio.sleep(0)
        finally:
            ended.set()

    app.get("/")(plain if colour == "def" else coroutine)

    await app.async_client(protocol=protocol).get("/", disconnect=gone)

    assert await asyncio.to_thread(ended.wait, 1)


def test_a_server_that_closes_a_wsgi_answer_closes_the_generator(app: App) -> None:
    log: list[str] = []

    @app.get("/")
    def endless() -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            log.append("closed")

    app.testing = True
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
    }
    body: Any = app.wsgi(environ, lambda status, headers, exc_info=None: None)
    pieces = iter(body)
    first = [next(pieces), next(pieces)]

    body.close()

    assert first == [b"x", b"x"]
    assert log == ["closed"]


@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_a_stream_is_made_no_faster_than_it_is_sent(app: App, colour: str) -> None:
    made: list[int] = []
    sent: list[int] = []
    ahead: list[int] = []
    received: list[int] = []

    def plain() -> Iterator[bytes]:
        for number in range(20):
            made.append(number)
            yield b"x"

    async def coroutine() -> AsyncIterator[bytes]:
        for number in range(20):
            made.append(number)
            yield b"x"

    async def receive() -> dict[str, Any]:
        if not received:
            received.append(1)
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.get_running_loop().create_future()
        raise AssertionError("the client stays")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            await asyncio.sleep(0)
            await asyncio.to_thread(lambda: None)
            sent.append(1)
            ahead.append(len(made) - len(sent))

    app.get("/")(plain if colour == "def" else coroutine)
    app.testing = True
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/", "raw_path": b"/",
        "query_string": b"", "root_path": "", "client": ("127.0.0.1", 5), "headers": [(b"host", b"localhost")],
    }  # fmt: skip

    await app(scope, receive, send)

    assert len(made) == 20
    assert max(ahead) <= 2


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_stream_runs_in_the_context_of_its_request(app: App, client: Callable[..., Any], colour: str) -> None:
    from segue import current_app, url_for

    def plain() -> Iterator[str]:
        yield current_app().name
        yield url_for("here")

    async def coroutine() -> AsyncIterator[str]:
        yield current_app().name
        yield url_for("here")

    app.get("/here", endpoint="here")(plain if colour == "def" else coroutine)

    assert client().get("/here").text == "tests_app/here"


# CORE-65

CACHED: list[tuple[Callable[..., Any], str, str]] = [
    (cache_control(public=True, max_age=60), "cache-control", "public, max-age=60"),
    (cache_control(private=True, no_cache=True, s_maxage=5), "cache-control", "private, no-cache, s-maxage=5"),
    (never_cache, "cache-control", "no-store, private"),
    (vary_on("Accept-Language", "Cookie"), "vary", "Accept-Language, Cookie"),
]


@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize(("decorate", "header", "value"), CACHED, ids=[each[2] for each in CACHED])
def test_the_header_is_the_declared_one(
    app: App, client: Callable[..., Any], colour: str, decorate: Callable[..., Any], header: str, value: str
) -> None:
    def plain() -> str:
        return "x"

    async def coroutine() -> str:
        return "x"

    app.get("/")(decorate(plain if colour == "def" else coroutine))
    app.get("/other", endpoint="other")(lambda: "x")
    browser = client()

    assert browser.get("/").headers.getlist(header) == [value]
    assert browser.get("/other").headers.get(header) != value
