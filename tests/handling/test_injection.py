"""CORE-41 to CORE-45, CORE-49: where a parameter comes from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from segue import App, Body, Cookie, Depends, File, Form, Header, Query, Request, SetupError, UploadFile


class NewRecord(msgspec.Struct):
    title: str
    year: Annotated[int, msgspec.Meta(ge=1900)]


@dataclass
class Point:
    x: int
    y: int = 0


class Filters(TypedDict):
    q: str


def test_a_path_parameter_arrives_by_name(app: App, client: Callable[..., Any]) -> None:
    @app.get("/profile/<int:pk>")
    def profile(pk: int) -> dict[str, int]:
        return {"pk": pk}

    assert client().get("/profile/7").json == {"pk": 7}


def test_kwargs_get_every_path_parameter(app: App, client: Callable[..., Any]) -> None:
    @app.get("/<slug:who>/<int:pk>")
    def profile(request: Request, **kwargs: Any) -> dict[str, Any]:
        return kwargs

    assert client().get("/ann/3").json == {"who": "ann", "pk": 3}


def test_request_comes_by_name_without_an_annotation(app: App, client: Callable[..., Any]) -> None:
    @app.get("/x")
    async def show(request):  # type: ignore[no-untyped-def]
        return request.method + " " + request.path

    assert client().get("/x").text == "GET /x"


def test_scalars_come_from_the_query_with_their_types(app: App, client: Callable[..., Any]) -> None:
    @app.get("/search")
    def search(q: str, page: int = 1, exact: bool = False, tag: list[str] = []) -> list[Any]:
        return [q, page, exact, tag]

    answer = client().get("/search?q=blue+train&page=2&exact=true&tag=a&tag=b")

    assert answer.json == ["blue train", 2, True, ["a", "b"]]


def test_every_faulty_field_is_reported_at_once(app: App, client: Callable[..., Any]) -> None:
    @app.get("/search")
    def search(q: str, page: Annotated[int, msgspec.Meta(ge=1)], token: Annotated[str, Header()]) -> str:
        return q

    answer = client().get("/search?page=0", headers={"accept": "application/json"})

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert sorted(fault["pointer"] for fault in answer.json["errors"]) == ["/header/token", "/query/page", "/query/q"]


def test_a_struct_is_the_body_of_a_post_from_json_and_forms(app: App, client: Callable[..., Any]) -> None:
    @app.post("/records", status=201)
    def create(record: NewRecord) -> dict[str, Any]:
        return {"title": record.title, "year": record.year}

    browser = client()
    expected = (201, {"title": "So What", "year": 1959})
    from_json = browser.post("/records", json={"title": "So What", "year": 1959})
    from_form = browser.post("/records", data={"title": "So What", "year": "1959"})
    from_multipart = browser.post("/records", data={"title": "So What", "year": "1959"}, files={})

    assert [(each.status_code, each.json) for each in (from_json, from_form, from_multipart)] == [expected] * 3


def test_another_body_type_is_415(app: App, client: Callable[..., Any]) -> None:
    @app.post("/records")
    def create(record: NewRecord) -> str:
        return record.title

    assert client().post("/records", data="title=x").status_code == 415


def test_a_struct_is_the_query_of_a_get(app: App, client: Callable[..., Any]) -> None:
    @app.route("/point", methods=["GET", "POST"])
    def point(point: Point) -> list[int]:
        return [point.x, point.y]

    browser = client()

    assert browser.get("/point?x=3&y=4").json == [3, 4]
    assert browser.post("/point", json={"x": 5}).json == [5, 0]


def test_a_typed_dict_gathers_the_query(app: App, client: Callable[..., Any]) -> None:
    @app.get("/find")
    async def find(filters: Filters) -> str:
        return filters["q"]

    assert client().get("/find?q=x").text == "x"


def test_explicit_sources_are_read(app: App, client: Callable[..., Any]) -> None:
    @app.post("/all")
    def everything(
        x_token: Annotated[str, Header()],
        agent: Annotated[str, Header("user-agent")],
        sid: Annotated[str, Cookie()],
        page: Annotated[int, Query("p")],
        title: Annotated[str, Form()],
        cover: Annotated[UploadFile, File()],
    ) -> list[Any]:
        return [x_token, agent, sid, page, title, cover.filename, cover.read().decode()]

    answer = client().post(
        "/all?p=2",
        data={"title": "T"},
        files={"cover": ("c.png", b"png")},
        headers={"x-token": "t", "user-agent": "ua"},
        cookies={"sid": "s"},
    )

    assert answer.json == ["t", "ua", "s", 2, "T", "c.png", "png"]


def test_a_raw_body_comes_by_marker(app: App, client: Callable[..., Any]) -> None:
    @app.put("/raw")
    async def raw(body: Annotated[bytes, Body()]) -> str:
        return str(len(body))

    assert client().put("/raw", data=b"12345").text == "5"


def test_dependencies_nest_and_are_shared(app: App, client: Callable[..., Any]) -> None:
    calls: list[str] = []

    def base(q: str) -> str:
        calls.append("base")
        return q

    async def left(base: Annotated[str, Depends(base)]) -> str:
        return base + "L"

    @app.get("/d")
    def handler(left: Annotated[str, Depends(left)], right: Annotated[str, Depends(base)]) -> str:
        return left + right

    assert client().get("/d?q=x").text == "xLx"
    assert calls == ["base"]


def test_a_yielding_dependency_is_cleaned_up_after_the_response_and_on_errors(
    app: App, client: Callable[..., Any]
) -> None:
    seen: list[str] = []

    def connection() -> Iterator[str]:
        try:
            yield "open"
        except ValueError:
            seen.append("rolled back")
            raise
        finally:
            seen.append("closed")

    @app.get("/ok")
    def ok(connection: Annotated[str, Depends(connection)]) -> str:
        seen.append("handler")
        return connection

    @app.get("/bad")
    async def bad(connection: Annotated[str, Depends(connection)]) -> str:
        raise ValueError("no")

    browser = client()

    assert browser.get("/ok").text == "open"
    assert browser.get("/bad").status_code == 500
    assert seen == ["handler", "closed", "rolled back", "closed"]


def test_overrides_replace_a_dependency_for_their_block(app: App, client: Callable[..., Any]) -> None:
    def real() -> str:
        return "real"

    @app.get("/")
    def handler(value: Annotated[str, Depends(real)]) -> str:
        return value

    browser = client()
    with app.override_dependencies({real: lambda: "fake"}):
        inside = browser.get("/").text

    assert (inside, browser.get("/").text) == ("fake", "real")


@pytest.mark.parametrize("colour", ["def", "async"])
def test_a_parameter_without_a_source_is_a_start_up_error(app: App, colour: str) -> None:
    def plain(slug) -> str:  # type: ignore[no-untyped-def]
        return slug

    async def coroutine(slug) -> str:  # type: ignore[no-untyped-def]
        return slug

    app.get("/u/<int:pk>")(plain if colour == "def" else coroutine)

    with pytest.raises(SetupError) as caught:
        app.compile()

    text = str(caught.value)
    assert "`slug`" in text
    assert "/u/<int:pk>" in text
    assert "test_injection.py" in text


def test_a_route_value_that_nobody_takes_is_a_start_up_error(app: App) -> None:
    @app.get("/u/<int:pk>")
    def profile(**kwargs: Any) -> str:
        return str(kwargs["username"])

    with pytest.raises(SetupError, match="username") as caught:
        app.compile()

    assert caught.value.code == "routing/unknown-parameter"


def test_wrapped_handlers_keep_injection_name_and_docs(app: App, client: Callable[..., Any]) -> None:
    def shout(function: Callable[..., str]) -> Callable[..., str]:
        @wraps(function)
        def inner(*args: Any, **kwargs: Any) -> str:
            return function(*args, **kwargs) + "!"

        return inner

    @app.get("/hi/<name>")
    @shout
    @shout
    @shout
    def hi(name: str, greeting: str = "hi") -> str:
        """Greet."""
        return f"{greeting} {name}"

    assert client().get("/hi/ann?greeting=yo").text == "yo ann!!!"
    assert app.view_functions["hi"].__doc__ == "Greet."


def test_a_class_that_knows_itself_is_made_from_the_request(app: App, client: Callable[..., Any]) -> None:
    class Agent:
        def __init__(self, name: str) -> None:
            self.name = name

        @classmethod
        def __from_request__(cls, request: Request) -> "Agent":
            return cls(request.headers["user-agent"])

    @app.get("/")
    def handler(agent: Agent) -> str:
        return agent.name

    assert client().get("/", headers={"user-agent": "me"}).text == "me"


def test_a_path_value_is_read_by_the_annotation_where_the_rule_says_nothing(
    app: App, client: Callable[..., Any]
) -> None:
    @app.get("/n/<number>")
    def number(number: int) -> dict[str, int]:
        return {"n": number}

    browser = client()

    assert browser.get("/n/12").json == {"n": 12}
    assert browser.get("/n/twelve").status_code == 422


def test_unnamed_groups_come_by_position(app: App, client: Callable[..., Any]) -> None:
    from segue import re_path

    def archive(request: Request, year: str, month: str) -> str:
        return f"{year}-{month}"

    app.include([re_path(r"^archive/(\d{4})/(\d\d)/$", archive)])

    assert client().get("/archive/1959/08/").text == "1959-08"


def test_a_type_that_is_taught_beats_the_query_though_a_text_could_hold_it(
    app: App, client: Callable[..., Any]
) -> None:
    class Colour(StrEnum):
        RED = "red"

    @app.parameter(Colour)
    def favourite() -> Colour:
        return Colour.RED

    @app.get("/")
    def index(colour: Colour) -> str:
        return colour.value

    assert client().get("/").text == "red"
