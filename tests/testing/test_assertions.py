"""CORE-91: each assertion passes where it should, and fails where it should, saying why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from segue import App, abort, redirect, render_template
from segue.testing import (
    Client,
    TestResponse,
    assert_contains,
    assert_not_contains,
    assert_problem,
    assert_redirects,
    assert_template_not_used,
    assert_template_used,
)


class Item(msgspec.Struct):
    price: Annotated[int, msgspec.Meta(ge=0)]


class Order(msgspec.Struct):
    items: list[Item]


@pytest.fixture
def browser(tmp_path: Path) -> Client:
    """A client of an app with a page, a redirect, an error and an input."""
    (tmp_path / "page.html").write_text("<h1>{{ title }}</h1>{% include 'part.html' %}")
    (tmp_path / "part.html").write_text("<p>{{ title }}</p>")
    app = App("asserted", static_folder=None, template_folder=str(tmp_path))
    app.get("/page", endpoint="page")(lambda: render_template("page.html", title="Kind of Blue"))
    app.get("/part", endpoint="part")(lambda: render_template("part.html", title="Kind of Blue"))
    app.get("/old", endpoint="old")(lambda: redirect("/page?a=1"))
    app.get("/older", endpoint="older")(lambda: redirect("/old", 301))
    app.get("/taken", endpoint="taken")(lambda: abort(409, "Taken.", code="shop/taken"))

    @app.post("/orders")
    def order(order: Order) -> dict[str, Any]:
        return {}

    return Client(app)


def message_of(assertion: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """Return what a failing assertion says."""
    with pytest.raises(AssertionError) as caught:
        assertion(*arguments, **options)
    return str(caught.value)


def bad_order(browser: Client) -> TestResponse:
    return browser.post("/orders", json={"items": [{"price": -1}]})


def test_assert_redirects_takes_a_path_or_an_address(browser: Client) -> None:
    answer = browser.get("/old")

    assert_redirects(answer, "/page?a=1")
    assert_redirects(answer, "http://localhost/page?a=1", status=302)


def test_assert_redirects_takes_an_answer_that_was_followed(browser: Client) -> None:
    assert_redirects(browser.get("/older", follow_redirects=True), "/page?a=1", status=301)


def test_assert_redirects_fails_for_another_target_status_or_none(browser: Client) -> None:
    answer = browser.get("/old")

    assert message_of(assert_redirects, answer, "/page") == "/old leads to /page?a=1, not to /page."
    assert "answered 302, not a redirect (301)" in message_of(assert_redirects, answer, "/page?a=1", status=301)
    assert "/page answered 200" in message_of(assert_redirects, browser.get("/page"), "/page")


def test_assert_redirects_fails_where_a_followed_answer_ends_elsewhere(browser: Client) -> None:
    followed = browser.get("/older", follow_redirects=True)

    assert "leads to /page?a=1, not to /old" in message_of(assert_redirects, followed, "/old", status=301)


def test_assert_template_used_looks_at_what_the_handler_rendered(browser: Client) -> None:
    answer = browser.get("/page")

    assert_template_used(answer, "page.html")
    assert_template_not_used(answer, "other.html")
    assert message_of(assert_template_used, answer, "other.html") == (
        "/page did not render other.html. It rendered page.html."
    )
    assert message_of(assert_template_not_used, answer, "page.html") == "/page rendered page.html."


def test_assert_contains_counts(browser: Client) -> None:
    answer = browser.get("/page")

    assert_contains(answer, "Kind of Blue")
    assert_contains(answer, "Kind of Blue", count=2)
    assert "does not contain 'Giant'" in message_of(assert_contains, answer, "Giant")
    assert "2 times, not 1" in message_of(assert_contains, answer, "Kind of Blue", count=1)
    assert "answered 200, not 201" in message_of(assert_contains, answer, "Kind", status=201)


def test_assert_not_contains_shows_where_it_stands(browser: Client) -> None:
    answer = browser.get("/page")

    assert_not_contains(answer, "Giant Steps")
    assert "…<h1>Kind of Blue</h1>" in message_of(assert_not_contains, answer, "of Blue")
    assert "answered 404, not 200" in message_of(assert_not_contains, browser.get("/none"), "x")


def test_assert_problem_takes_the_code_of_the_error_and_of_its_faults(browser: Client) -> None:
    fault = bad_order(browser).json["errors"][0]

    assert assert_problem(browser.get("/taken"), code="shop/taken", status=409)["detail"] == "Taken."
    assert_problem(bad_order(browser), code=fault["code"], pointer=fault["pointer"])
    assert_problem(bad_order(browser), code=bad_order(browser).json["code"])


def test_assert_problem_fails_for_another_code_status_pointer_or_kind(browser: Client) -> None:
    taken = browser.get("/taken")

    assert "'shop/taken', not 'shop/gone'" in message_of(assert_problem, taken, code="shop/gone")
    assert "answered 409, not 400" in message_of(assert_problem, taken, status=400)
    assert "There is no fault" in message_of(assert_problem, bad_order(browser), pointer="/items/7")
    assert "not a problem" in message_of(assert_problem, browser.get("/page"))


def test_the_answer_knows_its_templates_and_their_values(browser: Client) -> None:
    answer = browser.get("/page")

    assert answer.templates == ["page.html"]
    assert answer.context["title"] == "Kind of Blue"
    assert browser.get("/taken").templates == []


@pytest.mark.parametrize("each", ["asgi", "rsgi", "wsgi"])
def test_templates_are_noted_by_every_protocol_and_apart(browser: Client, each: Any) -> None:
    client = Client(browser.app, protocol=each)

    page, part = client.get("/page"), client.get("/part")

    assert (page.templates, part.templates) == (["page.html"], ["part.html"])
