"""SITES-42: passkeys in Chromium, whose authenticator is a virtual one: made, shown, asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from segue import App
from segue.auth import Auth, User, fresh_login_required
from segue.auth.bonds import MOMENT
from segue.testing import live_server
from segue.web.sessions import Session

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.needs("chromium")]

Look = Callable[[Any, str], None]
PASSWORD = "correct horse battery"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A site with passkeys at a name that browsers take as secure, and an account on it."""
    app = App(
        "jazz_club",
        database=f"sqlite:///{tmp_path}/site.db",
        config={"SECRET_KEY": "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"},
        static_folder=None,
    )
    app.register(Auth(user=User, passkeys=True), prefix="/accounts")

    @app.get("/")
    def index() -> str:
        return "<!doctype html><title>index</title>"

    @app.get("/danger")
    @fresh_login_required
    def danger() -> str:
        return "<!doctype html><title>danger</title>"

    @app.get("/age")
    def age(session: Session) -> str:
        session[MOMENT] = 0
        return "<!doctype html><title>some hours later</title>"

    def prepare() -> None:
        app.db.create_all()
        with app.context():
            User.objects.create_user("bob@example.org", password=PASSWORD)

    # Playwright runs a loop in this thread, on which nothing may wait.
    with ThreadPoolExecutor(1) as pool, live_server(app) as server:
        pool.submit(prepare).result()
        yield server.url.replace("127.0.0.1", "localhost")
        pool.submit(app.db.close).result()


@pytest.fixture
def device(page: Any) -> Any:
    """A virtual authenticator of the page: its user is there and lets it read the finger."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    key = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    return lambda name, **values: devtools.send(f"WebAuthn.{name}", {"authenticatorId": key, **values})


def log_in(page: Any, site: str) -> None:
    page.goto(f"{site}/accounts/login?next=/accounts/")
    page.get_by_label("E-mail address").fill("bob@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def log_out(page: Any, site: str) -> None:
    page.goto(f"{site}/accounts/logout")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{site}/")


def test_a_passkey_is_made_and_shown_and_taken_away(page: Any, site: str, device: Any, look: Look) -> None:
    # The offer in the field would be taken at once, by nobody.
    page.add_init_script("delete window.PublicKeyCredential.isConditionalMediationAvailable")
    log_in(page, site)
    page.get_by_role("listitem").filter(has_text="Passkeys").get_by_role("link", name="Add").click()
    look(page, "passkeys-none")
    page.get_by_role("link", name="Add a passkey").click()
    look(page, "passkey-new")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("link", name="I have kept them").click()
    assert len(device("getCredentials")["credentials"]) == 1

    # Alone.
    log_out(page, site)
    page.goto(f"{site}/accounts/login?next=/accounts/passkeys")
    look(page, "passkey-login")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url(f"{site}/accounts/passkeys")
    look(page, "passkeys")

    # After the password.
    log_out(page, site)
    log_in(page, site)
    page.wait_for_url(f"{site}/accounts/login/code")
    look(page, "passkey-second-step")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/accounts/")

    # Refused where the finger is another's.
    page.goto(f"{site}/accounts/login?next=/accounts/")
    device("setUserVerified", isUserVerified=False)
    page.get_by_role("button", name="Log in with a passkey").click()
    page.get_by_role("alert").filter(has_text="did not work").wait_for()
    look(page, "passkey-refused")
    device("setUserVerified", isUserVerified=True)

    page.goto(f"{site}/accounts/passkeys")
    page.get_by_label("Name", exact=True).fill("old laptop")
    page.get_by_role("button", name="Rename laptop").click()
    page.get_by_role("link", name="Remove old laptop").click()
    look(page, "passkey-remove")
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("Your passkey is removed.").wait_for()
    log_out(page, site)
    page.goto(f"{site}/accounts/login")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.get_by_text("This passkey was not taken").wait_for()


def test_a_passkey_confirms_who_is_logged_in(page: Any, site: str, device: Any) -> None:
    page.add_init_script("delete window.PublicKeyCredential.isConditionalMediationAvailable")
    log_in(page, site)
    page.goto(f"{site}/accounts/passkeys/new")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("link", name="I have kept them").wait_for()

    page.goto(f"{site}/age")
    page.goto(f"{site}/danger")
    page.get_by_role("heading", name="Log in").wait_for()
    page.get_by_role("button", name="Log in with a passkey").click()

    page.wait_for_url(f"{site}/danger")


def test_the_browser_offers_the_passkey_in_the_field(page: Any, site: str, device: Any) -> None:
    log_in(page, site)
    page.goto(f"{site}/accounts/passkeys/new")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("link", name="I have kept them").wait_for()
    log_out(page, site)

    page.goto(f"{site}/accounts/login?next=/accounts/")

    page.wait_for_url(f"{site}/accounts/")  # the virtual authenticator takes the offer by itself
