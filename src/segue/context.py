"""What a request, a command or a task carries along.

Holds: one `ContextVar` of one `Context`, typed keys for what installers provide, `TRANSLATIONS`.
Imports: the standard library, `errors` and `text`.
Never: knows what an app or a request is; they are opaque here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .errors import UsageError
from .text import UNTRANSLATED, Translations, find_translations_by

__all__ = ["TRANSLATIONS", "Context", "Key", "State", "current", "find_current", "lazy", "using"]

T = TypeVar("T")


class Key(Generic[T]):
    """Names a value that an installer provides and others read, with its type.

    >>> MAILER: Key[str] = Key("mailer")
    >>> MAILER
    <Key mailer>
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: str = name

    def __repr__(self) -> str:
        return f"<Key {self.name}>"


class State:
    """A free place for what users carry through a request (`request.state`, Flask's `g`)."""

    def __repr__(self) -> str:
        return f"<State {', '.join(vars(self))}>"

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        stored = ", ".join(vars(self)) or "nothing"
        raise AttributeError(f"Nothing was stored as request.state.{name} in this request; there is: {stored}")

    def __contains__(self, name: str) -> bool:
        return name in vars(self)

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def get(self, name: str, default: Any = None) -> Any:
        """Return what was stored as *name*, else *default*."""
        return vars(self).get(name, default)

    def pop(self, name: str, default: Any = None) -> Any:
        """Remove and return what was stored as *name*, else *default*."""
        return vars(self).pop(name, default)


class _Lazy:
    """An attribute made at its first touch, and a plain one from then on."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        value = self._make(instance)
        # This descriptor has no __set__, so the instance's own value wins next time.
        setattr(instance, self._name, value)
        return value


def lazy(make: Callable[[Any], T]) -> T:
    """Make a method an attribute that is computed once; to type checkers it is its value.

    PERF: a request that never touches it pays nothing, not even a field to clear.
    """
    return cast(T, _Lazy(make))


class Context:
    """Everything that is kept for one request, command or task.

    Attributes:
        app: The compiled app that runs this.
        cleanups: What runs at the end, with the exception that ended it or `None`.
    """

    cleanups: list[Callable[[BaseException | None], Any]] | None = None

    def __init__(self, app: Any) -> None:
        self.app = app

    @lazy
    def request(self) -> Any:
        """The request; outside one, touching it raises `UsageError`."""
        return self.make_request()

    @lazy
    def state(self) -> State:
        """What users carry along."""
        return State()

    @lazy
    def kept(self) -> dict[Key[Any], Any]:
        """What Segue keeps, by `Key`."""
        return {}

    def make_request(self) -> Any:
        """Build the request. Adapters override it; a command or task has none."""
        raise UsageError(
            "There is no request here.",
            code="app/no-request",
            why="This runs in a command, a task or a block of app.context(), not in a request.",
            hint="Pass what is needed as an argument, or use app.test_request_context() in a test.",
        )

    def get(self, key: Key[T]) -> T:
        """Return the value kept under *key*: this context's, else the app's.

        Raises:
            UsageError: Nothing provides it (`app/nothing-provided`).
        """
        values = self.kept
        if key in values:
            found: T = values[key]
            return found
        return self.app.provided(key)  # type: ignore[no-any-return]  # the app keeps values by typed keys

    def keep(self, key: Key[T], value: T) -> None:
        """Keep *value* under *key* until this ends."""
        self.kept[key] = value


_current: ContextVar[Context | None] = ContextVar("segue_context", default=None)


def find_current() -> Context | None:
    """Return the running context, or `None` outside one."""
    return _current.get()


def current() -> Context:
    """Return the running context.

    Raises:
        UsageError: Nothing is running (`app/no-context`).
    """
    context = _current.get()
    if context is None:
        raise UsageError(
            "This needs an app, and no request, command or task is running.",
            code="app/no-context",
            why="The current app is known in a request, a command, a task, or a block of app.context().",
            hint="with app.context():\n    ...",
        )
    return context


@contextmanager
def using(context: Context) -> Generator[Context]:
    """Make *context* the running one for the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


# What translates texts: an app may provide it, and a hook keep another for its request.
TRANSLATIONS: Key[Translations] = Key("translations")


def _translations() -> Translations:
    context = _current.get()
    return UNTRANSLATED if context is None else context.get(TRANSLATIONS)


find_translations_by(_translations)
