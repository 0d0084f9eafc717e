"""SITES-52: the table of redirects and the pages that staff writes, behind all routes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from segue import App, abort, db
from segue.content import FlatPage, FlatPages, Redirect, Redirects
from segue.errors import ValidationError


@pytest.fixture
def site(app: App) -> App:
    app.register(Redirects())
    app.register(FlatPages())
    app.db.create_all(Redirect, FlatPage)
    rows = [
        Redirect(old_path="/old", new_path="/new"),
        Redirect(old_path="/old?page=2", new_path="/second", is_permanent=False),
        Redirect(old_path="/away", new_path="https://other.example/x"),
        Redirect(old_path="/gone"),
        Redirect(old_path="/records/7", new_path="/records/8"),
        Redirect(old_path="/here", new_path="/never"),
        Redirect(old_path="/hostile", new_path="javascript:alert(1)"),
    ]
    Redirect.objects.using(app.db).bulk_create(rows)
    pages = [
        FlatPage(url="/about/", title="About <us>", content="First\nline <script>\n\n\n\nSecond"),
        FlatPage(url="/html/", title="HTML", content="<b>bold</b>", is_html=True),
        FlatPage(url="/here", title="Never"),
        FlatPage(url="/own/", title="Own", content="x", template_name="pages/own.html"),
        FlatPage(url="/lost/", title="Lost", content="x", template_name="no/such.html"),
    ]
    FlatPage.objects.using(app.db).bulk_create(pages)
    app.get("/here")(lambda: "a route")

    @app.get("/records/<int:pk>")
    async def record(pk: int) -> None:
        abort(404)

    return app


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/old", 301, "/new"),
        ("/old?x=1", 301, "/new?x=1"),
        ("/old?page=2", 302, "/second"),
        ("/away", 301, "https://other.example/x"),
        ("/records/7", 301, "/records/8"),
    ],
)
def test_a_path_that_moved_leads_on(
    site: App, client: Callable[..., Any], path: str, status: int, location: str
) -> None:
    answer = client(app=site).get(path, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (status, location)


@pytest.mark.parametrize("path", ["/records/9", "/nowhere", "/" + "x" * 600, "/old/", "/OLD"])
def test_what_is_in_no_row_stays_not_found(site: App, client: Callable[..., Any], path: str) -> None:
    assert client(app=site).get(path).status_code == 404


def test_an_empty_target_is_gone(site: App, client: Callable[..., Any]) -> None:
    assert client(app=site).get("/gone").status_code == 410


def test_a_route_goes_before_redirects_and_pages(site: App, client: Callable[..., Any]) -> None:
    assert client(app=site).get("/here").text == "a route"


def test_only_reading_is_redirected(site: App, client: Callable[..., Any]) -> None:
    assert client(app=site).post("/old").status_code == 404


def test_nobody_is_sent_to_a_script(site: App, client: Callable[..., Any]) -> None:
    answer = client(app=site).get("/hostile", follow_redirects=False)

    assert (answer.status_code, answer.headers.get("location")) == (404, None)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"old_path": "old", "new_path": "/new"}, "old_path"),
        ({"old_path": "//evil.example", "new_path": "/new"}, "old_path"),
        ({"old_path": "/a", "new_path": "/a"}, "new_path"),
        ({"old_path": "/a", "new_path": "javascript:alert(1)"}, "new_path"),
        ({"old_path": "/a", "new_path": "//evil.example"}, "new_path"),
    ],
)
def test_a_redirect_that_cannot_be_is_refused(values: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Redirect(**values).clean()

    assert [fault.path for fault in caught.value.faults] == [(field,)]


# Flat pages


def test_a_page_is_escaped(site: App, client: Callable[..., Any]) -> None:
    answer = client(app=site).get("/about/")

    assert answer.status_code == 200
    assert "<title>About &lt;us&gt;</title>" in answer.text
    assert "<p>First<br>\nline &lt;script&gt;</p>\n<p>Second</p>" in answer.text


def test_html_of_staff_stands_as_it_is(site: App, client: Callable[..., Any]) -> None:
    assert "<b>bold</b>" in client(app=site).get("/html/").text


def test_a_path_without_its_slash_leads_to_the_page(site: App, client: Callable[..., Any]) -> None:
    answer = client(app=site).get("/about", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (308, "/about/")


def test_a_page_may_have_a_template_of_its_own(site: App, tmp_path: Path, client: Callable[..., Any]) -> None:
    (tmp_path / "templates" / "pages").mkdir(parents=True)
    (tmp_path / "templates" / "pages" / "own.html").write_text("own: {{ flatpage.title }}")
    browser = client(app=site)

    assert browser.get("/own/").text == "own: Own"
    assert "<h1>Lost</h1>" in browser.get("/lost/").text


def test_the_site_may_have_its_own_default_template(site: App, tmp_path: Path, client: Callable[..., Any]) -> None:
    (tmp_path / "templates" / "flatpages").mkdir(parents=True)
    (tmp_path / "templates" / "flatpages" / "default.html").write_text("ours: {{ flatpage.body }}")

    assert client(app=site).get("/html/").text == "ours: <b>bold</b>"


def test_a_path_of_a_page_begins_with_a_slash() -> None:
    with pytest.raises(ValidationError):
        FlatPage(url="about/", title="About").clean()


@pytest.mark.parametrize(("name", "status"), [("nina", 200), ("john", 404)])
def test_a_policy_says_who_sees_a_page(
    site: App, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str, status: int
) -> None:
    monkeypatch.setattr(FlatPage._meta, "policies", {})
    db.policy(FlatPage, "view")(lambda user: user is not None and user.name == "nina")
    site.request_attribute("user")(lambda request: SimpleNamespace(name=name))

    assert client(app=site).get("/about/").status_code == status
