"""The debugger: Python in any frame of an error, from the page that shows it.

It runs whatever is typed, so every door is shut at once: the key `DEBUGGER` and debug
must be on, the peer must be this machine, asked for a localhost host, by no proxy, from
the page itself (same origin), knowing the secret that stands in it, and unlocked by the
PIN that only the server's log shows. Prefix, secret and PIN are made anew in each process.

`Debugger().install(app)` puts it around an app: one middleware that answers below its
own prefix, before anything of the app runs, since that may be what fails.
"""

from __future__ import annotations

import inspect
import logging
import os
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from threading import Lock
from time import monotonic
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from ..context import Key, using
from ..errors import (
    BadRequest,
    ContentTooLarge,
    Forbidden,
    Gone,
    HTTPError,
    NotFound,
    SegueError,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
    ValidationError,
)
from ..handling.exchange import Exchange
from ..http.cookies import parse_cookies
from ..http.json import decode_json
from ..http.limits import Limits
from ..http.request import Request
from ..http.response import Response, encode_json
from ..typing import Setup
from .debug import CONSOLE, error_page, is_local
from .evaluating import Outcome, Session
from .frames import DebugFrame, Link, chain_of
from .problems import PROBLEM_JSON, problem_of

__all__ = ["Console", "Debugger", "KeptError", "install_outermost"]

_logger = logging.getLogger("segue.debugger")

_MOST_ERRORS = 10
_MAX_BODY = 100_000
# The PIN has nine digits: ten guesses find it in one of a hundred million processes.
_MOST_WRONG = 10
_WRONG_PER_MINUTE = 5
_COOKIE = "segue_debugger"
_HEADER = "x-segue-debugger"
_LINK = "x-debugger"


@dataclass(slots=True)
class _Keys:
    """What must be known to get in; of one process."""

    pid: int = field(default_factory=os.getpid)
    prefix: str = field(default_factory=lambda: f"/_segue/{secrets.token_urlsafe(18)}/")
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    pin: str = field(default_factory=lambda: f"{secrets.randbelow(10**9):09}")
    is_told: bool = False
    wrong: list[float] = field(default_factory=list[float])


@dataclass(slots=True)
class KeptError:
    """One error whose frames can be asked.

    Attributes:
        links: The error and those it came from, as they were when it was kept.
        prefix: Where the console answers.
        secret: What the page must send along.
    """

    number: int
    error: BaseException
    status: int
    exchange: Exchange
    links: list[Link]
    prefix: str
    secret: str
    sessions: dict[int, Session] = field(default_factory=dict[int, Session])

    @property
    def frames(self) -> list[DebugFrame]:
        """The frames of the whole chain, in the order of the page."""
        return [frame for link in self.links for frame in link.frames]

    @property
    def link(self) -> str:
        """The address of its page."""
        return f"{self.prefix}errors/{self.number}"

    def session(self, index: int) -> Session:
        """Return the session of one frame, made at its first input."""
        found = self.sessions.get(index)
        if found is None:
            found = self.sessions[index] = Session(self.frames[index].frame)
        return found


