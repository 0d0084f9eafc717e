"""SITES-15: messages that survive a redirect and are shown once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from segue import (
    App,
    Request,
    arender_template,
    flash,
    get_flashed_messages,
    message_flashed,
    messages,
    redirect,
    render_template_string,
)
from segue.testing import Client
from segue.web.messages import Message

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
PAGE = "{% for each in messages %}[{{ each.tags }}|{{ each }}]{% endfor %}"


@pytest.fixture(params=["cookie", "database"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(PAGE)
    (tmp_path / "app.py").write_text("")
    app = App(
        "messages_app",
        config={"SECRET_KEY": KEY, "SESSION_STORE": request.param},
        database=f"sqlite:///{tmp_path}/messages.db",
        static_folder=None,
        template_folder=str(tmp_path / "templates"),
    )

    @app.get("/leave")
    def leave(request: Request) -> Any:
        messages.success(request, "Saved <b>", extra_tags="big")
        return redirect("/page")

    @app.get("/aleave")
    async def aleave(request: Request) -> Any:
        messages.error(request, "No")
        return redirect("/page")

    @app.get("/page")
    def page(request: Request) -> str:
        return render_template_string(PAGE)

    @app.get("/apage")
    async def apage() -> str:
        return await arender_template("page.html")

    @app.get("/other")
    def other() -> str:
        return "other"

    @app.get("/flash")
    def flashing() -> str:
        flash("one")
        flash("two", "error")
        flash("three", "news")
        return "x"

    @app.get("/flashed")
    def flashed() -> dict[str, Any]:
        return {
            "all": get_flashed_messages(),
            "pairs": get_flashed_messages(with_categories=True),
            "errors": get_flashed_messages(category_filter=["error"]),
        }

    yield app
    app.db.close()


@pytest.fixture
def visitor(app: App) -> Iterator[Client]:
    with app.test_client() as client:
        yield client


def test_a_message_is_shown_once_after_a_redirect(visitor: Client) -> None:
    first = visitor.get("/leave", follow_redirects=True)
    second = visitor.get("/page")

    assert first.text == "[big success|Saved &lt;b&gt;]"
    assert second.text == ""


def test_it_waits_for_a_page_that_shows_messages(visitor: Client) -> None:
    visitor.get("/leave")
    visitor.get("/other")
    visitor.get("/aleave")

    assert visitor.get("/page").text == "[big success|Saved &lt;b&gt;][error|No]"


def test_an_async_handler_shows_them_too(visitor: Client) -> None:
    visitor.get("/aleave")

    assert visitor.get("/apage").text == "[error|No]"


def test_one_left_and_shown_in_the_same_request_is_not_kept(app: App) -> None:
    @app.get("/both")
    def both(request: Request) -> str:
        messages.info(request, "now")
        return render_template_string(PAGE)

    with app.test_client() as visitor:
        assert visitor.get("/both").text == "[info|now]"
        assert dict(visitor.cookies) == {}


def test_flask_s_names_do_what_flask_documents(visitor: Client) -> None:
    visitor.get("/flash")

    assert visitor.get("/flashed").json == {
        "all": ["one", "two", "three"],
        "pairs": [["message", "one"], ["error", "two"], ["news", "three"]],
        "errors": ["two"],
    }
    assert visitor.get("/flashed").json["all"] == []


def test_flashing_sends_its_signal(app: App) -> None:
    heard: list[tuple[str, str]] = []

    @app.on(message_flashed)
    def note(sender: Any, message: str, category: str) -> None:
        heard.append((message, category))

    with app.test_client() as visitor:
        visitor.get("/flash")

    assert heard == [("one", "message"), ("two", "error"), ("three", "news")]


def test_a_page_without_messages_touches_no_session(visitor: Client) -> None:
    answer = visitor.get("/other")

    assert "vary" not in answer.headers


def test_garbage_in_the_session_is_no_message(app: App) -> None:
    @app.get("/break")
    def break_it(request: Request) -> str:
        request.session["_messages"] = ["x", [1], [20, {}, ""]]
        return "x"

    with app.test_client() as visitor:
        visitor.get("/break")

        assert visitor.get("/page").text == ""


@pytest.mark.parametrize(
    ("message", "tags"),
    [(Message(messages.WARNING, "x"), "warning"), (Message(35, "x", "own"), "own"), (Message(10, "x"), "debug")],
)
def test_a_level_has_its_word_and_may_have_more(message: Message, tags: str) -> None:
    assert message.tags == tags


def test_they_can_be_counted_before_they_are_shown(app: App) -> None:
    @app.get("/count")
    def count(request: Request) -> str:
        waiting = messages.get_messages(request)
        return f"{len(waiting)} {bool(waiting)} {[str(each) for each in waiting]} {len(waiting)}"

    with app.test_client() as visitor:
        visitor.get("/aleave")

        assert visitor.get("/count").text == "1 True ['No'] 0"
