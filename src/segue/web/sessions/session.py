"""The session of one visitor: a mapping that knows whether it was read and changed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import msgspec

from ... import clock
from ...colours import Operation, arun, either, is_on_loop, run, twin
from ...context import Key
from ...errors import UsageError, cut
from ...http.cookies import BadCookie
from ...http.response import Response
from . import SESSIONS
from .stores import Outcome, Stored

if TYPE_CHECKING:
    from .settings import Sessions

__all__ = ["SESSION", "Session", "aloaded", "loaded", "session_of"]

T = TypeVar("T")

_MOST_TRIES = 50
_MISSING: Any = object()


class Session(MutableMapping[str, Any]):
    """What the site remembers of one visitor: text keys, and values that msgpack holds.

    Text, numbers, booleans, `None`, bytes, aware datetimes, and lists and dicts of these come
    back as they went in; tuples come back as lists. It is read at the first touch, and written
    at the end of the request if it changed, in nested values too. Two requests that change
    different keys at once both win.

    A handler takes it as the parameter `session`, or reads `request.session`. In an `async def`
    handler a session on the server is loaded by the parameter, or by `await request.asession()`.

    Attributes:
        accessed: Whether it was touched; then the response varies by its cookie.
        owner: The key of the user who is logged in, as text, or empty. Set by `segue.auth`.
    """

    def __init__(self, sessions: Sessions, text: str | None, *, on_touch: Callable[[Session], None]) -> None:
        self._sessions = sessions
        self._text = text or None
        self._on_touch = on_touch
        self._stored: Stored | None = None
        self._data: dict[str, Any] | None = None
        self._expiry: int | None = None
        self._loaded = b""
        self._is_renewed = False
        self._is_bound = False
        self._is_closed = False
        self.owner: str = ""
        self.accessed: bool = False

    def __repr__(self) -> str:
        if self._data is None:
            return "<Session, not read>"
        return f"<Session with {', '.join(self._data) or 'nothing'}>"  # keys alone: values may be secrets

    __from_request__: ClassVar[Any]  # makes it a parameter of handlers, by its type

    # Loading

    def loading(self) -> Operation[Session]:
        """`load()` and `aload()`, for those who write operations."""
        if self._data is None:
            stored = None
            if self._text is not None:
                stored = yield from self._sessions.store.open(self._text)
            self._take(stored)
        self._mark()
        return self

    def load(self) -> Session:
        """Read what is stored, and return this."""
        return run(self.loading())

    async def aload(self) -> Session:
        """Read what is stored, and return this."""
        return await arun(self.loading())

    def _take(self, stored: Stored | None) -> None:
        moment = clock.now()
        content = None
        if stored is not None and moment < stored.expires and moment < stored.created + self._sessions.lifetime:
            content = _decode(stored.data)
        if stored is None or content is None:
            self._stored, self._data, self._expiry, self._loaded, self.owner = None, {}, None, b"", ""
            return
        self._stored, self._loaded = stored, stored.data
        self._data, self._expiry = content
        self.owner = stored.owner

    def _mark(self) -> None:
        if not self.accessed:
            self.accessed = True
            self._on_touch(self)

    def _touched(self) -> dict[str, Any]:
        self._mark()
        if self._data is None:
            if self._text is not None and self._sessions.store.waits and is_on_loop():
                raise _not_loaded()
            run(self.loading())
        assert self._data is not None
        return self._data

    def _changing(self) -> dict[str, Any]:
        if self._is_closed:
            raise UsageError(
                "The session was changed after the response had begun.",
                code="web/session-too-late",
                why="Its cookie is a header, and headers are sent before the body.",
                hint="Change it in the handler, before it returns a generator or streams a template.",
            )
        return self._touched()

    # A mapping

    def __getitem__(self, key: str) -> Any:
        return self._touched()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # of users without a checker
            raise UsageError(
                f"{cut(key)} is no key of a session.", code="web/session-key", hint="Keys are text: str(key)."
            )
        self._changing()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._changing()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._touched())

    def __len__(self) -> int:
        return len(self._touched())

    def __contains__(self, key: object) -> bool:
        return key in self._touched()

    def __bool__(self) -> bool:
        return bool(self._touched())

    # Its life

    @property
    def is_new(self) -> bool:
        """Whether nothing was stored for this visitor yet."""
        self._touched()
        return self._stored is None

    @property
    def modified(self) -> bool:
        """Whether it will be saved."""
        return self._data is not None and (self._is_renewed or self._encode() != (self._loaded or _NOTHING))

    @property
    def permanent(self) -> bool:
        """Whether it outlives the browser; setting it keeps it for `SESSION_IDLE`."""
        self._touched()
        return self._sessions.is_permanent if self._expiry is None else self._expiry > 0

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self._changing()
        self._expiry = self._sessions.idle if value else 0

    @property
    def key(self) -> str:
        """What its store knows it by; empty where it keeps none."""
        self._touched()
        return self._stored.key if self._stored is not None else ""

    @property
    def is_in_cookie(self) -> bool:
        """Whether the browser keeps it: then it has room for about 3,000 bytes, all told."""
        return not self._sessions.store.waits

    @property
    def binding(self) -> str:
        """What a form of this session can be tied to: it changes with the id, and does not wait."""
        if self._text is None:
            return ""
        self._touched() if not self._sessions.store.waits else self._mark()
        if self._data is not None and self._stored is None:
            return ""  # what the browser sent opens nothing, and is taken back by this answer
        self._is_bound = True
        return self._sessions.store.binding(self._text, self._stored)

    def set_expiry(self, value: float | timedelta | None) -> None:
        """Let it end *value* seconds (or that span) after it was last used.

        Args:
            value: 0 ends it with the browser; `None` goes back to the configuration.
        """
        self._changing()
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        self._expiry = None if seconds is None else max(0, int(seconds))

    def get_expiry_age(self) -> int:
        """Return after how many unused seconds it ends."""
        self._touched()
        return self._expiry or self._sessions.idle

    def cycle_key(self) -> None:
        """Give it a new id and keep its content: at every rise of rights, against fixation."""
        self._changing()
        self._is_renewed = True

    def flush(self) -> None:
        """Forget everything, on the server too; what is set afterwards begins a new session."""
        self._changing().clear()
        self._expiry = None
        self._is_renewed = True
        self.owner = ""

    def change(self, function: Callable[[dict[str, Any]], T]) -> T:
        """Apply *function* to the content as it stands in the store now, and save that at once.

        Of two requests that count something, neither loses: the second is given what the first
        saved. It may be called more than once.
        """
        return run(self._change(function))

    async def achange(self, function: Callable[[dict[str, Any]], T]) -> T:
        """`change()` in async code."""
        return await arun(self._change(function))

    def _change(self, function: Callable[[dict[str, Any]], T]) -> Operation[T]:
        yield from self.loading()
        content = self._changing()
        for tries in range(_MOST_TRIES):
            before, own = self._loaded, self._encode()
            result = function(content)
            if self._stored is None or not self._sessions.store.waits:
                return result  # saved at the end, with everything else
            outcome = yield from self._replace(self._stored)
            if outcome is Outcome.CHANGED:
                yield from _give_way(tries)
                content = yield from self._again(before, own)
                continue
            if outcome is Outcome.GONE:
                self._take(None)
            return result
        raise _too_busy()

    def _again(self, before: bytes, own: bytes) -> Operation[dict[str, Any]]:
        """Take what another request saved, with what this one had changed, by *own*, before its function."""
        found = yield from self._sessions.store.open(self._text or "")
        if found is None:
            self._take(None)
        else:
            self._data = (_decode(own) or ({}, None))[0]
            self._stored, self._loaded = self._merge(found, before), found.data
        return self._touched()

    # The end of the request

    def finish(self, response: Response) -> Operation[None]:
        """Save what changed, and tell caches that the answer is one visitor's."""
        response.headers.vary("Cookie")
        if "cache-control" not in response.headers:
            response.headers["cache-control"] = "private, no-cache"
        if self._data is None:
            return
        before, data = self._loaded, self._encode()
        if self._is_renewed and self._text is not None and self._stored is not None:
            yield from self._sessions.store.end(self._text)
            self._stored = None
        if self._stored is None:
            yield from self._begin(response, data)
        elif data == _NOTHING and not self._is_bound:  # else its form could not be sent
            yield from self._sessions.store.end(self._text or "")
            self._sessions.erase(response)
        elif data != before or self.owner != self._stored.owner or self._is_due(self._stored):
            yield from self._save(response, before)
        self._is_closed = True

    def _begin(self, response: Response, data: bytes) -> Operation[None]:
        if data == _NOTHING and not self.owner:
            if self._text is not None:
                # Expired, ended or forged: the browser need not send it again.
                self._sessions.erase(response)
            return
        moment = int(clock.now())
        stored = Stored(data, moment, moment, moment + self.get_expiry_age(), owner=self.owner)
        self._text = yield from self._sessions.store.create(stored)
        self._write(response)

    def _save(self, response: Response, before: bytes) -> Operation[None]:
        stored, text = self._stored, self._text
        assert stored is not None
        for tries in range(_MOST_TRIES):
            outcome = yield from self._replace(stored)
            if outcome is None:
                if self._text != text or self.permanent:
                    self._write(response)
                return
            found = None
            if outcome is Outcome.CHANGED:
                yield from _give_way(tries)
                found = yield from self._sessions.store.open(text or "")
            if found is None:
                # Ended meanwhile, by a logout: what is saved now must not bring it back.
                self._sessions.erase(response)
                return
            stored = self._merge(found, before)
        raise _too_busy()

    def _replace(self, stored: Stored) -> Operation[Outcome | None]:
        """Put the content in the place of *stored*; say why that could not be."""
        moment = int(clock.now())
        new = replace(
            stored,
            data=self._encode(),
            seen=moment,
            expires=min(moment + self.get_expiry_age(), stored.created + self._sessions.lifetime),
            owner=self.owner,
        )
        kept = yield from self._sessions.store.replace(self._text or "", new)
        if isinstance(kept, Outcome):
            return kept
        self._text = kept
        self._stored, self._loaded = replace(new, version=new.version + 1), new.data
        return None

    def _merge(self, found: Stored, before: bytes) -> Stored:
        """Put what this request changed onto what another one saved."""
        old, new = (_decode(before) or ({}, None))[0], self._data or {}
        content, expiry = _decode(found.data) or ({}, None)
        for key in old.keys() | new.keys():
            if key not in new:
                content.pop(key, None)
            elif new[key] != old.get(key, _MISSING):
                content[key] = new[key]
        self._data = content
        self._expiry = self._expiry if self._expiry is not None else expiry
        return found

    def _is_due(self, stored: Stored) -> bool:
        """Whether it must be saved for its age alone: at most ten times in its life unused."""
        return clock.now() - stored.seen > self.get_expiry_age() / 10

    def _write(self, response: Response) -> None:
        assert self._text is not None
        try:
            self._sessions.write(response, self._text, max_age=self.get_expiry_age() if self.permanent else None)
        except BadCookie as error:
            raise _too_big(self._touched(), len(self._text)) from error

    def _encode(self) -> bytes:
        try:
            return msgspec.msgpack.encode((self._data, self._expiry))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise _not_storable(self._data or {}) from error


