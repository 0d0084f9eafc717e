"""What all adapters do between a reply and the wire, and after the last byte."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeGuard

from ..errors import ServiceUnavailable
from ..handling.application import CompiledApp
from ..handling.exchange import Exchange
from ..handling.recovery import unhandled
from ..handling.results import Blocks
from ..http.headers import HeaderBlock, RequestHeaders
from ..http.hygiene import check_headers
from ..http.proxies import Peer
from ..http.response import Response, chunk_bytes, encode_json

if TYPE_CHECKING:
    from ..http.download import FileResponse

__all__ = [
    "BODILESS",
    "all_headers",
    "block_for",
    "chunks_of",
    "is_file",
    "overloaded",
    "peer_of",
    "ready",
    "report_broken_stream",
]

_logger = logging.getLogger("segue.request")

# Statuses without a body (RFC 9110 §6.4.1): no Content-Length either.
BODILESS = frozenset({*range(100, 200), 204, 304})


def is_file(response: Response) -> TypeGuard[FileResponse]:
    """Whether a file is sent: what sends files is not loaded for this question."""
    return response.needs_request


def ready(exchange: Exchange, response: Response) -> Response:
    """Return what is really sent: a conditional or partial response looks at the request."""
    if exchange.nonce is None:
        exchange.nonce = ""  # what a stream asks for from now on, its headers cannot say
    return response.prepare(exchange.request) if response.needs_request else response


def all_headers(response: Response, blocks: Blocks) -> list[tuple[str, str]]:
    """Return the response's headers with the app's constant ones laid under them."""
    return block_for(response, blocks).under(response.headers.pairs)


def block_for(response: Response, blocks: Blocks) -> HeaderBlock:
    """Return the constant headers that belong under *response*."""
    if response.status == 304:
        return blocks.bare
    pairs = response.headers.pairs
    # The content type mostly comes first; where it does not, it is looked for.
    kind = pairs[0][1] if pairs and pairs[0][0] == "content-type" else response.content_type
    return blocks.page if kind.startswith("text/html") else blocks.data


def peer_of(app: CompiledApp, address: str, scheme: str, host: str, headers: RequestHeaders) -> Peer:
    """Return who asks: the socket's peer, or what a trusted proxy says of it."""
    if not app.trust.trusts_any:
        return Peer(address, scheme, host)
    return app.trust.resolve(
        address,
        scheme=scheme,
        host=host,
        x_forwarded_for=headers.get("x-forwarded-for"),
        x_forwarded_proto=headers.get("x-forwarded-proto"),
        x_forwarded_host=headers.get("x-forwarded-host"),
        allows_host=app.hosts.allows,
    )


def clean_pairs(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the header fields that a request may show: lower case, hygiene done."""
    return check_headers(list(pairs))


async def chunks_of(exchange: Exchange, chunks: Any) -> AsyncIterator[bytes]:
    """Iterate a stream of either colour on the loop; closes it however this ends."""
    if hasattr(chunks, "__aiter__"):
        iterator = chunks.__aiter__()
        try:
            async for chunk in iterator:
                yield chunk_bytes(chunk)
        finally:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()
        return
    # A plain iterator may wait, so every step of it runs in a thread.
    steps = _Steps(iter(chunks))
    hop = exchange.bridge.hop
    try:
        while (chunk := await hop(exchange.portal, steps.next)) is not steps.end:
            yield chunk_bytes(chunk)
    finally:
        await hop(exchange.portal, steps.close)


class _Steps:
    """A plain iterator that a thread may still be in when the client is gone.

    A generator that runs cannot be closed: then the step that it is in closes it.
    """

    def __init__(self, iterator: Iterator[Any]) -> None:
        self.end = object()
        self._iterator = iterator
        self._lock = threading.Lock()
        self._is_running = False
        self._is_over = False

    def next(self) -> Any:
        with self._lock:
            if self._is_over:
                return self.end
            self._is_running = True
        try:
            return next(self._iterator, self.end)
        finally:
            with self._lock:
                self._is_running = False
                is_over = self._is_over
            if is_over:
                self._close()

    def close(self) -> None:
        with self._lock:
            self._is_over = True
            if self._is_running:
                return
        self._close()

    def _close(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()


def overloaded() -> Response:
    """The answer to a request above `MAX_IN_FLIGHT`: the same for all, and made without their help."""
    error = ServiceUnavailable("Too many requests at once.")
    body = {"type": "about:blank", "title": error.phrase, "status": error.status, "code": error.code}
    return Response(
        encode_json({**body, "detail": error.message}),
        error.status,
        error.headers,
        content_type="application/problem+json",
    )


def report_broken_stream(exchange: Exchange, error: Exception) -> None:
    """Log a stream that raised after its first bytes were sent; a test client is told, too."""
    wanted = unhandled.get()
    if wanted is not None:
        wanted.append(error)
    request = exchange.request
    _logger.error(
        "%s %s raised %s while it was sent", request.method, request.path, type(error).__name__, exc_info=error
    )


def run_closers(response: Response) -> None:
    """Call what `Response.on_close` registered; one that fails does not stop the others."""
    for close in response.closers or ():
        try:
            close()
        except Exception as error:
            _logger.error("a response's on_close raised", exc_info=error)


def sync_chunks(exchange: Exchange, chunks: Any) -> Iterator[bytes]:
    """Iterate a stream of either colour in a thread."""
    if hasattr(chunks, "__aiter__"):
        iterator = chunks.__aiter__()
        wait = exchange.bridge.wait

        async def step() -> bytes | None:
            try:
                return chunk_bytes(await anext(iterator))
            except StopAsyncIteration:
                return None

        async def close() -> None:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()

        try:
            while (chunk := wait(step())) is not None:
                yield chunk
        finally:
            wait(close())
        return
    iterator = iter(chunks)
    try:
        for chunk in iterator:
            yield chunk_bytes(chunk)
    finally:
        if hasattr(iterator, "close"):
            iterator.close()
