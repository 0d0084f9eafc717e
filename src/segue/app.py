"""The app: one explicit object that holds all registries and becomes a compiled value.

Holds: `App`, its registration, its closing, and its three protocol entry points.
Imports: floors 0 to 2; testing and servers only inside the methods that use them.
Never: keeps anything of a request.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from . import registries
from .blueprint import Blueprint, Registration, Route, Scaffold, append_to, enter_in
from .config import Config
from .context import Context, Key, using
from .errors import SetupError, UsageError
from .parts import Part, parts_of
from .places import caller_place
from .registries import ErrorHandlers, Hooks, Readable
from .settings import declare_core

if TYPE_CHECKING:
    import asyncio

    from .db.current import Databases
    from .db.database import Database
    from .handling.application import CompiledApp
    from .handling.exchange import Exchange
    from .http.response import Response
    from .protocols import ASGIAdapter, RSGIAdapter, WSGIAdapter
    from .templating import Templates

__all__ = ["App"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class App(Scaffold):
    """A web application.

    Args:
        import_name: `__name__`; the caller's module where absent. Templates, static
            files and relative paths are found beside it.
        config: A target (`"site.config"`, a file, a class, a mapping) with UPPERCASE keys.
        config_env: The variable that names further targets.
        database: The address of the database: the key `DATABASE`.
        models: Further models that belong to this app.
        autodiscover: Whether all modules of the app's package are imported at the start, so that
            models in other modules than `<package>.models` are found.
        static_folder: Beside the app; `None` serves none.
        template_folder: Beside the app.

    >>> app = App("demo")
    >>> @app.get("/")
    ... def index() -> str:
    ...     return "hello"
    >>> app.test_client().get("/").text
    'hello'
    """

    def __init__(
        self,
        import_name: str | None = None,
        *,
        config: Any = None,
        config_env: str = "SEGUE_CONFIG",
        database: Any = None,
        models: Sequence[Any] = (),
        autodiscover: bool = False,
        static_folder: str | None = "static",
        template_folder: str | None = "templates",
    ) -> None:
        if import_name is None:
            # The caller is the module that makes the app.
            caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # documented, and there is no other
            import_name = str(caller.f_globals.get("__name__", "__main__"))
        super().__init__(import_name, static_folder=static_folder, template_folder=template_folder)
        self.name: str = self.root_path.name if import_name == "__main__" else import_name
        arguments = {} if database is None else {"DATABASE": database}
        self.config: Config = Config(self.root_path, arguments=arguments, target=config, env_var=config_env)
        declare_core(self.config)
        self.models: tuple[Any, ...] = tuple(models)
        self.autodiscover: bool = autodiscover
        self._discovered: bool = not autodiscover
        self.place: str = caller_place()
        _show_asgi()
        self.testing: bool = False
        self.registrations: list[Registration] = []
        self.batteries: list[Any] = []
        self.mounts: list[tuple[str, Any]] = []
        self.frontends: list[dict[str, Any]] = []
        self.fallback_functions: list[Callable[..., Any]] = []
        self.extensions: dict[str, Any] = {}
        self.startup_functions: list[Callable[[], Any]] = []
        self.shutdown_functions: list[Callable[[], Any]] = []
        self.lifespans: list[Callable[[], Any]] = []
        self.encoders: dict[type, Callable[[Any], Any]] = {}
        self.parameter_names: dict[str, Callable[..., Any]] = {}
        self.parameter_types: dict[type, Callable[..., Any]] = {}
        self.request_attributes: dict[str, Callable[[Any], Any]] = {}
        self.compile_functions: list[Callable[[Any], Any]] = []
        self.login_guard: Callable[..., Any] | None = None
        self.login_required: bool = False
        self.provided_values: dict[Key[Any], Any] = {}
        self.build_error_handlers: list[Callable[..., Any]] = []
        self.shell_processors: list[Callable[..., Any]] = []
        self.dependency_overrides: dict[Callable[..., Any], Callable[..., Any]] = {}
        self._compiled: CompiledApp | None = None
        self._lock = threading.RLock()
        self._rsgi: RSGIAdapter | None = None
        self._asgi: ASGIAdapter | None = None
        self._wsgi: WSGIAdapter | None = None
        self._templates: Any = None
        self._databases: Databases | None = None

    def __repr__(self) -> str:
        return f"<App {self.name!r}>"

    # Parts

    def register(
        self, thing: Any, *, prefix: str | None = None, host: str | None = None, name: str | None = None
    ) -> Any:
        """Install a blueprint or a battery.

        Args:
            thing: A `Blueprint`, an object with `install(setup)`, or the name of one that an
                installed package brings (`segue features` lists them).
            prefix: Where its routes begin.
            name: For a second copy.

        Raises:
            SetupError: It is none of these, or the app is closed.
        """
        self._open()
        if isinstance(thing, str):
            from .installed import load_feature

            thing = load_feature(thing)
        if isinstance(thing, Blueprint):
            self.registrations.append(Registration(thing, prefix, host, name, caller_place()))
            return thing
        install = getattr(thing, "install", None)
        if install is None or isinstance(thing, type):
            is_battery = install is not None
            raise SetupError(
                f"{thing!r} cannot be registered.",
                code="app/not-registrable",
                where=caller_place(),
                why="register() takes a Blueprint, or a battery: an object with install(setup).",
                hint=f"app.register({thing.__name__}())"
                if is_battery
                else "For models, admin classes, tasks and the like: app.add(thing).",
            )
        options = {key: value for key, value in (("prefix", prefix), ("host", host), ("name", name)) if value}
        self.batteries.append(thing)
        return install(self, **options)

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Install a blueprint: Flask's name for `register`."""
        if "url_prefix" in options:
            raise UsageError(
                "register_blueprint() takes no `url_prefix`.",
                code="app/renamed",
                where=caller_place(),
                hint=f"app.register(blueprint, prefix={options['url_prefix']!r})",
            )
        self.register(blueprint, **options)

    def redirect(self, path: str, target: str, *, status: int = 301) -> None:
        """Redirect *path* to an endpoint (`"blog.post"`) or a path, keeping parameters and query."""
        from .shortcuts import redirect_view

        view = redirect_view(target, status)
        self._open().routes.append(Route(path, f"redirect {path}", view, frozenset({"GET"}), {}, caller_place()))

    def mount(self, prefix: str, application: Any) -> None:
        """Host a WSGI or ASGI application below *prefix*; the start-up of an ASGI one runs with ours."""
        from .protocols.mounting import mounted

        view, lifespan = mounted(application, prefix)
        begin = "/" + prefix.strip("/")
        place = caller_place()
        self._open()
        self.mounts.append((begin, application))
        if lifespan is not None:
            self.lifespans.append(lifespan)
        methods = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
        for path in (begin, begin + "/", begin + "/<path:mounted_path>"):
            options = {"stream": True, "strict_slashes": False, "csrf": False}  # it has its own ways
            self.registries.routes.append(Route(path, f"mount {path}", view, methods, options, place))

    def frontend(self, folder: str | Path, *, prefix: str = "/", immutable: Sequence[str] = ()) -> None:
        """Serve a front end that routes in the browser: its files, and `index.html` for deep links.

        Every route goes first. A file that is missing stays 404, and so does what a script
        asks for.

        Args:
            folder: What the bundler writes; relative to the app.
            prefix: Below which path it lives.
            immutable: Patterns of names with a hash in them, such as `assets/*`: browsers keep
                those for ever.

        Raises:
            SetupError: At the start: it was not built (`web/no-frontend`), outside development.
        """
        self._open()
        path = self.root_path / folder
        self.frontends.append({"folder": path, "prefix": prefix, "immutable": immutable, "place": caller_place()})

    def fallback(self, function: F) -> F:
        """Ask *function* before a GET is answered with 404; what it returns, if not None, is the answer.

        It gets the exception first, and whatever else it names. `request.route` is None where no
        route matched.
        """
        self._open()
        return append_to(self.fallback_functions, function)

    # What installers use (typing.Setup)

    def provide(self, key: Key[T], value: T) -> None:
        """Keep *value* under *key* for the app's life."""
        self._open()
        self.provided_values[key] = value

    def provided(self, key: Key[T]) -> T:
        """Return what was provided under *key*."""
        return self.compile().provided(key)

    def encoder(self, kind: type) -> Callable[[F], F]:
        """Teach handlers to return *kind*: the function makes something they can return already."""
        self._open()
        return enter_in(self.encoders, kind)

    def parameter(self, what: str | type) -> Callable[[F], F]:
        """Teach handlers to take a parameter of that name or type; the function makes its value."""
        self._open()
        return enter_in(self.parameter_names if isinstance(what, str) else self.parameter_types, what)

    def request_attribute(self, name: str) -> Callable[[F], F]:
        """Make `request.<name>` answer by a function of the request."""
        self._open()
        return enter_in(self.request_attributes, name)

    def add_models(self, *models: Any) -> None:
        """Make models the app's, though they are of another package: it has their tables."""
        self._open()
        self.models = tuple(dict.fromkeys([*self.models, *models]))

    def login_gate(self, guard: Callable[..., Any], *, is_default: bool) -> None:
        """Let *guard* refuse those who are not logged in, wherever a login is required.

        Args:
            is_default: Whether it is required where nothing else is said.
        """
        self._open()
        self.login_guard, self.login_required = guard, is_default

    def on_compile(self, function: F) -> F:
        """Call *function* with the compiled app at the end of the compilation; what it raises stops the start."""
        self._open()
        return append_to(self.compile_functions, function)

    # Life

    def on_startup(self, function: F) -> F:
        """Run *function* once in each worker, before its first request."""
        self._open()
        return append_to(self.startup_functions, function)

    def on_shutdown(self, function: F) -> F:
        """Run *function* once in each worker, after its last request."""
        self._open()
        return append_to(self.shutdown_functions, function)

    def lifespan(self, function: F) -> F:
        """Run a generator around each worker's life: start, `yield`, stop."""
        self._open()
        return append_to(self.lifespans, function)

    def url_build_error(self, function: F) -> F:
        """Ask *function(error, endpoint, values)* for a URL that `url_for` cannot build."""
        self._open()
        return append_to(self.build_error_handlers, function)

    def shell_context_processor(self, function: F) -> F:
        """Add the names of the returned dict to `segue shell`."""
        self._open()
        return append_to(self.shell_processors, function)

    # Compilation

    @property
    def debug(self) -> bool:
        """Whether errors show themselves, to a local browser: the key `DEBUG`."""
        return bool(self.config["DEBUG"])

    def compile(self, *, serving: bool = False) -> CompiledApp:
        """Close the app and return it compiled; later calls return the same.

        Args:
            serving: Whether a server starts it: then what production needs is demanded.

        Raises:
            SetupError: Anything that could not work.
        """
        with self._lock:
            if self._compiled is None:
                place = caller_place()
                self._discover()
                # Loaded now, not with the class: asyncio and what compiles are half of all modules.
                from .assembly import assemble

                compiled = assemble(self, overrides=dict(self.dependency_overrides), debug=self.debug)
                self._close(place)
                self._compiled = compiled
            if serving:
                self._demand_hosts()
            return self._compiled

    def _close(self, place: str) -> None:
        self.config.freeze(place or "the server", secrets=not self.testing)
        self.closed_at: str = place or "the server"
        for registration in self.registrations:
            _close_blueprint(registration.blueprint, self.closed_at)

    def _demand_hosts(self) -> None:
        if self.debug or self.testing or self.config["ALLOWED_HOSTS"] or self.config["SITE_URL"]:
            return
        raise SetupError(
            "This app does not know for which hosts it answers.",
            code="security/no-hosts",
            where=self.place,
            why="Outside development a request's Host header is checked; links and redirects depend on it.",
            hint="SEGUE_SITE_URL=https://www.example.com\n"
            'or App(__name__, config={"ALLOWED_HOSTS": ["www.example.com"]})',
        )

    @contextmanager
    def override_config(self, **values: Any) -> Generator[CompiledApp]:
        """Run the block with another compilation, under a changed configuration."""
        with self._lock:
            kept = self._compiled, self.config, self._rsgi, self._asgi, self._wsgi, self._templates, self._databases
            closed, self.closed_at = self.closed_at, ""
            testing, self.testing = self.testing, True
            self._compiled = self._rsgi = self._asgi = self._wsgi = self._templates = None
            # The same databases under other settings: a test's transaction goes on.
            self._databases = None if "DATABASE" in values else self._databases
            self.config = self.config.overlay(values)
        try:
            yield self.compile()
        finally:
            with self._lock:
                overridden = self._databases
                self._compiled, self.config, self._rsgi, self._asgi, self._wsgi, self._templates, self._databases = kept
                if overridden is not None and overridden is not self._databases:
                    overridden.close()
                if self._databases is not None and self._compiled is not None:
                    self._databases.hear(self._compiled.signals)
                self.closed_at = closed
                self.testing = testing

    @contextmanager
    def override_dependencies(
        self, overrides: Mapping[Callable[..., Any], Callable[..., Any]]
    ) -> Generator[CompiledApp]:
        """Run the block with another compilation, in which dependencies are replaced."""
        kept = dict(self.dependency_overrides)
        self.dependency_overrides.update(overrides)
        try:
            with self.override_config() as compiled:
                yield compiled
        finally:
            self.dependency_overrides.clear()
            self.dependency_overrides.update(kept)

    @contextmanager
    def context(self) -> Generator[Context]:
        """Make this the current app for the block."""
        with using(Context(self.compile())) as context:
            yield context

    # Protocols

    def __call__(self, first: Any, second: Any, third: Any = None) -> Any:
        """Answer ASGI (three arguments) or WSGI (two)."""
        if third is None:
            return self.wsgi(first, second)
        if self._asgi is None:
            from .protocols import ASGIAdapter

            self._asgi = ASGIAdapter(self.compile(serving=True))
        return self._asgi(first, second, third)

    @property
    def wsgi(self) -> Callable[[dict[str, Any], Callable[..., Any]], Any]:
        """The plain WSGI callable."""
        if self._wsgi is None:
            return self._first_wsgi
        return self._wsgi

    def _first_wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        adapter = self._wsgi  # set by another request, though the server still holds this method
        if adapter is None:
            with self._lock:
                if self._wsgi is None:
                    from .protocols import WSGIAdapter

                    self._wsgi = WSGIAdapter(self.compile(serving=True))
                adapter = self._wsgi
        return adapter(environ, start_response)

    @property
    def __rsgi__(self) -> Callable[[Any, Any], Any]:
        """The RSGI callable: the server asks once, and calls the adapter itself from then on."""
        return self._rsgi_adapter().__call__

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._rsgi_adapter().init(loop)

    def _rsgi_adapter(self) -> RSGIAdapter:
        if self._rsgi is None:
            from .protocols import RSGIAdapter

            self._rsgi = RSGIAdapter(self.compile(serving=True))
        return self._rsgi

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._rsgi is not None:
            self._rsgi.stop(loop)

    # Readable registries, under Flask's names

    @property
    def parts(self) -> list[Part]:
        """The app and its installed blueprints."""
        if self._compiled is not None:
            return list(self._compiled.parts)
        return parts_of(self, self.registrations)

    view_functions: Readable[Mapping[str, Callable[..., Any]]] = Readable(registries.view_functions)
    url_map: Readable[Sequence[Any]] = Readable(registries.url_map)
    blueprints: Readable[Mapping[str, Blueprint]] = Readable(registries.blueprints)
    before_request_funcs: Readable[Hooks] = Readable(registries.before_request_funcs)
    after_request_funcs: Readable[Hooks] = Readable(registries.after_request_funcs)
    teardown_request_funcs: Readable[Hooks] = Readable(registries.teardown_request_funcs)
    teardown_appcontext_funcs: Readable[Sequence[Any]] = Readable(registries.teardown_appcontext_funcs)
    error_handler_spec: Readable[ErrorHandlers] = Readable(registries.error_handler_spec)
    url_build_error_handlers: Readable[Sequence[Any]] = Readable(registries.url_build_error_handlers)
    url_value_preprocessors: Readable[Hooks] = Readable(registries.url_value_preprocessors)
    url_default_functions: Readable[Hooks] = Readable(registries.url_default_functions)
    template_context_processors: Readable[Hooks] = Readable(registries.template_context_processors)
    shell_context_processors: Readable[Sequence[Any]] = Readable(registries.shell_context_processors)

    def inspect(self) -> dict[str, Any]:
        """Return all registries as JSON can hold them; functions with their places.

        Blueprints are keys by name; the app's own key is the empty text.
        """
        return registries.inspect(self)

    # Data

    @property
    def db(self) -> Database:
        """The app's database; `app.db["replica"]` is another of its databases.

        Raises:
            UsageError: It has none (`data/no-database`).
        """
        if self.config["DATABASE"] is None:
            raise UsageError(
                f"{self!r} has no database.",
                code="data/no-database",
                where=self.place,
                hint='App(__name__, database="sqlite:///club.db")',
            )
        return self.own_databases()["default"]

    def own_databases(self) -> Databases:
        """Return the databases that `DATABASE` names, made at the first call."""
        if self._databases is None:
            from .databases import app_databases  # with SQLAlchemy: for apps that have one

            self._databases = app_databases(self)
        return self._databases

    def owned_models(self) -> list[Any]:
        """Return the models of its package, of its blueprints, and of `App(models=…)`.

        Raises:
            SetupError: Two of them have one label and name.
        """
        from .databases import owned_models

        self._discover()
        return owned_models([part.scaffold for part in self.parts], (*self.models, *self._own_tables()))

    def _own_tables(self) -> list[Any]:
        """Return the models that the app's own services keep things in."""
        if self.config["SESSION_STORE"] != "database":
            return []
        from .web.sessions.database import SessionRow

        return [SessionRow]

    def _discover(self) -> None:
        """Import the modules of the package once, before anything asks what they define."""
        if self._discovered:
            return
        from .discovering import discover

        self._discovered = True  # already: what is imported may ask for the models too
        try:
            discover(self.import_name, where=self.place)
        except BaseException:
            self._discovered = False
            raise

    # Templates, errors

    @property
    def templates(self) -> Templates:
        """The app's templates; Jinja2 is loaded at the first use."""
        if self._templates is None:
            from .rendering import make_templates

            self._templates = make_templates(self)
        return self._templates  # type: ignore[no-any-return]  # loaded late

    def error_template(self, exchange: Exchange, name: str, values: dict[str, Any]) -> Response | None:
        """Render the site's own page for a status, where it has one."""
        if not any(folder.is_dir() for folder in self.template_folders()):
            return None
        from .rendering import render_error_template

        return render_error_template(self, exchange, name, values)

    def template_folders(self) -> list[Path]:
        """The folders templates are looked for in: the app's, then each blueprint's."""
        return [
            part.scaffold.root_path / part.scaffold.template_folder
            for part in self.parts
            if part.scaffold.template_folder is not None
        ]

    def debug_page(self, exchange: Exchange, error: BaseException) -> Response | None:
        """Make the page for developers; `None` for whoever is not local."""
        from .web.debug import debug_response

        return debug_response(exchange, error)

    # Running and testing

    def run(self, **options: Any) -> None:
        """Serve this file: `python app.py` becomes `segue run app.py`. Never returns."""
        from .servers.launch import exec_run

        exec_run(self, options)

    def test_client(self, **options: Any) -> Any:
        """Return a client that calls this app without a server."""
        from .testing.client import Client

        return Client(self, **options)

    def test_cli_runner(self) -> Any:
        """Return a runner of this app's commands: `runner.invoke(["greet", "Bob"])`."""
        from .testing.commands import CliRunner

        return CliRunner(self)

    def async_client(self, **options: Any) -> Any:
        """Return an async client that calls this app without a server."""
        from .testing.client import AsyncClient

        return AsyncClient(self, **options)

    def test_request_context(self, path: str = "/", **options: Any) -> Any:
        """Return a context manager in which a request to *path* is running."""
        from .testing.client import request_context

        return request_context(self, path, **options)


def _show_asgi() -> None:
    """Let servers see that an app speaks ASGI 3.

    uvicorn and hypercorn ask whether it is a coroutine function; one that is not they
    call as ASGI 2, or as WSGI. They have loaded asyncio; an app does not load it for that.
    """
    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        markcoroutinefunction(App.__call__)
    elif "asyncio" in sys.modules:
        mark = sys.modules["asyncio"].coroutines._is_coroutine
        App.__call__._is_coroutine = mark  # type: ignore[attr-defined]  # what asyncio looks at


def _close_blueprint(blueprint: Blueprint, place: str) -> None:
    blueprint.closed_at = place
    for child in blueprint.children:
        _close_blueprint(child.blueprint, place)
