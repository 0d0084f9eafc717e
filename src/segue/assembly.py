"""From an app's registries to a compiled app.

Holds: the order of things: which hooks surround which handler, which headers are
constant, which limits hold where. Runs once, at start-up.
Imports: the floors below; templating only where templates exist.
Never: keeps anything; `App` keeps what comes out.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin, is_typeddict

import msgspec

from .blueprint import Blueprint, Registries, Route
from .context import TRANSLATIONS, Key
from .errors import SetupError
from .handling.application import CompiledApp, answer_outcome
from .handling.binding import Known, RouteFacts
from .handling.endpoint import Endpoint, Hooks, Middleware, compile_endpoint, inject
from .handling.lifecycle import Lifecycle
from .handling.markers import marks_of
from .handling.recovery import ErrorTable, Injected, Pages, Recovery
from .handling.results import Results
from .handling.signature import MISSING, Callee, inspect_callable, route_line
from .http.hosts import HostRules
from .http.limits import Limits
from .http.proxies import ProxyTrust
from .parts import Part, parts_of, static_folders
from .routing import RouteTable
from .services import ATTRIBUTES, PARAMETERS, is_served, service_makers
from .signals import Signals, got_request_exception, request_finished, request_started
from .text import UNTRANSLATED
from .web.headers import HEADER_CHANGES, default_policy

if TYPE_CHECKING:
    from .app import App
    from .serving import StaticParts

__all__ = ["assemble"]


def assemble(app: App, *, overrides: Mapping[Callable[..., Any], Callable[..., Any]], debug: bool) -> CompiledApp:
    """Compile *app* as it stands.

    Raises:
        SetupError: Anything in it that could not work.
    """
    return _Assembly(app, overrides, debug=debug).build()


class _Assembly:
    """One compilation: what several of its steps need."""

    def __init__(self, app: App, overrides: Mapping[Callable[..., Any], Callable[..., Any]], *, debug: bool) -> None:
        self.app = app
        self.debug = debug
        self.config = app.config
        if debug and self.config["DEBUGGER"]:
            from .web.console import install_outermost  # frames, pages, a script: for --debugger alone

            install_outermost(app)
        self.parts = parts_of(app, app.registrations)
        self.levels = [app.registries, *(_app_level(part) for part in self.parts[1:])]
        self.known = Known(
            names=app.parameter_names,
            types=app.parameter_types,
            overrides=overrides,
            late=PARAMETERS,
        )
        self.headers = default_policy(self.config, app.provided_values.get(HEADER_CHANGES))
        self.blocks = self.headers.blocks()
        self.results = Results(self.blocks, app.encoders)
        self.signals = Signals()
        for part in self.parts:
            for receiver in part.registries.receivers:
                self.signals.connect(receiver)
        self.values: dict[Key[Any], Any] = {TRANSLATIONS: UNTRANSLATED, **app.provided_values}
        self.databases: Any = None
        self.models: list[Any] = []
        self._connect_databases()
        self.makers = service_makers(app, self.databases, debug=debug)
        # Where `CACHES` names some, they are made now, so that a wrong address stops the start.
        self.caches: Any = None if self.config["CACHES"] is None else self._provided("caches")
        # A server of sessions too: its address is looked at now, and its connections end with the app.
        self.sessions: Any = self._provided("sessions") if is_served(self.config["SESSION_STORE"]) else None
        self.limits = Limits(
            max_body=self.config["MAX_CONTENT_LENGTH"],
            max_fields=self.config["MAX_FORM_FIELDS"],
            max_files=self.config["MAX_FILES"],
        )
        self.pages = _error_pages(app, debug=debug)
        self.cors = self._cors()
        self.errors = ErrorTable(self._error_spec())
        self.fallbacks = [(self._inject(each, ("error",)), self._gate_of(each)) for each in self._fallback_functions()]
        self.after_everything = [
            self._inject(hook, ("response",)) for level in reversed(self.levels) for hook in reversed(level.after)
        ]

    def build(self) -> CompiledApp:
        table = RouteTable(converters=self._converters(), server_name=self.config["SERVER_NAME"])
        endpoints: dict[str, list[Endpoint]] = {}
        static = self._static_parts()
        for part in self.parts:
            for route in [*(static.routes(part) if static is not None else ()), *part.registries.routes]:
                self._route(table, part, route, endpoints)
        fallback = self._special("fallback", self._hooks(self.parts[0], ()))
        gate = self._special("gate", Hooks())
        app = self.app
        compiled = CompiledApp(
            app=app,
            router=table.compile(),
            endpoints=endpoints,
            fallback=fallback,
            gate=gate,
            blocks=self.blocks,
            limits=self.limits,
            hosts=self._hosts(),
            trust=ProxyTrust(self.config["TRUSTED_PROXIES"]),
            lifecycle=self._lifecycle(),
            started=self.signals[request_started],
            finished=self.signals[request_finished],
            debug=self.debug,
            threads=self.config["THREADS"],
            queue_seconds=self.config["THREAD_QUEUE_SECONDS"],
            deadline_seconds=self.config["HANDLER_DEADLINE_SECONDS"],
            max_in_flight=self.config["MAX_IN_FLIGHT"],
            blocked_seconds=self._blocked_seconds(),
            attributes={**ATTRIBUTES, **app.request_attributes},
            values=self.values,
            makers=self.makers,
            signals=self.signals,
            make_reply=self.results.maker(status=200, none_is_empty=True, where="make_response()"),
            url_defaults={part.name: part.registries.url_defaults for part in self.parts}
            | {"": [each for level in self.levels[1:] for each in level.url_defaults]},
            processors=self._processors(),
            static=static.files if static is not None else None,
            parts=tuple(self.parts),
        )
        for function in app.compile_functions:
            function(compiled)
        return compiled

    def _connect_databases(self) -> None:
        """Make the databases that `DATABASE` names, and teach handlers to return what is in them."""
        app = self.app
        if self.config["DATABASE"] is None:
            return
        from .databases import DATABASES, STRICT_POLICIES, demand_sound_models, enter_owner, teach_answers

        databases = app.own_databases()
        databases.hear(self.signals)
        self.databases = databases
        self.values[DATABASES] = databases
        self.values[STRICT_POLICIES] = self.config["STRICT_POLICIES"]
        self.models = app.owned_models()
        demand_sound_models(self.models)
        enter_owner(self.models, databases)
        teach_answers(self.results.encoders)

    def _provided(self, name: str) -> Any:
        made = self.makers[name]()
        self.makers = {**self.makers, name: lambda: made}
        return made

    def _lifecycle(self) -> Lifecycle:
        app = self.app
        startup, shutdown = list(app.startup_functions), list(app.shutdown_functions)
        if self.caches is not None:
            shutdown.insert(0, self.caches.aclose)
        if self.sessions is not None:
            shutdown.insert(0, self.sessions.aclose)
        databases = self.databases
        if databases is not None:
            if self.debug or app.testing:
                from .databases import create_first_tables

                startup.insert(0, lambda: create_first_tables(databases, self.models, app.root_path))
            shutdown.insert(0, databases.aclose)
        return Lifecycle(startup=startup, lifespans=app.lifespans, shutdown=shutdown)

    def _blocked_seconds(self) -> float:
        limit = self.config["LOOP_BLOCKED_SECONDS"]
        return (0.1 if self.debug else 0.0) if limit is None else limit

    def _static_parts(self) -> StaticParts | None:
        """Return the static files, where there are some."""
        root = self.app.root_path / self.config["STATIC_ROOT"]
        is_built = not self.debug and (root / "manifest.json").is_file()
        if not is_built and not static_folders(self.parts):
            return None
        from .serving import StaticParts  # for sites that have some

        return StaticParts(self.parts, self.config["STATIC_URL"], built_in=root if is_built else None, live=self.debug)

    def _fallback_functions(self) -> list[Callable[..., Any]]:
        """Return what is asked before a 404; the front ends last, because they have a page for everything."""
        found = list(self.app.fallback_functions)
        if self.app.frontends:
            from .web.frontend import Frontend  # for sites that have one

            found += [Frontend(**options, live=self.debug).answer for options in self.app.frontends]
        return found

    def _gate_of(self, fallback: Callable[..., Any]) -> Injected | None:
        """Return what refuses those who are not logged in, where that is said of a fallback or of the app."""
        wanted = marks_of(fallback).get("login", self.app.login_required)
        guard = wanted if callable(wanted) else self.app.login_guard
        return None if not wanted or guard is None else self._inject(guard, ())

    # One route

    def _route(self, table: RouteTable, part: Part, route: Route, endpoints: dict[str, list[Endpoint]]) -> None:
        options = route.options
        name = f"{part.name}.{route.endpoint}" if part.name else route.endpoint
        path = route.path if route.is_regex or route.is_absolute else part.prefix + route.path
        rule = table.rule(
            path,
            endpoint=name,
            methods=route.methods,
            host=options.get("host") or part.host,
            subdomain=options.get("subdomain"),
            defaults=options.get("defaults") or {},
            strict_slashes=options.get("strict_slashes", True),
            place=route.place,
            is_regex=route.is_regex,
            prefix=part.prefix if route.is_regex else "",
        )
        shared, guards = self._accepting(route)
        by_method = marks_of(route.view).get("by_method")
        if by_method is not None:
            where = f"{route.place}, {route_line(path, route.methods)}"
            by_method.check_route(rule.value_names, rule.defaults, where)
        for methods, view in _handlers(route):
            middleware = [*options.get("middleware", ()), *marks_of(view).get("middleware", ()), *shared]
            hooks = self._hooks(part, middleware, options.get("dependencies", ()))
            results = self._results_of(part, view)
            facts = RouteFacts(
                line=route_line(path, methods if by_method is not None else route.methods),
                place=route.place,
                names=rule.value_names,
                methods=methods,
                types=rule.value_types,
                constants=dict(rule.defaults),
            )
            first = _origin_guards(self.app, part, route, view) if methods - _SAFE else []
            own = [*_login_guards(self.app, part, route, view), *_guards_of(view), *guards]
            endpoint = compile_endpoint(
                name=name,
                rule=rule,
                route=facts,
                handler=self._in_transaction(part, route, view),
                hooks=dataclasses.replace(hooks, guards=[*first, *hooks.guards, *own]),
                known=self.known,
                recovery=self._recovery(part, results),
                make_reply=lambda callee, route=route, results=results: _maker(results, callee, route.options),  # type: ignore[misc]  # bound now
                limits=self._limits_of(options),
                blocks=results.blocks,
                options=options,
            )
            endpoints.setdefault(name, []).append(endpoint)
            table.add(rule, endpoint, methods=methods)

    def _accepting(self, route: Route) -> tuple[list[Callable[..., Any]], list[Callee]]:
        """Return the middleware and the guards of a route that declares what it produces."""
        if "produces" not in route.options:
            return [], []
        from .web.accepting import accept_guard, media_types, vary_on_accept

        types = media_types(route.options["produces"], place=route.place)
        return [vary_on_accept] if len(types) > 1 else [], [inspect_callable(accept_guard(types))]

    def _in_transaction(self, part: Part, route: Route, view: Callable[..., Any]) -> Callable[..., Any]:
        """Return the handler *view*, in a transaction and with a budget of queries where it has them."""
        queries = route.options.get("queries")
        is_atomic = part.nearest("atomic", route.options.get("atomic"), default=self.config["ATOMIC_REQUESTS"])
        if not is_atomic and queries is None:
            return view
        from .databases import wrap_view  # with the data layer: for handlers that have to do with it

        return wrap_view(
            view,
            is_atomic=is_atomic,
            queries=queries,
            what=route_line(route.path, route.methods),
            is_strict=self.debug or self.app.testing,
        )

    def _limits_of(self, options: Mapping[str, Any]) -> Limits:
        most = options.get("max_body")
        return self.limits if most is None else dataclasses.replace(self.limits, max_body=most)

    def _results_of(self, part: Part, view: Callable[..., Any]) -> Results:
        """Return what makes the replies of a route: with headers of its own, if something marks it."""
        things: list[Any] = [*(each.scaffold for each in part.chain), view]
        if not any("security_headers" in marks_of(each) for each in things):
            return self.results
        from .web.security import changes_of  # for those who change some

        policy = self.headers
        for changes, place in filter(None, map(changes_of, things)):
            policy = policy.changed(changes, where=place)
        return Results(policy.blocks(), self.app.encoders)

    def _special(self, name: str, hooks: Hooks) -> Endpoint:
        facts = RouteFacts(line=f"the {name} of {self.app.name}", place="", names=(), methods=frozenset({"GET"}))
        return compile_endpoint(
            name=name,
            rule=None,
            route=facts,
            handler=answer_outcome,
            hooks=hooks,
            known=self.known,
            recovery=self._recovery(self.parts[0], self.results),
            make_reply=lambda callee: self.results.maker(status=200, none_is_empty=True, where=name),
            limits=self.limits,
            blocks=self.blocks,
        )

    # What surrounds it

    def _hooks(
        self, part: Part, middleware: Iterable[Callable[..., Any]], dependencies: Iterable[Callable[..., Any]] = ()
    ) -> Hooks:
        chain = [each.registries for each in part.chain]
        levels = self.levels
        around = [*levels, *chain]
        return Hooks(
            app_middleware=[*self.cors, *(Middleware.of(each) for level in levels for each in level.middleware)],
            guards=[inspect_callable(each) for level in around for each in level.guards],
            inner_middleware=[
                Middleware.of(each) for each in [*(each for level in chain for each in level.middleware), *middleware]
            ],
            preprocessors=[each for level in around for each in level.preprocessors],
            before=[inspect_callable(each) for level in around for each in level.before],
            dependencies=tuple(dependencies),
            after=[inspect_callable(each, skip=1) for level in reversed(around) for each in reversed(level.after)],
            teardown=[self._inject(each, ("error",)) for level in around for each in level.teardown],
        )

    def _recovery(self, part: Part, results: Results) -> Recovery:
        return Recovery(
            table=self.errors,
            scopes=part.scopes,
            make=results.maker(status=200, none_is_empty=True, where="an error handler"),
            page=self.pages,
            started=self.signals[request_started],
            failed=self.signals[got_request_exception],
            after=self.after_everything,
            fallbacks=self.fallbacks,
        )

    def _error_spec(self) -> dict[str | None, dict[int | None, dict[type[BaseException], Injected]]]:
        spec: dict[str | None, dict[int | None, dict[type[BaseException], Injected]]] = {}
        named = [(None, level) for level in self.levels]
        for scope, registries in [*named, *((part.name, part.registries) for part in self.parts[1:])]:
            for code, handlers in registries.errors.items():
                for kind, function in handlers.items():
                    found = spec.setdefault(scope, {}).setdefault(code, {})
                    found[kind] = self._inject(function, ("error",))
        return spec

    def _inject(self, function: Callable[..., Any], given: Sequence[str]) -> Injected:
        return inject(function, self.known, given)

    def _processors(self) -> dict[str | None, list[Callable[..., Any]]]:
        found: dict[str | None, list[Callable[..., Any]]] = {
            None: [each for level in self.levels for each in level.processors]
        }
        for part in self.parts[1:]:
            found[part.name] = [each for level in part.chain for each in level.registries.processors]
        return found

    def _cors(self) -> list[Middleware]:
        """Return what answers for other sites: outermost, so that a preflight meets no guard and no login."""
        things = {part.name: part.registries.things for part in self.parts}
        if not any(things.values()):
            return []
        from .web.cors import cors_middleware  # for those who add something

        found = cors_middleware(things)
        return [] if found is None else [Middleware.of(found)]

    def _converters(self) -> dict[str, Any]:
        return {name: kind for part in self.parts for name, kind in part.registries.converters.items()}

    def _hosts(self) -> HostRules:
        allowed = self._allowed_hosts()
        # Without a host nothing serves it; in process it answers to this machine's names.
        return HostRules(allowed, debug=self.debug or self.app.testing or not allowed)

    def _allowed_hosts(self) -> list[str]:
        allowed = list(self.config["ALLOWED_HOSTS"])
        if not allowed and self.config["SITE_URL"]:
            host = self.config["SITE_URL"].partition("://")[2].partition("/")[0].rpartition("@")[2]
            allowed = [host.partition(":")[0] if not host.startswith("[") else host.partition("]")[0] + "]"]
        return allowed


def _maker(results: Results, callee: Callee, options: Mapping[str, Any]) -> Callable[[Any], Any]:
    declared = options.get("response", MISSING)
    status = options.get("status", 200)
    if declared is MISSING and _is_declared(callee.returns):
        declared = callee.returns
    encode = None
    if declared is not MISSING and declared is not None:
        from .validation import result_encoder

        encode = result_encoder(declared)
    return results.maker(
        status=status,
        none_is_empty=callee.returns in (None, type(None)) or status == 204,
        where=f"{callee} ({callee.place})",
        encode=encode,
    )


def _error_pages(app: App, *, debug: bool) -> Pages:
    @cache
    def pages() -> Pages:
        from .web.problems import ErrorPages  # loaded with the first error

        return ErrorPages(debug=debug, template=app.error_template, debug_page=app.debug_page)

    return lambda exchange, error: pages()(exchange, error)


def _app_level(part: Part) -> Registries:
    return part.scaffold.app_level if isinstance(part.scaffold, Blueprint) else Registries()


_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def _handlers(route: Route) -> list[tuple[frozenset[str], Callable[..., Any]]]:
    """Return what answers a route: by a class, one function for each method."""
    methods, by_method = route.methods, marks_of(route.view).get("by_method")
    if by_method is not None:
        return [(frozenset({method}), by_method.handler(method, route.view)) for method in sorted(methods)]
    # A Struct parameter is the body of a POST and the query of a GET: two endpoints.
    # Reads have no guard against other sites; a DELETE has one, but takes its Struct from the query as they do.
    reads, deletes, writes = methods & _SAFE, methods & {"DELETE"}, methods - _SAFE - {"DELETE"}
    return [(group, route.view) for group in (reads, deletes, writes) if group]


def _is_declared(annotation: Any) -> bool:
    """Whether a return annotation says what the answer's fields are."""
    if annotation is MISSING or annotation is None:
        return False
    if inspect.isclass(annotation):
        return (
            issubclass(annotation, msgspec.Struct) or dataclasses.is_dataclass(annotation) or is_typeddict(annotation)
        )
    if get_origin(annotation) in (list, tuple, set, frozenset, dict):
        return any(_is_declared(each) for each in get_args(annotation))
    return False


