"""`Compression`: smaller responses for clients that can unpack them.

Holds the battery, the rules of what is left as it is, and the streams that compress
while they are sent.

It is middleware without a colour, so it may not wait, and compressing a large body
would hold up a loop. So only a small body is compressed on the spot; a large one
becomes a stream of a plain iterator, whose steps the adapters run in threads.
"""

from __future__ import annotations

import copy
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import dataclass
from typing import Any

from ..handling.exchange import Exchange
from ..http.headers import Headers
from ..http.negotiation import best_encoding
from ..http.request import Request
from ..http.response import Response, StreamResponse, chunk_bytes
from ..typing import Setup
from .codings import Coding, Encoder, coding_named, installed_codings

__all__ = ["Compression", "is_compressible"]

# PERF: brotli takes about 1 ms for so much text; more of it is compressed in threads.
_INLINE_BYTES = 65_536

_UNTOUCHED_STATUSES = frozenset({*range(100, 200), 204, 205, 206, 304})
# Encoded already, a part of something, or the subject of a digest that would be wrong.
_UNTOUCHED_HEADERS = frozenset({"content-encoding", "content-range", "content-digest", "repr-digest", "digest"})
is_compressible: Callable[[str], re.Match[str] | None] = re.compile(
    r"text/|application/(?:json|javascript|xml|wasm|x-ndjson|jsonl)\b|[a-z]+/[^;\s]*\+(?:json|xml)\b|font/(?:ttf|otf)\b"
).match


@dataclass(frozen=True, slots=True)
class Compression:
    """Compresses responses by br, zstd or gzip: `app.register(Compression())`.

    Register it before other batteries, so that it sees what they leave. Untouched are
    files (static files have precompressed variants), parts of a resource, what is encoded
    already, types that compress badly, and answers with `Cache-Control: no-transform`.

    Args:
        minimum_bytes: Smaller bodies stay as they are. Streams are of no known size.
        codings: `"br"`, `"zstd"`, `"gzip"` in the order of preference; those that are
            installed where `None`.
        secrets: Whether to compress responses that set cookies, too. Where a page shows a
            secret and something the visitor's address decides, its compressed size tells
            an eavesdropper about the secret (the BREACH attack); masked tokens, such as
            those of forms, are safe from it.

    Raises:
        SetupError: At `register`: a coding is unknown or not installed.
    """

    minimum_bytes: int = 1024
    codings: Sequence[str] | None = None
    secrets: bool = False

    def install(self, setup: Setup) -> None:
        """Put the middleware around the app."""
        chosen = installed_codings() if self.codings is None else [coding_named(name) for name in self.codings]
        setup.middleware(self._middleware({each.name: each for each in chosen}))

    def _middleware(self, codings: dict[str, Coding]) -> Callable[..., Any]:
        names = list(codings)

        def compress(request: Request) -> Generator[None, Response, Response | None]:
            response = yield
            if not self._may_shrink(response):
                if response.status == 304:
                    _agree_with_compressed(response, request)
                return None
            response.headers.vary("Accept-Encoding")
            coding = codings.get(best_encoding(request.headers.get("accept-encoding", ""), names) or "")
            return _compressed(response, coding, request) if coding is not None else None

        return compress

    def _may_shrink(self, response: Response) -> bool:
        """Whether the response is sent smaller to a client that accepts it."""
        if response.status in _UNTOUCHED_STATUSES or response.needs_request:
            return False
        headers = response.headers
        names = {name for name, _ in headers.pairs}
        if names & _UNTOUCHED_HEADERS or ("set-cookie" in names and not self.secrets):
            return False
        if not is_compressible(response.content_type.lower()) or "no-transform" in (headers.get("cache-control") or ""):
            return False
        if not isinstance(response, StreamResponse):
            return len(response.body) >= max(self.minimum_bytes, 1)
        declared = headers.get("content-length")
        return declared is None or not declared.isdigit() or int(declared) >= self.minimum_bytes