class Console:
    """Keeps the last ten errors of an app, and answers below its prefix.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._errors: OrderedDict[int, KeptError] = OrderedDict()
        self._count = 0
        self._lock = Lock()
        self._own: _Keys | None = None

    def __repr__(self) -> str:
        return f"<Console of {len(self._errors)} errors>"

    @property
    def _keys(self) -> _Keys:
        # A forked worker makes its own: what its parent has said is not for it.
        with self._lock:
            if self._own is None or self._own.pid != os.getpid():
                self._own = _Keys()
                self._errors.clear()
            return self._own

    @property
    def pin(self) -> str:
        """The PIN of this process, as the log shows it."""
        pin = self._keys.pin
        return f"{pin[:3]}-{pin[3:6]}-{pin[6:]}"

    # What the error page asks

    def keep(self, exchange: Exchange, error: BaseException) -> KeptError | None:
        """Keep *error* with its frames; `None` where the console is off or the peer is not local."""
        if not _is_on(exchange) or not is_local(exchange):
            return None
        keys = self._keys
        with self._lock:
            found = next((each for each in self._errors.values() if each.exchange is exchange), None)
            if found is not None and found.error is error:
                return found
            self._count += 1
            kept = KeptError(self._count, error, 500, exchange, chain_of(error), keys.prefix, keys.secret)
            self._errors[kept.number] = kept
            while len(self._errors) > _MOST_ERRORS:
                self._errors.popitem(last=False)
        self._tell(keys)
        return kept

    def _tell(self, keys: _Keys) -> None:
        if not keys.is_told:
            keys.is_told = True
            _logger.warning("The debugger is on: whoever has this PIN runs code here. PIN: %s", self.pin)

    # What an installed app runs

    async def middleware(self, request: Request, call_next: Callable[..., Any]) -> Any:
        """Answer what is below the prefix; everything else is the app's."""
        exchange = cast("Exchange", request.context)
        keys = self._keys
        if not exchange.path.startswith(keys.prefix) or not _is_on(exchange):
            return await call_next(request)
        try:
            return await self._answer(exchange, keys, exchange.path.removeprefix(keys.prefix))
        except (HTTPError, ValidationError) as error:
            problem = Response(encode_json(problem_of(error)), error.status, content_type=PROBLEM_JSON)
            problem.headers["cache-control"] = "no-store"
            return problem

    def link(self, response: Response, request: Request) -> Response:
        """Add the address of the error's page to an answer that is no page."""
        exchange = cast("Exchange", request.context)
        error = exchange.error
        if error is None or response.status < 500 or response.content_type.startswith("text/html"):
            return response
        kept = self.keep(exchange, error)
        if kept is None:
            return response
        response.headers[_LINK] = kept.link
        if response.content_type.startswith(PROBLEM_JSON):
            problem = decode_json(response.body, Limits())
            linked = Response(
                encode_json({**problem, "debugger": kept.link}), response.status, content_type=PROBLEM_JSON
            )
            for name, value in response.headers.items():
                if name.lower() not in ("content-type", "content-length"):
                    linked.headers[name] = value
            return linked
        return response

    # The doors

    async def _answer(self, exchange: Exchange, keys: _Keys, what: str) -> Response:
        if not is_local(exchange):
            raise NotFound()  # to others there is nothing here
        kind, _, number = what.partition("/")
        if exchange.method == "GET" and kind == "errors":
            _demand_site(exchange, {"same-origin", "none"})
            kept = self._find(number)
            return error_page(kept.exchange, kept.error, kept.status, kept)
        if exchange.method != "POST" or what not in ("run", "unlock"):
            raise NotFound()
        _demand_site(exchange, {"same-origin"})
        if not compare_digest((exchange.header(_HEADER) or "").encode(), keys.secret.encode()):
            raise Forbidden("This page is of another process. Load it again.", code="debugger/wrong-secret")
        given = await _read_json(exchange)
        return self._unlock(exchange, keys, given) if what == "unlock" else await self._run(exchange, keys, given)

    def _unlock(self, exchange: Exchange, keys: _Keys, given: dict[str, Any]) -> Response:
        now = self._clock()
        with self._lock:
            if len(keys.wrong) >= _MOST_WRONG:
                raise TooManyRequests("Too many wrong PINs. Restart the server for a new one.", code="debugger/locked")
            if len([each for each in keys.wrong if now - each < 60]) >= _WRONG_PER_MINUTE:
                raise TooManyRequests("Too many wrong PINs. Wait a minute.", code="debugger/locked")
            pin = str(given.get("pin", "")).replace("-", "").replace(" ", "")
            if not compare_digest(pin.encode(), keys.pin.encode()):
                keys.wrong.append(now)
                raise Forbidden("This is not the PIN. The log of the server has it.", code="debugger/wrong-pin")
        response = Response(encode_json({"unlocked": True}), content_type="application/json")
        response.set_cookie(_COOKIE, keys.ticket, path=keys.prefix, httponly=True, samesite="Strict")
        response.headers["cache-control"] = "no-store"
        return response

    async def _run(self, exchange: Exchange, keys: _Keys, given: dict[str, Any]) -> Response:
        ticket = parse_cookies(exchange.header("cookie") or "").get(_COOKIE, "")
        if not compare_digest(ticket.encode(), keys.ticket.encode()):
            raise Unauthorized("Type the PIN that the log of the server shows.", code="debugger/no-pin")
        kept = self._find(str(given.get("error", "")))
        index, source = given.get("frame"), given.get("code")
        if type(index) is not int or not 0 <= index < len(kept.frames) or not isinstance(source, str):
            raise BadRequest("There is no such frame.", code="debugger/no-frame")
        outcome = await _evaluate(exchange, kept, index, source)
        response = Response(
            encode_json({"output": outcome.output, "value": outcome.value, "failure": outcome.failure}),
            content_type="application/json",
        )
        response.headers["cache-control"] = "no-store"
        return response

    def _find(self, number: str) -> KeptError:
        with self._lock:
            kept = self._errors.get(int(number)) if number.isascii() and number.isdigit() else None
        if kept is None:
            raise Gone(f"This error is not kept any more: only the last {_MOST_ERRORS} are.", code="debugger/forgotten")
        return kept


