"""A compiled app: a value that the adapters run and nobody changes.

Holds what a request needs and was decided at start-up: the router, the endpoints,
the constant headers, the limits, the trust in hosts and proxies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ..context import Key
from ..errors import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    NotImplementedByServer,
    SegueError,
    UsageError,
    did_you_mean,
)
from ..http.hosts import HostRules
from ..http.hygiene import KNOWN_METHODS, MAX_URI, check_path, check_target
from ..http.limits import Limits
from ..http.proxies import ProxyTrust
from ..http.response import Response
from ..routing import Match, NotAllowed, Redirect, Router
from .endpoint import Endpoint
from .exchange import Exchange
from .lifecycle import Lifecycle
from .results import Blocks
from .supervision import BodyClock, Supervisor

if TYPE_CHECKING:
    import asyncio

    from .bridge import Bridge

__all__ = ["CompiledApp", "answer_outcome"]

T = TypeVar("T")


def answer_outcome(exchange: Exchange) -> Any:
    """The handler of requests that no route answers: gives back or raises what was found."""
    outcome = exchange.outcome
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


@dataclass(eq=False, slots=True)
class CompiledApp:
    """Everything that serving needs.

    Attributes:
        app: The `App` it was compiled from, for user code.
        fallback: The endpoint of 404, 405, redirects and OPTIONS: app middleware around.
        gate: The endpoint of malformed requests: nothing around.
        teardown: Hooks after every last byte.
        debug: Whether errors show themselves (to a loopback peer).
        values: What was provided.
        makers: What makes, when it is first asked for, a value that was not, by the name of its key.
        blocked_seconds: How long a step may hold a loop unreported; 0 looks at none.
    """

    app: Any
    router: Router
    endpoints: Mapping[str, Sequence[Endpoint]]
    fallback: Endpoint
    gate: Endpoint
    blocks: Blocks
    limits: Limits
    hosts: HostRules
    trust: ProxyTrust
    lifecycle: Lifecycle
    started: Any
    finished: Any
    debug: bool = False
    threads: int = 8
    queue_seconds: float = 5.0
    deadline_seconds: float = 30.0
    max_in_flight: int = 0
    blocked_seconds: float = 0.0
    body_clock: BodyClock = field(default_factory=BodyClock)
    attributes: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict[str, Callable[[Any], Any]])
    values: dict[Key[Any], Any] = field(default_factory=dict[Key[Any], Any])
    makers: Mapping[str, Callable[[], Any]] = field(default_factory=dict[str, Callable[[], Any]])
    url_defaults: Mapping[str | None, Sequence[Callable[..., Any]]] = field(
        default_factory=dict[str | None, Sequence[Callable[..., Any]]]
    )
    processors: Mapping[str | None, Sequence[Callable[..., Any]]] = field(
        default_factory=dict[str | None, Sequence[Callable[..., Any]]]
    )
    static: Any = None
    parts: Sequence[Any] = ()
    signals: Any = None
    make_reply: Any = None
    static_routes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    _bridges: dict[asyncio.AbstractEventLoop, tuple[Bridge, Supervisor]] = field(
        default_factory=dict["asyncio.AbstractEventLoop", "tuple[Bridge, Supervisor]"]
    )

    def __post_init__(self) -> None:
        # With hosts, a path alone decides nothing.
        if not self.router.has_hosts:
            self.static_routes = self.router.static

    def __repr__(self) -> str:
        return f"<CompiledApp {getattr(self.app, 'name', '?')}, {len(self.endpoints)} endpoints>"

    def find(self, exchange: Exchange, method: str, path: str, host: str) -> Endpoint:
        """Return what answers, and leave the route's values on *exchange*."""
        try:
            if method not in KNOWN_METHODS:
                raise NotImplementedByServer("This method is not known here.")
            if len(path) > MAX_URI:
                check_target(path, "")
            check_path(path)
            if not self.router.has_hosts:
                found = self.router.find(path)
            else:
                found = self.router.find_for_host(host, path)
        except SegueError as error:
            exchange.outcome = error
            return self.gate
        if found is not None:
            table, values = found
            endpoint = table.get(method)
            if endpoint is not None:
                exchange.values = values
                return endpoint  # type: ignore[no-any-return]  # the router's targets are opaque to it
        return self._unrouted(exchange, method, path, host)

    def _unrouted(self, exchange: Exchange, method: str, path: str, host: str) -> Endpoint:
        resolved = self.router.resolve(method, path, host)
        if isinstance(resolved, Match):
            exchange.values = resolved.values
            return resolved.target  # type: ignore[no-any-return]  # the router's targets are opaque to it
        if isinstance(resolved, Redirect):
            query = exchange.query_string
            location = exchange.root_path + resolved.location + (f"?{query}" if query else "")
            exchange.outcome = Response(b"", resolved.status, {"location": location})
        elif isinstance(resolved, NotAllowed):
            if method == "OPTIONS":
                exchange.outcome = Response(b"", 204, {"allow": ", ".join(sorted(resolved.allowed))})
            else:
                exchange.outcome = MethodNotAllowed(allowed=resolved.allowed)
        else:
            exchange.outcome = NotFound()
        return self.fallback

    def refuse(self, exchange: Exchange, error: BaseException) -> Endpoint:
        """Answer *error* at the door."""
        exchange.outcome = error
        return self.gate

    def refuse_host(self, exchange: Exchange, hosts: Sequence[str], authority: str | None = None) -> Endpoint | None:
        """Return the endpoint that refuses the request's host, or `None` where it is right.

        Exactly one Host (RFC 9112 §3.2), well formed, allowed, and the same as the
        authority of an absolute request target.
        """
        if len(hosts) == 1 and (authority is None or authority == hosts[0]):
            try:
                if self.hosts.allows(hosts[0]):
                    return None
            except BadRequest as error:
                return self.refuse(exchange, error)
        elif not hosts and authority is not None:
            return self.refuse_host(exchange, [authority])
        problem = "The Host header is not one that this site answers for."
        if len(hosts) != 1:
            problem = "Exactly one Host header is needed."
        elif authority is not None and authority != hosts[0]:
            problem = "The Host header and the request target name different hosts."
        hint = ""
        if self.debug and len(hosts) == 1:
            hint = "Add the host to ALLOWED_HOSTS."
        return self.refuse(exchange, BadRequest(problem, code="http/bad-host", hint=hint))

    # Per loop

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> tuple[Bridge, Supervisor]:
        """Return the bridge and the supervisor of *loop*, made at first use."""
        found = self._bridges.get(loop)
        if found is None:
            from .bridge import Bridge  # with asyncio, which WSGI alone may do without

            for other in [other for other in self._bridges if other.is_closed()]:
                self._bridges.pop(other)[0].close()
            bridge = Bridge(loop, threads=self.threads, queue_seconds=self.queue_seconds)
            found = (
                bridge,
                Supervisor(
                    loop,
                    deadline_seconds=self.deadline_seconds,
                    body_seconds=self.body_clock.base_seconds,
                    blocked_seconds=self.blocked_seconds,
                ),
            )
            self._bridges[loop] = found
        return found

    def in_background(self) -> Bridge:
        """Return the bridge to the background loop, where WSGI runs async steps."""
        from .bridge import background

        return self.on_loop(background.loop())[0]

    # For contexts and requests

    def provided(self, key: Key[T]) -> T:
        """Return what was provided under *key*.

        Raises:
            UsageError: Nothing was (`app/nothing-provided`).
        """
        if key not in self.values and key.name in self.makers:
            self.values[key] = self.makers[key.name]()
        if key in self.values:
            found: T = self.values[key]
            return found
        raise UsageError(
            f"Nothing provides {key.name!r} in this app.",
            code="app/nothing-provided",
            hint=f"Register the battery that does. {did_you_mean(key.name, [each.name for each in self.values])}",
        )

    def apply_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Let the `url_defaults` hooks of the app and of the endpoint's blueprints add values."""
        if not self.url_defaults:
            return
        scopes: list[str | None] = [None, ""]
        parts = endpoint.split(".")[:-1]
        scopes += [".".join(parts[: index + 1]) for index in range(len(parts))]
        for scope in scopes:
            for function in self.url_defaults.get(scope, ()):
                function(endpoint, values)

    def request_attribute(self, request: object, name: str) -> Any:
        """Return `request.<name>` for a name that a battery taught, else raise `AttributeError`."""
        maker = self.attributes.get(name)
        if maker is not None:
            return maker(request)
        known = [each for each in dir(type(request)) if not each.startswith("_")] + list(self.attributes)
        raise AttributeError(f"A request has no attribute {name!r}. {did_you_mean(name, known)}")
