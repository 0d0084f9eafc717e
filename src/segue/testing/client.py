"""Clients that call an app in process: one for `def` tests, one for `async def` ones.

All that they share is `Caller`'s; here it is driven, once by blocking and once by awaiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, Unpack

from ..handling.bridge import background
from . import transports
from .calling import Caller, Protocol, RequestOptions
from .factory import request_context
from .recording import recording
from .responses import TestResponse
from .streaming import AsyncStreamedResponse, LoopSource, StreamedResponse, ThreadSource
from .transports import Answer, Call

__all__ = ["AsyncClient", "Client", "TestResponse", "request_context"]

T = TypeVar("T")


def _on_background(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(coroutine, background.loop()).result()


def _transport(protocol: Protocol) -> Any:
    return transports.asgi if protocol == "asgi" else transports.rsgi


class Client(Caller):
    """Calls an app from `def` tests. As a context manager it runs start-up and shutdown.

    Args:
        protocol: `asgi`, `rsgi` or `wsgi`.
        base_url: Scheme and host of the requests.
        headers: Sent with each request.
        raise_errors: Whether an error that no handler took is raised here; else it is a 500.
        same_site: Whether requests that change something say that they come from the site itself, as
            browsers do (`Sec-Fetch-Site`); those that give an `Origin` speak for themselves.
    """

    def __enter__(self) -> Client:
        compiled = self.app.compile()
        if compiled.lifecycle.claim():
            _on_background(compiled.lifecycle.start())
        return self

    def __exit__(self, *error: object) -> None:
        _on_background(self.app.compile().lifecycle.stop())

    def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a request and return the answer."""
        steps = self._exchange(method, path, options)
        try:
            call = next(steps)
            while True:
                with recording() as record:
                    answer = self._perform(call)
                self._raise(record)
                call = steps.send((answer, record))
        except StopIteration as stop:
            response: TestResponse = stop.value
        return response

    def _perform(self, call: Call) -> Answer:
        entry, answer = self._entry(), Answer()
        if self.protocol == "wsgi":
            transports.wsgi(entry, call, answer)
        else:
            _on_background(_transport(self.protocol)(entry, call, answer))
        return answer

    @contextmanager
    def stream(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Generator[StreamedResponse]:
        """Send a request and give its answer while the handler still makes it.

        Leaving the block before the last piece disconnects the client; redirects are
        not followed.
        """
        url, call = self.first_call(method, path, options)
        with recording() as record:
            if self.protocol == "wsgi":
                thread = ThreadSource(self._entry(), call)
                start, take, close = thread.start, thread.take, thread.close
                answer = thread.answer
            else:
                loop = LoopSource(_transport(self.protocol), self._entry(), call)
                answer = loop.answer

                def start() -> None:
                    _on_background(loop.start())

                def take() -> bytes | None:
                    return _on_background(loop.take())

                def close() -> None:
                    _on_background(loop.close())

            try:
                start()
                self._raise(record)
                yield StreamedResponse(answer, url, take)
            finally:
                close()
        self._raise(record)

    def get(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a GET request."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a POST request."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PUT request."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PATCH request."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a DELETE request."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a HEAD request."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", path, **options)


class AsyncClient(Caller):
    """Calls an app from `async def` tests, on the running loop. As `Client` in all else."""

    async def __aenter__(self) -> AsyncClient:
        lifecycle = self.app.compile().lifecycle
        if lifecycle.claim():
            await lifecycle.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.app.compile().lifecycle.stop()

    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a request and return the answer."""
        steps = self._exchange(method, path, options)
        try:
            call = next(steps)
            while True:
                with recording() as record:
                    answer = await self._perform(call)
                self._raise(record)
                call = steps.send((answer, record))
        except StopIteration as stop:
            response: TestResponse = stop.value
        return response

    async def _perform(self, call: Call) -> Answer:
        entry, answer = self._entry(), Answer()
        if self.protocol == "wsgi":
            await asyncio.to_thread(transports.wsgi, entry, call, answer)
        else:
            # A task of its own, as under a server: so context variables do not leak out.
            await asyncio.ensure_future(_transport(self.protocol)(entry, call, answer))
        return answer

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, **options: Unpack[RequestOptions]
    ) -> AsyncGenerator[AsyncStreamedResponse]:
        """Send a request and give its answer while the handler still makes it.

        Leaving the block before the last piece disconnects the client; redirects are
        not followed.
        """
        url, call = self.first_call(method, path, options)
        with recording() as record:
            if self.protocol == "wsgi":
                thread = ThreadSource(self._entry(), call)
                answer = thread.answer

                async def start() -> None:
                    await asyncio.to_thread(thread.start)

                async def take() -> bytes | None:
                    return await asyncio.to_thread(thread.take)

                async def close() -> None:
                    await asyncio.to_thread(thread.close)

            else:
                loop = LoopSource(_transport(self.protocol), self._entry(), call)
                start, take, close = loop.start, loop.take, loop.close
                answer = loop.answer
            try:
                await start()
                self._raise(record)
                yield AsyncStreamedResponse(answer, url, take)
            finally:
                await close()
        self._raise(record)

    async def get(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a GET request."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a POST request."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PUT request."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PATCH request."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a DELETE request."""
        return await self.request("DELETE", path, **options)

    async def head(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a HEAD request."""
        return await self.request("HEAD", path, **options)

    async def options(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send an OPTIONS request."""
        return await self.request("OPTIONS", path, **options)
