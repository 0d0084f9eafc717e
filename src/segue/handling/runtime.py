"""The small functions that generated endpoints call; nothing else calls them."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import Context, copy_context
from typing import Any

from ..colours import Operation, arun, run
from ..errors import URITooLong, UsageError, ValidationError, place_of
from ..http.hygiene import MAX_URI
from ..http.query import parse_query
from ..http.response import Response
from .exchange import Exchange
from .results import Reply, as_response

__all__ = ["NAMES", "After"]

_logger = logging.getLogger("segue.request")

_NO_PAIRS: list[tuple[str, str]] = []
_NO_QUERY: dict[str, str] = {}

Make = Callable[[Any], Reply]


def read_query(text: str) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return the query's pairs, and the first value of each name."""
    if not text:
        return _NO_PAIRS, _NO_QUERY
    if len(text) > MAX_URI:
        raise URITooLong("The query is too long.")
    pairs = parse_query(text)
    return pairs, dict(reversed(pairs))


def first_values(text: str) -> dict[str, str]:
    """Return the first value of each name of the query."""
    if not text:
        return _NO_QUERY
    # PERF: where nothing is encoded, the mapping is made without a list of pairs.
    if len(text) > 1000 or "%" in text or "+" in text or "\0" in text or not text.isascii():
        return read_query(text)[1]
    values: dict[str, str] = {}
    for field in text.split("&"):
        name, _, value = field.partition("=")
        if name not in values:
            values[name] = value
    return values


def _name(running: Any) -> str:
    """The name of a running generator; its type does not show that it has one."""
    return getattr(running, "__name__", "?")


# Generator middleware


class Early:
    """What a middleware returned before its `yield`."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value: Any = value

    def reply(self, make: Make) -> Reply:
        return make(self.value)


def begin(running: Generator[Any, Any, Any]) -> Early | None:
    """Run the half before the `yield`; `None` means: go on."""
    try:
        next(running)
    except StopIteration as stop:
        if stop.value is None:
            raise UsageError(
                f"The middleware {_name(running)}() ended without a yield.",
                code="handling/bad-middleware",
                where=place_of(running.gi_code),  # type: ignore[attr-defined]
                hint="Yield once, or return a response to answer at once.",
            ) from None
        return Early(stop.value)
    return None


def conclude(running: Generator[Any, Any, Any], response: Response, make: Make) -> Reply:
    """Run the half after the `yield` with the response; what it returns replaces it."""
    try:
        running.send(response)
    except StopIteration as stop:
        return response if stop.value is None else as_response(make(stop.value))
    running.close()
    raise UsageError(
        f"The middleware {_name(running)}() yielded twice.",
        code="handling/bad-middleware",
        where=place_of(running.gi_code),  # type: ignore[attr-defined]
        hint="Yield once: what comes back is the response.",
    )


def surface(running: Generator[Any, Any, Any], error: Exception, make: Make) -> Reply:
    """Raise *error* at the `yield`; a middleware that takes it returns a response instead."""
    try:
        running.throw(error)
    except StopIteration as stop:
        if stop.value is None:
            raise error from None
        return as_response(make(stop.value))
    running.close()
    raise error


# Middleware that calls on


def next_layer(inner: Callable[..., Reply], exchange: Exchange, values: tuple[Any, ...]) -> Callable[..., Response]:
    def call_next(request: Any = None) -> Response:
        return as_response(inner(exchange, values))

    return call_next


def anext_layer(
    inner: Callable[..., Awaitable[Reply]], exchange: Exchange, values: tuple[Any, ...]
) -> Callable[..., Awaitable[Response]]:
    async def call_next(request: Any = None) -> Response:
        return as_response(await inner(exchange, values))

    return call_next


def next_through_bridge(
    inner: Callable[..., Any], exchange: Exchange, values: tuple[Any, ...]
) -> Callable[..., Response]:
    """The rest of a coroutine endpoint, called from the thread of a `def` middleware."""

    def call_next(request: Any = None) -> Response:
        portal, exchange.portal = exchange.portal, None
        try:
            return as_response(exchange.bridge.wait(inner(exchange, values)))
        finally:
            exchange.portal = portal

    return call_next


def make_again(result: Any, make: Make) -> Reply:
    """What a middleware returned, as a reply."""
    return result if isinstance(result, Response) else make(result)


# Hooks


class After:
    """A clean-up that is not one: a function that changes this response."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Response], Any]) -> None:
        self.function: Callable[[Response], Any] = function

    def __call__(self, error: BaseException | None) -> None:
        """Do nothing: it ran before the response was sent."""


