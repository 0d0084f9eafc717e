"""`robots.txt` and `security.txt`: what machines read before they come, and people who found a hole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from .. import clock
from ..errors import Finding, SetupError
from ..handling.markers import mark
from ..http.request import Request
from ..http.response import Response, redirect
from ..places import caller_place
from ..typing import Setup
from .links import absolute

__all__ = ["Robots", "SecurityTxt"]

_TEXT = "text/plain; charset=utf-8"
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]").search


@dataclass(frozen=True, slots=True)
class Robots:
    """Serves `/robots.txt` (RFC 9309): `app.register(Robots(disallow=["/admin/"]))`.

    It asks robots not to fetch; it keeps nobody out, and tells everybody what it names.

    Args:
        disallow: Paths that no robot should fetch.
        allow: Exceptions from that.
        agents: More paths that some robots, by name, should not fetch.
        sitemaps: Paths or addresses of sitemaps.

    Raises:
        SetupError: A value with a line break in it (`content/bad-line`).
    """

    disallow: Sequence[str] = ()
    allow: Sequence[str] = ()
    agents: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    sitemaps: Sequence[str] = ()

    def __post_init__(self) -> None:
        paths = [path for each in (self.disallow, self.allow, *self.agents.values()) for path in _many(each)]
        _demand_lines([*paths, *self.agents, *_many(self.sitemaps)])

    def install(self, setup: Setup) -> None:
        """Add the route."""

        def robots(request: Request) -> Response:
            return Response("\n".join(self._lines(request)) + "\n", content_type=_TEXT)

        setup.add_url_rule("/robots.txt", "robots", mark(robots, login=False))

    def _lines(self, request: Request) -> Iterator[str]:
        for agent, paths in self.agents.items():
            yield f"User-agent: {agent}"
            # A robot follows the one group that names it, so it gets what holds for all as well.
            yield from (f"Disallow: {path}" for path in (*_many(paths), *_many(self.disallow)))
            yield from (f"Allow: {path}" for path in _many(self.allow))
            yield ""
        yield "User-agent: *"
        yield from (f"Allow: {path}" for path in _many(self.allow))
        yield from (f"Disallow: {path}" for path in _many(self.disallow) or [""])
        yield from (f"Sitemap: {absolute(request, each)}" for each in _many(self.sitemaps))


@dataclass(frozen=True, slots=True)
class SecurityTxt:
    """Serves `/.well-known/security.txt` (RFC 9116): whom to tell of a hole.

    Args:
        contact: Addresses to write to, best first: `mailto:…`, `https://…` or `tel:…`.
        expires: An aware moment after which nobody should rely on it; a year ahead at most.
            `segue check` says when it comes near.
        encryption, acknowledgments, policy, hiring: Addresses of pages or keys.
        languages: Those that you read, such as `en`.

    Raises:
        SetupError: No contact, or a value that the file cannot have (`content/bad-security-txt`).
    """

    contact: str | Sequence[str]
    expires: datetime
    encryption: str | Sequence[str] = ()
    acknowledgments: str | Sequence[str] = ()
    policy: str | Sequence[str] = ()
    hiring: str | Sequence[str] = ()
    languages: str | Sequence[str] = ()
    place: str = field(default_factory=caller_place, repr=False)

    def __post_init__(self) -> None:
        if not _many(self.contact):
            raise _bad("security.txt has no contact.", "RFC 9116 §2.5.3 demands one.", self.place)
        if self.expires.tzinfo is None:
            raise _bad("The moment security.txt expires has no time zone.", "", self.place, "datetime(…, tzinfo=UTC)")
        _demand_lines([each for _, values in self._fields() for each in values])
        for name, values in self._fields():
            for value in values:
                if name != "Preferred-Languages" and not value.startswith(("https://", "mailto:", "tel:")):
                    near = f'"mailto:{value}"' if "@" in value else "Begin it with https://, mailto: or tel:."
                    raise _bad(f"{name} of security.txt is {value!r}, which is no URI.", "", self.place, near)

    def install(self, setup: Setup) -> None:
        """Add the route, that of former times, and the check."""

        def security_txt(request: Request) -> Response:
            return Response("\n".join(self._lines(request)) + "\n", content_type=_TEXT)

        def security_txt_moved(request: Request) -> Response:
            return redirect(f"{request.root_path}/.well-known/security.txt", 301)

        setup.add_url_rule("/.well-known/security.txt", "security_txt", mark(security_txt, login=False))
        setup.add_url_rule("/security.txt", "security_txt_moved", mark(security_txt_moved, login=False))
        setup.check(self._check)

    def _fields(self) -> Iterator[tuple[str, Sequence[str]]]:
        yield "Contact", _many(self.contact)
        yield "Encryption", _many(self.encryption)
        yield "Acknowledgments", _many(self.acknowledgments)
        yield "Policy", _many(self.policy)
        yield "Hiring", _many(self.hiring)
        yield "Preferred-Languages", [", ".join(_many(self.languages))] if self.languages else []

    def _lines(self, request: Request) -> Iterator[str]:
        for name, values in self._fields():
            yield from (f"{name}: {value}" for value in values)
        yield f"Expires: {self.expires.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        site = request.app.config["SITE_URL"]
        if site and site.startswith("https://"):  # the RFC has no other scheme, and a Host header proves nothing
            yield f"Canonical: {absolute(request, '/.well-known/security.txt')}"

    def _check(self) -> Iterable[Finding]:
        left = self.expires - clock.today()
        if left < timedelta():
            yield Finding(
                "content.E001", "error", "security.txt has expired.", "Give it another `expires`.", self.place
            )
        elif left < timedelta(days=30):
            yield Finding(
                "content.W001",
                "warning",
                f"security.txt expires in {left.days} days.",
                "Look through it, and give it another `expires`.",
                self.place,
            )
        elif left > timedelta(days=366):
            yield Finding(
                "content.W002",
                "warning",
                "security.txt expires in more than a year; RFC 9116 §2.5.5 recommends less.",
                "Give it a nearer `expires`.",
                self.place,
            )


def _many(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


def _demand_lines(values: Iterable[str]) -> None:
    for value in values:
        if _BREAKS(value):
            raise SetupError(
                f"{value[:80]!r} has a line break or another control character in it.",
                code="content/bad-line",
                where=caller_place(),
                why="Each value is one line of the file; what follows the break would be another rule.",
            )


def _bad(message: str, why: str, place: str, hint: str = "") -> SetupError:
    return SetupError(message, code="content/bad-security-txt", where=place, why=why, hint=hint)
