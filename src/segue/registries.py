"""The registries of an app, readable under Flask's names and as JSON.

Holds: a function for each name, and `Readable`, which makes it an attribute of `App`.
Imports: blueprint and places; `App` for types.
Never: changes one, or gives out what could be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeAlias, TypeGuard, TypeVar, overload

from .blueprint import Blueprint
from .places import describe

if TYPE_CHECKING:
    from .app import App

__all__ = ["ErrorHandlers", "Hooks", "Readable", "inspect"]

T = TypeVar("T")

Hooks: TypeAlias = Mapping[str | None, Sequence[Any]]
ErrorHandlers: TypeAlias = Mapping[str | None, Mapping[int | None, Mapping[type[BaseException], Any]]]


class Readable(Generic[T]):
    """An attribute of an app that *read* makes of it anew each time."""

    def __init__(self, read: Callable[[App], T]) -> None:
        self.read: Callable[[App], T] = read
        self.__doc__ = read.__doc__

    @overload
    def __get__(self, app: None, owner: type[App]) -> Readable[T]: ...

    @overload
    def __get__(self, app: App, owner: type[App]) -> T: ...

    def __get__(self, app: App | None, owner: type[App]) -> Readable[T] | T:
        return self if app is None else self.read(app)

    def __set__(self, app: App, value: object) -> NoReturn:
        raise AttributeError(f"{self.read.__name__} can only be read")


def url_map(app: App) -> Sequence[Any]:
    """The compiled rules."""
    return app.compile().router.rules


def view_functions(app: App) -> Mapping[str, Callable[..., Any]]:
    """Endpoint → handler."""
    return MappingProxyType(
        {
            f"{part.name}.{route.endpoint}" if part.name else route.endpoint: route.view
            for part in app.parts
            for route in part.registries.routes
        }
    )


def blueprints(app: App) -> Mapping[str, Blueprint]:
    """Installed blueprints by name."""
    return MappingProxyType(
        {part.name: part.scaffold for part in app.parts if part.name and isinstance(part.scaffold, Blueprint)}
    )


def _by_part(app: App, attribute: str) -> Hooks:
    return MappingProxyType({part.name: tuple(getattr(part.registries, attribute)) for part in app.parts})


def before_request_funcs(app: App) -> Hooks:
    """Hooks by blueprint; `None` is the app."""
    return _by_part(app, "before")


def after_request_funcs(app: App) -> Hooks:
    """Hooks by blueprint; `None` is the app."""
    return _by_part(app, "after")


def teardown_request_funcs(app: App) -> Hooks:
    """Hooks by blueprint; `None` is the app."""
    return _by_part(app, "teardown")


def teardown_appcontext_funcs(app: App) -> Sequence[Any]:
    """What runs at the end of every context: the app's teardown hooks."""
    return tuple(app.registries.teardown)


def error_handler_spec(app: App) -> ErrorHandlers:
    """Error handlers by blueprint, status and class."""
    return MappingProxyType(
        {
            part.name: MappingProxyType(
                {code: MappingProxyType(found) for code, found in part.registries.errors.items()}
            )
            for part in app.parts
        }
    )


def url_build_error_handlers(app: App) -> Sequence[Any]:
    """What is asked for URLs that cannot be built."""
    return tuple(app.build_error_handlers)


def url_value_preprocessors(app: App) -> Hooks:
    """Hooks by blueprint; `None` is the app."""
    return _by_part(app, "preprocessors")


def url_default_functions(app: App) -> Hooks:
    """Hooks by blueprint; `None` is the app."""
    return _by_part(app, "url_defaults")


def template_context_processors(app: App) -> Hooks:
    """Hooks by blueprint; `None` is the app."""
    return _by_part(app, "processors")


def shell_context_processors(app: App) -> Sequence[Any]:
    """What adds names to the shell."""
    return tuple(app.shell_processors)


_NAMES = (
    "url_map",
    "view_functions",
    "blueprints",
    "extensions",
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "teardown_appcontext_funcs",
    "error_handler_spec",
    "url_build_error_handlers",
    "url_value_preprocessors",
    "url_default_functions",
    "template_context_processors",
    "shell_context_processors",
)


def inspect(app: App) -> dict[str, Any]:
    """Return all registries of *app* as JSON can hold them; functions with their places."""
    return {name: _shown(getattr(app, name)) for name in _NAMES}


def _shown(value: Any) -> Any:
    if _is_mapping(value):
        return {_shown_key(key): _shown(each) for key, each in value.items()}
    if _is_sequence(value):
        return [_shown(each) for each in value]
    return describe(value) if callable(value) else str(value)


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _shown_key(key: Any) -> str:
    return "" if key is None else getattr(key, "__qualname__", str(key))
