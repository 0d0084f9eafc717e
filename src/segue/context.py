"""What a request, a command or a task carries along.

Holds: one `ContextVar` of one `Context`, and typed keys for what installers provide.
Imports: the standard library and `errors`.
Never: knows what an app or a request is; they are opaque here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from .errors import UsageError

__all__ = ["Context", "Key", "State", "current", "find_current", "using"]

T = TypeVar("T")


class Key(Generic[T]):
    """Names a value that an installer provides and others read, with its type.

    >>> MAILER: Key[str] = Key("mailer")
    >>> MAILER
    <Key mailer>
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<Key {self.name}>"


class State:
    """A free place for what users carry through a request (`request.state`, Flask's `g`)."""

    def __repr__(self) -> str:
        return f"<State {', '.join(vars(self))}>"

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


class Context:
    """Everything that is kept for one request, command or task.

    `request`, `state` and `values` are made when first touched, so that a
    request whose handler asks for nothing pays for nothing.

    Attributes:
        app: The compiled app that runs this.
        request: The request; outside one, touching it raises `UsageError`.
        state: What users carry along.
        values: What Segue keeps, by `Key`.
    """

    __slots__ = ("app", "cleanups", "request", "state", "values")

    app: Any
    request: Any
    state: State
    values: dict[Key[Any], Any]
    cleanups: list[Callable[[BaseException | None], Any]] | None

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cleanups = None

    def __getattr__(self, name: str) -> Any:
        # Reached only for a slot that was never set: make it, once.
        if name == "request":
            value: Any = self.make_request()
        elif name == "state":
            value = State()
        elif name == "values":
            value = {}
        else:
            raise AttributeError(name)
        setattr(self, name, value)
        return value

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
        values = self.values
        if key in values:
            found: T = values[key]
            return found
        return self.app.provided(key)  # type: ignore[no-any-return]  # the app keeps values by typed keys


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
def using(context: Context) -> Iterator[Context]:
    """Make *context* the running one for the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
