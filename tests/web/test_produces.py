"""CORE-57: routes that say what they produce."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import App, Blueprint, Request, Response
from segue.errors import NotAcceptable, SetupError, Unauthorized

Clients = Callable[..., Any]


@pytest.fixture
def log(app: App) -> list[str]:
    """What ran of a route that answers in JSON and HTML."""
    log: list[str] = []

    @app.route("/records", methods=["GET", "POST"], produces=("application/json", "text/html"))
    def records(request: Request) -> Any:
        log.append("handler")
        if request.accepts("application/json", "text/html") == "text/html":
            return "<p>Kind of Blue</p>"
        return {"title": "Kind of Blue"}

    return log


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/html;q=0.5, application/json;q=0.4", "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("text/*", "text/html; charset=utf-8"),
        ("", "application/json"),
    ],
)
def test_a_client_that_accepts_one_of_them_is_answered(log: list[str], client: Clients, accept: str, kind: str) -> None:
    response = client().get("/records", headers={"accept": accept})

    assert (response.status_code, response.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0, text/html;q=0", "*/*;q=0"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_client_that_accepts_none_is_refused_before_the_handler(
    log: list[str], client: Clients, accept: str, method: str
) -> None:
    response = getattr(client(), method)("/records", headers={"accept": accept})

    assert response.status_code == 406
    assert log == []


def test_the_refusal_says_what_there_is(log: list[str], client: Clients) -> None:
    response = client().get("/records", headers={"accept": "image/png"})

    assert "application/json or text/html" in response.text
    assert response.headers["vary"] == "Accept"


def test_the_answer_says_that_it_depends_on_accept(log: list[str], client: Clients) -> None:
    assert client().get("/records").headers["vary"] == "Accept"


def test_an_answer_of_one_kind_does_not_depend_on_accept(app: App, client: Clients) -> None:
    app.get("/", produces="text/plain")(lambda: Response("x", content_type="text/plain"))

    assert "vary" not in client().get("/").headers


def test_an_async_handler_is_not_run_either(app: App, client: Clients) -> None:
    log: list[str] = []

    @app.get("/", produces="application/json")
    async def view() -> dict[str, Any]:
        log.append("handler")
        return {}

    browser = client()

    assert browser.get("/", headers={"accept": "text/html"}).status_code == 406
    assert log == []
    assert browser.get("/", headers={"accept": "application/json"}).json == {}


def test_a_handler_of_406_answers(app: App, log: list[str], client: Clients) -> None:
    @app.errorhandler(NotAcceptable)
    def refuse(error: NotAcceptable) -> tuple[str, int]:
        return "own page", 406

    assert client().get("/records", headers={"accept": "image/png"}).text == "own page"


def test_who_may_not_enter_is_told_that_first(app: App, client: Clients) -> None:
    blog = Blueprint("blog", __name__)

    @blog.guard
    def members_only(request: Request) -> None:
        raise Unauthorized()

    blog.get("/", produces="application/json")(lambda: {"a": 1})
    app.register(blog)

    assert client().get("/", headers={"accept": "text/html"}).status_code == 401


@pytest.mark.parametrize("produces", ["json", "*/*", "text/", ("text/html", "html"), ()])
def test_what_is_no_media_type_stops_the_start(app: App, produces: Any) -> None:
    app.get("/", produces=produces)(lambda: "")

    with pytest.raises(SetupError, match="routing/bad-media-type"):
        app.compile()
