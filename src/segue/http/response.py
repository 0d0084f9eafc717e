"""Responses: what a handler returns in full, and what the adapters send.

A response holds one of three bodies: bytes, a stream of chunks, or a file. The
constant headers (security, caching) are not in `headers`: the adapters lay them
*under* the response's own when they send it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Unpack

import msgspec

from ..context import current
from ..errors import UsageError, cut
from .cookies import dump_cookie
from .headers import Headers, check_header
from .signed import SIGNED_COOKIES, CookieOptions, seconds_of

if TYPE_CHECKING:
    from .redirects import LazyURL

__all__ = ["HTML", "JSON", "TEXT", "Response", "StreamResponse", "encode_json", "redirect", "show_in_json", "stream"]

HTML = "text/html; charset=utf-8"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

_shown: dict[type, Callable[[Any], Any]] = {}


def show_in_json(kind: type, show: Callable[[Any], Any]) -> None:
    """Let objects of *kind*, and of classes that derive from it, stand anywhere in JSON, as *show* makes them."""
    _shown[kind] = show


def _show(thing: Any) -> Any:
    for kind in type(thing).__mro__:
        show = _shown.get(kind)
        if show is not None:
            return show(thing)
    raise TypeError(f"{type(thing).__name__} is not shown as JSON")


encode_json: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=_show).encode


class Response:
    """One answer: a status, headers, and a body of bytes.

    Args:
        body: Text is encoded as UTF-8.
        status: 100 to 599.
        headers: Names are case-insensitive; a bad name or value raises `BadHeader`.
        content_type: Where *headers* does not say; HTML for text, octets for bytes.

    >>> Response("hello", content_type=TEXT).body
    b'hello'
    """

    __slots__ = ("_body", "closers", "headers", "status")

    # Whether `prepare` must see the request before this is sent.
    needs_request = False

    def __init__(
        self,
        body: str | bytes = b"",
        status: int = 200,
        headers: Mapping[str, object] | Iterable[tuple[str, object]] = (),
        *,
        content_type: str | None = None,
    ) -> None:
        if not 100 <= status <= 599:
            raise UsageError(f"{status} is no HTTP status.", code="http/bad-status", hint="Use 100 to 599.")
        self.status: int = status
        self._body: bytes
        self.closers: list[Callable[[], object]] | None = None
        if content_type is not None and not headers:
            # PERF: the commonest case; a content type that was checked once is not checked again.
            self.headers: Headers = Headers.__new__(Headers)
            self.headers.pairs = [_CHECKED_TYPES.get(content_type) or _checked_type(content_type)]
            self._body = body.encode() if isinstance(body, str) else body
            return
        self.headers = Headers(headers)
        if content_type is not None:
            self.headers["content-type"] = content_type
        elif (isinstance(body, str) or body) and "content-type" not in self.headers:
            self.headers.add("content-type", HTML if isinstance(body, str) else "application/octet-stream")
        self._body = body.encode() if isinstance(body, str) else body

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.content_type or '-'}>"

    @property
    def body(self) -> bytes:
        """The body; setting text encodes it as UTF-8."""
        return self._body

    @body.setter
    def body(self, value: str | bytes) -> None:
        self._body = value.encode() if isinstance(value, str) else value
        self.headers.pop("content-length")

    @property
    def text(self) -> str:
        """The body as text, by UTF-8."""
        return self.body.decode()

    @property
    def status_code(self) -> int:
        """The status, by the name that Flask and Django use."""
        return self.status

    @property
    def content_type(self) -> str:
        """The `Content-Type` header, or an empty text."""
        return self.headers.get("content-type") or ""

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers["content-type"] = value

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | timedelta | None = None,
        expires: datetime | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: Literal["Lax", "Strict", "None"] | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Add a `Set-Cookie` header (RFC 6265bis).

        Args:
            max_age: Seconds, or a span; `None` makes a cookie of the browser session.

        Raises:
            ValueError: A name, value or attribute that no header may carry.
        """
        if isinstance(max_age, timedelta):
            max_age = int(max_age.total_seconds())
        self.headers.add(
            "set-cookie",
            dump_cookie(
                name,
                value,
                max_age=max_age,
                expires=expires,
                path=path,
                domain=domain,
                secure=secure,
                httponly=httponly,
                samesite=samesite,
                partitioned=partitioned,
            ),
        )

    def set_signed_cookie(
        self,
        name: str,
        value: Any,
        *,
        max_age: int | timedelta | None = None,
        salt: str = "",
        **options: Unpack[CookieOptions],
    ) -> None:
        """Add a cookie that nobody can forge, though everybody can read it.

        Scripts cannot read it unless `httponly=False`.

        Args:
            value: Text, or anything that JSON can hold.
            max_age: Seconds, or a span, after which `get_signed_cookie` does not take it;
                `None` makes a cookie of the browser session, with no end of its own.
            salt: Tells cookies of one name apart that mean different things.

        Raises:
            BadCookie: It is longer than browsers keep, or has flags that they refuse.
            UsageError: The app has no key to sign with (`signing/no-key`).
        """
        seconds = seconds_of(max_age)
        text = current().get(SIGNED_COOKIES).write(name, value, salt=salt, max_age=seconds)
        options.setdefault("httponly", True)
        self.set_cookie(name, text, max_age=max_age, **options)

    def delete_cookie(
        self,
        name: str,
        *,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: Literal["Lax", "Strict", "None"] | None = "Lax",
    ) -> None:
        """Ask the browser to forget a cookie; *path* and *domain* must be those it was set with."""
        self.set_cookie(
            name, "", max_age=0, path=path, domain=domain, secure=secure, httponly=httponly, samesite=samesite
        )

    def prepare(self, request: Any) -> Response:
        """Return what is sent for *request*: conditional and partial responses override this."""
        return self

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call *callback* after the last byte was sent, or the client was gone."""
        if self.closers is None:
            self.closers = []
        self.closers.append(callback)


_CHECKED_TYPES: dict[str, tuple[str, str]] = {}


def _checked_type(content_type: str) -> tuple[str, str]:
    pair = check_header("content-type", content_type)
    if len(_CHECKED_TYPES) < 256:
        _CHECKED_TYPES[content_type] = pair
    return pair


class StreamResponse(Response):
    """A body made while it is sent: chunks of `bytes` or `str`, from any iterable.

    A disconnect of the client closes a generator, so its `finally` runs.
    """

    __slots__ = ("chunks",)

    def __init__(
        self,
        chunks: Iterable[str | bytes] | AsyncIterable[str | bytes],
        status: int = 200,
        headers: Mapping[str, object] | Iterable[tuple[str, object]] = (),
        *,
        content_type: str | None = HTML,
    ) -> None:
        super().__init__(b"", status, headers, content_type=content_type)
        self.chunks: Iterable[str | bytes] | AsyncIterable[str | bytes] = chunks

    @property
    def body(self) -> bytes:
        """Not known: a stream is sent as it is made."""
        raise UsageError(
            "The body of a streamed response is not known before it is sent.",
            code="http/streamed",
            hint="Read `response.chunks`, or return the whole text instead of a generator.",
        )

    @body.setter
    def body(self, value: str | bytes) -> None:
        raise UsageError(
            "The body of a streamed response cannot be replaced.",
            code="http/streamed",
            hint="Return another response from the hook: Response(value).",
        )


def stream(
    chunks: Iterable[str | bytes] | AsyncIterable[str | bytes],
    *,
    content_type: str = HTML,
    status: int = 200,
    headers: Mapping[str, object] | Iterable[tuple[str, object]] = (),
) -> StreamResponse:
    """Return a response whose body is sent while *chunks* is read."""
    return StreamResponse(chunks, status, headers, content_type=content_type)


def redirect(location: str | LazyURL, status: int = 302, *, external: bool = False) -> Response:
    """Return a redirect to *location*.

    Args:
        location: A path of this site; `url_for` makes one, `url_for_lazy` too.
        status: 301, 302, 303, 307 or 308.
        external: Whether another origin is meant. Without it, one is refused, so
            that no visitor can be sent away by a forged `next`.

    Raises:
        ValueError: A target no browser may be sent to (`http/bad-redirect`).
    """
    if status not in (300, 301, 302, 303, 307, 308):
        raise UsageError(f"{status} is no redirect.", code="http/bad-status", hint="Use 302, 303, 307 or 308.")
    from .redirects import check_redirect_target

    return Response(b"", status, {"location": check_redirect_target(str(location), external=external)})


def chunk_bytes(chunk: object) -> bytes:
    """Return one chunk of a stream as bytes.

    Raises:
        UsageError: It is neither text nor bytes (`http/bad-chunk`).
    """
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)  # pyright: ignore[reportUnknownArgumentType]  # a view of any items
    raise UsageError(
        f"A streamed response yielded {cut(chunk)}.",
        code="http/bad-chunk",
        why="Chunks are str or bytes.",
        hint="Encode it first, for example with segue.jsonify or str().",
    )
