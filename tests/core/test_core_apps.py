"""CORE-1, CORE-2, CORE-4, CORE-5, CORE-13, CORE-14: the app object."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from segue import (
    App,
    Blueprint,
    Request,
    SetupError,
    UsageError,
    current_app,
    render_template,
    render_template_string,
    request_started,
    run_sync,
    url_for,
)
from segue.cli.discovery import Project

TOUR = """
from segue import App, db, abort, render_template

{name} = App({argument}database="sqlite:///club.db")


class Musician(db.Model):
    name = db.CharField(max_length=100)
    slug = db.SlugField(unique=True)
    born = db.DateField(null=True)
    records: db.Reverse["Record"]            # optional: tells type checkers what related_name makes


class Record(db.Model):
    title = db.CharField(max_length=200)
    leader = db.ForeignKey(Musician, on_delete=db.CASCADE, related_name="records")
    year = db.IntegerField(min_value=1900)

    class Meta:
        ordering = ["-year"]


@{name}.get("/")
def index():
    return render_template("index.html", records=Record.objects.select_related("leader"))


@{name}.get("/musicians/<slug:slug>")
async def musician(slug: str):
    found = await Musician.objects.aget(slug=slug)      # DoesNotExist becomes 404
    return {{"name": found.name, "records": await found.records.filter(year__gte=1935).acount()}}
