"""SITES-43: a link in a mail logs in, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from segue import App, mail
from segue.auth import Auth, User, login_required
from segue.auth.pages.factors import SecondFactor
from segue.auth.pages.tokens import MailedToken
from segue.auth.totp import make_secret
from segue.clock import moved, today
from segue.testing import Client

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"
ASK = "/accounts/login/link"


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Make a site where Bob has an account, without a password."""
    opened = ExitStack()

    def make(**config: Any) -> App:
        app = App("club", database=f"sqlite:///{tmp_path}/club.db", config={"SECRET_KEY": KEY, **config})
        app.register(Auth(magic_link=True), prefix="/accounts")

        @app.get("/profile/")
        @login_required
        def profile(user: User) -> str:
            return f"hello {user.email}"

        opened.callback(app.db.close)
        opened.enter_context(app.test_client())
        opened.enter_context(app.context())
        User.objects.create_user("bob@example.org")
        return app

    with opened:
        yield make


@pytest.fixture
def site(make_site: Callable[..., App]) -> App:
    return make_site()


def ask(client: Client, **fields: str) -> str:
    """Ask for a link, and return it."""
    client.post(ASK, data={"email": "bob@example.org", **fields})
    found = re.search(r"http://\S+", mail.outbox[-1].body)
    assert found is not None
    return found[0]


def who(client: Client) -> str:
    return client.get("/profile/").text


def test_a_link_logs_in_after_a_click_and_leads_back(site: App) -> None:
    client = site.test_client()
    gate = client.get("/profile/", follow_redirects=True)
    link = ask(client, next="/profile/")
    page = client.get(link)
    before = client.get("/profile/").status_code  # what a program that follows links in mails has done
    done = client.post(link, data={"next": "/profile/"}, follow_redirects=True)

    assert "/accounts/login/link?next=" in gate.text
    assert 'name="next" value="/profile/"' in page.text
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    assert before == 302
    assert done.text == "hello bob@example.org"


def test_its_second_use_is_refused(site: App) -> None:
    link = ask(site.test_client())
    site.test_client().post(link)
    late = site.test_client()

    answers = [late.get(link), late.post(link)]

    assert [(each.status_code, "used up" in each.text) for each in answers] == [(410, True)] * 2
    assert late.get("/profile/").status_code == 302


def test_it_is_good_for_a_quarter_of_an_hour(site: App) -> None:
    link = ask(site.test_client())

    with moved(timedelta(minutes=16)):
        assert site.test_client().post(link).status_code == 410


def test_of_several_links_a_login_ends_the_others(site: App) -> None:
    client = site.test_client()
    first, second = ask(client), ask(client)

    client.post(second)

    assert site.test_client().post(first).status_code == 410


def test_where_that_is_said_it_is_good_in_the_browser_that_asked(make_site: Callable[..., App]) -> None:
    site = make_site(MAGIC_LINK_SAME_BROWSER=True)
    client, other = site.test_client(), site.test_client()
    link = ask(client)

    assert other.post(link).status_code == 410
    assert client.get(link).status_code == 200
    client.post(link)
    assert who(client) == "hello bob@example.org"


def test_a_second_factor_is_asked_for(site: App) -> None:
    SecondFactor.objects.create(owner=str(User.objects.get().pk), secret=make_secret(), confirmed_at=today())
    client = site.test_client()

    answer = client.post(ask(client))

    assert answer.headers["location"] == "/accounts/login/code"
    assert client.get("/profile/").status_code == 302


def test_nobody_learns_whether_there_is_an_account(site: App) -> None:
    answers = [site.test_client().post(ASK, data={"email": each}) for each in ("bob@example.org", "no@example.org")]
    assert len({(each.status_code, each.headers["location"], each.text) for each in answers}) == 1
    assert [each.to for each in mail.outbox] == [["bob@example.org"]]


def test_who_is_not_active_gets_none(site: App) -> None:
    User.objects.update(is_active=False)

    site.test_client().post(ASK, data={"email": "bob@example.org"})

    assert mail.outbox == []


def test_a_token_of_it_is_kept_as_a_digest_and_resets_no_password(site: App) -> None:
    token = ask(site.test_client()).rpartition("/")[2]
    reset = site.test_client().get(f"/accounts/password/reset/{token}")

    assert token not in str(MailedToken.objects.values_list().get())
    assert reset.status_code == 410


def test_it_leads_nowhere_else(site: App) -> None:
    client = site.test_client()
    link = ask(client, next="//evil.example")

    assert "evil" not in link
    assert client.post(link, data={"next": "https://evil.example"}).headers["location"] == "/"


def test_a_site_without_it_has_no_such_page(tmp_path: Path) -> None:
    app = App("club", database=f"sqlite:///{tmp_path}/plain.db", config={"SECRET_KEY": KEY})
    app.register(Auth(), prefix="/accounts")

    with app.test_client() as client:
        assert client.get(ASK).status_code == 404
        assert "link in a mail" not in client.get("/accounts/login").text
    app.db.close()
