"""Log in and out, who is asking, and when a session ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from club_with_users import EMAIL, KEY, PASSWORD, Visitor

from segue import App, Request, clock
from segue.auth import User
from segue.signals import user_logged_in, user_logged_out, user_login_failed

NAME = "__Host-session"


@pytest.mark.parametrize("protocol", ["rsgi", "asgi", "wsgi"])
def test_who_logged_in_is_known_until_the_logout(visit: Callable[..., Visitor], protocol: str) -> None:
    browser = visit(protocol)

    before = browser.go("/who").text
    browser.log_in()
    during = browser.go("/who").text
    browser.send("/logout")

    assert (before, during, browser.go("/who").text) == ("AnonymousUser", EMAIL, "AnonymousUser")


@pytest.mark.parametrize("path", ["/member", "/perhaps", "/named"])
def test_the_user_is_a_parameter(visitor: Visitor, path: str) -> None:
    visitor.log_in()

    assert visitor.go(path).text == EMAIL


def test_a_parameter_that_may_be_none_is_none_for_nobody(visitor: Visitor) -> None:
    assert visitor.go("/perhaps").text == "None"


def test_a_parameter_of_the_user_model_requires_a_login(visitor: Visitor) -> None:
    answer = visitor.go("/member")

    assert answer.status_code == 302
    assert answer.headers["location"] == f"/accounts/login?next=/{visitor.colour}/member"


def test_the_name_is_found_whatever_its_case(visitor: Visitor) -> None:
    assert visitor.log_in(email="BOB@Example.ORG").text == "in"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong"),
        ("nobody@example.org", PASSWORD),
        ("b\u0131b@example.org", PASSWORD),
        ("x" * 100_000, PASSWORD),
        ("", PASSWORD),
    ],
)
def test_wrong_credentials_let_nobody_in(visitor: Visitor, email: str, password: str) -> None:
    answer = visitor.log_in(email, password)

    assert (answer.status_code, answer.text) == (400, "wrong")
    assert visitor.go("/who").text == "AnonymousUser"


def test_a_password_of_a_megabyte_is_refused_unhashed(visitor: Visitor) -> None:
    assert visitor.log_in(password="x" * 1_000_000).status_code == 400


def test_an_inactive_user_is_told_what_a_wrong_password_is(visitor: Visitor, site: App) -> None:
    wrong = visitor.log_in(password="wrong")
    with site.context():
        User.objects.update(is_active=False)

    right = visitor.log_in()

    assert (right.status_code, right.text) == (wrong.status_code, wrong.text)


# The session


def test_a_login_gives_the_session_a_new_id_and_keeps_what_a_visitor_left(visitor: Visitor) -> None:
    visitor.go("/keep/basket")
    before = visitor.cookies[NAME]

    visitor.log_in()

    assert visitor.cookies[NAME] != before
    assert visitor.go("/kept").text == "basket"
    assert visitor.go("/kept", cookies={NAME: before}).text == "None"


def test_what_another_user_left_in_the_session_goes_at_the_next_login(visitor: Visitor, site: App) -> None:
    with site.context():
        User.objects.create_user("ann@example.org", password=PASSWORD)
    visitor.log_in("ann@example.org")
    visitor.go("/keep/hers")

    visitor.log_in()

    assert visitor.go("/kept").text == "None"


def test_a_cookie_from_before_the_logout_is_nobodys(visitor: Visitor) -> None:
    visitor.log_in()
    cookie = visitor.cookies[NAME]

    visitor.send("/logout")

    assert visitor.go("/who", cookies={NAME: cookie}).text == "AnonymousUser"


def test_a_new_password_ends_all_other_sessions_and_keeps_this_one(visit: Callable[..., Visitor]) -> None:
    here, there = visit(), visit()
    here.log_in()
    there.log_in()
    there.go("/keep/theirs")
    before = here.cookies[NAME]

    here.send("/password", data={"password": "another horse battery"})

    assert here.go("/who").text == EMAIL
    assert here.cookies[NAME] != before
    assert there.go("/who").text == "AnonymousUser"
    assert there.go("/kept").text == "None"


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "!gone"}])
def test_a_user_who_may_no_more_is_out_at_the_next_request(visitor: Visitor, site: App, change: dict[str, Any]) -> None:
    visitor.log_in()
    with site.context():
        User.objects.update(**change)

    assert visitor.go("/who").text == "AnonymousUser"


def test_a_deleted_user_is_out_at_the_next_request(visitor: Visitor, site: App) -> None:
    visitor.log_in()
    with site.context():
        User.objects.all().delete()

    assert visitor.go("/who").text == "AnonymousUser"


def test_sessions_live_as_long_as_the_key_that_bound_them(visitor: Visitor, site: App) -> None:
    visitor.log_in()
    cookies = {NAME: visitor.cookies[NAME]}
    new = "5e1a0c9de4f2c0d7c1b4e14c3f9a3b7d"
    path = f"/{visitor.colour}/who"

    with site.override_config(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[KEY]):
        rotated = site.test_client().get(path, cookies=cookies).text
    with site.override_config(SECRET_KEY=new):
        upgraded = site.test_client().get(path, cookies=cookies).text
    with site.override_config(SECRET_KEY="0" * 31 + "1"):
        removed = site.test_client().get(path, cookies=cookies).text

    assert (rotated, upgraded, removed) == (EMAIL, EMAIL, "AnonymousUser")


def test_the_store_knows_whose_a_session_is(visitor: Visitor, site: App) -> None:
    from segue.web.sessions.database import SessionRow

    visitor.log_in()

    with site.context():
        assert SessionRow.objects.get().owner == str(User.objects.get().pk)


def test_visits_of_nobody_leave_no_row_and_no_cookie(visitor: Visitor, site: App) -> None:
    from segue.web.sessions.database import SessionRow

    answers = [visitor.go("/who"), visitor.go("/perhaps"), visitor.go("/member"), visitor.send("/logout")]

    assert not any("set-cookie" in each.headers for each in answers)
    with site.context():
        assert SessionRow.objects.count() == 0


def test_the_last_login_is_kept(visitor: Visitor, site: App) -> None:
    visitor.log_in()

    with site.context():
        last = User.objects.get().last_login
    assert last is not None
    assert abs((clock.today() - last).total_seconds()) < 60


# Beside it


def test_the_user_is_asked_for_once_in_a_request(visitor: Visitor) -> None:
    visitor.log_in()

    assert visitor.go("/twice").text == "True"  # within a budget of two queries


def test_listeners_are_told_of_logins_and_logouts(site: App, visit: Callable[..., Visitor]) -> None:
    told: list[str] = []

    async def failed(sender: Any, *, username: str, **rest: Any) -> None:
        told.append(f"not {username}")

    browser = visit()
    signals = site.compile().signals
    signals[user_logged_in].connect(lambda sender, user, **rest: told.append(f"in {user}"), weak=False)
    signals[user_logged_out].connect(lambda sender, user, **rest: told.append(f"out {user}"), weak=False)
    signals[user_login_failed].connect(failed, weak=False)

    browser.log_in(password="wrong")
    browser.log_in()
    browser.send("/logout")

    assert told == [f"not {EMAIL}", f"in {EMAIL}", f"out {EMAIL}"]


def test_on_the_loop_an_unloaded_user_names_the_parameter(make_site: Callable[..., App]) -> None:
    app = make_site()

    @app.get("/")
    async def index(request: Request) -> str:
        return str(request.user)

    with app.test_client() as client, pytest.raises(Exception, match=r"auth/not-loaded") as caught:
        client.get("/")
    assert "async def handler(user)" in str(caught.value)


def test_a_template_shows_the_user(make_site: Callable[..., App]) -> None:
    from segue import render_template_string

    app = make_site()

    @app.get("/")
    def index() -> str:
        return render_template_string("{{ user.is_authenticated }} {{ user }}")

    with app.test_client() as client:
        assert client.get("/").text == "False AnonymousUser"
