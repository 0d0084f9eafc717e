"""Routes that declare what they produce: a client that takes none of it is told so (406)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from typing import Any

from ..errors import NotAcceptable, SetupError
from ..handling.markers import mark
from ..http.request import Request
from ..http.response import Response

__all__ = ["accept_guard", "media_types", "vary_on_accept"]

_MEDIA_TYPE = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+/[!#$%&'+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[ -~]*)?").fullmatch


def media_types(declared: str | Iterable[str], *, place: str) -> tuple[str, ...]:
    """Return the types that a route's `produces` names.

    Raises:
        SetupError: One is none, or there are none (`routing/bad-media-type`).
    """
    types = (declared,) if isinstance(declared, str) else tuple(declared)
    wrong = [each for each in types if not _MEDIA_TYPE(each)]
    if wrong or not types:
        raise SetupError(
            f"produces={wrong[0]!r} is no media type." if wrong else "produces=() names no media type.",
            code="routing/bad-media-type",
            where=place,
            why="It is compared with what the client accepts, such as text/html or application/json.",
            hint='produces=("application/json", "text/html")',
        )
    return types


def accept_guard(types: tuple[str, ...]) -> Callable[..., Any]:
    """Return the guard that refuses a client that accepts none of *types*."""
    detail = f"This resource comes as {' or '.join(types)}."

    def check_accept(request: Request) -> None:
        if request.accepts(*types) is None:
            raise NotAcceptable(detail, headers={"vary": "Accept"})

    return mark(check_accept, blocking=False)


def vary_on_accept(request: Request) -> Generator[None, Response, None]:
    """Tell caches that the answer depends on `Accept`."""
    response = yield
    response.headers.vary("Accept")
