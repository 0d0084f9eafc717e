"""Aliases and Protocols that floors share.

Holds: `Setup`, what a battery's `install.py` is given; `Sender`, a signal; encoders.
Imports: the standard library and floor 0.
Never: names a class of a higher floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar, overload

from .context import Key
from .errors import Finding

__all__ = ["Check", "Encoder", "Sender", "Setup"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

Encoder = Callable[[Any], Any]
Check = Callable[..., Iterable[Finding]]


class Sender(Protocol):
    """A signal, as far as those who send it need it."""

    @property
    def receivers(self) -> Any:
        """Truthy where somebody listens."""
        ...

    def send(self, sender: Any, /, **values: Any) -> Any:
        """Call every receiver."""
        ...


class Setup(Protocol):
    """What a battery may do to the app that installs it; `App` satisfies it."""

    @property
    def import_name(self) -> str:
        """The module that makes the app."""
        ...

    @property
    def config(self) -> Any:
        """The configuration; `declare` adds a key."""
        ...

    def provide(self, key: Key[T], value: T) -> None:
        """Keep *value* under *key* for the app's life."""
        ...

    def before_request(self, function: F) -> F:
        """Run *function* before each handler."""
        ...

    def after_request(self, function: F) -> F:
        """Run *function* with each response."""
        ...

    def teardown_request(self, function: F) -> F:
        """Run *function* after each last byte."""
        ...

    def middleware(self, function: F) -> F:
        """Run *function* around everything inside it."""
        ...

    def guard(self, function: F) -> F:
        """Run *function* before the body is read; what it returns answers at once."""
        ...

    def check(self, function: F) -> F:
        """Add a system check."""
        ...

    @overload
    def command(self, function: F, *, name: str | None = None) -> F: ...
    @overload
    def command(self, function: None = None, *, name: str | None = None) -> Callable[[F], F]: ...
    def command(self, function: Any = None, *, name: str | None = None) -> Any:
        """Add a command; *name* instead of the function's own."""
        ...

    def add(self, *things: Any) -> None:
        """Add things for a battery, or the app itself, to take up at the start."""
        ...

    def encoder(self, kind: type) -> Callable[[F], F]:
        """Teach handlers to return *kind*."""
        ...

    def parameter(self, what: str | type) -> Callable[[F], F]:
        """Teach handlers to take a parameter of that name or type."""
        ...

    def request_attribute(self, name: str) -> Callable[[F], F]:
        """Make `request.<name>` answer by a function of the request."""
        ...

    def register(self, thing: Any, *, prefix: str | None = None) -> Any:
        """Install a blueprint of the battery's."""
        ...

    def context_processor(self, function: F) -> F:
        """Add the names of the returned dict to templates."""
        ...

    def add_models(self, *models: Any) -> None:
        """Make models of the battery the app's: it has their tables."""
        ...

    def login_gate(self, guard: Callable[..., Any], *, is_default: bool) -> None:
        """Say what refuses those who are not logged in, and whether it stands before every handler."""
        ...

    def on_compile(self, function: F) -> F:
        """Call *function* with the compiled app at the end of the compilation; what it raises stops the start."""
        ...

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        *,
        methods: Iterable[str] | None = None,
        **options: Any,
    ) -> None:
        """Add a route."""
        ...

    def fallback(self, function: F) -> F:
        """Ask *function* before a GET is answered with 404."""
        ...

    @property
    def root_path(self) -> Path:
        """The folder that the app stands in."""
        ...

    def on_startup(self, function: F) -> F:
        """Run *function* once in each worker, before its first request."""
        ...

    def template_global(self, name: str | None = None) -> Callable[[F], F]:
        """Add a function that templates can call; *name* instead of its own."""
        ...
