"""SECURITY H13: a browser that is known again, and one that copied its cookie."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from club_with_users import EMAIL, Visitor

from segue import App, clock
from segue.auth import User
from segue.auth.remembering import RememberedLogin

SESSION, NAME = "__Host-session", "__Host-remember"


def reopened(visit: Callable[..., Visitor], cookie: str) -> Visitor:
    """A browser that has nothing but the cookie."""
    browser = visit()
    browser.cookies[NAME] = cookie
    return browser


@pytest.fixture
def cookie(visitor: Visitor) -> str:
    """The cookie of a browser that is to be remembered."""
    visitor.log_in(remember="1")
    return visitor.cookies[NAME]


def test_without_being_asked_nothing_is_remembered(visitor: Visitor, site: App) -> None:
    visitor.log_in()

    assert NAME not in visitor.cookies


def test_a_browser_is_known_again(visit: Callable[..., Visitor], cookie: str) -> None:
    browser = reopened(visit, cookie)

    assert [browser.go("/who").text, browser.go("/member").text] == [EMAIL, EMAIL]


def test_the_token_is_another_after_each_use_and_kept_hashed(
    visit: Callable[..., Visitor], cookie: str, site: App
) -> None:
    browser = reopened(visit, cookie)

    browser.go("/who")

    series, _, token = browser.cookies[NAME].partition(".")
    assert cookie.startswith(f"{series}.")
    assert not cookie.endswith(token)
    with site.context():
        row = RememberedLogin.objects.get()
        assert token not in f"{vars(row)}"


def test_a_used_token_ends_the_series_for_both(visit: Callable[..., Visitor], cookie: str, site: App) -> None:
    owner, thief = reopened(visit, cookie), reopened(visit, cookie)
    owner.go("/who")

    with clock.moved(31):
        stolen = thief.go("/who").text
    owner.cookies.pop(SESSION)

    assert (stolen, owner.go("/who").text) == ("AnonymousUser", "AnonymousUser")
    with site.context():
        assert RememberedLogin.objects.count() == 0


def test_requests_that_come_together_are_no_theft(visit: Callable[..., Visitor], cookie: str) -> None:
    first, second = reopened(visit, cookie), reopened(visit, cookie)

    assert (first.go("/who").text, second.go("/who").text) == (EMAIL, EMAIL)


def test_the_logout_forgets_the_browser(visitor: Visitor, visit: Callable[..., Visitor], cookie: str) -> None:
    visitor.send("/logout")

    assert NAME not in visitor.cookies
    assert reopened(visit, cookie).go("/who").text == "AnonymousUser"


@pytest.mark.parametrize("change", [{"password": "!new"}, {"is_active": False}])
def test_a_new_password_and_the_end_of_an_account_forget_it(
    visit: Callable[..., Visitor], cookie: str, site: App, change: dict[str, object]
) -> None:
    with site.context():
        User.objects.update(**change)

    assert reopened(visit, cookie).go("/who").text == "AnonymousUser"


def test_it_is_known_for_thirty_days(visit: Callable[..., Visitor], cookie: str) -> None:
    with clock.moved(30 * 86400 + 1):
        assert reopened(visit, cookie).go("/who").text == "AnonymousUser"


@pytest.mark.parametrize("text", ["", ".", "x" * 22 + "." + "y" * 43, "x" * 4000, "\u00e9" * 22 + "." + "y" * 43])
def test_a_forged_cookie_is_nobodys(visit: Callable[..., Visitor], text: str) -> None:
    browser = visit()

    assert browser.go("/who", headers={"cookie": f"{NAME}={text}"}).text == "AnonymousUser"


def test_another_series_is_not_opened_by_ones_own_token(visit: Callable[..., Visitor], cookie: str, site: App) -> None:
    with site.context():
        other = RememberedLogin.objects.get()
        other.series, other.token = "z" * 22, "0" * 64
        other.save(force_insert=True)

    assert reopened(visit, "z" * 22 + cookie[22:]).go("/who").text == "AnonymousUser"


def test_who_is_known_again_did_not_just_log_in(visit: Callable[..., Visitor], cookie: str, site: App) -> None:
    browser = reopened(visit, cookie)

    assert browser.go("/fresh").status_code == 302


def test_a_series_that_has_expired_goes_when_another_begins(
    visit: Callable[..., Visitor], cookie: str, site: App
) -> None:
    with site.context():
        RememberedLogin.objects.update(expires=clock.today())

    other = visit()
    other.log_in(remember="1")

    with site.context():
        assert [each.series for each in RememberedLogin.objects.all()] == [other.cookies[NAME].partition(".")[0]]
