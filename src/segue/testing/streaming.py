"""Answers that are read while the app still makes them.

A *source* runs the app and hands out its pieces: one on a loop for ASGI and RSGI, one
in a thread for WSGI. The two responses at the end are what a test iterates.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from .responses import ResponseHead
from .transports import Answer, Call, Pipe, wsgi_pieces

__all__ = ["AsyncStreamedResponse", "LoopSource", "StreamedResponse", "ThreadSource"]


class LoopSource:
    """Runs one request on the loop that its methods are awaited on."""

    def __init__(self, perform: Callable[[Any, Call, Answer], Awaitable[None]], entry: Any, call: Call) -> None:
        self._perform = perform
        self._entry = entry
        self._call = call
        self._gone = call.disconnect = asyncio.Event()
        self.answer: Pipe = Pipe(self._gone)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once status and headers are known."""
        self._task = asyncio.ensure_future(self._run())
        await self.answer.started.wait()
        if not self.answer.status:
            await self._task
            assert self.answer.status, "an adapter answers or raises"

    async def _run(self) -> None:
        try:
            await self._perform(self._entry, self._call, self.answer)
        finally:
            await self.answer.finish()

    async def take(self) -> bytes | None:
        """Return the next piece; `None` after the last, once the app has cleaned up."""
        piece = await self.answer.take()
        if piece is None and self._task is not None:
            await self._task
        return piece

    async def close(self) -> None:
        """Disconnect, and wait until the app has cleaned up."""
        self._gone.set()
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task})


class ThreadSource:
    """Runs one request in the thread that calls it."""

    def __init__(self, entry: Any, call: Call) -> None:
        self.answer: Answer = Answer()
        self._pieces = wsgi_pieces(entry, call, self.answer)

    def start(self) -> None:
        """Return once status and headers are known."""
        next(self._pieces)

    def take(self) -> bytes | None:
        """Return the next piece; `None` after the last."""
        return next(self._pieces, None)

    def close(self) -> None:
        """Disconnect: the server calls `close()` of what the app returned."""
        self._pieces.close()


class StreamedResponse(ResponseHead):
    """An answer whose pieces are iterated as the handler makes them."""

    def __init__(self, answer: Answer, url: str, take: Callable[[], bytes | None]) -> None:
        super().__init__(answer, url)
        self._take = take

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._take()) is not None:
            yield piece

    def read(self) -> bytes:
        """Return everything that is still to come."""
        return b"".join(self)


class AsyncStreamedResponse(ResponseHead):
    """An answer whose pieces are iterated as the handler makes them: `async for`."""

    def __init__(self, answer: Answer, url: str, take: Callable[[], Awaitable[bytes | None]]) -> None:
        super().__init__(answer, url)
        self._take = take

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._take()) is not None:
            yield piece

    async def read(self) -> bytes:
        """Return everything that is still to come."""
        return b"".join([piece async for piece in self])
