"""CORE-90 and SECURITY Q12: what the clients send, keep and follow; one file, both colours."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from segue import App, Request, Response, redirect
from segue.errors import UsageError
from segue.testing import AsyncClient, Client, TestResponse

Send = Callable[..., TestResponse]


@pytest.fixture(params=[Client, AsyncClient], ids=["def", "async def"])
def send(request: pytest.FixtureRequest, app: App, protocol: str) -> Iterator[Send]:
    """Send by the client of either colour; `send.client` is that client."""
    client = request.param(app, protocol=protocol)
    with asyncio.Runner() as runner:

        def call(method: str, path: str, **options: Any) -> TestResponse:
            async def awaited() -> TestResponse:
                return await client.request(method, path, **options)

            is_async = inspect.iscoroutinefunction(client.request)
            return runner.run(awaited()) if is_async else client.request(method, path, **options)

        call.client = client  # type: ignore[attr-defined]
        yield call


def test_json_forms_and_raw_bodies_arrive_with_their_types(app: App, send: Send) -> None:
    @app.post("/")
    def echo(request: Request) -> Any:
        return {"type": request.content_type.mime, "body": request.text}

    assert send("POST", "/", json={"a": 1}).json == {"type": "application/json", "body": '{"a":1}'}
    assert send("POST", "/", data={"a": ["1", "2"], "b": "ü"}).json["body"] == "a=1&a=2&b=%C3%BC"
    assert send("POST", "/", data=[("a", "1"), ("a", "2")]).json["body"] == "a=1&a=2"
    assert send("POST", "/", data=b"\x41").json == {"type": "application/octet-stream", "body": "A"}
    assert send("POST", "/", data="x", content_type="text/csv").json == {"type": "text/csv", "body": "x"}


def test_files_alone_and_beside_fields_are_a_form(app: App, send: Send) -> None:
    @app.post("/")
    def take(request: Request) -> Any:
        names = {name: (each.filename, each.content_type) for name, each in request.files.items()}
        return {"files": names, "fields": dict(request.form.items())}

    alone = send("POST", "/", files={"cover": ("a.png", b"1", "image/png")})
    beside = send("POST", "/", files={"cover": io.BytesIO(b"1")}, data={"title": "Kind of Blue"})

    assert alone.json == {"files": {"cover": ["a.png", "image/png"]}, "fields": {}}
    assert beside.json["files"]["cover"] == ["file", "application/octet-stream"]
    assert beside.json["fields"] == {"title": "Kind of Blue"}


def test_a_quote_or_line_break_in_a_file_name_cannot_end_the_header(app: App, send: Send) -> None:
    @app.post("/")
    def take(request: Request) -> Any:
        return {"names": list(request.files), "filename": request.files["a"].filename}

    answer = send("POST", "/", files={"a": ('x"; name="b\r\nX: 1', b"")})

    assert answer.json["names"] == ["a"]
    assert "\n" not in answer.json["filename"]


@pytest.mark.parametrize(
    "options",
    [
        {"json": 1, "data": "x"},
        {"json": 1, "files": {"a": b""}},
        {"chunks": [b""], "data": ""},
    ],
)
def test_two_bodies_are_refused(app: App, send: Send, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        send("POST", "/", **options)

    assert caught.value.code == "testing/two-bodies"


def test_files_beside_a_raw_body_are_refused(app: App, send: Send) -> None:
    with pytest.raises(UsageError) as caught:
        send("POST", "/", files={"a": b""}, data="raw")

    assert caught.value.code == "testing/files-need-a-form"


def test_an_unknown_option_names_the_nearest(app: App, send: Send) -> None:
    with pytest.raises(UsageError) as caught:
        send("GET", "/", querry={"a": 1})

    assert caught.value.code == "testing/unknown-option"
    assert "query" in caught.value.hint


# Cookies


def test_a_cookie_goes_only_to_its_path(app: App, send: Send) -> None:
    @app.get("/login")
    def login() -> Response:
        response = Response("")
        response.set_cookie("session", "1", path="/admin")
        return response

    app.get("/admin/users", endpoint="users")(lambda request: dict(request.cookies))
    app.get("/administrator", endpoint="other")(lambda request: dict(request.cookies))
    send("GET", "/login")

    assert send("GET", "/admin/users").json == {"session": "1"}
    assert send("GET", "/administrator").json == {}


def test_a_cookie_comes_back_as_it_was_set(app: App, send: Send) -> None:
    @app.get("/set")
    def set_it() -> Response:
        response = Response("")
        response.set_cookie("theme", 'dark; "wide" ü')
        return response

    app.get("/", endpoint="show")(lambda request: dict(request.cookies))
    answer = send("GET", "/set")

    assert answer.cookies == {"theme": 'dark; "wide" ü'}
    assert send("GET", "/").json == {"theme": 'dark; "wide" ü'}
    assert send.client.cookies["theme"] == 'dark; "wide" ü'  # type: ignore[attr-defined]


def test_a_deleted_cookie_is_forgotten(app: App, send: Send) -> None:
    @app.get("/delete")
    def delete() -> Response:
        response = Response("")
        response.delete_cookie("theme")
        return response

    app.get("/", endpoint="show")(lambda request: dict(request.cookies))
    send.client.cookies["theme"] = "dark"  # type: ignore[attr-defined]

    assert send("GET", "/").json == {"theme": "dark"}
    send("GET", "/delete")
    assert send("GET", "/").json == {}
    assert "theme" not in send.client.cookies  # type: ignore[attr-defined]


def test_a_cookie_of_one_request_is_not_kept(app: App, send: Send) -> None:
    app.get("/")(lambda request: dict(request.cookies))
    send.client.cookies["a"] = "kept"  # type: ignore[attr-defined]

    once = send("GET", "/", cookies={"a": "once", "b": "x y"})

    assert once.json == {"a": "once", "b": "x y"}
    assert send("GET", "/").json == {"a": "kept"}


def test_a_secure_cookie_is_sent_to_this_machine_as_browsers_do(app: App, send: Send) -> None:
    @app.get("/set")
    def set_it() -> Response:
        response = Response("")
        response.set_cookie("session", "1", secure=True)
        return response

    app.get("/")(lambda request: dict(request.cookies))
    send("GET", "/set")

    assert send("GET", "/").json == {"session": "1"}


# Redirects


def test_a_redirect_is_followed_only_where_it_is_asked_for(app: App, send: Send) -> None:
    app.get("/old")(lambda: redirect("/new?page=2"))
    app.get("/new")(lambda request: request.query["page"])

    assert send("GET", "/old").location == "/new?page=2"
    followed = send("GET", "/old", follow_redirects=True)
    assert (followed.text, [each.status_code for each in followed.history]) == ("2", [302])


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirected_post_keeps_method_and_body_for_307_and_308_alone(
    app: App, send: Send, status: int, method: str
) -> None:
    app.post("/old")(lambda request: redirect("/new", status))

    @app.route("/new", methods=["GET", "POST"])
    def new(request: Request) -> Any:
        return {"method": request.method, "body": request.text, "type": request.content_type.mime}

    answer = send("POST", "/old", json=[1], follow_redirects=True)

    kept = method == "POST"
    assert answer.json["method"] == method
    assert answer.json["body"] == ("[1]" if kept else "")
    assert answer.json["type"].endswith("json") is kept


@pytest.mark.parametrize("status", [301, 302])
def test_a_redirected_put_stays_a_put_as_in_browsers(app: App, send: Send, status: int) -> None:
    app.put("/old")(lambda request: redirect("/new", status))
    app.route("/new", methods=["GET", "PUT"])(lambda request: request.method)

    assert send("PUT", "/old", data="x", follow_redirects=True).text == "PUT"


def test_credentials_are_dropped_when_the_origin_changes(app: App, send: Send) -> None:
    app.config["ALLOWED_HOSTS"] = [".example.test"]
    app.get("/same")(lambda: redirect("/show"))
    app.get("/other")(lambda: Response(b"", 302, {"location": "http://b.example.test/show"}))
    app.get("/show")(lambda request: {name: request.headers.get(name) for name in ("authorization", "cookie", "x-a")})
    client = send.client  # type: ignore[attr-defined]
    client.headers = {"Authorization": "client"}
    options: Any = {
        "headers": {"Authorization": "Bearer secret", "X-A": "1"},
        "cookies": {"session": "1"},
        "follow_redirects": True,
    }

    same, other = send("GET", "/same", **options), send("GET", "/other", **options)

    assert same.json["authorization"] == "Bearer secret"
    assert other.json == {"authorization": None, "cookie": None, "x-a": "1"}
    assert other.url == "http://b.example.test/show"


def test_a_cookie_of_one_host_is_not_sent_to_another(app: App, send: Send) -> None:
    app.config["ALLOWED_HOSTS"] = [".example.test"]
    app.get("/go")(lambda: Response(b"", 302, {"location": "http://b.example.test/show"}))
    app.get("/show")(lambda request: dict(request.cookies))
    send.client.cookies["session"] = "1"  # type: ignore[attr-defined]

    assert send("GET", "/go", follow_redirects=True).json == {}
    assert send("GET", "/show").json == {"session": "1"}


def test_a_redirect_to_a_foreign_site_is_left_to_the_test(app: App, send: Send) -> None:
    app.get("/out")(lambda: Response(b"", 302, {"location": "https://elsewhere.test/"}))

    answer = send("GET", "/out", follow_redirects=True)

    assert (answer.status_code, answer.location) == (302, "https://elsewhere.test/")


def test_a_circle_of_redirects_ends_in_an_error(app: App, send: Send) -> None:
    app.get("/a")(lambda: redirect("/a"))

    with pytest.raises(UsageError) as caught:
        send("GET", "/a", follow_redirects=True)

    assert caught.value.code == "testing/redirect-loop"


def test_an_error_that_no_handler_takes_is_raised_in_the_test(app: App, send: Send) -> None:
    @app.get("/")
    def broken() -> str:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        send("GET", "/")

    send.client.raise_errors = False  # type: ignore[attr-defined]
    assert send("GET", "/").status_code == 500


def test_threads_that_come_first_at_once_share_one_adapter(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two adapters would each count the requests in flight from nought.
    client = Client(app, raise_errors=False)
    made: list[object] = []
    both = threading.Barrier(2)

    def listen(signals: object) -> None:
        made.append(signals)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)  # where a second one comes, it is in here too

    monkeypatch.setattr("segue.testing.calling.listen", listen)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(client.get, ["/", "/"]))

    assert len(made) == 1
