"""From a route, its handler and its hooks to one function: the endpoint.

An endpoint is a list of steps, written out as the source of one `def` (if every step
is `def`) or one coroutine function, and compiled once. Both come from the same
`_Writer`, which differs between the colours in one place: how a step is called.

The generated function takes `(exchange, values)` and returns a reply. Its shape:

    layer 0, outermost        middleware of the app
      guards                  login, rate, origin: headers only
      layer n                 middleware of the blueprint and the route
        core                  body, before_request, inputs, dependencies, handler,
                              encode, error handlers, after_request
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import CodeType, MappingProxyType
from typing import Any, NamedTuple

from ..errors import SetupError, place_of
from ..http.response import encode_json
from . import runtime
from .binding import Binder, Call, Known, RouteFacts
from .exchange import Exchange
from .markers import marks_of
from .recovery import Injected, Recovery
from .results import Blocks, Reply, Waiting, as_response
from .signature import Callee, inspect_callable

__all__ = ["Endpoint", "Hooks", "Middleware", "Step", "compile_endpoint", "inject"]


@dataclass(frozen=True, slots=True)
class Middleware:
    """One middleware, in the form that its signature shows."""

    callee: Callee

    @property
    def is_generator(self) -> bool:
        """Whether it yields for the response, instead of calling `call_next`."""
        return self.callee.is_generator

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Middleware:
        """Read *function*.

        Raises:
            SetupError: It neither yields nor takes `call_next` (`handling/bad-middleware`).
        """
        callee = inspect_callable(function)
        names = [parameter.name for parameter in callee.parameters]
        if callee.is_async_generator or not (callee.is_generator or len(names) == 2):
            raise SetupError(
                f"{callee} is no middleware.",
                code="handling/bad-middleware",
                where=callee.place,
                why="Middleware is a `def` that yields once for the response, or takes (request, call_next).",
                hint=f"def {callee.name}(request):\n    response = yield\n    return response",
            )
        return cls(callee)


@dataclass(frozen=True, slots=True)
class Hooks:
    """Everything that surrounds a handler, outermost first."""

    app_middleware: Sequence[Middleware] = ()
    guards: Sequence[Callee] = ()
    inner_middleware: Sequence[Middleware] = ()
    preprocessors: Sequence[Callable[..., Any]] = ()
    before: Sequence[Callee] = ()
    dependencies: Sequence[Callable[..., Any]] = ()
    after: Sequence[Callee] = ()
    teardown: Sequence[Injected] = ()

    @property
    def middleware(self) -> list[Middleware]:
        """All of it, outermost first."""
        return [*self.app_middleware, *self.inner_middleware]


class Step(NamedTuple):
    """One callable between server and handler, or behind it.

    Attributes:
        kind: What made it one, such as `before_request`.
        place: `file:line` of it.
    """

    kind: str
    name: str
    place: str


@dataclass(slots=True)
class Endpoint:
    """What answers a route for a group of methods.

    Attributes:
        call: `(exchange, values) -> reply`, or a coroutine function of it.
        is_async: Whether `call` is a coroutine function.
        blocks: The constant headers of its responses.
        body_first: Whether the body is read before anything else, so that an adapter
            on a loop reads it there, and the thread finds it ready.
        streams_body: Whether the handler reads the body itself, as a stream.
        cancellable: Whether a disconnect or the deadline cancels it.
        steps: All callables between server and handler, and behind it, for `segue why`.
    """

    name: str
    rule: Any
    call: Callable[[Exchange, tuple[Any, ...]], Any]
    is_async: bool
    route: RouteFacts
    recovery: Recovery
    blocks: Blocks
    body_first: bool = False
    streams_body: bool = False
    cancellable: bool = False
    limits: Any = None
    handler: Callee | None = None
    teardown: Sequence[Injected] = ()
    steps: Sequence[Step] = ()
    source: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The blueprint of the route and those around it, innermost first."""
        return self.recovery.scopes

    def path_params(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Return the values of the route by name, its constants included."""
        named = {name: value for name, value in zip(self.route.names, values, strict=False) if name is not None}
        return {**self.route.constants, **named}


_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def compile_endpoint(
    *,
    name: str,
    rule: Any,
    route: RouteFacts,
    handler: Callable[..., Any],
    hooks: Hooks,
    known: Known,
    recovery: Recovery,
    make_reply: Callable[[Callee], Callable[[Any], Reply]],
    limits: Any,
    blocks: Blocks,
    options: Mapping[str, Any] = _NO_OPTIONS,
) -> Endpoint:
    """Compile the endpoint of *route*.

    Args:
        options: Of the route: `stream`, `max_body` and `cancel_on_disconnect` are read here.

    Raises:
        SetupError: A parameter has no source, or a value of the route no parameter.
    """
    callee = inspect_callable(handler)
    marks = marks_of(handler)
    is_method = marks.get("is_method", False)
    binder = Binder(route, known, values_may_go=is_method or bool(hooks.preprocessors))
    binder.needs_request = is_method
    binder.takes_files = marks.get("takes_files", False)
    calls = _Calls.of(binder, hooks, callee)
    if binder.takes_files and limits.max_body < limits.max_upload_body and not options.get("max_body"):
        # Asking for a file is the opt-in to bodies of the size of files.
        limits = replace(limits, max_body=limits.max_upload_body)
    streams_body = options.get("stream", False)
    may_read = binder.needs_body or (binder.needs_request and bool(route.methods & _UNSAFE))
    reads_body = may_read and not streams_body
    make = make_reply(callee)
    writer = _Writer(binder, hooks, calls, reads_body=reads_body, encodes_dicts=hasattr(make, "plain"))
    source = writer.write()
    namespace = _namespace(binder, recovery, make, limits)
    exec(_compiled(source), namespace)
    endpoint = Endpoint(
        name=name,
        rule=rule,
        call=namespace["endpoint"],
        is_async=writer.is_async,
        route=route,
        recovery=recovery,
        blocks=blocks,
        body_first=reads_body and not (hooks.middleware or hooks.guards),
        streams_body=streams_body,
        cancellable=writer.is_async and options.get("cancel_on_disconnect", not route.methods & _UNSAFE),
        limits=limits,
        handler=callee,
        teardown=hooks.teardown,
        steps=writer.steps(),
        source=source,
    )
    namespace["rebuild_values"] = _rebuilder(endpoint, hooks.preprocessors)
    return endpoint


def _namespace(binder: Binder, recovery: Recovery, make: Callable[[Any], Reply], limits: Any) -> dict[str, Any]:
    status, json_block = getattr(make, "plain", (200, None))
    return {
        **runtime.NAMES,
        **binder.values,
        "make": make,
        "status": status,
        "json_block": json_block,
        "encode_json": encode_json,
        "recover": recovery.recover,
        "arecover": recovery.arecover,
        "fail": recovery.fail,
        "afail": recovery.afail,
        "limits": limits,
        "started": recovery.started,
        "as_response": as_response,
        "Waiting": Waiting,
    }


@lru_cache(maxsize=512)
def _compiled(source: str) -> CodeType:
    # PERF: routes of one shape share their code object; ten thousand routes
    # compile a handful of sources.
    return compile(source, "<segue endpoint>", "exec")


def _rebuilder(endpoint: Endpoint, preprocessors: Sequence[Callable[..., Any]]) -> Callable[..., tuple[Any, ...]]:
    names = endpoint.route.names

    def rebuild(values: tuple[Any, ...]) -> tuple[Any, ...]:
        parameters = endpoint.path_params(values)
        for preprocess in preprocessors:
            preprocess(endpoint.name, parameters)
        return tuple(parameters.get(name) if name is not None else values[index] for index, name in enumerate(names))

    return rebuild


@dataclass(frozen=True, slots=True)
class _Calls:
    """What an endpoint calls beside its middleware and its dependencies."""

    guards: Sequence[Call]
    before: Sequence[Call]
    handler: Call
    after: Sequence[Call]

    @classmethod
    def of(cls, binder: Binder, hooks: Hooks, handler: Callee) -> _Calls:
        # In the order of the steps: who binds first makes the dependencies that others share.
        before = [binder.call(hook) for hook in hooks.before]
        for dependency in hooks.dependencies:
            binder.depend_on(dependency)
        call = binder.call(handler, is_handler=True)
        after = [binder.call(hook, given=("response",)) for hook in hooks.after]
        return cls([binder.call(guard) for guard in hooks.guards], before, call, after)


class _Writer:
    """Writes the source of one endpoint. Lines only; all values are names in its namespace."""

    def __init__(self, binder: Binder, hooks: Hooks, calls: _Calls, *, reads_body: bool, encodes_dicts: bool) -> None:
        self.encodes_dicts = encodes_dicts
        self.binder = binder
        self.hooks = hooks
        self.before = calls.before
        self.handler = calls.handler
        self.after = calls.after
        self.guards = calls.guards
        self.reads_body = reads_body
        self.is_async = self._must_wait()
        if self.is_async:
            # What has two colours takes that of the endpoint, and needs no hop to a thread.
            self.before, self.after, self.guards = map(_on_loop, (self.before, self.after, self.guards))
            (self.handler,) = _on_loop([self.handler])
            binder.dependencies[:] = _on_loop(binder.dependencies)

    def _must_wait(self) -> bool:
        handler = self.handler.callee
        others = [call.callee for call in [*self.guards, *self.before, *self.binder.dependencies, *self.after]]
        if any(callee.is_async for callee in [*others, handler, *(each.callee for each in self.hooks.middleware)]):
            return True
        if any(callee.is_async_generator for callee in others):
            return True
        # A handler that is an async generator only streams: making it waits for nothing. And
        # a `def` handler that says it never waits needs no thread: it runs on the loop.
        return handler.is_async_generator or not (handler.blocking or handler.is_generator)

    def steps(self) -> list[Step]:
        hooks = self.hooks
        called: dict[str, list[Callee]] = {
            "middleware of the app": [each.callee for each in hooks.app_middleware],
            "guard": [call.callee for call in self.guards],
            "middleware": [each.callee for each in hooks.inner_middleware],
            "before_request": [call.callee for call in self.before],
            "dependency": [call.callee for call in self.binder.dependencies],
            "after_request": [call.callee for call in self.after],
        }
        found = [Step(kind, callee.name, callee.place) for kind, callees in called.items() for callee in callees]
        functions = [("url_value_preprocessor", each) for each in hooks.preprocessors]
        functions += [("teardown_request", each.function) for each in hooks.teardown]
        return found + [Step(kind, getattr(each, "__name__", repr(each)), place_of(each)) for kind, each in functions]

    # The whole

    def write(self) -> str:
        stack: list[Middleware | None] = [*self.hooks.app_middleware]
        if self.guards:
            stack.append(None)
        stack.extend(self.hooks.inner_middleware)
        if not stack:
            return "\n".join([*self._core("endpoint", last=True), *self._collector()])
        lines, inner = [*self._core("core", last=False), *self._collector()], "core"
        for index, layer in reversed(list(enumerate(stack))):
            name = f"layer_{index}"
            lines += self._guard(name, inner) if layer is None else self._layer(name, inner, layer)
            inner = name
        lines += [
            self._head("endpoint"),
            "    try:",
            f"        reply = {self._inner(inner)}",
            "    except Exception as error:",
            f"        reply = {self._recover('fail')}",
            *self._settled(),
            "    return reply",
        ]
        return "\n".join(lines)

    def _settled(self) -> list[str]:
        """Write the very end: what a step asked for to be done before the first byte."""
        settle = "await asettle(exchange, reply, afail)" if self.is_async else "settle(exchange, reply, fail)"
        # PERF: an attribute of the class is all that a request pays that has nothing to settle.
        return [f"    if exchange.finishers is not None: reply = {settle}"]

    def _head(self, name: str) -> str:
        return f"{'async ' if self.is_async else ''}def {name}(exchange, values):"

    def _inner(self, name: str) -> str:
        return f"{'await ' if self.is_async else ''}{name}(exchange, values)"

    def _recover(self, kind: str) -> str:
        return f"await a{kind}(exchange, error)" if self.is_async else f"{kind}(exchange, error)"

    # Layers around the core

    def _layer(self, name: str, inner: str, layer: Middleware) -> list[str]:
        call = self.binder.name(layer.callee.function, "middleware")
        takes = len(layer.callee.parameters) > 0
        if layer.is_generator:
            return [
                self._head(name),
                f"    running = {call}({'exchange.request' if takes else ''})",
                "    early = begin(running)",
                "    if early is not None: return early.reply(make)",
                "    try:",
                f"        reply = {self._inner(inner)}",
                "    except Exception as error:",
                "        return surface(running, error, make)",
                "    return conclude(running, as_response(reply), make)",
            ]
        if self.is_async and layer.callee.is_async:
            return [
                self._head(name),
                f"    return make_again(await {call}(exchange.request, anext_layer({inner}, exchange, values)), make)",
            ]
        if self.is_async:
            return [
                self._head(name),
                f"    result = await exchange.bridge.hop(exchange.portal, {call}, exchange.request, "
                f"next_through_bridge({inner}, exchange, values))",
                "    return make_again(result, make)",
            ]
        return [
            self._head(name),
            f"    return make_again({call}(exchange.request, next_layer({inner}, exchange, values)), make)",
        ]

    def _guard(self, name: str, inner: str) -> list[str]:
        lines = [self._head(name), "    early = None", "    try:"]
        steps = [(call, f"early = {self._call(call)}", "early is None") for call in self.guards]
        lines += self._steps(steps, ["early"], "        ")
        lines += [
            "        if early is not None: return make(early)",
            "    except Exception as error:",
            f"        return {self._recover('recover')}",
            f"    return {self._inner(inner)}",
        ]
        return lines

    # The core

    def _core(self, name: str, *, last: bool) -> list[str]:
        body = "        "
        lines = [self._head(name)]
        variables = [call.variable for call in self.binder.dependencies]
        has_early = bool(self.before)
        names = [*(["early"] if has_early else []), *([*variables, "result"] if self._hops() else [])]
        if names or has_early:
            lines.append("    " + " = ".join(dict.fromkeys([*names, "result"])) + " = None")
        lines.append("    try:")
        lines.append(f"{body}if started.receivers: announce_start(exchange)")
        if self.hooks.preprocessors:
            lines.append(f"{body}values = exchange.values = rebuild_values(values)")
        if self.reads_body:
            if self.is_async:
                lines.append(f"{body}if exchange.received is None: await exchange.aread_body(limits)")
            else:
                lines.append(f"{body}if exchange.received is None: exchange.read_body(limits)")
        if self.guards:
            decide = "await adecide(exchange)" if self.is_async else "decide(exchange)"
            lines.append(f"{body}if exchange.after_body is not None: {decide}")
        before = [(call, f"early = {self._call(call)}", "early is None") for call in self.before]
        lines += self._steps(before, ["early"], body)
        if has_early:
            lines.append(f"{body}if early is None:")
            body += "    "
        lines += self._inputs(body)
        steps = [self._dependency(call) for call in self.binder.dependencies]
        steps.append((self.handler, f"result = {self._call(self.handler)}", ""))
        lines += self._steps(steps, [*variables, "result"], body)
        if has_early:
            lines.append("        reply = make(early if early is not None else result)")
        elif self.encodes_dicts:
            # PERF: the commonest answer without a further call.
            lines.append("        if result.__class__ is dict: reply = status, json_block, encode_json(result)")
            lines.append("        else: reply = make(result)")
        else:
            lines.append("        reply = make(result)")
        if self.is_async:
            lines.append("        if reply.__class__ is Waiting: reply = reply.then(await reply.awaitable)")
        lines += ["    except Exception as error:", f"        reply = {self._recover('fail' if last else 'recover')}"]
        lines += self._after()
        if last:
            lines += self._settled()
        lines.append("    return reply")
        return lines

    def _inputs(self, indent: str) -> list[str]:
        if not self.binder.inputs:
            return []
        return [
            f"{indent}try:",
            *self._query(f"{indent}    "),
            *(f"{indent}    {each.variable} = {each.code}" for each in self.binder.inputs),
            f"{indent}except Invalid:",
            f"{indent}    raise collect(exchange, values) from None",
        ]

    def _query(self, indent: str) -> list[str]:
        if self.binder.needs_pairs:
            return [f"{indent}pairs, query = read_query(exchange.query_string)"]
        return [f"{indent}query = first_values(exchange.query_string)"] if self.binder.needs_query else []

    def _collector(self) -> list[str]:
        """Write what finds every fault of a request, once one was found."""
        if not self.binder.inputs:
            return []
        lines = ["def collect(exchange, values):", "    faults = []", *self._query("    ")]
        for each in self.binder.inputs:
            lines += [f"    try: {each.code}", "    except Invalid as invalid: faults += invalid.faults"]
        return [*lines, "    return ValidationError(faults)"]

    def _after(self) -> list[str]:
        lines = ["    if exchange.cleanups is not None: reply = after_this(exchange, reply)"]
        if not self.after:
            return lines
        lines.append("    response = as_response(reply)")
        steps = [
            (call, f"response = changed(response, {self._call(call)}, {call.callee.name!r})", "") for call in self.after
        ]
        lines += self._steps(steps, ["response"], "    ")
        lines.append("    reply = response")
        return lines

    # Steps in either colour

    def _hops(self) -> bool:
        """Whether some step of the core runs in a thread while the rest runs on a loop."""
        calls = [*self.before, *self.binder.dependencies, self.handler]
        return self.is_async and any(call.callee.blocking and not call.callee.is_async for call in calls)

    def _call(self, call: Call) -> str:
        callee = call.callee
        function = self.binder.name(callee.function, "step")
        arguments = ", ".join(
            argument.code if argument.positional else f"{argument.name}={argument.code}" for argument in call.arguments
        )
        return f"{'await ' if callee.is_async else ''}{function}({arguments})"

    def _dependency(self, call: Call) -> tuple[Call, str, str]:
        made, variable = self._call(call), call.variable
        if call.callee.is_generator:
            return call, f"{variable} = enter(exchange, {made})", ""
        if call.callee.is_async_generator:
            return call, f"{variable} = await aenter(exchange, {made})", ""
        return call, f"{variable} = {made}", ""

    def _steps(self, steps: list[tuple[Call, str, str]], variables: list[str], indent: str) -> list[str]:
        """Write the steps; on a loop, adjacent ones that may wait share one hop."""
        lines: list[str] = []
        group: list[str] = []

        def flush() -> None:
            if group:
                lines.append(f"{indent}def hopped():")
                lines.append(f"{indent}    nonlocal {', '.join(variables)}")
                lines.extend(f"{indent}    {line}" for line in group)
                lines.append(f"{indent}    return copy_context()")
                lines.append(f"{indent}adopt(await exchange.bridge.hop(exchange.portal, hopped))")
                group.clear()

        for call, line, condition in steps:
            callee = call.callee
            guarded = f"if {condition}: {line}" if condition else line
            waits = callee.blocking and not callee.is_async_generator
            if callee.is_generator and call is self.handler:
                waits = False  # making a generator runs nothing of it
            if self.is_async and waits and not callee.is_async:
                group.append(guarded)
                continue
            flush()
            lines.append(indent + guarded)
        flush()
        return lines


def _on_loop(calls: Sequence[Call]) -> list[Call]:
    return [replace(call, callee=call.callee.on_loop()) for call in calls]


def inject(function: Callable[..., Any], known: Known, given: Sequence[str]) -> Injected:
    """Return *function* ready to be called with `(exchange, *given)`; the rest is injected.

    For hooks that belong to no route: error handlers, teardown.

    Raises:
        SetupError: It asks for something that only a route can give.
    """
    callee = inspect_callable(function, skip=len(given))
    route = RouteFacts(line=f"a hook with ({', '.join(given)})", place=callee.place, names=(), methods=frozenset())
    binder = Binder(route, known)
    taken = given if _takes_position(function) else ()
    call = binder.call(callee, given=taken)
    if binder.inputs or binder.dependencies:
        name = next(argument.name for argument in call.arguments if argument.name)
        raise SetupError(
            f"The hook {callee} asks for `{name}`, which only a route's handler can have.",
            code="handling/unknown-parameter",
            where=callee.place,
            hint="Take `request` and read it from there.",
        )
    namespace: dict[str, Any] = dict(binder.values)
    arguments = ", ".join(
        argument.code if argument.positional else f"{argument.name}={argument.code}" for argument in call.arguments
    )
    step = binder.name(callee.function, "step")
    namespace[step] = callee.function
    source = f"def call({', '.join(['exchange', *given])}): return {step}({arguments})"
    exec(_compiled(source), namespace)
    blocking = callee.blocking and not callee.is_generator
    return Injected(function, namespace["call"], is_async=callee.is_async, blocking=blocking)


def _takes_position(function: Callable[..., Any]) -> bool:
    callee = inspect_callable(function)
    return bool(callee.parameters) or callee.takes_args is not None
