"""Steps that have both colours, and what is done before the first byte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from segue import App, Depends, Request
from segue.colours import Operation, either, pair
from segue.context import current
from segue.errors import NotFound
from segue.handling.markers import mark
from segue.http.response import Response


def _colour() -> str:
    return "def"


async def _acolour() -> str:
    await asyncio.sleep(0)
    return "async"


def _tell(request: Request) -> Operation[str]:
    return (yield from either(_colour, _acolour))


tell, atell = pair(_tell)


class Stamp:
    """Puts the colour it was finished in on the response."""

    def __init__(self, name: str) -> None:
        self.name = name

    def finish(self, response: Response) -> Operation[None]:
        colour = yield from either(_colour, _acolour)
        response.headers["x-stamps"] = f"{response.headers.get('x-stamps', '')}{self.name}:{colour};"


class Failing:
    def finish(self, response: Response) -> Operation[None]:
        yield from either(_colour, _acolour)
        raise NotFound("lost on the way out")


def leave(*finishers: Any) -> None:
    context: Any = current()
    for each in finishers:
        context.add_finisher(each)


@pytest.fixture
def app() -> Iterator[App]:
    app = App("colours")

    @app.get("/def")
    def in_def(colour: Annotated[str, Depends(tell)]) -> str:
        return colour

    @app.get("/async")
    async def in_async(colour: Annotated[str, Depends(tell)]) -> str:
        return colour

    @app.get("/stamped")
    def stamped() -> str:
        leave(Stamp("first"), Stamp("second"))
        return "x"

    @app.get("/astamped")
    async def astamped() -> str:
        leave(Stamp("first"), Stamp("second"))
        return "x"

    @app.get("/missing")
    def missing() -> str:
        leave(Stamp("first"))
        raise NotFound

    @app.get("/lost")
    async def lost() -> str:
        leave(Failing())
        return "x"

    return app


def test_a_dependency_takes_the_colour_of_its_endpoint(app: App) -> None:
    client = app.test_client()

    assert client.get("/def").text == "def"
    assert client.get("/async").text == "async"


def test_it_forces_no_colour_on_an_endpoint(app: App) -> None:
    endpoints = app.compile().endpoints

    assert not endpoints["in_def"][0].is_async
    assert "hop" not in endpoints["in_async"][0].source


def test_a_guard_takes_the_colour_of_its_endpoint() -> None:
    app = App("guards")

    def _refuse(request: Request) -> Operation[Response]:
        colour = yield from either(_colour, _acolour)
        return Response(colour, 403)

    guard, _ = pair(_refuse)

    @app.get("/def")
    def in_def() -> str:
        return "x"

    @app.get("/async")
    async def in_async() -> str:
        return "x"

    mark(in_def, guards=[guard])
    mark(in_async, guards=[guard])
    client = app.test_client()

    assert client.get("/def").text == "def"
    assert client.get("/async").text == "async"


@pytest.mark.parametrize(("path", "colour"), [("/stamped", "def"), ("/astamped", "async")])
def test_finishers_see_the_response_last_added_first(app: App, path: str, colour: str) -> None:
    answer = app.test_client().get(path)

    assert answer.headers["x-stamps"] == f"second:{colour};first:{colour};"


def test_finishers_see_the_page_of_an_error_too(app: App) -> None:
    answer = app.test_client().get("/missing")

    assert answer.status_code == 404
    assert answer.headers["x-stamps"] == "first:def;"


def test_finishers_see_what_a_middleware_made_of_it() -> None:
    app = App("around")

    @app.middleware
    def replace(request: Request) -> Any:
        yield
        return Response("replaced")

    @app.get("/")
    def index() -> str:
        leave(Stamp("only"))
        return "x"

    answer = app.test_client().get("/")

    assert answer.text == "replaced"
    assert answer.headers["x-stamps"] == "only:def;"


def test_the_error_of_a_finisher_is_the_answer(app: App) -> None:
    answer = app.test_client().get("/lost")

    assert answer.status_code == 404
