"""Messages to the visitor that survive a redirect: "Your seat is reserved."

Holds: `messages`, as Django has them; `flash` and `get_flashed_messages`, as Flask has them.
Imports: floor 0 and the sessions beside it.
Never: loads a session to leave a message in it; that happens when the answer stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from ..colours import Operation
from ..context import Key, current
from ..handling.exchange import Exchange
from ..http.response import Response
from ..signals import message_flashed
from .sessions.session import Session, session_of

__all__ = [
    "DEBUG",
    "ERROR",
    "INFO",
    "SUCCESS",
    "WARNING",
    "Message",
    "add_message",
    "debug",
    "error",
    "flash",
    "get_flashed_messages",
    "get_messages",
    "info",
    "success",
    "warning",
]

DEBUG, INFO, SUCCESS, WARNING, ERROR = 10, 20, 25, 30, 40
_TAGS = {DEBUG: "debug", INFO: "info", SUCCESS: "success", WARNING: "warning", ERROR: "error"}
_LEVELS = {tag: level for level, tag in _TAGS.items()}
_STORED = "_messages"
_MOST = 50


class Message:
    """One message.

    Attributes:
        level: 10 (debug) to 40 (error), as Django has them.
        message: The text; escaped in templates.
        extra_tags: Further words for its class attribute; Flask's category.
    """

    __slots__ = ("extra_tags", "level", "message")

    def __init__(self, level: int, message: str, extra_tags: str = "") -> None:
        self.level: int = level
        self.message: str = str(message)
        self.extra_tags: str = extra_tags

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"<Message {self.tags}: {self.message!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[int, str, str]:
        return self.level, self.message, self.extra_tags

    @property
    def level_tag(self) -> str:
        """The word for the level; empty for a level of your own."""
        return _TAGS.get(self.level, "")

    @property
    def tags(self) -> str:
        """All words for its class attribute."""
        return " ".join(filter(None, (self.extra_tags, self.level_tag)))


class Messages:
    """The messages of one request: those that were waiting, and those it leaves.

    Iterating shows them, and what was shown is gone; what was not is there in the next answer.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._session: Session = session_of(exchange.request)
        self._added: list[Message] = []
        self._is_shown = False
        exchange.add_finisher(self)

    def __repr__(self) -> str:
        return f"<Messages: {len(self._added)} new>"

    def __iter__(self) -> Iterator[Message]:
        shown = [*self._waiting(), *self._added]
        self._is_shown, self._added = True, []
        return iter(shown)

    def __len__(self) -> int:
        return len(self._waiting()) + len(self._added)

    def __bool__(self) -> bool:
        return len(self) > 0

    def add(self, message: Message) -> None:
        """Leave a message."""
        self._added.append(message)

    def _waiting(self) -> list[Message]:
        if self._is_shown:
            return []
        return [Message(*each) for each in _readable(self._session.get(_STORED))]

    def finish(self, response: Response) -> Operation[None]:
        """Put what was not shown into the session, and take out what was."""
        if not self._added and not self._is_shown:
            return
        yield from self._session.loading()
        kept = [] if self._is_shown else list(_readable(self._session.get(_STORED)))
        kept += [[each.level, each.message, each.extra_tags] for each in self._added]
        if kept:
            self._session[_STORED] = kept[-_MOST:]
        else:
            self._session.pop(_STORED, None)


def _readable(stored: Any) -> Iterator[list[Any]]:
    try:
        yield from (list(each) for each in msgspec.convert(stored or [], list[tuple[int, str, str]]))
    except msgspec.ValidationError:
        return  # what somebody else put there is no message


MESSAGES: Key[Messages] = Key("messages")


def _of(exchange: Any) -> Messages:
    found: Messages | None = exchange.kept.get(MESSAGES)
    if found is None:
        found = Messages(exchange)
        exchange.keep(MESSAGES, found)
    return found


# Django's


def get_messages(request: Any) -> Messages:
    """Return the messages of *request*; iterating them shows them, once."""
    return _of(request.context)


def add_message(request: Any, level: int, message: str, extra_tags: str = "") -> None:
    """Leave a message for the next page that shows messages."""
    _of(request.context).add(Message(level, message, extra_tags))


class Add(Protocol):
    """Leaves a message of one level."""

    def __call__(self, request: Any, message: str, extra_tags: str = "") -> None: ...


def _adder(level: int, name: str) -> Add:
    def add(request: Any, message: str, extra_tags: str = "") -> None:
        add_message(request, level, message, extra_tags)

    add.__name__ = add.__qualname__ = name
    add.__doc__ = f"Leave a message of the level `{name}`."
    return add


debug: Add = _adder(DEBUG, "debug")
info: Add = _adder(INFO, "info")
success: Add = _adder(SUCCESS, "success")
warning: Add = _adder(WARNING, "warning")
error: Add = _adder(ERROR, "error")


# Flask's


def flash(message: str, category: str = "message") -> None:
    """Leave a message in the running request, as Flask does.

    Args:
        category: `debug`, `info`, `success`, `warning` and `error` are levels; any other is a tag of `info`.
    """
    context: Any = current()
    if not isinstance(context, Exchange):
        context.make_request()  # says that there is none
    signal = context.app.signals[message_flashed]
    if signal.receivers:
        signal.send(context.app.app, message=message, category=category)
    level = _LEVELS.get(category, INFO)
    _of(context).add(Message(level, message, "" if category in _LEVELS else category))


def get_flashed_messages(*, with_categories: bool = False, category_filter: Iterable[str] = ()) -> list[Any]:
    """Return the messages of the running request, and show them; again in the same request, the same.

    Args:
        with_categories: Return pairs of category and message.
        category_filter: Only these categories; none means all.
    """
    context: Any = current()
    kept: list[Message] | None = context.kept.get(_FLASHED)
    if kept is None:
        kept = list(_of(context))
        context.keep(_FLASHED, kept)
    wanted = tuple(category_filter)
    found = [(each.extra_tags or each.level_tag, each.message) for each in kept]
    chosen = [pair for pair in found if not wanted or pair[0] in wanted]
    return chosen if with_categories else [message for _, message in chosen]


_FLASHED: Key[list[Message]] = Key("flashed messages")
