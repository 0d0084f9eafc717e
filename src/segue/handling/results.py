"""What a handler returned, made into a reply.

A *reply* is what the adapters send: a `Response`, or the short form
`(status, HeaderBlock, bytes)` for an answer whose headers are all constant.
PERF: the short form builds no object and copies no header.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard

import msgspec

from ..errors import UsageError, cut
from ..http.headers import HeaderBlock
from ..http.response import HTML, JSON, Response, StreamResponse, encode_json

__all__ = ["Blocks", "Encoder", "Reply", "Results", "Waiting", "as_response"]

Reply: TypeAlias = "Response | tuple[int, HeaderBlock, bytes]"
Encoder: TypeAlias = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Blocks:
    """The constant headers of an app, made at start-up.

    Attributes:
        html: With the content type of HTML.
        json: With that of JSON.
        octets: With that of bytes.
        page: For HTML responses that set their type themselves.
        data: For every other response.
        bare: Without a content security policy, for 304: a cache would lay it over the
            policy of the page that it keeps (RFC 9111 §3.2).
        policies: The headers of pages that may carry a nonce, each cut where it belongs.
    """

    html: HeaderBlock
    json: HeaderBlock
    octets: HeaderBlock
    page: HeaderBlock
    data: HeaderBlock
    bare: HeaderBlock
    policies: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(
        cls,
        page: Mapping[str, str],
        data: Mapping[str, str],
        *,
        bare: Mapping[str, str],
        policies: Iterable[tuple[str, tuple[str, ...]]] = (),
    ) -> Blocks:
        """Make the blocks of an app from its constant headers for pages, for the rest and for 304."""
        return cls(
            html=HeaderBlock({"content-type": HTML, **page}),
            json=HeaderBlock({"content-type": JSON, **data}),
            octets=HeaderBlock({"content-type": "application/octet-stream", **data}),
            page=HeaderBlock(page),
            data=HeaderBlock(data),
            bare=HeaderBlock(bare),
            policies=tuple(policies),
        )


def as_response(reply: Reply) -> Response:
    """Return *reply* as a response that hooks and middleware can change."""
    if isinstance(reply, Response):
        return reply
    status, block, body = reply
    response = Response(b"", status)
    # The other constant headers are laid under it again when it is sent.
    response.headers.pairs.append(block.text[0])
    response._body = body  # pyright: ignore[reportPrivateUsage]
    return response


class Waiting:
    """A result that has to be awaited before it can be answered: rows asked for on the loop.

    Attributes:
        awaitable: What is awaited.
        then: Makes something answerable of it; later, the reply.
    """

    __slots__ = ("awaitable", "then")

    def __init__(self, awaitable: Awaitable[Any], then: Callable[[Any], Any]) -> None:
        self.awaitable: Awaitable[Any] = awaitable
        self.then: Callable[[Any], Any] = then

    def after(self, further: Callable[[Any], Any]) -> Waiting:
        """Return the same with one more step."""
        first = self.then
        return Waiting(self.awaitable, lambda value: further(first(value)))


class Results:
    """Makes replies of one app: its constant headers and its registered encoders."""

    def __init__(self, blocks: Blocks, encoders: Mapping[type, Encoder]) -> None:
        self.blocks = blocks
        self.encoders: dict[type, Encoder] = dict(encoders)

    def maker(
        self,
        *,
        status: int,
        none_is_empty: bool,
        where: str,
        encode: Callable[[Any], bytes] | None = None,
    ) -> Callable[[Any], Reply]:
        """Return the function that makes the replies of one endpoint.

        Args:
            status: Of an answer that does not say its own.
            none_is_empty: Whether returning `None` was declared to mean 204.
            where: The handler, for errors.
            encode: Makes the JSON of the declared result; `None` takes what comes.
        """
        html, json = self.blocks.html, self.blocks.json
        rest = self._rest

        if encode is not None:

            def declared(result: Any) -> Reply:
                if isinstance(result, Response):
                    return result
                return status, json, encode(result)

            return declared

        def make(result: Any) -> Reply:
            kind = result.__class__
            if kind is dict or kind is list:
                return status, json, encode_json(result)
            if kind is str:
                return status, html, result.encode()
            if kind is Response:
                return result  # type: ignore[no-any-return]  # its class was just compared
            if result is None:
                if none_is_empty:
                    return Response(b"", 204 if status == 200 else status)
                raise _returned_none(where)
            return rest(result, status, where)

        # What the generated endpoint needs to encode a dict by itself.
        make.plain = (status, json)  # type: ignore[attr-defined]  # a note on the function
        return make

    def _rest(self, result: Any, status: int, where: str) -> Reply:
        if isinstance(result, Response):
            return result
        for kind in type(result).__mro__:
            encoder = self.encoders.get(kind)
            if encoder is not None:
                return self._again(encoder(result), status, where, encoder)
        if isinstance(result, str):
            return status, self.blocks.html, str(result).encode()
        if isinstance(result, bytes | bytearray | memoryview):
            return status, self.blocks.octets, bytes(result)  # pyright: ignore[reportUnknownArgumentType]  # of any items
        if _is_tuple(result) and not hasattr(result, "_fields"):
            return self._unpack(result, where)
        if _is_stream(result):
            return StreamResponse(result, status)
        if isinstance(result, dict | list | msgspec.Struct) or dataclasses.is_dataclass(result):
            return status, self.blocks.json, encode_json(result)
        raise UsageError(
            f"{where} returned {cut(result)}, which is no answer.",
            code="handling/bad-result",
            why="A handler returns str, bytes, dict, list, Struct, dataclass, a generator, "
            "a tuple of these with a status, or a Response.",
            hint="Return one of these, or register an encoder: @app.encoder(" + type(result).__name__ + ")",
        )

    def _again(self, encoded: Any, status: int, where: str, encoder: Encoder) -> Reply:
        if isinstance(encoded, Response):
            return encoded
        make = self.maker(status=status, none_is_empty=False, where=getattr(encoder, "__qualname__", where))
        if isinstance(encoded, Waiting):
            return encoded.after(make)  # type: ignore[return-value]  # an endpoint on the loop awaits it
        return make(encoded)

    def _unpack(self, result: tuple[Any, ...], where: str) -> Reply:
        headers: Any
        if len(result) == 2 and isinstance(result[1], int):
            body, status, headers = result[0], result[1], {}
        elif len(result) == 2 and _holds_headers(result[1]):
            body, status, headers = result[0], 200, result[1]
        elif len(result) == 3 and isinstance(result[1], int) and _holds_headers(result[2]):
            body, status, headers = result[0], result[1], result[2]
        else:
            raise UsageError(
                f"{where} returned the tuple {cut(result)}.",
                code="handling/bad-result",
                why="A tuple is (body, status), (body, headers) or (body, status, headers).",
                hint="Return a list for a JSON array, or a Response for anything else.",
            )
        make = self.maker(status=status, none_is_empty=True, where=where)
        reply = make(body)
        if isinstance(reply, Waiting):
            return reply.after(lambda made: self._finished(made, status, headers))  # pyright: ignore[reportReturnType]  # an endpoint on the loop awaits it
        return self._finished(reply, status, headers)

    def _finished(self, reply: Reply, status: int, headers: Any) -> Reply:
        if isinstance(reply, Response):
            reply.status = status
        elif not headers:
            return reply
        response = as_response(reply)
        for name, value in headers.items() if _is_mapping(headers) else headers:
            if name.lower() == "content-type":
                response.headers[name] = value
            else:
                response.headers.add(name, value)
        return response


def _is_tuple(result: Any) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(result, tuple)


def _is_stream(result: Any) -> TypeGuard[Iterator[Any] | AsyncIterator[Any]]:
    return isinstance(result, Iterator | AsyncIterator)


def _is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _holds_headers(value: object) -> bool:
    return isinstance(value, Mapping | list)


def _returned_none(where: str) -> UsageError:
    return UsageError(
        f"{where} returned None.",
        code="handling/returned-none",
        why="None is an empty answer (204) only where it was declared; elsewhere it is mostly a forgotten return.",
        hint="Return the answer, or declare that there is none: `-> None`, or status=204 on the route.",
    )