class Debugger:
    """Installs the console: `app.register(Debugger())`. It stays shut unless `DEBUGGER` is on."""

    def __init__(self, console: Console | None = None) -> None:
        self.console: Console = console or Console()

    def install(self, setup: Setup) -> Console:
        """Put the console around an app. The first middleware is the outermost, so install it first."""
        setup.provide(CONSOLE, self.console)
        setup.middleware(self.console.middleware)
        setup.after_request(self.console.link)
        return self.console


class Assembled(Setup, Protocol):
    """An app that is being assembled: still open, all it will have is there."""

    @property
    def registries(self) -> Any:
        """What its decorators collected."""
        ...

    @property
    def provided_values(self) -> Mapping[Key[Any], Any]:
        """What installers provided."""
        ...


def install_outermost(app: Assembled) -> None:
    """Put a console around everything that *app* has registered, unless it has one."""
    if CONSOLE in app.provided_values:
        return
    Debugger().install(app)
    # The first middleware is the outermost, and the first hook sees the last response.
    for registered in (app.registries.middleware, app.registries.after):
        registered.insert(0, registered.pop())


def _is_on(exchange: Exchange) -> bool:
    return bool(exchange.app.debug and exchange.app.app.config["DEBUGGER"])


def _demand_site(exchange: Exchange, sites: set[str]) -> None:
    """Refuse what another site's page has sent (Fetch Metadata; `Origin` where it is missing)."""
    site = exchange.header("sec-fetch-site")
    origin = exchange.header("origin")
    is_own = site in sites if site is not None else exchange.method == "GET" or origin is not None
    if origin is not None:
        parts = urlsplit(origin)
        is_own = is_own and parts.scheme in ("http", "https") and parts.netloc == exchange.header("host")
    if not is_own:
        raise Forbidden("The debugger answers only its own page.", code="debugger/other-site")


async def _read_json(exchange: Exchange) -> dict[str, Any]:
    kind = (exchange.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMediaType("A JSON body is needed.", code="http/not-json")
    length = exchange.header("content-length") or ""
    if not (length.isascii() and length.isdigit()) or int(length) > _MAX_BODY:
        raise ContentTooLarge(f"At most {_MAX_BODY} bytes are taken.")
    await exchange.aread_body(Limits(max_body=_MAX_BODY))
    given = decode_json(exchange.request.body, Limits())
    if not isinstance(given, dict):
        raise BadRequest("An object is needed.", code="debugger/no-frame")
    return cast("dict[str, Any]", given)


async def _evaluate(exchange: Exchange, kept: KeptError, index: int, source: str) -> Outcome:
    """Run *source* as the failed request would: its context around it, `def` code in a thread."""

    def begin() -> tuple[Session, Any]:
        session = kept.session(index)
        with using(kept.exchange):
            return session, session.start(source)

    session, started = await exchange.bridge.hop(exchange.portal, begin)
    if not inspect.iscoroutine(started):
        return cast("Outcome", started)
    with using(kept.exchange):
        try:
            value = await started
        except (Exception, SystemExit, SegueError) as error:
            return session.fail(error)
    return await exchange.bridge.hop(exchange.portal, session.finish, value)
