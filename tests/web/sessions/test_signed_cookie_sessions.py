"""Sessions that are their own cookie."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from segue import App, Request
from segue.errors import UsageError
from segue.web.sessions import Session

NAME = "__Host-session"
KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
OTHER = "0d4b8a6c2e914f7f8a1b3c5d7e9f0a2b"


@pytest.fixture
def kind() -> str:
    return "cookie"


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app("cookie")


def test_one_that_browsers_would_drop_is_an_error_that_names_the_sizes(app: App) -> None:
    @app.get("/fill")
    def fill(session: Session) -> str:
        session["small"] = 1
        session["large"] = "x" * 5000
        return "x"

    with pytest.raises(UsageError) as raised:
        app.test_client().get("/fill")

    assert raised.value.code == "web/session-too-big"
    assert "'large' 5003 bytes" in raised.value.why


def test_it_needs_a_secret_key_and_says_so(make_app: Callable[..., App]) -> None:
    app = make_app("cookie", SECRET_KEY=None)

    with pytest.raises(UsageError) as raised:
        app.test_client().get("/count")

    assert raised.value.code == "signing/no-key"
    assert "Sessions need a secret key" in raised.value.message
    assert "segue secret" in raised.value.hint


def test_changed_content_is_not_believed(app: App) -> None:
    visitor = app.test_client()
    visitor.get("/count")
    content, _, signature = visitor.cookies[NAME].partition(".")

    changed = content[:-2] + ("AA" if content[-2:] != "AA" else "BB")

    assert visitor.get("/read", cookies={NAME: f"{changed}.{signature}"}).json == {}


def test_a_former_key_still_opens_sessions_until_it_is_removed(make_app: Callable[..., App]) -> None:
    visitor = make_app("cookie").test_client()
    visitor.get("/count")
    cookies = {NAME: visitor.cookies[NAME]}
    rotated = make_app("cookie", SECRET_KEY=OTHER, SECRET_KEY_FALLBACKS=[KEY]).test_client()
    removed = make_app("cookie", SECRET_KEY=OTHER).test_client()

    assert rotated.get("/read", cookies=cookies).json == {"count": 1}
    assert removed.get("/read", cookies=cookies).json == {}


def test_it_may_be_touched_on_the_loop_without_waiting(app: App) -> None:
    @app.get("/loop")
    async def loop(request: Request) -> str:
        return str(request.session.get("count"))

    visitor = app.test_client()
    visitor.get("/count")

    assert visitor.get("/loop").text == "1"
