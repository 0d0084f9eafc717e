"""CORE-7: `segue why` tells what a request meets, without making one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Project = Callable[..., Path]
Command = Callable[..., Result]

HELLO = """from segue import App
app = App(__name__)
@app.get('/')
def index(): return 'hello'
"""

SITE = """from typing import Annotated
from segue import App, Blueprint, Depends, request_finished, request_started
app = App(__name__)
shop = Blueprint('shop', __name__, prefix='/shop')
def found(): return 1
@shop.get('/items/<int:pk>/')
async def item(pk: int, one: Annotated[int, Depends(found)]): return {}
@shop.post('/items/')
def new(request): return {}
@shop.put('/raw', stream=True)
def raw(request): return ''
@shop.before_request
def look(): ...
@shop.guard
def enter(): ...
@shop.middleware
def around(request):
    response = yield
    return response
@app.middleware
def outermost(request):
    response = yield
    return response
@shop.after_request
def later(response): return response
@shop.teardown_request
def end(error): ...
@app.on(request_started)
def begun(sender, **values): ...
@app.on(request_finished)
def done(sender, **values): ...
@shop.url_value_preprocessor
def take(endpoint, values): ...
app.register(shop)
"""


@pytest.fixture
def why(project: Project, command: Command) -> Callable[..., dict[str, object]]:
    """Ask about a request to the site, as JSON."""
    project(app=SITE)

    def ask(*words: str) -> dict[str, object]:
        answer: dict[str, object] = json.loads(command("why", *words, "--json").stdout)
        return answer

    return ask


def test_nothing_stands_before_the_handler_of_a_hello_world(project: Project, command: Command) -> None:
    project(app=HELLO)

    lines = command("why", "GET", "/").stdout.splitlines()

    assert lines == [
        "GET /",
        "  Rule      /",
        "  Endpoint  index",
        "  Handler   index()  app.py:3",
        "  Runs      def, in a thread; under WSGI in the request's own thread",
        "  Body      not read",
        "Nothing stands between the server and the handler.",
    ]


def test_every_callable_is_listed_in_the_order_of_its_call(why: Callable[..., dict[str, object]]) -> None:
    calls = why("GET", "/shop/items/7/")["calls"]

    assert [(each["kind"], each["name"]) for each in calls] == [  # type: ignore[attr-defined,index]
        ("middleware of the app", "outermost"),
        ("guard", "enter"),
        ("middleware", "around"),
        ("request_started", "begun"),
        ("url_value_preprocessor", "take"),
        ("before_request", "look"),
        ("dependency", "found"),
        ("handler", "item"),
        ("after_request", "later"),
        ("teardown_request", "end"),
        ("request_finished", "done"),
    ]


def test_every_place_is_a_line_that_exists(why: Callable[..., dict[str, object]]) -> None:
    calls = why("GET", "/shop/items/7/")["calls"]

    for each in calls:  # type: ignore[attr-defined]
        file, _, line = each["place"].rpartition(":")
        assert each["name"] in "".join(Path(file).read_text().splitlines()[int(line) - 1 : int(line) + 1])


def test_the_route_and_its_values_are_told(why: Callable[..., dict[str, object]]) -> None:
    found = why("get", "/shop/items/7/?page=2")

    assert (found["method"], found["path"]) == ("GET", "/shop/items/7/")
    assert (found["rule"], found["endpoint"], found["values"]) == ("/shop/items/<int:pk>/", "shop.item", {"pk": 7})
    assert (found["colour"], found["is_cancelled_by_disconnect"]) == ("async def", True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/shop/items/7/", "not read"),
        ("POST", "/shop/items/", "read before the handler"),
        ("PUT", "/shop/raw", "read by the handler"),
    ],
)
def test_who_reads_the_body_is_told(why: Callable[..., dict[str, object]], method: str, path: str, body: str) -> None:
    assert why(method, path)["body"] == body


@pytest.mark.parametrize(
    ("method", "path", "outcome"),
    [
        ("GET", "/shop/items/7", {"outcome": "redirect", "status": 308, "location": "/shop/items/7/"}),
        ("DELETE", "/shop/items/", {"outcome": "method not allowed", "status": 405, "allowed": ["OPTIONS", "POST"]}),
        ("OPTIONS", "/shop/items/", {"outcome": "options", "status": 204, "allowed": ["OPTIONS", "POST"]}),
        ("GET", "/shop/item/", {"outcome": "not found", "status": 404}),
    ],
    ids=["slash", "405", "options", "404"],
)
def test_what_no_handler_answers_is_told_with_its_reason(
    why: Callable[..., dict[str, object]], method: str, path: str, outcome: dict[str, object]
) -> None:
    found = why(method, path)

    assert found | outcome == found
    assert [each["name"] for each in found["calls"]] == ["outermost", "begun", "done"]  # type: ignore[attr-defined]


def test_a_path_that_no_rule_matches_is_shown_the_nearest(project: Project, command: Command) -> None:
    project(app=SITE)

    assert "404: no rule matches. Near: /shop/items/" in command("why", "GET", "/shop/item/").stdout


def test_a_path_without_its_slash_is_a_usage_error(project: Project, command: Command) -> None:
    project(app=HELLO)

    answer = command("why", "GET", "shop")

    assert answer.exit_code == 2
    assert "segue why GET /shop" in answer.output


def test_what_is_asked_before_a_404_is_named(project: Project, command: Command) -> None:
    project(
        app="from segue import App\napp = App(__name__)\n@app.fallback\ndef moved(error): ...\napp.frontend('dist')\n"
    )

    answer = command("--debug", "why", "GET", "/old").stdout

    assert "404: no rule matches, unless a fallback answers." in answer
    assert [line.split()[:2] for line in answer.splitlines()[-2:]] == [
        ["fallback", "moved()"],
        ["fallback", "frontend()"],
    ]
