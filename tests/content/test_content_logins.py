"""SITES-52: what needs a login where the whole app does, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from segue import App
from segue.auth import Auth
from segue.content import FlatPage, FlatPages, Redirect, Redirects, Robots, SecurityTxt, Sitemaps


@pytest.fixture
def closed(app: App) -> App:
    """An app in which everything needs a login, unless it says otherwise."""
    app.config["SECRET_KEY"] = "0123456789abcdef0123456789abcdef-secret"
    app.register(Auth(login_required=True), prefix="/accounts")
    app.register(Redirects())
    app.register(FlatPages())
    app.register(Robots())
    app.register(SecurityTxt("mailto:security@club.example", datetime(2030, 1, 1, tzinfo=UTC)))
    app.register(Sitemaps({"pages": ["/"]}))
    app.db.create_all()
    FlatPage.objects.using(app.db).bulk_create([FlatPage(url="/inside/", title="Inside")])
    Redirect.objects.using(app.db).bulk_create([Redirect(old_path="/old", new_path="/inside/")])
    return app


@pytest.mark.parametrize("path", ["/robots.txt", "/.well-known/security.txt", "/sitemap.xml"])
def test_machines_need_no_login(closed: App, client: Callable[..., Any], path: str) -> None:
    assert client(app=closed).get(path).status_code == 200


def test_a_page_needs_one_where_everything_does(closed: App, client: Callable[..., Any]) -> None:
    answer = client(app=closed).get("/inside/", follow_redirects=False, headers={"accept": "text/html"})

    assert (answer.status_code, "Inside" in answer.text) == (302, False)
    assert answer.headers["location"] == "/accounts/login?next=/inside/"


def test_a_redirect_leads_on_and_what_is_nowhere_is_not_found(closed: App, client: Callable[..., Any]) -> None:
    browser = client(app=closed)

    assert browser.get("/old", follow_redirects=False).headers["location"] == "/inside/"
    assert browser.get("/nowhere").status_code == 404
