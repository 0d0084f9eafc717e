"""What somebody is told who would have to log in first: each client in its own way."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from ..errors import Answer, Unauthorized
from ..http.redirects import safe_url
from ..http.response import Response
from ..shortcuts import url_for
from .accounts import accounts_of

__all__ = ["login_url", "next_path", "refuse_anonymous"]

_SAFE = frozenset({"GET", "HEAD"})


def refuse_anonymous(
    exchange: Any,
    *,
    code: str = "auth/login-needed",
    detail: str = "Log in first.",
    login: str | None = None,
    field: str = "next",
) -> NoReturn:
    """End the request: a browser is sent to the login, a program is told by 401.

    Raises:
        Answer: For a browser: a redirect; for htmx one of the whole page.
        Unauthorized: For who wants JSON.
    """
    request = exchange.request
    target = login_url(exchange, login)
    back = next_path(exchange)
    if back:
        target += f"{'&' if '?' in target else '?'}{field}={quote(back, safe='/')}"
    if request.headers.get("hx-request") == "true":
        raise Answer(Response("", 401, headers={"HX-Redirect": target, "Cache-Control": "no-store"}))
    if _wants_data(request):
        raise Unauthorized(detail, code=code, headers={"Vary": "Accept"})
    status = 302 if request.method in _SAFE else 303
    raise Answer(Response("", status, headers={"Location": target, "Cache-Control": "no-store"}))


def login_url(exchange: Any, given: str | None = None) -> str:
    """Return where the login is: *given*, else `LOGIN_URL`: a path, an address or an endpoint's name."""
    named: str | None = given or exchange.app.app.config["LOGIN_URL"]
    if named is None:
        return quote(f"{exchange.root_path}{accounts_of(exchange).prefix}/login")
    return named if named.startswith(("/", "http://", "https://")) else url_for(named)


def next_path(exchange: Any) -> str:
    """Return where to go after the login: the page that was asked for, or that on which a form stood.

    Nothing is sent a second time: after a POST it is the page of the form. Empty where that is
    unknown, on another site, or longer than an address may be.
    """
    request = exchange.request
    here = request.headers.get("hx-current-url", "")  # a part of a page is no page
    if not here and request.method in _SAFE:
        found = request.full_path
    else:
        found = _own_path(here or request.headers.get("referer", ""), request.host)
    return found if safe_url(found) else ""


def _own_path(address: str, host: str) -> str:
    try:
        parts = urlsplit(address[:4096])
    except ValueError:
        return ""
    if parts.netloc != host:
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _wants_data(request: Any) -> bool:
    """Whether a redirect to a page would be of no use: to a program that asks for, or sends, JSON."""
    if request.prefers_json or request.content_type.is_json:
        return True
    return bool(request.headers.get("x-requested-with") == "XMLHttpRequest")
