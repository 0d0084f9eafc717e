"""Decorators that set cache headers and answer conditional requests.

They set marks; the compiler turns them into middleware of the route, so their place
among other decorators does not matter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, TypeVar, overload

from ..errors import SetupError, place_of
from ..handling.markers import mark, marks_of
from ..http.conditional import evaluate, format_http_date, make_etag
from ..http.request import Request
from ..http.response import Response, StreamResponse

__all__ = ["cache_control", "conditional", "never_cache", "vary_on"]

F = TypeVar("F", bound=Callable[..., Any])

_DIRECTIVES = frozenset(
    {
        "public", "private", "no_cache", "no_store", "no_transform", "must_revalidate", "proxy_revalidate",
        "must_understand", "immutable", "max_age", "s_maxage", "stale_while_revalidate", "stale_if_error",
    }
)  # fmt: skip


def _around(function: F, middleware: Callable[..., Any]) -> F:
    return mark(function, middleware=[*marks_of(function).get("middleware", ()), middleware])


def cache_control(**directives: bool | int) -> Callable[[F], F]:
    """Set `Cache-Control` (RFC 9111 §5.2) on the handler's responses that set none.

    Args:
        directives: Such as `public=True, max_age=60`; underscores become hyphens.

    Raises:
        SetupError: A directive that does not exist.
    """
    for name in directives:
        if name not in _DIRECTIVES:
            raise SetupError(
                f"cache_control() has no directive {name!r}.",
                code="http/unknown-directive",
                hint=f"Use {', '.join(sorted(_DIRECTIVES))}.",
            )
    value = ", ".join(
        name.replace("_", "-") if setting is True else f"{name.replace('_', '-')}={int(setting)}"
        for name, setting in directives.items()
        if setting is not False
    )

    def set_cache_control(request: Request) -> Generator[None, Response, None]:
        response = yield
        response.headers.setdefault("cache-control", value)

    return lambda function: _around(function, set_cache_control)


def never_cache(function: F) -> F:
    """Tell every cache to keep nothing of the handler's responses."""
    return cache_control(no_store=True, private=True)(function)


def vary_on(*names: str) -> Callable[[F], F]:
    """Add request headers to `Vary`: those that the handler's answer depends on."""

    def set_vary(request: Request) -> Generator[None, Response, None]:
        response = yield
        response.headers.vary(*names)

    return lambda function: _around(function, set_vary)


@overload
def conditional(handler: F, /) -> F: ...


@overload
def conditional(
    *,
    etag: Callable[..., str | None] | None = None,
    last_modified: Callable[..., datetime | None] | None = None,
) -> Callable[[F], F]: ...


def conditional(
    handler: Callable[..., Any] | None = None,
    /,
    *,
    etag: Callable[..., str | None] | None = None,
    last_modified: Callable[..., datetime | None] | None = None,
) -> Any:
    """Answer conditional requests: 304 where the client has it already, 412 where it may not.

    Bare, the entity tag is made of the finished body. With functions, which get the
    request and the route's values, the handler does not even run.

    Args:
        handler: What the bare decorator stands before.
        etag: Returns the tag's text, without quotes, or `None`.
        last_modified: Returns an aware moment, or `None`.
    """
    if etag is None and last_modified is None:
        return _by_body if handler is None else _by_body(handler)
    for function in (etag, last_modified):
        if function is not None and inspect.iscoroutinefunction(function):
            raise SetupError(
                f"The validator {function.__name__}() is async.",
                code="handling/async-validator",
                where=place_of(function),
                why="It runs before the handler, where nothing may wait.",
                hint="Make it a def that looks at what is in memory.",
            )

    def answer_conditions(request: Request) -> Generator[None, Response, Response | None]:
        tag = etag(request, **request.path_params) if etag is not None else None
        quoted = f'"{tag}"' if tag is not None else None
        moment = last_modified(request, **request.path_params) if last_modified is not None else None
        verdict = evaluate(request.method, request.headers.get, etag=quoted, last_modified=moment)
        if verdict is not None:
            response = Response(b"", verdict)
        else:
            response = yield
        if response.status < 300 or verdict is not None:
            if quoted is not None:
                response.headers.setdefault("etag", quoted)
            if moment is not None:
                response.headers.setdefault("last-modified", format_http_date(moment))
        return response

    def decorate(function: F) -> F:
        return _around(function, answer_conditions)

    return decorate if handler is None else decorate(handler)


def _by_body(function: F) -> F:
    return _around(function, _etag_of_body)


def _etag_of_body(request: Request) -> Generator[None, Response, Response | None]:
    response = yield
    if response.status != 200 or isinstance(response, StreamResponse) or response.needs_request:
        return None
    tag = response.headers.setdefault("etag", make_etag(response.body))
    verdict = evaluate(request.method, request.headers.get, etag=tag, last_modified=None)
    if verdict == 304:
        kept = [pair for pair in response.headers.items() if pair[0] in _KEPT]
        return Response(b"", 304, kept)
    return None


_KEPT = frozenset({"etag", "cache-control", "vary", "expires", "last-modified", "content-location", "set-cookie"})