def _give_way(tries: int) -> Operation[None]:
    """Wait a moment before the next try, longer each time, so that the unlucky come through too."""
    seconds = random.random() * 0.002 * tries
    yield from either(_sleep, _asleep, seconds)


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


async def _asleep(seconds: float) -> None:
    from asyncio import sleep  # for stores that are asked on a loop

    await sleep(seconds)


_NOTHING = msgspec.msgpack.encode(({}, None))
# PERF: made once; `decode(type=…)` looks at the type anew each time, which took ten times as long as the decoding.
_decode_content = msgspec.msgpack.Decoder(tuple[dict[str, Any], int | None]).decode


def _decode(data: bytes) -> tuple[dict[str, Any], int | None] | None:
    """Return content and expiry; `None` for garbage, which is as if nothing had been stored."""
    try:
        return _decode_content(data)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _not_loaded() -> UsageError:
    return UsageError(
        "The session was touched on the event loop before it was loaded.",
        code="web/session-not-loaded",
        why="It is kept on the server, and reading it would hold up every other request.",
        hint="Take it as a parameter: async def handler(session: Session)\nor write first: await request.asession()",
    )


def _too_busy() -> UsageError:
    return UsageError(
        "A session was changed by so many requests at once that this one never came through.",
        code="web/session-busy",
        hint="Keep what many requests count in a table of its own.",
    )


