"""Calling what the site wrote in either colour: back ends, receivers of signals.

What has one colour is called from the other by a thread or by the loop, where there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from inspect import isawaitable, iscoroutinefunction
from typing import Any, TypeVar, cast

from ..colours import Operation, either, is_on_loop
from ..context import current, find_current
from ..errors import UsageError
from ..handling.exchange import Exchange
from ..shortcuts import run_sync
from ..signals import Signal

__all__ = ["calling", "sending"]

T = TypeVar("T")


def calling(thing: Any, name: str, /, *arguments: Any, **keywords: Any) -> Operation[Any]:
    """Call a method that *thing* has as `name`, as `aname`, or as both."""
    plain, twin = getattr(thing, name, None), getattr(thing, f"a{name}", None)
    if plain is not None and iscoroutinefunction(plain):
        plain, twin = None, plain
    return (yield from either(_call, _acall, plain, twin, arguments, keywords))


def _call(plain: Any, twin: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    return _finished(twin(*arguments, **keywords)) if plain is None else plain(*arguments, **keywords)


async def _acall(plain: Any, twin: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if twin is None:
        return await run_sync(plain, *arguments, **keywords)
    found = twin(*arguments, **keywords)
    return await found if isawaitable(found) else found


def _finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of this request on its loop, while this thread waits."""
    context = find_current()
    if isinstance(context, Exchange):
        return context.bridge.wait(coroutine)
    if is_on_loop():
        coroutine.close()
        raise UsageError(
            "An async back end was asked on the event loop by a function that would wait for it.",
            code="auth/blocking",
            hint="await aauthenticate(…)",
        )
    return asyncio.run(coroutine)


def sending(signal: Signal, sender: Any, **values: Any) -> Operation[None]:
    """Tell the receivers of a signal, `def` and `async def` ones."""
    found: Any = current().app.signals[signal]
    if found.receivers:
        yield from either(_send, _asend, found, sender, values)


def _send(signal: Any, sender: Any, values: dict[str, Any]) -> None:
    def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **named: _finished(function(*arguments, **named))

    signal.send(sender, _async_wrapper=waiting, **values)


async def _asend(signal: Any, sender: Any, values: dict[str, Any]) -> None:
    def in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: Any, **named: Any) -> Any:
            return await run_sync(function, *arguments, **named)

        return call

    await signal.send_async(sender, _sync_wrapper=cast("Any", in_thread), **values)
