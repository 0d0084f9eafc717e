"""The demo's story, as a visitor lives it: register, log in, edit, reserve, forget the password."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.needs("chromium")]

Look = Callable[[Any, str], None]
PASSWORD = "correct horse battery"
ANOTHER = "staple of another kind"


def link_in(message: Any) -> str:
    found = re.search(r"http://\S+", message.get_content())
    assert found is not None
    return found[0]


def test_a_member_registers_reserves_and_finds_a_forgotten_password(
    page: Any, demo: str, postbox: Any, look: Look, size: str
) -> None:
    address = f"nina-{size}@example.org"
    before = len(postbox.messages)

    # Somebody who is not logged in wants a seat.
    page.goto(f"{demo}/concerts")
    look(page, "concerts")
    page.locator(".cards a").first.click()
    look(page, "concert")
    page.get_by_role("link", name="Reserve seats").click()
    assert page.url.startswith(f"{demo}/accounts/login?next=/concerts/")
    look(page, "login")

    # They make an account, and confirm the address by the link in the mail.
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill("nina")
    page.get_by_role("button", name="Create the account").click()
    assert page.get_by_label("Password").get_attribute("aria-invalid") == "true"
    look(page, "signup-refused")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    look(page, "signup-done")
    page.goto(link_in(postbox.wait_for(before + 1)))
    look(page, "verify")
    page.get_by_role("button", name="Confirm the address").click()
    assert page.get_by_text("Your address is confirmed.").is_visible()

    # They log in, and are told what is wrong first.
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_text("The name or the password is not right.").is_visible()
    look(page, "login-refused")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    # They edit their profile.
    page.goto(f"{demo}/profile")
    look(page, "profile-new")
    page.get_by_role("link", name="Edit the profile").click()
    page.get_by_label("First name").fill("Nina")
    page.get_by_label("Last name").fill("<Simone>")
    page.get_by_label("Instrument").fill("piano")
    look(page, "profile-edit")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("heading", name="Nina <Simone>").is_visible()
    assert page.get_by_text("Your profile is changed.").is_visible()

    # They reserve seats: first more than one may, then two.
    page.goto(f"{demo}/concerts/1/reserve")
    page.get_by_label("Seats").fill("2")
    look(page, "reserve")
    page.get_by_role("button", name="Reserve").click()
    assert page.get_by_text("2 seats are yours.").is_visible()
    look(page, "profile")

    # Their account, a second factor, and out.
    page.get_by_role("link", name="Password and devices").click()
    look(page, "account")
    page.get_by_role("link", name="Turn on").click()
    look(page, "second-factor")
    page.goto(f"{demo}/accounts/sessions")
    look(page, "sessions")
    page.goto(f"{demo}/accounts/password/change")
    look(page, "password-change")
    page.goto(f"{demo}/accounts/logout")
    look(page, "logout")
    page.get_by_role("button", name="Log out").click()

    # They forgot the password.
    page.goto(f"{demo}/accounts/login")
    page.get_by_role("link", name="Forgot your password?").click()
    look(page, "password-reset")
    page.get_by_label("E-mail address").fill(address.upper())
    page.get_by_role("button", name="Send the link").click()
    look(page, "password-reset-done")
    page.goto(link_in(postbox.wait_for(before + 2)))
    page.get_by_label("New password").fill(ANOTHER)
    look(page, "password-reset-confirm")
    page.get_by_role("button", name="Keep the password").click()
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(ANOTHER)
    page.get_by_label("Keep me logged in").check()
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{demo}/profile")
    assert page.get_by_role("heading", name="Nina <Simone>").is_visible()
