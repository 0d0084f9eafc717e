"""The answers to errors that no handler took: RFC 9457 for programs, a page for people.

In production they say the status, a general sentence, and what the developer wrote on
purpose (`abort(409, "text")`); never a class, a path of the server or a value.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ..errors import HTTPError, InternalServerError, SegueError, ValidationError, http_error_for
from ..handling.exchange import Exchange
from ..http.hosts import parse_host
from ..http.response import Response, encode_json

__all__ = ["PROBLEM_JSON", "ErrorPages", "is_local", "problem_of"]

PROBLEM_JSON = "application/problem+json"
_logger = logging.getLogger("segue.request")

# Who asks through a proxy or a tunnel on this machine asks for others.
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip", "via", "cf-connecting-ip")

# A template to show instead, or None where the site has none of that name.
PageTemplate = Callable[[Exchange, str, dict[str, Any]], Response | None]
DebugPage = Callable[[Exchange, BaseException], Response | None]


def problem_of(error: BaseException, *, debug: bool = False) -> dict[str, Any]:
    """Return the members of a problem document (RFC 9457 §3) for *error*.

    Args:
        debug: Whether it may hold the hint and the text of an unexpected error.
    """
    shown = error if isinstance(error, HTTPError | ValidationError) else InternalServerError()
    status = shown.status
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": _phrase(status),
        "status": status,
        "code": shown.code,
    }
    if isinstance(shown, ValidationError):
        problem["detail"] = shown.message
        problem["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "message": str(fault.message)} for fault in shown.faults
        ]
    elif shown.detail:
        problem["detail"] = shown.detail
    if debug:
        cause = shown.original_exception or error
        if cause is not shown:
            problem["detail"] = f"{type(cause).__name__}: {getattr(cause, 'message', '') or cause}"
            problem["code"] = cause.code if isinstance(cause, SegueError) else shown.code
        hint = getattr(cause, "hint", "")
        if hint:
            problem["hint"] = hint
    return problem


def _phrase(status: int) -> str:
    # Our own phrases: those of http.HTTPStatus differ between versions of Python.
    cls = http_error_for(status)
    return cls.phrase if cls is not None else "Error"


class ErrorPages:
    """Makes the response of an error, as the client can read it.

    Args:
        debug: Whether the app runs in development.
        template: Renders `404.html`, `500.html` and the like where the site has them.
        debug_page: Makes the page for developers; it refuses (`None`) whoever is not local.
    """

    def __init__(
        self, *, debug: bool, template: PageTemplate | None = None, debug_page: DebugPage | None = None
    ) -> None:
        self.debug = debug
        self._template = template
        self._debug_page = debug_page

    def __call__(self, exchange: Exchange, error: BaseException) -> Response:
        """Return the response of *error*."""
        status = error.status if isinstance(error, SegueError) and not _is_bug(error) else 500
        headers = error.headers if isinstance(error, HTTPError) else {}
        response = self._body(exchange, error, status)
        for name, value in headers.items():
            response.headers[name] = value
        response.headers.setdefault("cache-control", "no-store")
        return response

    def _body(self, exchange: Exchange, error: BaseException, status: int) -> Response:
        accept = (exchange.header("accept") or "") if hasattr(exchange, "header") else ""
        wants_html = "text/html" in accept and not exchange.request.prefers_json
        if not wants_html:
            local = self.debug and is_local(exchange)
            body = encode_json(problem_of(error, debug=local))
            return Response(body, status, content_type=PROBLEM_JSON)
        if self.debug and self._debug_page is not None:
            page = self._debug_page(exchange, error)
            if page is not None:
                return page
        if self._template is not None:
            try:
                page = self._template(exchange, f"{status}.html", {"error": error, "status": status})
            except Exception as again:
                _logger.error("the template %s.html failed", status, exc_info=again)
            else:
                if page is not None:
                    page.status = status
                    return page
        return Response(_page(error, status), status)


def is_local(exchange: Exchange) -> bool:
    """Whether the peer is this machine, asked for one of its own names, and asked itself.

    A tunnel or a proxy on this machine speaks for others: its headers give it away.
    """
    try:
        request = exchange.request
        host, _ = parse_host(exchange.header("host") or "")
        if any(exchange.header(name) is not None for name in _FORWARDED):
            return False
        return is_loopback(request.client) and (
            host in ("localhost", "127.0.0.1", "[::1]") or host.endswith(".localhost")
        )
    except SegueError:  # a malformed host or header is not ours
        return False


def is_loopback(address: str) -> bool:
    """Whether *address* is this machine's own."""
    return address.startswith("127.") or address in ("::1", "::ffff:127.0.0.1", "localhost")


def _is_bug(error: SegueError) -> bool:
    return not isinstance(error, HTTPError | ValidationError)


def _page(error: BaseException, status: int) -> str:
    from markupsafe import escape  # for people alone

    phrase = _phrase(status)
    text = ""
    if isinstance(error, HTTPError) and error.detail:
        text = f"<p>{escape(error.detail)}</p>"
    elif isinstance(error, ValidationError):
        rows = "".join(
            f"<li><code>{escape(fault.pointer or '/')}</code> {escape(fault.message)}</li>" for fault in error.faults
        )
        text = f"<p>{escape(error.message)}</p><ul>{rows}</ul>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{status} {escape(phrase)}</title></head>"
        f"<body><main><h1>{status} {escape(phrase)}</h1>{text}</main></body></html>"
    )
