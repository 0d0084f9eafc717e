"""Where the pages lead: `next` of this site, and headers that keep pages of accounts to their reader."""

from __future__ import annotations

from typing import Any

from ...http.redirects import safe_url
from ...http.response import Response
from ...shortcuts import url_for

__all__ = ["MAX_NEXT", "kept_private", "next_of", "resolved", "wanted_next"]

MAX_NEXT = 2048


def next_of(request: Any, default: str) -> str:
    """Return the `next` of the form or the query, where it is an address of this site; else *default*."""
    return wanted_next(request) or resolved(default)


def wanted_next(request: Any) -> str:
    """Return the `next` of the form or the query, where it is an address of this site; else an empty text."""
    form: Any = request.form if request.method == "POST" else {}
    wanted: str = form.get("next") or request.query.get("next") or ""
    # Bytes, not letters: it waits in the session for the second factor, and that may be a cookie.
    is_short = len(wanted.encode("utf-8", "replace")) <= MAX_NEXT
    return wanted if is_short and wanted.startswith("/") and safe_url(wanted) else ""


def resolved(target: str) -> str:
    """Return the URL that a setting means: a path as it is, else the URL of an endpoint."""
    return target if "/" in target else url_for(target)


def kept_private(response: Response, *, hides_address: bool = False) -> Response:
    """Let nobody keep a page of accounts, nor tell others its address where a token stands in it."""
    response.headers["cache-control"] = "no-store"
    if hides_address:
        response.headers["referrer-policy"] = "no-referrer"
    return response
