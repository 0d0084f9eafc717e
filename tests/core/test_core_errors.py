"""CORE-67, CORE-69 to CORE-74: URL hooks, signals, error handlers, abort, what errors show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import (
    App,
    Blueprint,
    Request,
    Response,
    SegueError,
    abort,
    got_request_exception,
    message_flashed,
    render_template_string,
    request_finished,
    request_started,
    template_rendered,
    url_for,
)
from segue.errors import Conflict, HTTPError, NotFound, http_error_for

# CORE-67


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_language_prefix_is_handled_without_touching_handlers(
    app: App, client: Callable[..., Any], colour: str
) -> None:
    site = Blueprint("site", __name__, prefix="/<lang>", static_folder=None)

    @site.url_value_preprocessor
    def take(endpoint: str, values: dict[str, Any]) -> None:
        from segue.context import current

        current().state.lang = values.pop("lang")

    @site.url_defaults
    def give(endpoint: str, values: dict[str, Any]) -> None:
        from segue.context import current

        if endpoint.startswith("site."):
            values.setdefault("lang", current().state.get("lang", "en"))

    def plain(request: Request) -> list[str]:
        return [request.state.lang, url_for(".about"), url_for("site.about", lang="fr")]

    async def coroutine(request: Request) -> list[str]:
        return plain(request)

    site.get("/about", endpoint="about")(plain if colour == "def" else coroutine)
    app.register(site)

    assert client().get("/de/about").json == ["de", "/de/about", "/fr/about"]


def test_url_hooks_of_a_blueprint_leave_other_routes_alone(app: App, client: Callable[..., Any]) -> None:
    seen: list[str] = []
    site = Blueprint("site", __name__, prefix="/site", static_folder=None)
    site.url_value_preprocessor(lambda endpoint, values: seen.append(endpoint))
    app.url_value_preprocessor(lambda endpoint, values: seen.append(f"app {endpoint}"))
    site.get("/", endpoint="index")(lambda: "")
    app.get("/", endpoint="home")(lambda: "")
    app.register(site)
    browser = client()

    browser.get("/")
    outside = list(seen)
    browser.get("/site/")

    assert outside == ["app home"]
    assert seen[1:] == ["app site.index", "site.index"]


# CORE-69

SENT = {
    "started": request_started,
    "finished": request_finished,
    "failed": got_request_exception,
    "rendered": template_rendered,
}


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_signals_are_heard_in_their_own_app_alone(app: App, client: Callable[..., Any], colour: str) -> None:
    heard: list[str] = []
    other = App("core_other", static_folder=None, template_folder=None)

    def listen(to: App, name: str) -> None:
        to.on(SENT[name])(lambda sender, **named: heard.append(f"{sender.name} {name}"))

    for name in SENT:
        listen(app, name)
        listen(other, name)

    def plain() -> str:
        return render_template_string("x")

    async def coroutine() -> str:
        return render_template_string("x")

    def fail() -> str:
        raise ValueError("no")

    app.get("/")(plain if colour == "def" else coroutine)
    app.get("/bad")(fail)
    browser = client()

    browser.get("/")
    good = list(heard)
    heard.clear()
    browser.get("/bad")

    assert good == ["tests_app started", "tests_app rendered", "tests_app finished"]
    assert sorted(heard) == ["tests_app failed", "tests_app finished", "tests_app started"]


def test_a_signal_tells_what_it_is_about(app: App, client: Callable[..., Any]) -> None:
    told: dict[str, Any] = {}
    app.on(request_started)(lambda sender, request, **named: told.update(started=request.path))
    app.on(got_request_exception)(lambda sender, exception, **named: told.update(failed=str(exception)))
    app.on(template_rendered)(lambda sender, template, context, **named: told.update(rendered=context["a"]))

    @app.get("/x")
    def show() -> str:
        render_template_string("{{ a }}", a=1)
        raise ValueError("no")

    client().get("/x")

    assert told == {"started": "/x", "failed": "no", "rendered": 1}


def test_a_blueprint_may_listen_and_one_sender_may_be_chosen(app: App, client: Callable[..., Any]) -> None:
    heard: list[str] = []
    blog = Blueprint("blog", __name__, static_folder=None)
    blog.on(request_started)(lambda sender, **named: heard.append("any"))
    blog.on(request_started, object())(lambda sender, **named: heard.append("another"))
    app.register(blog)
    app.get("/")(lambda: "")

    client().get("/")

    assert heard == ["any"]


def test_a_signal_of_ones_own_is_sent_in_the_app(app: App) -> None:
    heard: list[str] = []
    app.on(message_flashed)(lambda sender, message, **named: heard.append(message))

    app.compile().signals[message_flashed].send(app, message="saved", category="info")

    assert heard == ["saved"]


# CORE-70


class Broken(Exception):
    pass


class VeryBroken(Broken):
    pass


class Teapot(HTTPError):
    status = 418


RAISED: dict[str, Callable[[], BaseException]] = {
    "broken": Broken,
    "very": VeryBroken,
    "missing": NotFound,
    "conflict": Conflict,
    "key": lambda: KeyError("k"),
}
# where the error is raised, what is registered there and on the app, who answers: as in Flask
WINNERS: list[tuple[str, str, list[tuple[str, Any]], str]] = [
    ("app", "very", [("app", Broken), ("app", Exception)], "app Broken"),
    ("app", "very", [("app", Exception), ("app", VeryBroken), ("app", Broken)], "app VeryBroken"),
    ("app", "broken", [("app", VeryBroken), ("app", Exception)], "app Exception"),
    ("app", "key", [("app", LookupError), ("app", Exception)], "app LookupError"),
    ("app", "missing", [("app", HTTPError), ("app", 404)], "app 404"),
    ("app", "missing", [("app", HTTPError), ("app", 409)], "app HTTPError"),
    ("app", "conflict", [("app", Exception), ("app", HTTPError)], "app HTTPError"),
    ("blog", "broken", [("app", Broken), ("blog", Broken)], "blog Broken"),
    ("blog", "very", [("app", VeryBroken), ("blog", Broken)], "blog Broken"),
    ("blog", "missing", [("app", 404), ("blog", HTTPError)], "app 404"),
    ("blog", "missing", [("app", 404), ("blog", 404)], "blog 404"),
    ("app", "broken", [("blog", Broken), ("app", Exception)], "app Exception"),
]


@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize(
    ("where", "raised", "registered", "winner"), WINNERS, ids=[f"{each[0]}-{each[1]}-{each[3]}" for each in WINNERS]
)
def test_the_most_specific_error_handler_answers(
    app: App,
    client: Callable[..., Any],
    colour: str,
    where: str,
    raised: str,
    registered: list[tuple[str, Any]],
    winner: str,
) -> None:
    blog = Blueprint("blog", __name__, prefix="/blog", static_folder=None)
    places: dict[str, Any] = {"app": app, "blog": blog}

    def handler_of(text: str) -> Callable[[BaseException], Any]:
        async def coroutine(error: BaseException) -> tuple[str, int]:
            return text, 400

        return (lambda error: (text, 400)) if colour == "def" else coroutine

    for place, what in registered:
        name = what if isinstance(what, int) else what.__name__
        places[place].errorhandler(what)(handler_of(f"{place} {name}"))

    def fail() -> str:
        raise RAISED[raised]()

    async def afail() -> str:
        raise RAISED[raised]()

    places[where].get("/fail")(fail if colour == "def" else afail)
    app.register(blog)

    answer = client().get("/fail" if where == "app" else "/blog/fail")

    assert (answer.status_code, answer.text) == (400, winner)


def test_a_sites_own_templates_are_its_error_pages(client: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "404.html").write_text("<p>lost at {{ request.path }}</p>")
    (tmp_path / "500.html").write_text("<p>sorry</p>")
    app = App("core_pages", static_folder=None, template_folder=str(tmp_path))

    @app.get("/bad")
    def fail() -> str:
        raise ValueError("secret")

    browser = client(app=app, headers={"accept": "text/html"})
    missing, broken = browser.get("/no<b>where"), browser.get("/bad")

    assert (missing.status_code, missing.text) == (404, "<p>lost at /no&lt;b&gt;where</p>")
    assert (broken.status_code, broken.text) == (500, "<p>sorry</p>")


# CORE-71


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_abort_answers_with_its_status_text_or_response(app: App, client: Callable[..., Any], colour: str) -> None:
    ways: dict[str, Callable[[], Any]] = {
        "bare": lambda: abort(404),
        "text": lambda: abort(409, "taken by Ann"),
        "response": lambda: abort(Response("made by hand", 418)),
    }

    def plain(way: str) -> Any:
        return ways[way]()

    async def coroutine(way: str) -> Any:
        return ways[way]()

    app.get("/<way>")(plain if colour == "def" else coroutine)
    browser = client(headers={"accept": "application/json"})

    assert browser.get("/bare").status_code == 404
    text = browser.get("/text")
    assert (text.status_code, text.json["detail"]) == (409, "taken by Ann")
    by_hand = browser.get("/response")
    assert (by_hand.status_code, by_hand.text) == (418, "made by hand")


def test_abort_raises_what_except_can_name() -> None:
    with pytest.raises(Conflict) as caught:
        abort(409, "taken")

    assert caught.value.status == 409
    assert "taken" in str(caught.value)


STATUSES = [400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 421, 422, 423, 424]
STATUSES += [425, 426, 428, 429, 431, 500, 501, 502, 503, 504]


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_has_its_class(status: int) -> None:
    kind = http_error_for(status)

    assert kind is not None
    assert issubclass(kind, HTTPError)
    with pytest.raises(kind) as caught:
        abort(status)
    assert caught.value.status == status


# CORE-72: what a missing row raises, before there are rows


class DoesNotExist(SegueError, LookupError):
    """Suggests its status, as the errors of lower floors do."""

    code = "data/does-not-exist"
    status = 404


class MultipleObjectsReturned(SegueError):
    code = "data/multiple-objects"
    status = 500


@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize(("kind", "status"), [(DoesNotExist, 404), (MultipleObjectsReturned, 500)])
def test_an_error_from_below_has_the_status_it_suggests(
    app: App, client: Callable[..., Any], colour: str, kind: type[SegueError], status: int
) -> None:
    def plain() -> str:
        raise kind("no Musician with pk=99")

    async def coroutine() -> str:
        raise kind("no Musician with pk=99")

    app.get("/")(plain if colour == "def" else coroutine)

    answer = client().get("/")

    assert answer.status_code == answer.json["status"] == status
    assert "pk=99" not in answer.text


# CORE-73


def test_one_error_has_a_body_for_programs_and_a_page_for_people(app: App, client: Callable[..., Any]) -> None:
    @app.get("/numbers")
    def numbers(page: int) -> str:
        return str(page)

    browser = client()
    program = browser.get("/numbers?page=x", headers={"accept": "application/json"})
    person = browser.get("/numbers?page=x", headers={"accept": "text/html"})

    assert (program.status_code, person.status_code) == (422, 422)
    assert program.content_type == "application/problem+json"
    assert {"type", "title", "status", "code"} <= set(program.json)
    assert [fault["pointer"] for fault in program.json["errors"]] == ["/query/page"]
    assert person.content_type.startswith("text/html")
    assert "<html" in person.text
    assert "page" in person.text


@pytest.mark.parametrize("path", ["/nowhere", "/posts"])
def test_errors_that_no_handler_raised_have_two_bodies_too(app: App, client: Callable[..., Any], path: str) -> None:
    app.post("/posts")(lambda: "")
    browser = client()

    program = browser.get(path, headers={"accept": "application/json"})
    person = browser.get(path, headers={"accept": "text/html"})

    assert program.json["status"] == program.status_code == person.status_code
    assert person.content_type.startswith("text/html")


def test_a_hint_is_shown_in_development_and_not_in_production(client: Callable[..., Any]) -> None:
    def ask(*, debug: bool) -> dict[str, Any]:
        app = App("core_hints", static_folder=None, template_folder=None, config={"DEBUG": debug})

        @app.get("/")
        def fail() -> str:
            raise SegueError("it broke", code="demo/broke", hint="mend it", where="here.py:1")

        found: dict[str, Any] = client(app=app).get("/", headers={"accept": "application/json"}).json
        return found

    development, production = ask(debug=True), ask(debug=False)

    assert (development["code"], development["hint"]) == ("demo/broke", "mend it")
    assert "mend it" not in str(production)
    assert "here.py" not in str(production)
    assert "it broke" not in str(production)


# CORE-74


def page_of(make: Callable[..., Any], *, debug: bool, path: str = "/", **options: Any) -> Any:
    app = App("core_pages", static_folder=None, template_folder=None, config={"DEBUG": debug})

    @app.get("/")
    def fail() -> str:
        password = "hunter2"
        harmless = "visible-value"
        raise ValueError(f"about {len(password) + len(harmless)}")

    return make(app=app).get(path, headers={"accept": "text/html"}, **options)


def test_the_page_for_developers_shows_source_and_locals_but_no_secrets(client: Callable[..., Any]) -> None:
    page = page_of(client, debug=True)

    assert page.status_code == 500
    assert "test_core_errors.py" in page.text
    assert "raise ValueError" in page.text
    assert "visible-value" in page.text
    # The line of the source holds it; the value of the local does not.
    assert page.text.count("hunter2") == page.text.count("password = &#34;hunter2&#34;")


def test_the_page_for_developers_names_near_routes(client: Callable[..., Any]) -> None:
    page = page_of(client, debug=True, path="/nowhere")

    assert page.status_code == 404
    assert "Routes that come near" in page.text


@pytest.mark.parametrize(
    "options", [{"debug": False}, {"debug": True, "client": "192.0.2.1"}], ids=["production", "far"]
)
def test_nobody_else_sees_path_or_value(client: Callable[..., Any], options: dict[str, Any]) -> None:
    page = page_of(client, **options)

    assert page.status_code == 500
    assert "test_core_errors" not in page.text
    assert "visible-value" not in page.text
    assert "ValueError" not in page.text
    assert "about 20" not in page.text
