"""The pages of accounts in Segue's own frame, as a site has them that replaces none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from segue import App
from segue.auth import Auth, User
from segue.auth.social import GitHub, Google
from segue.auth.totp import make_code
from segue.testing import live_server

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.needs("chromium")]

Look = Callable[[Any, str], None]
PASSWORD = "correct horse battery"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A site of three lines, and an account on it."""
    app = App(
        "jazz_club",
        database=f"sqlite:///{tmp_path}/site.db",
        config={"SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de", "DEBUG": True},
        static_folder=None,
    )
    providers = [Google(client_id="club"), GitHub(client_id="club")]
    app.register(Auth(user=User, magic_link=True, providers=providers), prefix="/accounts")

    @app.get("/")
    def index() -> str:
        return "<!doctype html><title>index</title>"

    def prepare() -> None:
        app.db.create_all()
        with app.context():
            User.objects.create_user("bob@example.org", password=PASSWORD)

    # Playwright runs a loop in this thread, on which nothing may wait.
    with ThreadPoolExecutor(1) as pool, live_server(app) as server:
        pool.submit(prepare).result()
        yield server.url
        pool.submit(app.db.close).result()


def test_every_page_is_readable_by_everybody_on_every_screen(page: Any, site: str, look: Look) -> None:
    for path in (
        "login",
        "signup",
        "signup/sent",
        "password/reset",
        "password/reset/sent",
        "logout",
        "login/link",
        "login/link/sent",
    ):
        page.goto(f"{site}/accounts/{path}")
        look(page, f"own-{path.replace('/', '-')}")
    for path in ("verify", "verify/unknown", "password/reset/unknown", "login/link/unknown", "login/with/google/back"):
        page.goto(f"{site}/accounts/{path}")
        look(page, f"own-{path.replace('/', '-')}")

    page.goto(f"{site}/accounts/login?next=/accounts/")
    page.get_by_label("E-mail address").fill("bob@example.org")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    look(page, "own-login-refused")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    look(page, "own-account")

    for path in (
        "password/change",
        "sessions",
        "connections",
        "second-factor/on",
        "second-factor/off",
        "second-factor/codes",
    ):
        page.goto(f"{site}/accounts/{path}")
        look(page, f"own-{path.replace('/', '-')}")

    page.goto(f"{site}/accounts/second-factor/on")
    secret = page.locator("code").inner_text()
    page.get_by_label("Code").fill(make_code(secret))
    page.get_by_role("button", name="Turn it on").click()
    assert len(re.findall(r"\w{4}-\w{4}", page.locator(".codes").inner_text())) >= 10
    look(page, "own-recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    look(page, "own-account-with-second-factor")


def test_the_keyboard_alone_is_enough_to_log_in(page: Any, site: str) -> None:
    page.goto(f"{site}/accounts/login?next=/accounts/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_label("E-mail address").focus()
    page.keyboard.type("bob@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/accounts/")

    assert page.get_by_text("You are logged in as").is_visible()
