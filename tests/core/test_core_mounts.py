"""CORE-12: other applications below a prefix, and ours inside the middleware of others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import flask
import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client as WerkzeugClient

from segue import App, Request, SetupError, url_for


@pytest.fixture
def legacy() -> flask.Flask:
    """A Flask app with a page, a form and a stream."""
    application = flask.Flask("legacy", static_folder=None)

    @application.get("/")
    def index() -> str:
        return flask.url_for("page", name="kö ln")

    @application.get("/page/<name>")
    def page(name: str) -> list[Any]:
        return [name, flask.request.script_root, flask.request.path, flask.request.args.get("q")]

    @application.post("/echo")
    def echo() -> dict[str, Any]:
        return {"form": flask.request.form.to_dict(), "length": flask.request.content_length}

    @application.get("/stream")
    def streamed() -> flask.Response:
        return flask.Response((str(number) for number in range(3)), status=203)

    @application.get("/teapot")
    def teapot() -> tuple[str, int, dict[str, str]]:
        return "short", 418, {"x-kind": "teapot"}

    return application


@pytest.fixture
def modern() -> Starlette:
    """A Starlette app with the same."""

    async def index(request: StarletteRequest) -> JSONResponse:
        return JSONResponse(str(request.url_for("page", name="ann")))

    async def page(request: StarletteRequest) -> JSONResponse:
        name = request.path_params["name"]
        return JSONResponse([name, request.scope["root_path"], request.query_params.get("q")])

    async def echo(request: StarletteRequest) -> JSONResponse:
        return JSONResponse({"body": (await request.body()).decode(), "host": request.url.hostname})

    async def streamed(request: StarletteRequest) -> StreamingResponse:
        return StreamingResponse((str(number) for number in range(3)), status_code=203)

    return Starlette(
        routes=[
            Route("/", index, name="index"),
            Route("/page/{name}", page, name="page"),
            Route("/echo", echo, methods=["POST"]),
            Route("/stream", streamed),
        ]
    )


def test_a_flask_app_builds_urls_below_its_prefix(app: App, client: Callable[..., Any], legacy: flask.Flask) -> None:
    app.mount("/legacy", legacy)
    browser = client()

    assert browser.get("/legacy/").text == "/legacy/page/k%C3%B6%20ln"
    assert browser.get("/legacy/page/a%20b?q=1").json == ["a b", "/legacy", "/page/a b", "1"]


def test_a_flask_app_gets_bodies_and_its_answers_come_back_whole(
    app: App, client: Callable[..., Any], legacy: flask.Flask
) -> None:
    app.mount("/legacy", legacy)
    browser = client()

    assert browser.post("/legacy/echo", data={"a": "ä"}).json == {"form": {"a": "ä"}, "length": 8}
    streamed = browser.get("/legacy/stream")
    assert (streamed.status_code, streamed.text) == (203, "012")
    teapot = browser.get("/legacy/teapot")
    assert (teapot.status_code, teapot.text, teapot.headers["x-kind"]) == (418, "short", "teapot")
    assert browser.get("/legacy/nowhere").status_code == 404


def test_a_starlette_app_builds_urls_below_its_prefix(app: App, client: Callable[..., Any], modern: Starlette) -> None:
    app.mount("/modern", modern)
    browser = client()

    assert browser.get("/modern/").json == "http://localhost/modern/page/ann"
    assert browser.get("/modern/page/a%20b?q=1").json == ["a b", "/modern", "1"]


def test_a_starlette_app_gets_bodies_and_its_answers_come_back_whole(
    app: App, client: Callable[..., Any], modern: Starlette
) -> None:
    app.mount("/modern", modern)
    browser = client()

    answer = browser.post("/modern/echo", chunks=[b"one ", b"two"])

    assert answer.json == {"body": "one two", "host": "localhost"}
    streamed = browser.get("/modern/stream")
    assert (streamed.status_code, streamed.text) == (203, "012")
    assert browser.get("/modern/nowhere").status_code == 404


def test_a_mount_leaves_the_apps_own_routes_alone(app: App, client: Callable[..., Any], legacy: flask.Flask) -> None:
    app.get("/legacy-not")(lambda: "own")
    app.get("/legacy/own")(lambda: "own, inside")
    app.mount("/legacy", legacy)
    browser = client()

    assert browser.get("/legacy-not").text == "own"
    assert browser.get("/legacy/own").text == "own, inside"


def test_hooks_of_the_app_surround_what_is_mounted(app: App, client: Callable[..., Any], legacy: flask.Flask) -> None:
    app.mount("/legacy", legacy)

    @app.after_request
    def after(response: Any) -> None:
        response.headers["x-outer"] = "yes"

    assert client().get("/legacy/page/x").headers["x-outer"] == "yes"


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_one_segue_app_can_be_mounted_in_another(app: App, client: Callable[..., Any], colour: str) -> None:
    inner = App("core_inner", static_folder=None, template_folder=None, config={"ALLOWED_HOSTS": ["localhost"]})

    def plain(request: Request, name: str) -> list[Any]:
        return [name, request.root_path, request.path, url_for("page", name="x")]

    async def coroutine(request: Request, name: str) -> list[Any]:
        return plain(request, name)

    inner.get("/page/<name>", endpoint="page")(plain if colour == "def" else coroutine)
    app.mount("/inner", inner)

    assert client().get("/inner/page/a").json == ["a", "/inner", "/page/a", "/inner/page/x"]


def test_a_thing_that_is_no_application_cannot_be_mounted(app: App) -> None:
    with pytest.raises(SetupError) as caught:
        app.mount("/x", object())

    assert caught.value.code == "app/not-mountable"


async def test_the_lifespan_of_a_mounted_app_runs_with_ours(app: App) -> None:
    log: list[str] = []

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        assert (await receive())["type"] == "lifespan.startup"
        log.append("start")
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        log.append("stop")
        await send({"type": "lifespan.shutdown.complete"})

    app.mount("/modern", mounted)

    async with app.async_client():
        started = list(log)

    assert started == ["start"]
    assert log == ["start", "stop"]


async def test_what_the_start_of_a_mounted_app_leaves_is_there_for_its_requests(app: App) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[dict[str, str]]:
        yield {"pool": "open"}

    async def show(request: StarletteRequest) -> JSONResponse:
        return JSONResponse(request.state.pool)

    app.mount("/modern", Starlette(routes=[Route("/", show)], lifespan=lifespan))

    async with app.async_client() as browser:
        answer = await browser.get("/modern/")

    assert answer.json == "open"


async def test_the_hooks_of_a_mounted_segue_app_run_with_ours(app: App) -> None:
    log: list[str] = []
    inner = App("core_inner", static_folder=None, template_folder=None, config={"ALLOWED_HOSTS": ["localhost"]})
    inner.on_startup(lambda: log.append("start"))
    inner.on_shutdown(lambda: log.append("stop"))
    app.mount("/inner", inner)

    async with app.async_client():
        started = list(log)

    assert (started, log) == (["start"], ["start", "stop"])


async def test_an_app_without_lifespan_may_be_mounted(app: App) -> None:
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http", "only HTTP is known here"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})

    app.mount("/modern", mounted)

    async with app.async_client() as browser:
        answer = await browser.get("/modern/")

    assert answer.text == "here"


async def test_a_mounted_app_that_cannot_start_stops_the_start(app: App) -> None:
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no disk"})

    app.mount("/modern", mounted)

    with pytest.raises(Exception, match="no disk"):
        async with app.async_client():
            pass


# Foreign middleware around ours


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_middleware_of_werkzeug_wraps_an_app(app: App, colour: str) -> None:
    def plain(request: Request) -> list[Any]:
        return [request.root_path, url_for("here")]

    async def coroutine(request: Request) -> list[Any]:
        return plain(request)

    app.get("/here", endpoint="here")(plain if colour == "def" else coroutine)
    app.testing = True

    answer = WerkzeugClient(ProxyFix(app.wsgi, x_prefix=1)).get("/here", headers={"X-Forwarded-Prefix": "/outer"})

    assert answer.status_code == 200
    assert answer.json == ["/outer", "/outer/here"]


@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_middleware_of_starlette_wraps_an_app(app: App, colour: str) -> None:
    async def stamp(request: StarletteRequest, call_next: Callable[..., Any]) -> Any:
        response = await call_next(request)
        response.headers["x-outer"] = "yes"
        return response

    def plain() -> str:
        return "inner"

    async def coroutine() -> str:
        return "inner"

    app.get("/")(plain if colour == "def" else coroutine)
    app.testing = True
    sent: list[dict[str, Any]] = []
    received: list[int] = []

    async def receive() -> dict[str, Any]:
        if not received:
            received.append(1)
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.get_running_loop().create_future()
        raise AssertionError("the client stays")

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 5), "server": ("localhost", 80),
    }  # fmt: skip

    await BaseHTTPMiddleware(app, dispatch=stamp)(scope, receive, send)

    assert (b"x-outer", b"yes") in sent[0]["headers"]
    assert b"".join(each.get("body", b"") for each in sent[1:]) == b"inner"