def _too_big(data: dict[str, Any], size: int) -> UsageError:
    sizes = sorted(((len(msgspec.msgpack.encode(value)), key) for key, value in data.items()), reverse=True)
    largest = ", ".join(f"{key!r} {count} bytes" for count, key in sizes[:3])
    return UsageError(
        f"The session does not fit into a cookie: {size} bytes, and browsers keep 4096.",
        code="web/session-too-big",
        why=f"Its largest values: {largest}.",
        hint='Keep sessions on the server: SESSION_STORE = "database"',
    )


def _not_storable(data: dict[str, Any]) -> UsageError:
    for key, value in data.items():
        try:
            msgspec.msgpack.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return UsageError(
                f"session[{key!r}] is {cut(value)}, which cannot be stored: {error}",
                code="web/session-value",
                why="A session holds text, numbers, bytes, aware datetimes, lists and dicts of these.",
                hint="Keep a key of it (record.pk), and load it in the handler.",
            )
    return UsageError("The session cannot be stored.", code="web/session-value")


# Of a request

SESSION: Key[Session] = Key("session")


def session_of(request: Any) -> Session:
    """Return the session of *request*, read or not."""
    context = request.context
    session: Session | None = context.kept.get(SESSION)
    if session is None:
        sessions = context.app.provided(SESSIONS)
        session = Session(
            sessions, request.cookies.get(sessions.name), on_touch=partial(context.add_finisher, is_last=True)
        )
        context.keep(SESSION, session)
    return session


async def aloaded(request: Any) -> Session:
    """Return the session of *request*, read."""
    return await session_of(request).aload()


@twin(aloaded)
def loaded(request: Any) -> Session:
    """Return the session of *request*, read."""
    return session_of(request).load()


Session.__from_request__ = staticmethod(loaded)
