"""SITES-52: robots.txt and security.txt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from segue import App, clock
from segue.content import Robots, SecurityTxt
from segue.errors import SetupError

SOON = datetime(2030, 1, 1, tzinfo=UTC)


def test_robots_are_told_what_not_to_fetch(app: App, client: Callable[..., Any]) -> None:
    app.register(
        Robots(disallow=["/admin/"], allow=["/admin/help"], agents={"GPTBot": ["/records/"]}, sitemaps=["/sitemap.xml"])
    )

    answer = client().get("/robots.txt")

    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "User-agent: GPTBot",
        "Disallow: /records/",
        "Disallow: /admin/",
        "Allow: /admin/help",
        "",
        "User-agent: *",
        "Allow: /admin/help",
        "Disallow: /admin/",
        "Sitemap: https://club.example/sitemap.xml",
    ]


def test_without_rules_everything_is_allowed(app: App, client: Callable[..., Any]) -> None:
    app.register(Robots())

    assert client().get("/robots.txt").text == "User-agent: *\nDisallow: \n"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Robots(disallow=["/a\nAllow: /"]),
        lambda: Robots(agents={"Bot\rUser-agent: *": []}),
        lambda: Robots(sitemaps="/a\u2028b"),
        lambda: SecurityTxt("mailto:a@club.example\nContact: mailto:b@evil.example", SOON),
    ],
    ids=["path", "agent", "sitemap", "contact"],
)
def test_a_value_is_one_line(make: Callable[[], Any]) -> None:
    with pytest.raises(SetupError) as caught:
        make()

    assert caught.value.code == "content/bad-line"


def test_security_txt_has_what_the_rfc_demands(app: App, client: Callable[..., Any]) -> None:
    app.register(
        SecurityTxt(
            ["mailto:security@club.example", "https://club.example/report"],
            datetime(2030, 1, 1, 1, tzinfo=UTC),
            policy="https://club.example/policy",
            languages=["en", "de"],
        )
    )
    browser = client()

    answer = browser.get("/.well-known/security.txt")

    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:security@club.example",
        "Contact: https://club.example/report",
        "Policy: https://club.example/policy",
        "Preferred-Languages: en, de",
        "Expires: 2030-01-01T01:00:00Z",
        "Canonical: https://club.example/.well-known/security.txt",
    ]
    moved = browser.get("/security.txt", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (301, "/.well-known/security.txt")


@pytest.mark.parametrize(
    ("contact", "expires", "message"),
    [
        ([], SOON, "no contact"),
        ("security@club.example", SOON, "no URI"),
        ("http://club.example/", SOON, "no URI"),
        ("mailto:security@club.example", datetime(2030, 1, 1), "no time zone"),
    ],
)
def test_a_file_that_the_rfc_forbids_is_refused(contact: Any, expires: datetime, message: str) -> None:
    with pytest.raises(SetupError, match=message) as caught:
        SecurityTxt(contact, expires)

    assert caught.value.code == "content/bad-security-txt"
    assert "test_well_known_files.py" in caught.value.where


@pytest.mark.parametrize(
    ("days", "ids"), [(-1, ["content.E001"]), (10, ["content.W001"]), (200, []), (500, ["content.W002"])]
)
def test_the_check_says_when_it_expires(app: App, days: int, ids: list[str]) -> None:
    app.register(SecurityTxt("mailto:security@club.example", clock.today() + timedelta(days=days, hours=1)))

    found = [finding for check in app.registries.checks for finding in check()]

    assert [finding.id for finding in found] == ids