def after_this(exchange: Exchange, reply: Reply) -> Reply:
    """Apply what `after_this_request` registered."""
    functions = [each for each in exchange.cleanups or () if isinstance(each, After)]
    if not functions:
        return reply
    response = as_response(reply)
    for each in functions:
        response = changed(response, each.function(response), getattr(each.function, "__name__", "after_this_request"))
    return response


def changed(response: Response, result: Any, name: str) -> Response:
    """What an `after_request` hook leaves: its result, or the response it changed."""
    if result is None:
        return response
    if isinstance(result, Response):
        return result
    raise UsageError(
        f"The hook {name}() returned a {type(result).__name__}.",
        code="handling/bad-hook-result",
        hint="Return the response it was given, another Response, or nothing.",
    )


def announce_start(exchange: Exchange) -> None:
    """Send `request_started`."""
    exchange.app.started.send(exchange.app.app, request=exchange.request)


# What a guard left open


def decide(exchange: Exchange) -> None:
    """Let a guard decide by the body what the headers left open."""
    if exchange.after_body is not None:
        run(exchange.after_body(exchange))


async def adecide(exchange: Exchange) -> None:
    """Let a guard decide by the body what the headers left open."""
    if exchange.after_body is not None:
        await arun(exchange.after_body(exchange))


# The very end


def _settling(exchange: Exchange, response: Response) -> Operation[Reply]:
    while exchange.finishers:
        yield from exchange.finishers.pop().finish(response)
    return response


def settle(exchange: Exchange, reply: Reply, fail: Callable[[Exchange, Exception], Reply]) -> Reply:
    """Do what steps left to be done once the response stands; an error of it is the answer."""
    try:
        return run(_settling(exchange, as_response(reply)))
    except Exception as error:
        return fail(exchange, error)


async def asettle(exchange: Exchange, reply: Reply, afail: Callable[[Exchange, Exception], Awaitable[Reply]]) -> Reply:
    """Do what steps left to be done once the response stands; an error of it is the answer."""
    try:
        return await arun(_settling(exchange, as_response(reply)))
    except Exception as error:
        return await afail(exchange, error)


# Dependencies that yield


class Leave:
    """Ends a generator dependency after the response was sent."""

    __slots__ = ("running",)

    def __init__(self, running: Generator[Any, Any, Any]) -> None:
        self.running: Generator[Any, Any, Any] = running

    def __call__(self, error: BaseException | None) -> None:
        try:
            if error is None:
                next(self.running)
            else:
                self.running.throw(error)
        except StopIteration:
            return
        except BaseException as raised:
            if raised is not error:
                raise
            return
        self.running.close()
        raise _yielded_twice(_name(self.running))


class ALeave:
    """Ends an async generator dependency after the response was sent."""

    __slots__ = ("running",)
    is_async = True

    def __init__(self, running: AsyncGenerator[Any, Any]) -> None:
        self.running: AsyncGenerator[Any, Any] = running

    async def __call__(self, error: BaseException | None) -> None:
        try:
            if error is None:
                await anext(self.running)
            else:
                await self.running.athrow(error)
        except StopAsyncIteration:
            return
        except BaseException as raised:
            if raised is not error:
                raise
            return
        await self.running.aclose()
        raise _yielded_twice(getattr(self.running, "__name__", "a dependency"))


def _yielded_twice(name: str) -> UsageError:
    return UsageError(
        f"The dependency {name}() yielded twice.",
        code="handling/bad-dependency",
        hint="Yield the value once; what follows is the clean-up.",
    )


def enter(exchange: Exchange, running: Generator[Any, Any, Any]) -> Any:
    """Run a dependency to its `yield` and keep its clean-up."""
    value = next(running)
    exchange.add_cleanup(Leave(running))
    return value


async def aenter(exchange: Exchange, running: AsyncGenerator[Any, Any]) -> Any:
    """Run an async dependency to its `yield` and keep its clean-up."""
    value = await anext(running)
    exchange.add_cleanup(ALeave(running))
    return value


_UNSET = object()


def adopt(context: Context) -> None:
    """Take over the context variables that `def` steps set in their thread, as if they had run here."""
    for variable, value in context.items():
        if variable.get(_UNSET) is not value:
            variable.set(value)


NAMES: dict[str, Any] = {
    "adopt": adopt,
    "copy_context": copy_context,
    "ValidationError": ValidationError,
    "after_this": after_this,
    "aenter": aenter,
    "adecide": adecide,
    "asettle": asettle,
    "announce_start": announce_start,
    "anext_layer": anext_layer,
    "begin": begin,
    "changed": changed,
    "conclude": conclude,
    "decide": decide,
    "enter": enter,
    "first_values": first_values,
    "make_again": make_again,
    "next_layer": next_layer,
    "next_through_bridge": next_through_bridge,
    "read_query": read_query,
    "settle": settle,
    "surface": surface,
}