def _compressed(response: Response, coding: Coding, request: Request) -> Response:
    """Return *response* in *coding*: a copy, because a handler may return one object many times."""
    if isinstance(response, StreamResponse):
        found: Response = copy.copy(response)
    else:
        body = response.body
        if request.method == "HEAD" or len(body) > _INLINE_BYTES:
            # HEAD has the headers of GET; of a stream nothing is made that is not sent.
            found = StreamResponse(_Body(body, coding.encoder), response.status, content_type=None)
            found.closers = response.closers
        else:
            found = copy.copy(response)
            found.body = coding.encoder().whole(body)
    headers = found.headers = Headers()
    headers.pairs = [pair for pair in response.headers.pairs if pair[0] != "content-length"]
    headers["content-encoding"] = coding.name
    tag = headers.get("etag")
    if tag is not None and tag.startswith('"'):
        headers["etag"] = f"W/{tag}"  # the bytes differ from those of the other codings (RFC 9110 §8.8.1)
    if isinstance(response, StreamResponse) and isinstance(found, StreamResponse):
        chunks = response.chunks
        if isinstance(chunks, AsyncIterable):
            found.chunks = _AsyncChunks(chunks, coding.encoder, request)
        else:
            found.chunks = _Chunks(chunks, coding.encoder)
    return found


def _agree_with_compressed(response: Response, request: Request) -> None:
    """Let a 304 have the headers that the compressed 200 had, or caches would not know it again."""
    response.headers.vary("Accept-Encoding")
    tag = response.headers.get("etag")
    if tag is not None and tag.startswith('"') and f"W/{tag}" in request.headers.get("if-none-match", ""):
        response.headers["etag"] = f"W/{tag}"


class _Body:
    """A large body, compressed piece by piece; each step may take as long as it likes."""

    def __init__(self, body: bytes, make: Callable[[], Encoder]) -> None:
        self._body = body
        self._make = make

    def __iter__(self) -> Iterator[bytes]:
        encoder = self._make()
        for start in range(0, len(self._body), _INLINE_BYTES):
            ready = encoder.add(self._body[start : start + _INLINE_BYTES])
            if ready:
                yield ready
        yield encoder.finish()


class _Chunks:
    """A stream that is compressed while it is sent; what was yielded is sent at once.

    An iterator of its own around the generator, because closing a generator that was not
    begun would leave the one inside open.
    """

    def __init__(self, chunks: Iterable[str | bytes], make: Callable[[], Encoder]) -> None:
        self._chunks = iter(chunks)
        self._packed = self._pack(make)

    def _pack(self, make: Callable[[], Encoder]) -> Generator[bytes, None, None]:
        encoder = make()
        for chunk in self._chunks:
            data = chunk_bytes(chunk)
            if data:
                yield encoder.add(data) + encoder.flush()
        yield encoder.finish()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._packed)

    def close(self) -> None:
        """End both generators, so that the `finally` of the inner one runs."""
        self._packed.close()
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


class _AsyncChunks:
    """The same for a stream that is made on the loop."""

    def __init__(self, chunks: AsyncIterable[str | bytes], make: Callable[[], Encoder], request: Request) -> None:
        self._chunks = aiter(chunks)
        self._packed = self._pack(make, request)

    async def _pack(self, make: Callable[[], Encoder], request: Request) -> AsyncGenerator[bytes, None]:
        encoder = make()
        async for chunk in self._chunks:
            data = chunk_bytes(chunk)
            if len(data) > _INLINE_BYTES:
                yield await _in_thread(request, encoder, data)
            elif data:
                yield encoder.add(data) + encoder.flush()
        yield encoder.finish()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def __anext__(self) -> Awaitable[bytes]:
        return anext(self._packed)

    async def aclose(self) -> None:
        """End both generators, so that the `finally` of the inner one runs."""
        await self._packed.aclose()
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


async def _in_thread(request: Request, encoder: Encoder, data: bytes) -> bytes:
    def compress() -> bytes:
        return encoder.add(data) + encoder.flush()

    context = request.context
    assert isinstance(context, Exchange)
    # No portal: the request's own thread, under WSGI, waits for this very chunk.
    return await context.bridge.hop(None, compress)