"""
INDEX = "{% for record in records %}{{ record.title }} by {{ record.leader.name }};{% endfor %}"


def fill(app: App) -> None:
    """Give the app of the tour a musician with three records."""
    musician, record = sorted(app.owned_models(), key=lambda model: str(model.__name__))
    with app.context():
        duke = musician.objects.create(name="Duke Ellington", slug="duke-ellington")
        for year, title in [(1932, "Jungle Nights"), (1956, "Ellington at Newport"), (1958, "Black, Brown and Beige")]:
            record.objects.create(title=title, leader=duke, year=year)


@pytest.fixture
def tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., App]]:
    """Write the tour program to a file and find its app as the command line does."""

    def write(file: str, target: str, *, name: str = "app", argument: str = "__name__, ") -> App:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TOUR.format(name=name, argument=argument))
        (path.parent / "templates").mkdir()
        (path.parent / "templates" / "index.html").write_text(INDEX)
        (path.parent / "static").mkdir()
        (path.parent / "static" / "app.css").write_text("body{}")
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        made.append(Project(target).load())
        return made[-1]

    made: list[App] = []
    before = set(sys.modules)
    yield write
    for app in made:
        app.own_databases().close()
    for added in set(sys.modules) - before:
        if added.startswith("core_tour"):
            del sys.modules[added]


PLACES = [
    ("core_tour.py", "core_tour:app", "app", "__name__, "),
    ("core_tour.py", "core_tour:application", "application", "__name__, "),
    ("core_tour.py", "core_tour.py", "app", "__name__, "),
    ("core_tour.py", "core_tour", "anything", "__name__, "),
    ("core_tour.py", "core_tour:app", "app", ""),
    ("core_tour_pkg/__init__.py", "core_tour_pkg", "app", "__name__, "),
    ("core_tour_pkg/app.py", "core_tour_pkg.app:app", "app", "'core_tour_pkg', "),
    ("core_tour_pkg/app.py", "core_tour_pkg.app:app", "app", ""),
]


@pytest.mark.parametrize(("file", "target", "name", "argument"), PLACES, ids=[f"{p[1]}-{p[3]}" for p in PLACES])
def test_the_tour_program_runs_wherever_it_stands(
    tour: Callable[..., App], client: Callable[..., Any], file: str, target: str, name: str, argument: str
) -> None:
    app = tour(file, target, name=name, argument=argument)
    browser = client(app=app)
    empty = browser.get("/")  # the start made the tables
    fill(app)

    assert (empty.status_code, empty.text) == (200, "")
    assert browser.get("/").text == (
        "Black, Brown and Beige by Duke Ellington;"
        "Ellington at Newport by Duke Ellington;Jungle Nights by Duke Ellington;"
    )
    assert browser.get("/musicians/duke-ellington").json == {"name": "Duke Ellington", "records": 2}
    assert browser.get("/musicians/nobody").status_code == 404
    assert browser.get("/static/app.css").text == "body{}"


def test_an_app_without_a_name_takes_that_of_its_module() -> None:
    assert App().import_name == __name__
    assert App().root_path == Path(__file__).parent


# Several apps


@pytest.fixture
def pair() -> tuple[App, App]:
    """Two apps with the same routes and other values."""
    apps = []
    for name in ("one", "two"):
        app = App(f"core_{name}", config={"NAME": name}, static_folder=None, template_folder=None)
        app.context_processor(lambda name=name: {"site": f"template {name}"})

        @app.get("/def")
        def plain() -> list[Any]:
            return [current_app().config["NAME"], current_app().name, url_for("plain")]

        @app.get("/async")
        async def coroutine() -> list[Any]:
            here = current_app().config["NAME"]
            there = await run_sync(lambda: current_app().config["NAME"])
            return [here, there]

        @app.get("/page")
        def page() -> str:
            return render_template_string("{{ site }} {{ config.NAME }}")

        app.get(f"/only-{name}")(lambda: "here")
        apps.append(app)
    return apps[0], apps[1]


def test_each_of_two_apps_sees_its_own_values(pair: tuple[App, App], client: Callable[..., Any]) -> None:
    first, second = (client(app=app) for app in pair)

    assert first.get("/def").json == ["one", "core_one", "/def"]
    assert second.get("/def").json == ["two", "core_two", "/def"]
    assert first.get("/async").json == ["one", "one"]
    assert second.get("/async").json == ["two", "two"]
    assert first.get("/page").text == "template one one"
    assert second.get("/page").text == "template two two"


def test_a_route_of_one_app_is_unknown_to_the_other(pair: tuple[App, App], client: Callable[..., Any]) -> None:
    first, second = (client(app=app) for app in pair)

    assert first.get("/only-one").text == "here"
    assert second.get("/only-one").status_code == 404
    assert second.get("/only-two").text == "here"


def test_two_apps_answer_at_once_from_many_threads(pair: tuple[App, App], protocol: str) -> None:
    def ask(number: int) -> str:
        app = pair[number % 2]
        found: str = app.test_client(protocol=protocol).get("/async").json[1]
        return found

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(40)))

    assert answers == ["one", "two"] * 20


def test_a_write_to_one_configuration_does_not_reach_the_other(pair: tuple[App, App]) -> None:
    first, second = pair

    first.config["EXTRA"] = [1]

    assert "EXTRA" not in second.config


def test_a_receiver_of_one_app_is_not_called_by_the_other(pair: tuple[App, App], client: Callable[..., Any]) -> None:
    heard: list[str] = []
    first, second = pair
    first.on(request_started)(lambda sender, **named: heard.append("one"))
    second.on(request_started)(lambda sender, **named: heard.append("two"))

    client(app=first).get("/def")

    assert heard == ["one"]


# Closed


def test_a_late_route_is_refused_naming_both_lines(app: App, client: Callable[..., Any]) -> None:
    app.get("/")(lambda: "")
    client().get("/")

    with pytest.raises(SetupError) as caught:
        app.get("/late")(lambda: "")

    assert caught.value.code == "app/closed"
    assert len(re.findall(r"test_core_apps\.py:\d+", caught.value.where)) == 2, caught.value.where


LATE: list[tuple[str, Callable[[App], Any]]] = [
    ("a hook", lambda app: app.before_request(lambda: None)),
    ("a blueprint", lambda app: app.register(Blueprint("late", __name__))),
    ("an error handler", lambda app: app.errorhandler(404)(lambda error: "")),
    ("middleware", lambda app: app.middleware(lambda request, call_next: call_next(request))),
    ("a filter", lambda app: app.template_filter("late")(str)),
    ("a mount", lambda app: app.mount("/late", lambda environ, start_response: [])),
    ("a receiver", lambda app: app.on(request_started)(lambda sender: None)),
    ("a start-up hook", lambda app: app.on_startup(lambda: None)),
    ("a command", lambda app: app.command(lambda: None)),
    ("a converter", lambda app: app.add_converter("late", object)),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("what", "register"), LATE, ids=[each[0] for each in LATE])
def test_nothing_can_be_registered_after_the_start(app: App, what: str, register: Callable[[App], Any]) -> None:
    app.compile()

    with pytest.raises(SetupError) as caught:
        register(app)

    assert caught.value.code == "app/closed"


def test_a_blueprint_is_closed_with_the_app_that_installed_it(app: App) -> None:
    blog = Blueprint("blog", __name__)
    app.register(blog)
    app.compile()

    with pytest.raises(SetupError) as caught:
        blog.get("/late")(lambda: "")

    assert caught.value.code == "app/closed"


def test_the_configuration_is_closed_with_the_app(app: App) -> None:
    app.compile()

    with pytest.raises(UsageError) as caught:
        app.config["LATE"] = 1

    assert caught.value.code == "app/closed"
    assert len(re.findall(r"test_core_apps\.py:\d+", caught.value.where)) == 2, caught.value.where


# Registries


def sample(app: App) -> tuple[Blueprint, dict[str, Callable[..., Any]]]:
    """Fill *app* and a blueprint; return the functions by what they are."""
    blog = Blueprint("blog", __name__, prefix="/blog")
    made: dict[str, Callable[..., Any]] = {
        "index": app.get("/", endpoint="index")(lambda: ""),
        "post": blog.get("/post", endpoint="post")(lambda: ""),
        "before": app.before_request(lambda: None),
        "blog before": blog.before_request(lambda: None),
        "after": app.after_request(lambda response: None),
        "teardown": app.teardown_request(lambda error: None),
        "error": app.errorhandler(404)(lambda error: "lost"),
        "preprocessor": blog.url_value_preprocessor(lambda endpoint, values: None),
        "defaults": app.url_defaults(lambda endpoint, values: None),
        "processor": blog.context_processor(lambda: {"a": 1}),
        "shell": app.shell_context_processor(lambda: {"a": 1}),
        "build": app.url_build_error(lambda error, endpoint, values: None),
    }
    app.register(blog)
    return blog, made


@pytest.mark.parametrize("compiled", [False, True], ids=["open", "closed"])
def test_registries_are_readable_under_their_names_in_flask(app: App, compiled: bool) -> None:
    blog, made = sample(app)
    app.compile() if compiled else None

    assert app.view_functions["index"] is made["index"]
    assert app.view_functions["blog.post"] is made["post"]
    assert app.blueprints == {"blog": blog}
    assert app.before_request_funcs[None] == (made["before"],)
    assert app.before_request_funcs["blog"] == (made["blog before"],)
    assert app.after_request_funcs[None] == (made["after"],)
    assert app.teardown_request_funcs[None] == (made["teardown"],)
    assert app.teardown_appcontext_funcs == (made["teardown"],)
    assert made["error"] in app.error_handler_spec[None][404].values()
    assert app.url_value_preprocessors["blog"] == (made["preprocessor"],)
    assert app.url_default_functions[None] == (made["defaults"],)
    assert app.template_context_processors["blog"] == (made["processor"],)
    assert app.shell_context_processors == (made["shell"],)
    assert app.url_build_error_handlers == (made["build"],)
    assert app.extensions == {}


def test_the_url_map_holds_the_compiled_rules(app: App) -> None:
    sample(app)

    assert sorted(rule.endpoint for rule in app.url_map) == ["blog.post", "index"]


READ_ONLY = [
    "view_functions",
    "blueprints",
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "error_handler_spec",
    "url_value_preprocessors",
    "url_default_functions",
    "template_context_processors",
]


@pytest.mark.parametrize("name", READ_ONLY)
def test_writing_to_a_registry_raises(app: App, name: str) -> None:
    sample(app)

    with pytest.raises(TypeError):
        getattr(app, name)["new"] = ()


LISTS = [name for name in READ_ONLY if name not in ("view_functions", "blueprints", "error_handler_spec")]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_a_registry_cannot_grow(app: App, name: str) -> None:
    sample(app)

    assert isinstance(getattr(app, name)[None], tuple)


def test_inspect_shows_all_registries_as_json(app: App) -> None:
    sample(app)

    shown = json.loads(json.dumps(app.inspect()))

    assert re.search(r"test_core_apps\.py:\d+", shown["view_functions"]["index"])
    assert re.search(r"test_core_apps\.py:\d+", shown["before_request_funcs"][""][0])
    assert set(READ_ONLY) <= set(shown)


# The current app and the state of a request


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_current_app_is_the_running_app_itself(app: App, client: Callable[..., Any], colour: str) -> None:
    seen: list[App] = []

    def plain() -> str:
        seen.append(current_app())
        return url_for("here", _external=True)

    async def coroutine() -> str:
        return plain()

    app.get("/here", endpoint="here")(plain if colour == "def" else coroutine)

    assert client().get("/here").text == "http://localhost/here"
    assert seen == [app]
    assert type(seen[0]) is App


def test_without_an_app_current_app_says_which_line_to_write(app: App) -> None:
    with pytest.raises(UsageError) as caught:
        current_app()

    assert caught.value.code == "app/no-context"
    assert "with app.context():" in caught.value.hint


def test_a_block_of_context_makes_an_app_current(app: App) -> None:
    app.get("/a", endpoint="a")(lambda: "")

    with app.context():
        found, url = current_app(), url_for("a")

    assert (found, url) == (app, "/a")


def test_a_client_may_come_after_a_block_of_context(app: App, client: Callable[..., Any]) -> None:
    app.get("/")(lambda: "here")

    with app.context():
        current_app().compile()

    assert client().get("/").text == "here"


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_state_goes_through_hooks_handler_templates_and_threads(
    app: App, client: Callable[..., Any], colour: str
) -> None:
    @app.before_request
    def before(request: Request) -> None:
        request.state.seen = ["before"]

    def plain(request: Request) -> str:
        request.state.seen.append("handler")
        return render_template_string("{{ request.state.seen | join(' ') }}")

    async def coroutine(request: Request) -> str:
        await run_sync(lambda: request.state.seen.append("thread"))
        return plain(request)

    @app.after_request
    def after(response: Any, request: Request) -> None:
        response.headers["x-seen"] = " ".join(request.state.seen)

    app.get("/")(plain if colour == "def" else coroutine)
    expected = "before handler" if colour == "def" else "before thread handler"

    answer = client().get("/")

    assert (answer.text, answer.headers["x-seen"]) == (expected, expected)


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_hundred_requests_at_once_never_see_anothers_state(app: App, protocol: str, colour: str) -> None:
    together = threading.Barrier(4)

    @app.before_request
    def before(request: Request) -> None:
        request.state.number = int(request.query["number"])

    def meet() -> None:
        together.wait(10)

    def plain(request: Request, number: int) -> list[int]:
        meet()
        return [number, request.state.number]

    async def coroutine(request: Request, number: int) -> list[int]:
        await run_sync(meet)
        return [number, request.state.number]

    app.config["THREADS"] = 8
    app.get("/")(plain if colour == "def" else coroutine)

    def ask(number: int) -> list[int]:
        found: list[int] = app.test_client(protocol=protocol).get(f"/?number={number}").json
        return found

    # Four requests are always inside the handler together: each waits there for three others.
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(100)))

    assert answers == [[number, number] for number in range(100)]


def test_what_nobody_stored_is_told_apart_from_what_was(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    def show(request: Request) -> list[Any]:
        request.state.one = 1
        return ["one" in request.state, request.state.get("two"), sorted(request.state)]

    assert client().get("/").json == [True, None, ["one"]]


def test_the_template_is_found_beside_the_module(tmp_path: Path) -> None:
    app = App("tests_app", static_folder=None, template_folder=str(tmp_path))
    (tmp_path / "here.html").write_text("found")

    with app.context():
        text = render_template("here.html")

    assert text == "found"
