"""What an app and a blueprint have in common, and the blueprint itself.

Holds: `Scaffold`, the registries and their decorators; `Blueprint`.
Imports: floor 0 and what registration needs of routing and handling.
Never: decides anything about a request; `assembly` reads the registries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Literal, TextIO, TypedDict, TypeVar, Unpack, overload

from .errors import HTTPError, SetupError, UsageError, did_you_mean, http_error_for
from .handling.markers import ByMethod, mark, marks_of
from .places import caller_place, root_of
from .signals import Receiver

if TYPE_CHECKING:
    from .routing import Converter

__all__ = ["Blueprint", "Route", "RouteOptions", "Scaffold"]

F = TypeVar("F", bound=Callable[..., Any])


class RouteOptions(TypedDict, total=False):
    """What every route decorator takes.

    Attributes:
        endpoint: The name for `url_for`; the function's name where absent.
        defaults: Values for parameters that the rule does not have.
        host: A host pattern such as `<tenant>.example.com`.
        subdomain: Short for a host below `SITE_URL`'s.
        strict_slashes: Whether `/a` is redirected to a declared `/a/`.
        status: Of an answer that does not say its own.
        response: The declared result: undeclared fields are dropped.
        produces: The media types it can answer with, one or several; a client that accepts
            none is refused (406) before the handler runs. `request.accepts` chooses.
        stream: Whether the handler reads the body itself, by `request.stream()`.
        max_body: Limit of the body in bytes, instead of `MAX_CONTENT_LENGTH`.
        cancel_on_disconnect: Whether a client that leaves cancels an `async def` handler.
        dependencies: Functions to run for what they do.
        middleware: Middleware of this route alone.
        atomic: Whether the handler runs in a transaction of the default database.
        queries: How many queries the handler may make; more is an error in tests, a warning else.
        summary: One line for listings and API documents.
    """

    endpoint: str
    defaults: Mapping[str, Any]
    host: str
    subdomain: str
    strict_slashes: bool
    status: int
    response: Any
    produces: str | Iterable[str]
    stream: bool
    max_body: int
    cancel_on_disconnect: bool
    dependencies: Iterable[Callable[..., Any]]
    middleware: Iterable[Callable[..., Any]]
    atomic: bool
    queries: int
    summary: str


@dataclass(frozen=True, slots=True)
class Route:
    """One registered route, as it was written."""

    path: str
    endpoint: str
    view: Callable[..., Any]
    methods: frozenset[str]
    options: Mapping[str, Any]
    place: str
    is_regex: bool = False
    is_absolute: bool = False


@dataclass(slots=True)
class Registries:
    """Everything that decorators collect, before compilation."""

    routes: list[Route] = field(default_factory=list[Route])
    before: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    after: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    teardown: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    middleware: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    guards: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    errors: dict[int | None, dict[type[BaseException], Callable[..., Any]]] = field(
        default_factory=dict[int | None, dict[type[BaseException], Callable[..., Any]]]
    )
    preprocessors: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    url_defaults: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    processors: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])
    filters: dict[str, Callable[..., Any]] = field(default_factory=dict[str, Callable[..., Any]])
    tests: dict[str, Callable[..., Any]] = field(default_factory=dict[str, Callable[..., Any]])
    globals: dict[str, Any] = field(default_factory=dict[str, Any])
    commands: list[tuple[str | None, Callable[..., Any]]] = field(
        default_factory=list[tuple[str | None, Callable[..., Any]]]
    )
    things: list[Any] = field(default_factory=list[Any])
    converters: dict[str, type[Converter]] = field(default_factory=dict[str, "type[Converter]"])
    receivers: list[Receiver] = field(default_factory=list[Receiver])
    checks: list[Callable[..., Any]] = field(default_factory=list[Callable[..., Any]])


class Scaffold:
    """The decorators that an app and a blueprint share."""

    def __init__(self, import_name: str, *, static_folder: str | None, template_folder: str | None) -> None:
        self.import_name = import_name
        self.root_path: Path = root_of(import_name)
        self.static_folder = static_folder
        self.template_folder = template_folder
        self.registries: Registries = Registries()
        self.closed_at: str = ""

    def _open(self) -> Registries:
        """Return the registries for writing.

        Raises:
            SetupError: The app was started (`app/closed`).
        """
        if self.closed_at:
            raise SetupError(
                "This app is closed: it was started, so nothing can be registered any more.",
                code="app/closed",
                where=f"{caller_place()} registers, {self.closed_at} started it",
                why="Everything is compiled at the start; a later route would not exist for some requests.",
                hint="Move the registration before the start, into the module or the factory that makes the app.",
            )
        return self.registries

    # Files beside the code

    @overload
    def open_resource(self, name: str, mode: Literal["rb"] = "rb") -> BinaryIO: ...

    @overload
    def open_resource(self, name: str, mode: Literal["r", "rt"], *, encoding: str = "utf-8") -> TextIO: ...

    def open_resource(self, name: str, mode: Literal["rb", "r", "rt"] = "rb", *, encoding: str = "utf-8") -> IO[Any]:
        """Open a file that lies beside the module, or below; the caller closes it.

        Args:
            name: Relative to the module's folder, such as `data/countries.json`.
            mode: `rb` for bytes, `r` for text. Resources are read, not written.

        Raises:
            ResourceNotFound: There is no such file there (`app/no-resource`).
            UsageError: Another mode (`app/read-only-resource`).
        """
        from .resources import open_beside

        return open_beside(self.root_path, name, mode, encoding, module=self.import_name)

    # Routes

    def route(
        self, path: str, *, methods: Iterable[str] | None = None, **options: Unpack[RouteOptions]
    ) -> Callable[[F], F]:
        """Answer *path* with the decorated function or class.

        Args:
            path: A rule such as `/musicians/<slug:slug>`.
            methods: HTTP methods; HEAD comes with GET, OPTIONS by itself. `None` is GET, or
                for a class all that it has methods for.
        """
        place = caller_place()

        def register(function: F) -> F:
            self._add(path, function, methods, options, place)
            return function

        return register

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer GET (and HEAD) requests of *path*."""
        return self.route(path, methods=("GET",), **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer POST requests of *path*."""
        return self.route(path, methods=("POST",), **options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer PUT requests of *path*."""
        return self.route(path, methods=("PUT",), **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer PATCH requests of *path*."""
        return self.route(path, methods=("PATCH",), **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer DELETE requests of *path*."""
        return self.route(path, methods=("DELETE",), **options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer HEAD requests of *path* by a function of their own."""
        return self.route(path, methods=("HEAD",), **options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer OPTIONS requests of *path* by a function of their own."""
        return self.route(path, methods=("OPTIONS",), **options)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        *,
        methods: Iterable[str] | None = None,
        **options: Any,
    ) -> None:
        """Register a route without a decorator; what the decorators do too.

        Raises:
            SetupError: No *view_func* was given (`routing/no-view`).
        """
        if view_func is None:
            raise SetupError(
                f"The route {rule!r} has no view.",
                code="routing/no-view",
                where=caller_place(),
                hint='add_url_rule("/path", "name", function)',
            )
        if endpoint is not None:
            options["endpoint"] = endpoint
        self._add(rule, view_func, methods, options, caller_place())

    def include(self, entries: Any, *, prefix: str = "") -> None:
        """Register a Django-style table: `path()` and `re_path()` entries, or a module with `urlpatterns`."""
        from .tables import flatten

        place = caller_place()
        for entry in flatten(entries, prefix=prefix):
            options: dict[str, Any] = {}
            if entry.kwargs:
                options["defaults"] = entry.kwargs
            view = entry.view
            methods = getattr(view, "methods", None) or ("GET", "POST", "PUT", "PATCH", "DELETE")
            name = entry.name or _endpoint_name(view)
            self._open().routes.append(
                Route(
                    path=entry.path,
                    endpoint=name,
                    view=view,
                    methods=frozenset(methods),
                    options=options,
                    place=entry.place or place,
                    is_regex=entry.is_regex,
                )
            )

    def _add(self, path: str, view: Any, methods: Iterable[str] | None, options: Mapping[str, Any], place: str) -> None:
        if isinstance(methods, str):
            raise SetupError(
                f"methods={methods!r} is one text.",
                code="routing/bad-methods",
                where=place,
                hint=f"methods=[{methods!r}]",
            )
        unknown = [name for name in options if name not in RouteOptions.__annotations__]
        if unknown:
            raise SetupError(
                f"A route has no option {unknown[0]!r}.",
                code="routing/unknown-option",
                where=place,
                hint=did_you_mean(unknown[0], RouteOptions.__annotations__),
            )
        view = _answering(view)
        endpoint = options.get("endpoint") or _endpoint_name(view)
        self._open().routes.append(Route(path, endpoint, view, _methods_of(view, methods, place), dict(options), place))

    # Hooks

    def before_request(self, function: F) -> F:
        """Run *function* before each handler; what it returns, if not None, is the answer."""
        return append_to(self._open().before, function)

    def after_request(self, function: F) -> F:
        """Run *function* with each response; it may change or replace it."""
        return append_to(self._open().after, function)

    def teardown_request(self, function: F) -> F:
        """Run *function* after each last byte, with the exception that ended the request or None."""
        return append_to(self._open().teardown, function)

    def middleware(self, function: F) -> F:
        """Run *function* around everything inside it."""
        return append_to(self._open().middleware, function)

    def guard(self, function: F) -> F:
        """Run *function* before the body is read; what it returns, if not None, is the answer."""
        return append_to(self._open().guards, function)

    def errorhandler(self, what: int | type[BaseException]) -> Callable[[F], F]:
        """Answer an error with the decorated function, which gets the exception.

        Args:
            what: A status (404) or an exception class.
        """
        return _error_handler(self._open(), what)

    def register_error_handler(self, what: int | type[BaseException], function: Callable[..., Any]) -> None:
        """Register an error handler without a decorator."""
        self.errorhandler(what)(function)

    def url_value_preprocessor(self, function: F) -> F:
        """Run *function(endpoint, values)* before the handler; it may change the route's values."""
        return append_to(self._open().preprocessors, function)

    def url_defaults(self, function: F) -> F:
        """Run *function(endpoint, values)* in `url_for`; it may add values."""
        return append_to(self._open().url_defaults, function)

    def context_processor(self, function: F) -> F:
        """Add the names of the returned dict to templates."""
        return append_to(self._open().processors, function)

    def template_filter(self, name: str | None = None) -> Callable[[F], F]:
        """Add a template filter, named like the function unless *name* is given."""
        return enter_in(self._open().filters, name)

    def template_test(self, name: str | None = None) -> Callable[[F], F]:
        """Add a template test, named like the function unless *name* is given."""
        return enter_in(self._open().tests, name)

    def template_global(self, name: str | None = None) -> Callable[[F], F]:
        """Add a function that templates can call, named like it unless *name* is given."""
        return enter_in(self._open().globals, name)

    # Other things

    def command(self, function: Any = None, *, name: str | None = None) -> Any:
        """Make the function a command: `segue NAME`. Its parameters become arguments and options."""
        if function is None:

            def decorate(decorated: F) -> F:
                self.command(decorated, name=name)
                return decorated

            return decorate
        self._open().commands.append((name, function))
        return function

    @overload
    def check(self, function: F) -> F: ...

    @overload
    def check(self, function: None = None, *, tags: Iterable[str] = ()) -> Callable[[F], F]: ...

    def check(self, function: Any = None, *, tags: Iterable[str] = ()) -> Any:
        """Add a system check: a function that yields `Finding`s.

        Args:
            tags: Words by which `segue check --tag` chooses what it finds.
        """
        if function is None:
            words = tuple(tags)

            def tag(decorated: F) -> F:
                return append_to(self._open().checks, mark(decorated, check_tags=words))

            return tag
        return append_to(self._open().checks, function)

    def on(self, signal: Any, sender: Any = None) -> Callable[[F], F]:
        """Call the decorated function when *signal* is sent in this app."""

        def register(function: F) -> F:
            self._open().receivers.append(Receiver(signal, function, sender))
            return function

        return register

    def add(self, *things: Any) -> None:
        """Add admin classes, resources, tasks, converters, checks: each battery takes its own."""
        self._open().things.extend(things)

    def add_converter(self, name: str, converter: type[Converter]) -> None:
        """Add a converter for rules: `<name:parameter>`."""
        self._open().converters[name] = converter


class Blueprint(Scaffold):
    """A part of a site: routes, templates, static files, hooks, commands, that an app installs.

    Args:
        name: Endpoints are called `name.function`. No dots.
        import_name: `__name__`; templates and static files are found beside it.
        prefix: Where its routes begin, unless `register` says otherwise.
        requires: Names of blueprints that must be registered too.
        models: The module of its models, where that is not `<package>.models`.
        atomic: Whether its handlers run in a transaction each; a route may say otherwise.
        login_required: Whether its handlers need a login, or none where the app says that all do;
            `login_required` and `login_not_required` on a handler say otherwise.
    """

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        prefix: str = "",
        host: str | None = None,
        static_folder: str | None = "static",
        template_folder: str | None = "templates",
        requires: Iterable[str] = (),
        models: str | None = None,
        atomic: bool | None = None,
        login_required: bool | None = None,
        **flask: Any,
    ) -> None:
        if "url_prefix" in flask:
            raise UsageError(
                "Blueprint() takes no `url_prefix`.",
                code="app/renamed",
                where=caller_place(),
                hint=f"prefix={flask['url_prefix']!r}",
            )
        if flask:
            raise UsageError(
                f"Blueprint() takes no `{next(iter(flask))}`.",
                code="app/unknown-option",
                where=caller_place(),
                hint=did_you_mean(
                    next(iter(flask)),
                    [
                        "prefix",
                        "host",
                        "static_folder",
                        "template_folder",
                        "requires",
                        "models",
                        "atomic",
                        "login_required",
                    ],
                ),
            )
        if not name or "." in name:
            raise SetupError(
                f"A blueprint cannot be called {name!r}.",
                code="app/bad-name",
                where=caller_place(),
                why="The name stands before a dot in endpoints: name.function.",
                hint="Use a short word without dots; nest blueprints for more levels.",
            )
        super().__init__(import_name, static_folder=static_folder, template_folder=template_folder)
        self.name = name
        self.prefix = prefix
        self.host = host
        self.requires: tuple[str, ...] = tuple(requires)
        self.models_module: str | None = models
        self.atomic: bool | None = atomic
        self.login_required: bool | Callable[..., Any] | None = login_required
        self.children: list[Registration] = []
        self.app_level: Registries = Registries()

    def __repr__(self) -> str:
        return f"<Blueprint {self.name}>"

    def register(
        self, thing: Any, *, prefix: str | None = None, host: str | None = None, name: str | None = None
    ) -> None:
        """Put a blueprint inside this one, or install a battery for its routes alone.

        Raises:
            SetupError: A battery that is for whole apps, or something else (`app/not-registrable`).
        """
        self._open()
        if isinstance(thing, Blueprint):
            self.children.append(Registration(thing, prefix, host, name, caller_place()))
            return
        if not getattr(thing, "fits_blueprints", False):
            raise SetupError(
                f"{thing!r} cannot be registered in a blueprint.",
                code="app/not-registrable",
                where=caller_place(),
                why="A blueprint takes blueprints, and batteries that can be for some routes alone, such as Cors.",
                hint=f"app.register({type(thing).__name__}(…))",
            )
        thing.install(self)

    def _open_app_level(self) -> Registries:
        self._open()
        return self.app_level

    def before_app_request(self, function: F) -> F:
        """Run *function* before every request of the app."""
        return append_to(self._open_app_level().before, function)

    def after_app_request(self, function: F) -> F:
        """Run *function* with every response of the app."""
        return append_to(self._open_app_level().after, function)

    def teardown_app_request(self, function: F) -> F:
        """Run *function* after every request of the app."""
        return append_to(self._open_app_level().teardown, function)

    def app_errorhandler(self, what: int | type[BaseException]) -> Callable[[F], F]:
        """Answer an error anywhere in the app."""
        return _error_handler(self._open_app_level(), what)

    def app_context_processor(self, function: F) -> F:
        """Add names to every template of the app."""
        return append_to(self._open_app_level().processors, function)

    def app_url_value_preprocessor(self, function: F) -> F:
        """Run *function(endpoint, values)* before every handler of the app."""
        return append_to(self._open_app_level().preprocessors, function)

    def app_url_defaults(self, function: F) -> F:
        """Run *function(endpoint, values)* in every `url_for` of the app."""
        return append_to(self._open_app_level().url_defaults, function)

    def app_template_filter(self, name: str | None = None) -> Callable[[F], F]:
        """Add a template filter for the whole app."""
        return enter_in(self._open_app_level().filters, name)

    def app_template_global(self, name: str | None = None) -> Callable[[F], F]:
        """Add a template function for the whole app."""
        return enter_in(self._open_app_level().globals, name)


@dataclass(frozen=True, slots=True)
class Registration:
    """A blueprint, and where it was registered."""

    blueprint: Blueprint
    prefix: str | None
    host: str | None
    name: str | None
    place: str


def append_to(registry: list[Any], function: F) -> F:
    """Register *function* and return it, as a decorator does."""
    registry.append(function)
    return function


def enter_in(registry: dict[Any, Any], key: Any) -> Callable[[F], F]:
    """Return the decorator that registers a function under *key*, or under its own name."""

    def register(function: F) -> F:
        registry[key or function.__name__] = function
        return function

    return register


def _error_handler(registries: Registries, what: int | type[BaseException]) -> Callable[[F], F]:
    kind = http_error_for(what) if isinstance(what, int) else what
    if kind is None:
        raise SetupError(
            f"{what} is not an error status that has an exception.",
            code="handling/bad-error-status",
            where=caller_place(),
            hint="Use 400 to 599, or an exception class.",
        )
    status = kind.status if issubclass(kind, HTTPError) and kind is not HTTPError else None
    return enter_in(registries.errors.setdefault(status, {}), kind)


def _answering(view: Any) -> Any:
    """Return what answers: of a class, what its `as_view()` makes."""
    make: Any = getattr(view, "as_view", None)
    return make() if isinstance(view, type) and make is not None else view


def _methods_of(view: Any, wanted: Iterable[str] | None, place: str) -> frozenset[str]:
    by_method: ByMethod | None = marks_of(view).get("by_method")
    if wanted is None:
        return by_method.methods if by_method is not None else frozenset({"GET"})
    methods = frozenset(each.upper() for each in wanted)
    missing = sorted(methods - by_method.methods) if by_method is not None else []
    if missing:
        raise SetupError(
            f"{_endpoint_name(view)} has no method for {missing[0]}.",
            code="routing/bad-methods",
            where=place,
            why="A class answers the HTTP methods that it has methods for.",
            hint=f"def {missing[0].lower()}(self, request): …",
        )
    return methods


def _endpoint_name(view: Any) -> str:
    target = view
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__
    return getattr(target, "__name__", None) or type(target).__name__
