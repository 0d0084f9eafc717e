"""SITES-13: a front end that routes in the browser, behind the routes of the app."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import App, abort
from segue.errors import SetupError


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<div id=app></div>")
    (folder / "assets" / "main-Bx3k9dQz.js").write_text("start()")
    (folder / ".env").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    os.symlink(tmp_path / "secret.txt", folder / "link.txt")
    return folder


def make(dist: Path, *, debug: bool = False, **options: Any) -> App:
    app = App("spa", config={"DEBUG": debug}, static_folder=None, template_folder=None)
    app.frontend(dist, **options)
    app.get("/api/ping")(lambda: {"ok": True})
    app.post("/api/save")(lambda: {"ok": True})
    app.get("/about/")(lambda: "the about page")

    @app.get("/api/records/<int:pk>")
    def record(pk: int) -> None:
        abort(404)

    return app


@pytest.mark.parametrize("debug", [True, False], ids=["live", "collected"])
@pytest.mark.parametrize("path", ["/", "/records/7", "/users/j.doe", "/deep/er/link/"])
def test_a_deep_link_gets_the_page(dist: Path, client: Callable[..., Any], path: str, debug: bool) -> None:
    answer = client(app=make(dist, debug=debug)).get(path, headers={"accept": "text/html,*/*;q=0.8"})

    assert (answer.status_code, answer.text) == (200, "<div id=app></div>")
    assert answer.headers["cache-control"] == "public, no-cache"


def test_other_routes_go_first(dist: Path, client: Callable[..., Any]) -> None:
    browser = client(app=make(dist))

    assert browser.get("/api/ping").json == {"ok": True}
    assert browser.get("/about", follow_redirects=False).status_code in (301, 308)
    assert browser.get("/api/save").status_code == 405


def test_a_file_of_the_build_is_served(dist: Path, client: Callable[..., Any]) -> None:
    answer = client(app=make(dist, immutable=["assets/*"])).get("/assets/main-Bx3k9dQz.js")

    assert (answer.text, answer.content_type) == ("start()", "text/javascript; charset=utf-8")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/assets/gone.js", "/logo.svg", "/favicon.ico"])
def test_a_missing_asset_is_not_found(dist: Path, client: Callable[..., Any], path: str) -> None:
    assert client(app=make(dist)).get(path, headers={"accept": "text/html"}).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{"accept": "application/json"}, {"accept": "*/*", "sec-fetch-dest": "empty"}, {"sec-fetch-dest": "script"}],
)
def test_what_a_script_asks_for_gets_no_page(dist: Path, client: Callable[..., Any], headers: dict[str, str]) -> None:
    assert client(app=make(dist)).get("/api/unknown", headers=headers).status_code == 404


def test_what_a_handler_does_not_find_stays_not_found(dist: Path, client: Callable[..., Any]) -> None:
    assert client(app=make(dist)).get("/api/records/7", headers={"accept": "text/html"}).status_code == 404


def test_nothing_is_changed_by_a_page(dist: Path, client: Callable[..., Any]) -> None:
    assert client(app=make(dist)).post("/records/7").status_code == 404


@pytest.mark.parametrize("path", ["/.env", "/link.txt", "/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt"])
def test_nothing_beside_the_build_is_served(dist: Path, client: Callable[..., Any], path: str) -> None:
    answer = client(app=make(dist)).get(path, headers={"accept": "text/html"})

    assert "secret" not in answer.text


def test_below_a_prefix_other_paths_are_not_its(dist: Path, client: Callable[..., Any]) -> None:
    browser = client(app=make(dist, prefix="/app"))

    assert browser.get("/app/records/7").text == "<div id=app></div>"
    assert browser.get("/app").text == "<div id=app></div>"
    assert browser.get("/application").status_code == 404


def test_a_front_end_that_was_not_built_stops_the_start(tmp_path: Path) -> None:
    app = make(tmp_path / "dist")

    with pytest.raises(SetupError, match=r"index\.html") as caught:
        app.compile()

    assert caught.value.code == "web/no-frontend"
    assert "test_frontends.py" in caught.value.where


def test_in_development_a_build_may_come_later(tmp_path: Path, client: Callable[..., Any]) -> None:
    browser = client(app=make(tmp_path / "dist", debug=True))
    before = browser.get("/records/7")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "index.html").write_text("built")

    assert (before.status_code, browser.get("/records/7").text) == (404, "built")


def test_a_page_of_the_site_for_404_comes_after_the_front_end(dist: Path, client: Callable[..., Any]) -> None:
    app = make(dist)
    app.errorhandler(404)(lambda error: "nothing here")
    browser = client(app=app)

    assert browser.get("/records/7").text == "<div id=app></div>"
    assert browser.get("/gone.js").text == "nothing here"


async def _answer(error: Exception) -> str:
    return "async"


def _plain(error: Exception) -> str:
    return "plain"


@pytest.mark.parametrize("function", [_answer, _plain], ids=["async def", "def"])
def test_a_fallback_of_either_colour_answers_before_404(client: Callable[..., Any], function: Any) -> None:
    app = App("spa", static_folder=None, template_folder=None)
    app.fallback(function)
    app.fallback(lambda error: "never asked")

    answer = client(app=app).get("/nowhere")

    assert (answer.status_code, answer.text) == (200, function(None) if function is _plain else "async")
