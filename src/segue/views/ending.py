"""The end of a wizard, which happens once however often its last step is sent.

Holds: `Ending`: who calls `done()`, and what the others are told.
Imports: the cache, responses, floor 0.
Never: lets two requests of one visitor be the first; keeps an answer other than where it leads.

A visitor who clicks twice sends the last step twice, and the browser shows the answer to the second.
A session on the server decides by itself who was first: its content is replaced only where it is
still the one that was read. A cookie cannot, so a word in the app's cache decides; the same word tells
the second where the first one leads. With several processes that has to be a cache they share.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from .. import clock
from ..cache import CACHES, CacheUnavailable
from ..colours import Operation, either
from ..errors import Conflict
from ..http.response import Response, redirect

__all__ = ["Ending"]

_AT_WORK = "at work"
# How long the first one counts as at work, should its process have died; and how long its answer is known.
_MOST_SECONDS = 600
_PAUSE_SECONDS = 0.05
_MOST_TRIES = 200


class Ending:
    """The end of one way through a wizard.

    Args:
        key: Of the answers in the session.
        ticket: Of this way through; empty where nothing was kept of it yet, so that nothing is guarded.
    """

    def __init__(self, request: Any, session: Any, key: str, ticket: str) -> None:
        self._cache: Any = request.context.app.provided(CACHES)["default"].strict
        self._session = session
        self._key = key
        self._ticket = ticket
        self._mark = secrets.token_urlsafe(9)

    def __repr__(self) -> str:
        return f"<Ending of {self._key}>"

    @property
    def _word(self) -> str:
        return f"wizard:{self._ticket}"

    def claiming(self) -> Operation[bool]:
        """Say whether this request is the first to end it; what comes of that is told to `keeping` or `releasing`."""
        if not self._ticket:
            return True
        if (yield from self._asking("add", self._word, _AT_WORK, _MOST_SECONDS)) is False:
            return False
        if self._session.is_in_cookie or (yield from self._taking()):
            return True
        yield from self._asking("delete", self._word)
        return False

    def keeping(self, answer: Any) -> Operation[None]:
        """Remember where the first one was led, for those who ask later."""
        if self._ticket:
            is_redirect = isinstance(answer, Response) and "location" in answer.headers
            found = [answer.headers["location"], answer.status] if is_redirect else []
            yield from self._asking("set", self._word, found, _MOST_SECONDS)

    def releasing(self) -> Operation[None]:
        """Let it be ended again: `done()` failed."""
        if self._ticket:
            if not self._session.is_in_cookie:
                yield from either(self._session.change, self._session.achange, self._untake)
            yield from self._asking("delete", self._word)

    def following(self) -> Operation[Response]:
        """Wait for the first one, and lead where it leads.

        Raises:
            Conflict: It leads nowhere, takes too long, or is another process's affair.
        """
        found: Any = None
        for _ in range(_MOST_TRIES):
            found = yield from self._asking("get", self._word)
            if found != _AT_WORK:
                break
            yield from either(_sleep, _asleep)
        if not found or found == _AT_WORK:
            raise Conflict("This was sent already, and once is enough.")
        return redirect(*found)

    # The session

    def _taking(self) -> Operation[bool]:
        yield from either(self._session.change, self._session.achange, self._take)
        # One that was ended meanwhile comes back empty.
        return self._mark in self._session.get(self._key, {}).get("taken", ())

    def _take(self, content: dict[str, Any]) -> None:
        kept = content.get(self._key, {})
        _, since = kept.get("taken", ("", 0))
        if kept.get("ticket") == self._ticket and since < clock.now() - _MOST_SECONDS:
            kept["taken"] = [self._mark, int(clock.now())]

    def _untake(self, content: dict[str, Any]) -> None:
        content.get(self._key, {}).pop("taken", None)

    # The cache

    def _asking(self, name: str, *arguments: Any) -> Operation[Any]:
        """Ask the cache; `None` where it does not answer: a wizard goes on without it."""
        try:
            return (yield from either(getattr(self._cache, name), getattr(self._cache, f"a{name}"), *arguments))
        except CacheUnavailable:
            return None


def _sleep() -> None:
    time.sleep(_PAUSE_SECONDS)


async def _asleep() -> None:
    from asyncio import sleep  # for what runs on a loop

    await sleep(_PAUSE_SECONDS)
