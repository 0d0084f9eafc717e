"""CORE-49 to CORE-53, CORE-55 to CORE-57: what a request tells."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from segue import App, Depends, File, Request, UploadFile, UsageError, url_for


def log_calls(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def logged(*args: Any, **kwargs: Any) -> Any:
        CALLS.append(function.__name__)
        return function(*args, **kwargs)

    return logged


CALLS: list[str] = []


# CORE-49


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_three_stacked_decorators_change_neither_injection_nor_name_nor_docs(
    app: App, client: Callable[..., Any], colour: str
) -> None:
    CALLS.clear()

    if colour == "def":

        @app.get("/records/<int:pk>")
        @log_calls
        @log_calls
        @log_calls
        def record(request: Request, pk: int, q: str = "none") -> list[Any]:
            """Show a record."""
            return [request.method, pk, q, url_for("record", pk=1)]
    else:

        @app.get("/records/<int:pk>")
        @log_calls
        @log_calls
        @log_calls
        async def record(request: Request, pk: int, q: str = "none") -> list[Any]:
            """Show a record."""
            return [request.method, pk, q, url_for("record", pk=1)]

    answer = client().get("/records/7?q=x")

    assert answer.json == ["GET", 7, "x", "/records/1"]
    assert CALLS == ["record"] * 3
    assert app.view_functions["record"].__doc__ == "Show a record."


# CORE-50


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_request_tells_everything_about_itself(app: App, client: Callable[..., Any], colour: str) -> None:
    def plain(request: Request) -> dict[str, Any]:
        return {
            "method": request.method,
            "path": request.path,
            "path_params": dict(request.path_params),
            "query": [request.query["q"], request.query.getlist("tag"), request.query.get("none")],
            "header": [request.headers["x-token"], request.headers["X-Token"]],
            "cookies": dict(request.cookies),
            "body": request.body.decode(),
            "text": request.text,
            "json": request.json,
            "client": request.client,
            "host": request.host,
            "url": request.url,
            "base_url": request.base_url,
            "is_secure": request.is_secure,
            "route": request.route.path,
            "endpoint": request.endpoint,
        }

    async def coroutine(request: Request, pk: int) -> dict[str, Any]:
        return plain(request)

    def plain_with(request: Request, pk: int) -> dict[str, Any]:
        return plain(request)

    app.post("/x y/<int:pk>", endpoint="show")(plain_with if colour == "def" else coroutine)

    answer = client(base_url="https://localhost:8443").post(
        "/x%20y/7?q=1&tag=a&tag=b",
        json={"a": "ä"},
        headers={"x-token": "t"},
        cookies={"flavour": "plum"},
        client="192.0.2.1",
    )

    assert answer.json == {
        "method": "POST",
        "path": "/x y/7",
        "path_params": {"pk": 7},
        "query": ["1", ["a", "b"], None],
        "header": ["t", "t"],
        "cookies": {"flavour": "plum"},
        "body": '{"a":"ä"}',
        "text": '{"a":"ä"}',
        "json": {"a": "ä"},
        "client": "192.0.2.1",
        "host": "localhost:8443",
        "url": "https://localhost:8443/x%20y/7?q=1&tag=a&tag=b",
        "base_url": "https://localhost:8443/x%20y/7",
        "is_secure": True,
        "route": "/x y/<int:pk>",
        "endpoint": "show",
    }


@pytest.mark.parametrize("name", ["method", "path", "query", "anything"])
def test_a_request_cannot_be_changed(app: App, name: str) -> None:
    with app.test_request_context("/") as request, pytest.raises(UsageError) as caught:
        setattr(request, name, "x")

    assert caught.value.code == "http/request-is-read-only"
    assert "request.state" in caught.value.hint


def test_each_part_of_a_request_is_parsed_once(app: App) -> None:
    with app.test_request_context("/?a=1", headers={"cookie": "b=2"}) as request:
        assert request.query is request.query
        assert request.cookies is request.cookies
        assert request.headers is request.headers


def test_an_answer_varies_by_no_cookie_that_nobody_read(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    def show(request: Request) -> str:
        return request.path

    answer = client().get("/", cookies={"session": "x"})

    assert "cookie" not in (answer.headers.get("vary") or "").lower()
    assert "set-cookie" not in answer.headers


# CORE-51

ENCODINGS: list[tuple[str, dict[str, Any]]] = [
    ("json", {"json": {"a": "1"}}),
    ("urlencoded", {"data": {"a": "1"}}),
    ("multipart", {"data": {"a": "1"}, "files": {}}),
]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize(("name", "options"), ENCODINGS, ids=[each[0] for each in ENCODINGS])
@pytest.mark.parametrize("colour", ["def", "async def"])
def test_any_method_parses_its_body(
    app: App, client: Callable[..., Any], method: str, name: str, options: dict[str, Any], colour: str
) -> None:
    def plain(request: Request) -> list[Any]:
        return [request.data["a"], request.method]

    async def coroutine(request: Request) -> list[Any]:
        return plain(request)

    app.route("/", methods=["POST", "PUT", "PATCH", "DELETE"])(plain if colour == "def" else coroutine)

    assert client().request(method.upper(), "/", **options).json == ["1", method.upper()]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_body_of_an_unknown_type_is_415(app: App, client: Callable[..., Any], method: str) -> None:
    @app.route("/", methods=["POST", "PUT", "PATCH", "DELETE"])
    def show(request: Request) -> str:
        return str(request.data)

    answer = client().request(method.upper(), "/", data=b"x", content_type="application/x-unknown")

    assert answer.status_code == 415


MALFORMED = [
    ("application/json", b'{"a":'),
    ("application/json", b"\xff"),
    ("multipart/form-data; boundary=x", b"--y\r\n\r\n"),
    ("application/x-www-form-urlencoded", b"a=%ff"),
    ("text/plain; charset=utf-8", b"\xff"),
]


@pytest.mark.parametrize(("kind", "body"), MALFORMED)
def test_a_malformed_body_is_400(app: App, client: Callable[..., Any], kind: str, body: bytes) -> None:
    @app.put("/")
    def show(request: Request) -> str:
        return str(request.data)

    assert client().put("/", data=body, content_type=kind).status_code == 400


def test_each_part_has_its_own_type_and_charset(app: App, client: Callable[..., Any]) -> None:
    @app.put("/")
    def show(request: Request) -> list[Any]:
        return [request.form["name"], request.files["f"].content_type, request.files["f"].read().decode("latin-1")]

    body = (
        b'--x\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n'
        b"J\xf6rg\r\n"
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
        b"\xe4,1\r\n--x--\r\n"
    )

    answer = client().put("/", data=body, content_type="multipart/form-data; boundary=x")

    assert answer.json == ["Jörg", "text/csv", "ä,1"]


# CORE-52


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_body_over_the_limit_is_413(app: App, client: Callable[..., Any], colour: str) -> None:
    def plain(request: Request) -> str:
        return str(len(request.body))

    async def coroutine(request: Request) -> str:
        return str(len(request.body))

    app.config["MAX_CONTENT_LENGTH"] = 1000
    app.post("/usual")(plain if colour == "def" else coroutine)
    app.post("/larger", max_body=2000)(plain if colour == "def" else coroutine)
    app.post("/smaller", max_body=10)(plain if colour == "def" else coroutine)
    browser = client()

    assert browser.post("/usual", data=b"x" * 1000).text == "1000"
    assert browser.post("/usual", data=b"x" * 1001).status_code == 413
    assert browser.post("/larger", data=b"x" * 1500).text == "1500"
    assert browser.post("/smaller", data=b"x" * 11).status_code == 413


async def test_413_comes_before_the_body_was_read_in_full(app: App) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    app.testing = True
    read: list[int] = []
    sent: list[Any] = []

    @app.post("/")
    async def show(request: Request) -> str:
        return str(len(request.body))

    async def receive() -> dict[str, Any]:
        assert len(read) < 5, "the app reads on"
        read.append(400)
        return {"type": "http.request", "body": b"x" * 400, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/", "raw_path": b"/",
        "query_string": b"", "root_path": "", "client": ("127.0.0.1", 5),
        "headers": [(b"host", b"localhost"), (b"transfer-encoding", b"chunked"), (b"content-type", b"text/plain")],
    }  # fmt: skip

    await app(scope, receive, send)

    assert sent[0]["status"] == 413
    assert sum(read) <= 1200


def test_too_many_fields_or_files_are_refused(app: App, client: Callable[..., Any]) -> None:
    app.config.update(MAX_FORM_FIELDS=3, MAX_FILES=1)

    @app.post("/")
    def show(request: Request) -> list[int]:
        return [len(request.form), len(request.files)]

    browser = client()

    assert browser.post("/", data={"a": ["1", "2", "3"]}).status_code == 200
    assert browser.post("/", data={"a": ["1", "2", "3", "4"]}).status_code == 413
    assert browser.post("/", files={"f": b"1"}).json == [0, 1]
    assert browser.post("/", files={"f": [b"1", b"2"]}).status_code == 413


# CORE-53


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_an_upload_tells_its_name_type_and_size_and_can_be_saved(
    app: App, client: Callable[..., Any], colour: str, tmp_path: Path
) -> None:
    def plain(picture: Annotated[UploadFile, File()]) -> list[Any]:
        first = picture.read(2).decode()
        return [picture.filename, picture.content_type, picture.size, first, picture.save(tmp_path).name]

    async def coroutine(picture: Annotated[UploadFile, File()]) -> list[Any]:
        first = (await picture.aread(2)).decode()
        return [picture.filename, picture.content_type, picture.size, first, (await picture.asave(tmp_path)).name]

    app.post("/")(plain if colour == "def" else coroutine)

    answer = client().post("/", files={"picture": ("../../etc/x.png", b"bytes", "image/png")})

    assert answer.json == ["x.png", "image/png", 5, "by", "x.png"]
    assert (tmp_path / "x.png").read_bytes() == b"bytes"


def test_a_large_upload_is_on_disk_and_read_from_there(app: App, client: Callable[..., Any]) -> None:
    @app.post("/")
    def show(f: Annotated[UploadFile, File()]) -> list[Any]:
        return [f.size, f.read(3).decode()]

    answer = client().post("/", files={"f": b"abc" + b"x" * 3_000_000})

    assert answer.json == [3_000_003, "abc"]


# CORE-55


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("10.0.0.9", ["192.0.2.7", "https", "www.example.com", True]),
        ("203.0.113.5", ["203.0.113.5", "http", "localhost", False]),
    ],
    ids=["trusted", "spoofed"],
)
def test_forwarded_headers_count_from_trusted_peers_alone(
    app: App, client: Callable[..., Any], peer: str, expected: list[Any]
) -> None:
    app.config.update(TRUSTED_PROXIES=["10.0.0.0/8"], ALLOWED_HOSTS=["localhost", "www.example.com"])

    @app.get("/")
    def show(request: Request) -> list[Any]:
        return [request.client, request.scheme, request.host, request.is_secure]

    headers = {
        "x-forwarded-for": "192.0.2.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "www.example.com",
    }

    assert client().get("/", headers=headers, client=peer).json == expected


# CORE-56


def test_a_host_that_is_not_allowed_is_400(app: App, client: Callable[..., Any]) -> None:
    app.config["ALLOWED_HOSTS"] = ["www.example.com", ".example.org"]
    app.get("/")(lambda: "here")

    def status(host: str) -> int:
        found: int = client().get("/", headers={"host": host}).status_code
        return found

    assert status("www.example.com") == 200
    assert status("WWW.example.com:8000") == 200
    assert status("a.example.org") == 200
    assert status("example.org") == 200
    assert status("evil.example") == 400
    assert status("www.example.com.evil.example") == 400
    assert status("x@www.example.com") == 400


def test_the_host_of_the_site_is_allowed_by_default(app: App, client: Callable[..., Any]) -> None:
    app.config["SITE_URL"] = "https://www.example.com"
    app.get("/")(lambda: "here")

    assert client().get("/", headers={"host": "www.example.com"}).status_code == 200
    assert client().get("/", headers={"host": "other.example.com"}).status_code == 400


@pytest.mark.parametrize("door", ["asgi", "wsgi", "rsgi"])
def test_outside_development_an_app_without_hosts_does_not_serve(app: App, door: str) -> None:
    from segue import SetupError

    doors: dict[str, Callable[[], Any]] = {
        "asgi": lambda: app({"type": "http"}, None, None),
        "wsgi": lambda: app.wsgi({}, lambda status, headers: None),
        "rsgi": lambda: app.__rsgi__,
    }

    with pytest.raises(SetupError) as caught:
        doors[door]()

    assert caught.value.code == "security/no-hosts"
    assert "ALLOWED_HOSTS" in caught.value.hint


# CORE-57


def test_the_client_says_what_it_would_rather_have(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    def show(request: Request) -> list[Any]:
        return [
            request.accepts("text/html", "application/json"),
            request.accepts("image/png"),
            request.prefers_json,
            request.is_fragment,
        ]

    def ask(**headers: str) -> Any:
        return client().get("/", headers={name.replace("_", "-"): value for name, value in headers.items()}).json

    assert ask(accept="text/html;q=0.5, application/json") == ["application/json", None, True, False]
    assert ask(accept="text/html, application/json;q=0.9") == ["text/html", None, False, False]
    assert ask(accept="*/*")[1] == "image/png"
    assert ask(accept="text/*", hx_request="true") == ["text/html", None, False, True]
    assert ask(accept="text/html", turbo_frame="rows")[3] is True
    assert ask(hx_request="true", hx_boosted="true")[3] is False


def test_a_parameter_can_be_made_of_the_whole_request(app: App, client: Callable[..., Any]) -> None:
    class Page(msgspec.Struct):
        number: int

    def page_of(request: Request) -> Page:
        return Page(int(request.query.get("page", "1")))

    @app.get("/")
    def show(page: Annotated[Page, Depends(page_of)]) -> str:
        return json.dumps(page.number)

    assert client().get("/?page=4").text == "4"
