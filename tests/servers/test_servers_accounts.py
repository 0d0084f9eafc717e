"""SITES-34, 39: a file of ten lines is a site with accounts, served by `segue run`, its mails by SMTP."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from html import unescape
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest
from aiosmtpd.controller import Controller

pytestmark = [pytest.mark.slow, pytest.mark.server]

PASSWORD = "correct horse battery"
ANOTHER = "staple of another kind"
SITE = """\
from segue import App
from segue.auth import Auth, User

app = App(__name__, database="sqlite:///club.db")
app.register(Auth(), prefix="/accounts")


@app.get("/profile/")
def profile(user: User):
    return f"Hello {user.email}"
"""


class Postbox(Controller):
    """A mail server on a port that the system chose, and what it was given."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        super().__init__(self, hostname="127.0.0.1", port=0)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port: int = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Browser:
    """Fills in and sends the form of the page that it is on, as a person does."""

    def __init__(self, root: str) -> None:
        self.url = root
        self.text = ""
        own = CookieJar(DefaultCookiePolicy(rfc2965=False))
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(own))

    def go(self, path: str, data: dict[str, str] | None = None) -> str:
        """Open an address, follow where it leads, and return the text of the page."""
        body = None if data is None else urlencode(data).encode()
        url = urljoin(self.url, path)
        asked = urllib.request.Request(url, body, {"Accept": "text/html", "Referer": self.url})
        try:
            answer = self._opener.open(asked, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.url, self.text = answer.geturl(), answer.read().decode()
        return self.text

    def send(self, **fields: str) -> str:
        """Send the form, with the fields that its page hides."""
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', self.text)
        return self.go(self.url, {**{name: unescape(value) for name, value in hidden}, **fields})


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    server = Postbox()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start(serve: Callable[..., Any], postbox: Postbox) -> Callable[[], tuple[Browser, Callable[[int], str]]]:
    """Serve the ten lines; return a browser, and what waits for a mail and returns the link in it."""

    def started() -> tuple[Browser, Callable[[int], str]]:
        key, mail = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de", f"smtp://127.0.0.1:{postbox.port}"
        served = serve(SITE, SECRET_KEY=key, SEGUE_MAIL=mail)
        served.wait_for_answer("Log in", "/accounts/login")

        def link_in(count: int) -> str:
            served.wait_until(lambda: len(postbox.messages) >= count)
            found = re.search(r"http://\S+", postbox.messages[count - 1].get_content())
            assert found is not None
            return found[0]

        return Browser(f"http://127.0.0.1:{served.port}"), link_in

    return started


Start = Callable[[], tuple[Browser, Callable[[int], str]]]


def test_ten_lines_are_a_site_with_accounts(start: Start, postbox: Postbox) -> None:
    browser, link_in = start()

    browser.go("/profile/")
    assert browser.url.endswith("/accounts/login?next=/profile/")
    assert "Log in to see that page." in browser.text

    browser.go("/accounts/signup")
    assert "Look into your mail" in browser.send(email="bob@example.org", password=PASSWORD)
    browser.go(link_in(1))
    assert "Your address is confirmed." in browser.send()

    browser.go("/accounts/login?next=/profile/")
    assert browser.send(username="BOB@example.org", password=PASSWORD) == "Hello bob@example.org"

    browser.go("/accounts/logout")
    browser.send()
    browser.go("/accounts/password/reset")
    browser.send(email="bob@example.org")
    browser.go(link_in(2))
    assert "Your password is changed." in browser.send(new_password=ANOTHER)
    assert "not right" in browser.send(username="bob@example.org", password=PASSWORD)
    browser.send(username="bob@example.org", password=ANOTHER)
    assert browser.go("/profile/") == "Hello bob@example.org"

    assert [each["to"] for each in postbox.messages] == ["bob@example.org"] * 2
    assert len(SITE.splitlines()) == 10


def test_one_template_beside_the_ten_lines_is_replaced_alone(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "accounts"
    folder.mkdir(parents=True)
    (folder / "signup.html").write_text(
        '{% extends "accounts/base.html" %}{% block title %}Join the club{% endblock %}\n'
        '{% block content %}<form method="post">{% csrf %}{{ form }}<button>Join</button></form>{% endblock %}'
    )
    browser, link_in = start()

    assert "<h1>Join the club</h1>" in browser.go("/accounts/signup")
    assert "Look into your mail" in browser.send(email="bob@example.org", password=PASSWORD)
    assert "Confirm the address" in browser.go(link_in(1))
    assert "<h1>Log in</h1>" in browser.go("/accounts/login")
