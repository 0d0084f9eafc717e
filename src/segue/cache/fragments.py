"""Keeps parts of pages: what `{% cache seconds, name, … %}` asks for."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from typing import Any

from ..errors import UsageError, cut
from .errors import BadKey
from .keeping import Cache, is_on_loop

__all__ = ["fragments_in"]

_PLAIN = (str, int, float, bool, type(None), decimal.Decimal, uuid.UUID, datetime.date, datetime.time)


def fragments_in(find: Callable[[], Cache]) -> Callable[[Any, tuple[Any, ...], Callable[[], str]], str]:
    """Return a function that keeps parts of pages in the cache that *find* finds."""

    def fragment(seconds: Any, parts: tuple[Any, ...], render: Callable[[], str]) -> str:
        kept, key = find(), _key(parts)
        if not is_on_loop():
            made: str = kept.get_or_set(key, render, seconds, type=str)
            return made
        if kept.backend.waits:
            raise UsageError(
                "{% cache %} would keep the event loop waiting.",
                code="cache/blocking-call",
                hint="await arender_template(…)",
            )
        # Nobody else renders on this loop meanwhile, so there is nobody to wait for.
        found: str | None = kept.get(key, type=str)
        if found is None:
            found = render()
            kept.set(key, found, seconds)
        return found

    return fragment


def _key(parts: tuple[Any, ...]) -> str:
    for part in parts:
        if not isinstance(part, _PLAIN):
            raise BadKey(
                f"{{% cache %}} was given {cut(part)} as a part of its key.",
                code="cache/bad-key",
                why="Two objects may look alike, and one user would see what was made for another.",
                hint='{% cache 300, "sidebar", user.pk %}',
            )
    texts = [str(part) for part in parts]
    return "fragment:" + "".join(f"{len(text)}:{text}" for text in texts)
