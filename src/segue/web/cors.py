"""`Cors`: which other sites may read the answers of this one.

Holds the battery, what is answered to a preflight, and the middleware that asks the
policy of whatever route is meant: of the app, or of the nearest blueprint.

A site that is not allowed is answered without a word about it: its browser keeps the
answer from its scripts. Access from public to private networks is never granted.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from ..errors import SetupError, cut, did_you_mean
from ..handling.exchange import Exchange
from ..http.headers import Headers
from ..http.hygiene import KNOWN_METHODS
from ..http.request import Request
from ..http.response import TEXT, Response
from ..places import caller_place
from ..routing import Match
from ..typing import Setup
from .origins import OriginList

__all__ = ["Cors", "cors_middleware"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_ALWAYS_ALLOWED = frozenset({"accept", "accept-language", "content-language"})  # WHATWG Fetch, safelisted
_MOST_REQUESTED = 2_000  # characters of Access-Control-Request-Headers
_DAY = 86_400

Middleware = Callable[[Request], Generator[None, Response, "Response | None"]]


@dataclass(frozen=True, slots=True)
class Cors:
    """Lets scripts of other sites read answers: `app.register(Cors(origins=[…]))`.

    `blueprint.register(Cors(…))` is for the routes of a blueprint alone, and goes before
    that of the app.

    Args:
        origins: Such as `https://www.example.com`; `https://*.example.com` for all one
            label below; `"*"` for everybody.
        methods: Which methods they may use.
        headers: Which request headers they may set beside the harmless ones.
        credentials: Whether cookies come along, and answers to them may be read.
        expose: Response headers that scripts may read beside the harmless ones.
        max_age: For how long a browser remembers the answer to a preflight, in seconds
            or as a span.

    Raises:
        SetupError: An origin that is none (`security/bad-origin`), `*` with credentials
            (`security/cors-for-all`), a bad name (`security/bad-cors`).
    """

    origins: Sequence[str] | str
    methods: Sequence[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: Sequence[str] = ("Authorization", "Content-Type")
    credentials: bool = False
    expose: Sequence[str] = ()
    max_age: int | timedelta = 600
    place: str = field(default_factory=caller_place, repr=False, compare=False)

    fits_blueprints: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _Policy(self)

    def install(self, setup: Setup) -> None:
        """Let the app, or the blueprint, be read by others."""
        setup.add(self)


class _Policy:
    """What one `Cors` says, ready to be asked."""

    __slots__ = ("_allowed", "_granted", "_is_for_all", "_methods", "_origins", "_shown")

    def __init__(self, cors: Cors) -> None:
        patterns = [cors.origins] if isinstance(cors.origins, str) else list(cors.origins)
        self._is_for_all = "*" in patterns
        if self._is_for_all and (cors.credentials or len(patterns) > 1):
            raise _for_all(cors, patterns)
        self._origins = OriginList([] if self._is_for_all else patterns, name="Cors(origins=…)")
        self._methods = frozenset(_methods_of(cors))
        names = _names(cors, "headers", cors.headers)
        self._allowed = _ALWAYS_ALLOWED.union(name.lower() for name in names)
        exposed = _names(cors, "expose", cors.expose)
        credentials = {"access-control-allow-credentials": "true"} if cors.credentials else {}
        shown = {"access-control-expose-headers": ", ".join(exposed)} if exposed else {}
        self._shown: Mapping[str, str] = {**credentials, **shown}
        self._granted: Mapping[str, str] = {
            **credentials,
            "access-control-allow-methods": ", ".join(sorted(self._methods)),
            "access-control-allow-headers": ", ".join(names),
            "access-control-max-age": str(_seconds_of(cors)),
        }

    def grant(self, origin: str | None) -> str | None:
        """Return the value of `Access-Control-Allow-Origin` for *origin*, or `None`."""
        if origin is None:
            return None
        if self._is_for_all:
            return "*"
        return origin if self._origins.allows(origin) else None

    def answer(self, request: Request, origin: str) -> Response:
        """Answer a preflight."""
        granted = self.grant(origin)
        method = request.headers["access-control-request-method"]
        if granted is None:
            response = Response("This origin may not read what is here.", 403, content_type=TEXT)
        elif method not in self._methods:
            response = Response("This method is not open to other origins.", 403, content_type=TEXT)
        elif not self._allows_headers(request.headers.get("access-control-request-headers", "")):
            response = Response("A request header is not open to other origins.", 403, content_type=TEXT)
        else:
            response = Response(b"", 204, {"access-control-allow-origin": granted, **self._granted})
        response.headers.vary("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")
        return response

    def _allows_headers(self, text: str) -> bool:
        if len(text) > _MOST_REQUESTED:
            return False
        return all(name.strip().lower() in self._allowed for name in text.split(",") if name.strip())

    def shown(self, response: Response, origin: str | None) -> Response:
        """Return *response* as scripts of *origin* may read it: a copy, because a handler may return one often."""
        found = copy.copy(response)
        found.headers = Headers()
        found.headers.pairs = [pair for pair in response.headers.pairs if not pair[0].startswith("access-control-")]
        granted = self.grant(origin)
        if granted is not None:
            found.headers.update({"access-control-allow-origin": granted, **self._shown})
        found.headers.vary("Origin")
        return found


def cors_middleware(by_part: Mapping[str | None, Sequence[Any]]) -> Middleware | None:
    """Return the middleware for what parts of an app have added, or `None` where no `Cors` is among it.

    Args:
        by_part: Things by the name of their blueprint; the app's under `None`.

    Raises:
        SetupError: A part has two (`security/bad-cors`).
    """
    found = {name: [thing for thing in things if isinstance(thing, Cors)] for name, things in by_part.items()}
    for several in found.values():
        if len(several) > 1:
            raise _bad(
                several[1],
                "There are two Cors for the same routes.",
                "Which one holds could not be told.",
                f"Put the origins of both into that of {several[0].place}",
            )
    policies = {name: _Policy(several[0]) for name, several in found.items() if several}
    if not policies:
        return None

    def cors(request: Request) -> Generator[None, Response, Response | None]:
        origin = request.headers.get("origin")
        if request.method == "OPTIONS" and origin is not None and "access-control-request-method" in request.headers:
            policy = _policy_for(policies, _scopes_asked_for(request))
            if policy is not None:
                return policy.answer(request, origin)
        response = yield
        exchange = request.context
        assert isinstance(exchange, Exchange)
        policy = _policy_for(policies, exchange.endpoint.scopes if exchange.endpoint is not None else ())
        return None if policy is None else policy.shown(response, origin)

    return cors


def _policy_for(policies: Mapping[str | None, _Policy], scopes: Sequence[str]) -> _Policy | None:
    return next((policies[scope] for scope in scopes if scope in policies), policies.get(None))


def _scopes_asked_for(request: Request) -> Sequence[str]:
    """Return the blueprints, innermost first, of the route that the request after a preflight would reach."""
    router = request.context.app.router
    wanted = request.headers["access-control-request-method"]
    found = router.resolve(wanted, request.path, request.host)
    scopes: Sequence[str] = found.target.scopes if isinstance(found, Match) else ()
    return scopes


def _methods_of(cors: Cors) -> Sequence[str]:
    for method in cors.methods:
        if method not in KNOWN_METHODS:
            raise _bad(
                cors,
                f"methods holds {cut(method)}, which is no method.",
                "Methods are upper case, and those that a route can have.",
                did_you_mean(str(method).upper(), KNOWN_METHODS) or 'methods=["GET", "POST"]',
            )
    return cors.methods


def _names(cors: Cors, option: str, names: Sequence[str]) -> list[str]:
    listed = [names] if isinstance(names, str) else list(names)
    for name in listed:
        if not _TOKEN(name) or name == "*":
            raise _bad(
                cors,
                f"{option} holds {cut(name)}, which is no name of a header.",
                "Each header is named; there is no wildcard.",
                f'{option}=["X-Total"]',
            )
    return listed


def _seconds_of(cors: Cors) -> int:
    seconds = int(cors.max_age.total_seconds()) if isinstance(cors.max_age, timedelta) else cors.max_age
    if not 0 <= seconds <= _DAY:
        raise _bad(
            cors, f"max_age is {seconds} seconds.", "Browsers keep it for a day at most.", f"max_age={_DAY}, or less"
        )
    return seconds


def _for_all(cors: Cors, patterns: Sequence[str]) -> SetupError:
    if cors.credentials:
        message = "Every origin would be given what this site shows to a visitor who is logged in."
        why = 'origins="*" with credentials=True lets any page read private data; browsers refuse it (WHATWG Fetch).'
    else:
        message = f"origins holds '*' and {len(patterns) - 1} more."
        why = "`*` is everybody, so the others say nothing."
    return SetupError(
        message,
        code="security/cors-for-all",
        where=cors.place,
        why=why,
        hint='origins=["https://www.example.com"]',
    )


def _bad(cors: Cors, message: str, why: str, hint: str) -> SetupError:
    return SetupError(message, code="security/bad-cors", where=cors.place, why=why, hint=hint)
