"""Who watches statements: logs, query budgets, tests, tools.

Holds: `watching`, for the statements of one context; the log; telling and describing them.
Imports: floor 0, the steps of this package.
Never: costs more than a truth test where nobody watches, or changes what is watched.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, NamedTuple

from ..masking import MASK
from .steps import Prepared

__all__ = [
    "Loading",
    "Observer",
    "describe_statement",
    "is_observed",
    "loading",
    "now_loading",
    "tell",
    "watching",
]

Observer = Callable[[Prepared, Sequence[Any], float], None]
"""Is called with a statement, its parameters, and the seconds it took."""

_log = logging.getLogger("segue.db")
_watchers: ContextVar[tuple[Observer, ...]] = ContextVar("segue_watchers", default=())
# How many blocks of `watching` are open in this process: a context variable costs more to ask.
_blocks = 0
_lock = threading.Lock()


class Loading(NamedTuple):
    """A relation or column of an instance that is being loaded because it was touched.

    Attributes:
        model: The class of the instance.
        name: The attribute.
        instance: The instance that was touched.
        is_whole: Whether all of it is loaded, not a part that was chosen of it.
    """

    model: Any
    name: str
    instance: Any
    is_whole: bool = True


_loading: ContextVar[Loading | None] = ContextVar("segue_loading", default=None)


class loading:  # noqa: N801  # reads as a word in `with`
    """Say for a block what is being loaded, to whoever watches; nothing where nobody does.

    The outermost block says it: what is loaded on its way is for its sake.
    """

    __slots__ = ("_token", "_what")

    def __init__(self, instance: Any, name: str, *, is_whole: bool = True) -> None:
        self._what: tuple[Any, str, Any, bool] = instance.__class__, name, instance, is_whole
        self._token: Token[Loading | None] | None = None

    def __enter__(self) -> None:
        if _blocks and _loading.get() is None:
            self._token = _loading.set(Loading(*self._what))

    def __exit__(self, *error: object) -> None:
        if self._token is not None:
            _loading.reset(self._token)
            self._token = None


def now_loading() -> Loading | None:
    """Return what is being loaded because it was touched, if that is why a statement runs."""
    return _loading.get()


@contextmanager
def watching(observer: Observer) -> Generator[None]:
    """Call *observer* after each statement of this context, on every database, for the block.

    Tasks and threads that are started inside the block are watched as well. It is called in
    the thread or on the loop that ran the statement, so it must not wait.

    >>> seen = []
    >>> with watching(lambda prepared, parameters, seconds: seen.append(prepared.sql)):
    ...     pass
    """
    global _blocks  # a count
    before = _watchers.get()
    _watchers.set((*before, observer))
    with _lock:
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
        _watchers.set(before)


def is_observed() -> bool:
    """Return whether anybody may watch, beside the observers of a database."""
    return bool(_blocks) or _log.isEnabledFor(10)  # PERF: DEBUG, without looking for its name


def tell(observers: Sequence[Observer], prepared: Prepared, parameters: Sequence[Any], seconds: float) -> None:
    """Tell everybody who watches about a statement."""
    for observer in (*observers, *_watchers.get()):
        observer(prepared, parameters, seconds)
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s", describe_statement(prepared, parameters, seconds))


def describe_statement(prepared: Prepared, parameters: Sequence[Any], seconds: float) -> str:
    """Return a statement in one line: its milliseconds, its SQL and its values, but no secret."""
    return f"{seconds * 1000:.2f} ms  {_escaped(prepared.sql)}  {_shown(prepared, parameters)}"


def _shown(prepared: Prepared, parameters: Sequence[Any]) -> str:
    # `repr` escapes control characters in texts, so no value can forge a line of the log.
    secrets = getattr(prepared, "secrets", ())
    shown = tuple(MASK if at in secrets else each for at, each in enumerate(parameters[:20]))
    text = _escaped(repr(shown))
    return text[:1000] + ("…" if len(text) > 1000 or len(parameters) > 20 else "")


def _escaped(text: str) -> str:
    """The text with control characters written out; line breaks of SQL become spaces."""
    return "".join(
        each if each.isprintable() else " " if each == "\n" else each.encode("unicode_escape").decode() for each in text
    )
