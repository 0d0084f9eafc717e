"""CORE-66 to CORE-73: hooks, middleware, signals, error handlers, in Flask's order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from segue import (
    App,
    Blueprint,
    Request,
    Response,
    abort,
    after_this_request,
    got_request_exception,
    request_finished,
    request_started,
)
from segue.errors import Conflict, HTTPError, NotFound

COLOURS = ["def", "async def"]


def record(name: str, log: list[str], colour: str, arity: int = 0) -> Callable[..., Any]:
    """Make a hook that writes its name, in either colour."""

    def plain(*given: Any) -> None:
        log.append(name)

    async def coroutine(*given: Any) -> None:
        log.append(name)

    function = plain if colour == "def" else coroutine
    function.__name__ = name
    return function


@pytest.mark.parametrize("colour", COLOURS)
def test_hooks_run_in_the_order_of_flask(app: App, client: Callable[..., Any], colour: str) -> None:
    log: list[str] = []
    blog = Blueprint("blog", __name__)
    app.before_request(record("app before 1", log, colour))
    app.before_request(record("app before 2", log, "def"))
    app.after_request(record("app after 1", log, colour, 1))
    app.after_request(record("app after 2", log, "def", 1))
    app.teardown_request(record("app teardown", log, colour, 1))
    blog.before_request(record("blog before", log, colour))
    blog.after_request(record("blog after", log, "def", 1))
    blog.teardown_request(record("blog teardown", log, colour, 1))
    blog.get("/")(record("view", log, colour))
    app.register(blog, prefix="/blog")
    blog.registries.routes[0].view.__annotations__["return"] = None

    client().get("/blog/")

    assert log == [
        "app before 1",
        "app before 2",
        "blog before",
        "view",
        "blog after",
        "app after 2",
        "app after 1",
        "blog teardown",
        "app teardown",
    ]


@pytest.mark.parametrize("colour", COLOURS)
def test_the_first_returned_response_stops_the_rest(app: App, client: Callable[..., Any], colour: str) -> None:
    log: list[str] = []

    def plain() -> str:
        return "early"

    async def coroutine() -> str:
        return "early"

    app.before_request(plain if colour == "def" else coroutine)
    app.before_request(record("second", log, colour))
    app.after_request(record("after", log, colour, 1))
    app.get("/")(record("view", log, colour))

    assert client().get("/").text == "early"
    assert log == ["after"]


def test_teardown_gets_the_exception(app: App, client: Callable[..., Any]) -> None:
    seen: list[Any] = []
    app.teardown_request(lambda error: seen.append(error))

    @app.get("/bad")
    def bad() -> str:
        raise ValueError("no")

    @app.get("/good")
    async def good() -> str:
        return ""

    browser = client()
    browser.get("/bad")
    browser.get("/good")

    assert [type(each) for each in seen] == [ValueError, type(None)]


def test_before_and_teardown_run_for_unknown_paths_too(app: App, client: Callable[..., Any]) -> None:
    log: list[str] = []
    app.before_request(record("before", log, "def"))
    app.teardown_request(record("teardown", log, "async def", 1))

    assert client().get("/nowhere").status_code == 404
    assert log == ["before", "teardown"]


@pytest.mark.parametrize("colour", COLOURS)
def test_after_this_request_changes_one_response(app: App, client: Callable[..., Any], colour: str) -> None:
    def mark(response: Response) -> None:
        response.headers["x-marked"] = "yes"

    def plain() -> str:
        after_this_request(mark)
        return ""

    async def coroutine() -> str:
        after_this_request(mark)
        return ""

    app.get("/")(plain if colour == "def" else coroutine)
    app.get("/other")(lambda: "")

    browser = client()

    assert browser.get("/").headers["x-marked"] == "yes"
    assert "x-marked" not in browser.get("/other").headers


@pytest.mark.parametrize("colour", COLOURS)
def test_generator_middleware_sees_every_response(app: App, client: Callable[..., Any], colour: str) -> None:
    @app.middleware
    def stamp(request: Request) -> Iterator[Any]:
        response = yield
        response.headers["x-status"] = str(response.status)

    def plain() -> str:
        return "ok"

    async def coroutine() -> str:
        abort(409, "taken")

    app.get("/ok")(plain)
    app.get("/taken")(coroutine)

    browser = client()
    statuses = [browser.get(path).headers["x-status"] for path in ("/ok", "/taken", "/nowhere")]

    assert statuses == ["200", "409", "404"]


def test_a_middleware_may_answer_early_or_replace_the_answer(app: App, client: Callable[..., Any]) -> None:
    @app.middleware
    def gate(request: Request) -> Iterator[Any]:
        if request.path == "/closed":
            return Response("closed", 503)
        response = yield
        if request.path == "/swap":
            return Response("swapped")
        return response

    app.get("/closed")(lambda: "open")
    app.get("/swap")(lambda: "original")

    browser = client()

    assert (browser.get("/closed").status_code, browser.get("/closed").text) == (503, "closed")
    assert browser.get("/swap").text == "swapped"


def test_an_error_that_nobody_takes_surfaces_at_the_yield(app: App, client: Callable[..., Any]) -> None:
    seen: list[str] = []

    @app.middleware
    def watch(request: Request) -> Iterator[Any]:
        try:
            yield
        except ZeroDivisionError:
            seen.append("seen")
            raise

    @app.get("/")
    def bad() -> str:
        return str(1 / 0)

    answer = client().get("/")

    assert (answer.status_code, seen) == (500, ["seen"])
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("handler_colour", COLOURS)
@pytest.mark.parametrize("colour", COLOURS)
def test_call_next_middleware_in_every_combination(
    app: App, client: Callable[..., Any], colour: str, handler_colour: str
) -> None:
    def plain(request: Request, call_next: Callable[..., Response]) -> Response:
        response = call_next(request)
        response.headers["x-plain"] = "1"
        return response

    async def coroutine(request: Request, call_next: Callable[..., Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["x-async"] = "1"
        return response

    @app.middleware
    def around(request: Request) -> Iterator[Any]:
        response = yield
        response.headers["x-around"] = "1"

    app.middleware(plain if colour == "def" else coroutine)
    app.middleware(coroutine if colour == "def" else plain)

    def handler() -> str:
        return "h"

    async def ahandler() -> str:
        return "h"

    app.get("/")(handler if handler_colour == "def" else ahandler)

    answer = client().get("/")

    assert answer.text == "h"
    assert [answer.headers.get(name) for name in ("x-plain", "x-async", "x-around")] == ["1", "1", "1"]


def test_middleware_of_a_blueprint_and_of_a_route_stay_there(app: App, client: Callable[..., Any]) -> None:
    log: list[str] = []

    def named(name: str) -> Callable[..., Iterator[None]]:
        def middleware() -> Iterator[None]:
            log.append(name)
            yield

        return middleware

    blog = Blueprint("blog", __name__)
    blog.middleware(named("blueprint"))
    app.middleware(named("app"))
    blog.get("/a", middleware=[named("route")])(lambda: "")
    app.get("/b")(lambda: "")
    app.register(blog)

    browser = client()
    browser.get("/a")
    browser.get("/b")

    assert log == ["app", "blueprint", "route", "app"]


def test_what_is_no_middleware_is_refused_at_start(app: App) -> None:
    @app.middleware
    def wrong(request: Request) -> None:
        return None

    with pytest.raises(Exception, match="no middleware") as caught:
        app.compile()

    assert caught.value.code == "handling/bad-middleware"  # type: ignore[attr-defined]


class Teapot(Exception):
    """An error of the application."""


class Kettle(Teapot):
    """A kind of it."""


# Classes: an instance would keep the traceback of each case, and with it the case's app.
ERROR_CASES: list[tuple[str, list[tuple[str, Any]], type[Exception], str]] = [
    ("status", [("app", 404)], NotFound, "app 404"),
    ("class", [("app", Teapot)], Teapot, "app Teapot"),
    ("subclass by its parent", [("app", Teapot)], Kettle, "app Teapot"),
    ("most specific class", [("app", Teapot), ("app", Kettle)], Kettle, "app Kettle"),
    ("blueprint before app", [("app", Teapot), ("blog", Teapot)], Teapot, "blog Teapot"),
    ("blueprint's parent class before the app's class", [("app", Kettle), ("blog", Teapot)], Kettle, "blog Teapot"),
    ("status before class", [("app", 404), ("app", HTTPError)], NotFound, "app 404"),
    ("app status before blueprint class", [("app", 404), ("blog", HTTPError)], NotFound, "app 404"),
    ("class of http errors", [("app", HTTPError)], Conflict, "app HTTPError"),
    ("500 takes what nobody does", [("app", 500)], Teapot, "app 500"),
]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("name", "handlers", "error", "winner"), ERROR_CASES, ids=[each[0] for each in ERROR_CASES])
def test_the_same_error_handler_wins_as_in_flask(
    app: App,
    client: Callable[..., Any],
    colour: str,
    name: str,
    handlers: list[tuple[str, Any]],
    error: type[Exception],
    winner: str,
) -> None:
    blog = Blueprint("blog", __name__)
    scopes: dict[str, Any] = {"app": app, "blog": blog}
    for scope, what in handlers:
        text = f"{scope} {what if isinstance(what, int) else what.__name__}"

        make = _async_handler(text) if colour == "async def" else _handler(text)
        scopes[scope].errorhandler(what)(make)

    @blog.get("/")
    def view() -> str:
        raise error()

    app.register(blog)

    answer = client().get("/")

    assert (answer.status_code, answer.text) == (418, winner)


def _handler(text: str) -> Callable[[Exception], Any]:
    return lambda error: (text, 418)


def _async_handler(text: str) -> Callable[[Exception], Awaitable[Any]]:
    async def handler(error: Exception) -> Any:
        return text, 418

    return handler


def test_a_bare_page_from_an_error_handler_keeps_the_status(app: App, client: Callable[..., Any]) -> None:
    app.errorhandler(404)(lambda error: "lost")

    answer = client().get("/nowhere")

    assert (answer.status_code, answer.text) == (404, "lost")


def test_abort_raises_the_class_of_its_status(app: App, client: Callable[..., Any]) -> None:
    @app.get("/caught")
    def caught() -> str:
        try:
            abort(409, "seat taken")
        except Conflict as conflict:
            return conflict.detail

    @app.get("/uncaught")
    async def uncaught() -> str:
        abort(409, "seat taken")

    @app.get("/response")
    def with_response() -> str:
        abort(Response("as it is", 402))

    browser = client()

    assert browser.get("/caught").text == "seat taken"
    assert (browser.get("/uncaught").status_code, browser.get("/uncaught").json["detail"]) == (409, "seat taken")
    assert (browser.get("/response").status_code, browser.get("/response").text) == (402, "as it is")


def test_one_error_has_two_bodies(app: App, client: Callable[..., Any]) -> None:
    browser = client()

    program = browser.get("/nowhere", headers={"accept": "application/json"})
    person = browser.get("/nowhere", headers={"accept": "text/html,*/*;q=0.8"})

    assert (program.status_code, program.content_type) == (404, "application/problem+json")
    assert program.json["code"] == "http/not-found"
    assert (person.status_code, person.content_type) == (404, "text/html; charset=utf-8")
    assert "404 Not Found" in person.text


def test_production_says_nothing_of_an_error(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    def bad() -> str:
        secret = "s3cret-value"
        raise ValueError(secret)

    browser = client()
    bodies = browser.get("/").text + browser.get("/", headers={"accept": "text/html"}).text

    assert "s3cret" not in bodies
    assert "ValueError" not in bodies
    assert "test_hooks" not in bodies


def test_signals_belong_to_one_app(app: App, client: Callable[..., Any]) -> None:
    log: list[str] = []
    other = App("other_app", static_folder=None, template_folder=None)
    other.on(request_started)(lambda sender, **values: log.append("other"))
    app.on(request_started)(lambda sender, request, **values: log.append(f"started {request.path}"))
    app.on(request_finished)(lambda sender, **values: log.append("finished"))
    app.on(got_request_exception)(lambda sender, exception, **values: log.append(type(exception).__name__))

    @app.get("/")
    def bad() -> str:
        raise KeyError("x")

    client().get("/")

    assert log == ["started /", "KeyError", "finished"]


def test_url_hooks_take_a_language_out_of_the_handlers(app: App, client: Callable[..., Any]) -> None:
    from segue import url_for

    @app.url_value_preprocessor
    def pull_language(endpoint: str, values: dict[str, Any]) -> None:
        languages.append(values.pop("lang", ""))

    @app.url_defaults
    def add_language(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", languages[-1])

    languages: list[str] = []

    @app.get("/<lang>/about")
    def about() -> str:
        return url_for("about")

    assert client().get("/de/about").text == "/de/about"
