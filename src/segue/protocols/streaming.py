"""A body that a handler reads itself: counted, and in the colour of whoever reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

from ..handling.exchange import Exchange
from ..http.bodies import BodyCounter
from ..http.intake import declared_length, stream_counter
from .loops import timed

__all__ = ["stream_of", "sync_stream_of"]

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def stream_of(exchange: Exchange, chunks: AsyncIterator[bytes], *, proves_end: bool = False) -> Any:
    """Return *chunks*, which come on the loop, for the caller: an iterator in a thread.

    Args:
        proves_end: Whether the protocol itself reports a body that was cut short.

    Raises:
        HTTPError: The body is too long, or of no length in a format without an end; while
            it is iterated, also that it comes too slowly.
    """
    counter = _counter_of(exchange, proves_end=proves_end)
    counted = _counted(timed(exchange, chunks), counter)
    return counted if _is_on_loop() else _waiting(exchange, counted)


def sync_stream_of(exchange: Exchange, chunks: Iterator[bytes]) -> Any:
    """Return *chunks*, which block, for the caller: an async iterator on the loop.

    Raises:
        HTTPError: As for `stream_of`.
    """
    counter = _counter_of(exchange, proves_end=False)
    counted = _counted_here(chunks, counter)
    return _hopping(exchange, counted) if _is_on_loop() else counted


def _counter_of(exchange: Exchange, *, proves_end: bool) -> BodyCounter:
    endpoint = exchange.endpoint
    is_open_ended = exchange.header("transfer-encoding") is not None or (
        exchange.http_version.startswith("2") and exchange.method in _WITH_BODY
    )
    return stream_counter(
        endpoint.limits if endpoint is not None else exchange.app.limits,
        content_type=exchange.header("content-type") or "",
        declared=declared_length(exchange.header("content-length") or None),
        is_open_ended=is_open_ended and not proves_end,
    )


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _counted(chunks: AsyncIterator[bytes], counter: BodyCounter) -> AsyncGenerator[bytes, None]:
    async for chunk in chunks:
        counter.count(chunk)
        yield chunk
    counter.finish()


def _counted_here(chunks: Iterator[bytes], counter: BodyCounter) -> Generator[bytes, None, None]:
    for chunk in chunks:
        counter.count(chunk)
        yield chunk
    counter.finish()


def _waiting(exchange: Exchange, chunks: AsyncIterator[bytes]) -> Generator[bytes, None, None]:
    async def step() -> bytes | None:
        return await anext(chunks, None)

    while (chunk := exchange.bridge.wait(step())) is not None:
        yield chunk


async def _hopping(exchange: Exchange, chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    def step() -> bytes | None:
        return next(chunks, None)

    while (chunk := await exchange.bridge.hop(exchange.portal, step)) is not None:
        yield chunk