def _origin_guards(app: App, part: Part, route: Route, view: Callable[..., Any]) -> list[Callee]:
    """Return what refuses a request that another site made a visitor send."""
    wanted = part.nearest("csrf", route.options.get("csrf"), marks_of(view).get("csrf"))
    if wanted is False or not app.config["CSRF_PROTECTION"]:
        return []
    from .web.csrf import OriginGuard  # for apps that have something to change

    config = app.config
    guard = OriginGuard(trusted=config["TRUSTED_ORIGINS"], site=config["SITE_URL"], is_strict=wanted is True)
    return [inspect_callable(guard)]


def _login_guards(app: App, part: Part, route: Route, view: Callable[..., Any]) -> list[Callee]:
    """Return what refuses those who are not logged in.

    Raises:
        SetupError: The app has no users (`auth/not-registered`).
    """
    said = route.options.get("login"), marks_of(view).get("login")
    wanted = part.nearest("login_required", *said, default=app.login_required)
    if not wanted:
        return []
    if app.login_guard is None:
        raise SetupError(
            f"{route_line(route.path, route.methods)} requires a login, and this app has no users.",
            code="auth/not-registered",
            where=route.place,
            why="Who is logged in is known to the battery Auth, which is not registered.",
            hint='from segue.auth import Auth\napp.register(Auth(), prefix="/accounts")',
        )
    return [inspect_callable(wanted if callable(wanted) else app.login_guard)]


def _guards_of(view: Callable[..., Any]) -> list[Callee]:
    """Return what decorators put before a handler."""
    return [inspect_callable(guard) for guard in marks_of(view).get("guards", ())]
