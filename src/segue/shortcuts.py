"""What handlers call for the running app: `url_for`, `render_template`, `current_app`.

Holds: thin functions over the current context.
Imports: the context, the http floor; rendering only when a template is rendered.
Never: keeps anything between calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from markupsafe import Markup

from .context import current
from .errors import UsageError
from .handling.exchange import Exchange
from .handling.results import as_response
from .handling.runtime import After
from .http.request import Request
from .http.response import JSON, Response, StreamResponse, encode_json, redirect

if TYPE_CHECKING:
    from .app import App
    from .http.redirects import LazyURL

__all__ = [
    "after_this_request",
    "arender_template",
    "current_app",
    "html",
    "jsonify",
    "make_response",
    "redirect_view",
    "render_template",
    "render_template_string",
    "run_sync",
    "stream_template",
    "url_for",
    "url_for_lazy",
]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def current_app() -> App:
    """Return the running app.

    Raises:
        UsageError: No request, command or task is running (`app/no-context`).
    """
    return current().app.app  # type: ignore[no-any-return]  # a context does not know its app's type


def url_for(
    endpoint: str,
    *,
    _external: bool = False,
    _scheme: str | None = None,
    _anchor: str | None = None,
    **values: Any,
) -> str:
    """Return the URL of an endpoint.

    Args:
        endpoint: Such as `blog.post`; `.post` is one of the running blueprint.
        values: The rule's parameters; others become the query.
        _external: Whether to begin with scheme and host: those of `SITE_URL`.
        _scheme: Another scheme, for external URLs.
        _anchor: What stands behind the `#`.

    Raises:
        LookupError: No such endpoint (`routing/unknown-endpoint`), or a parameter is
            missing (`routing/missing-parameter`).
    """
    context = current()
    compiled = context.app
    running: Exchange | None = context if isinstance(context, Exchange) else None
    scopes: tuple[str, ...] = ()
    if running is not None and running.endpoint is not None:
        scopes = running.endpoint.scopes
    if endpoint.startswith("."):
        endpoint = f"{scopes[0]}{endpoint}" if scopes else endpoint[1:]
    compiled.apply_url_defaults(endpoint, values)
    try:
        path: str = compiled.router.url_for(endpoint, values, anchor=_anchor)
    except LookupError as error:
        for handler in compiled.app.build_error_handlers:
            found = handler(error, endpoint, values)
            if found is not None:
                return str(found)
        raise
    root = running.root_path if running is not None else ""
    path = quote(root) + path
    host: str = compiled.router.host_for(endpoint, values) if compiled.router.has_hosts else ""
    if _external or _scheme is not None or host:
        return _origin(compiled, running, _scheme, host) + path
    return path


def url_for_lazy(
    endpoint: str,
    *,
    _external: bool = False,
    _scheme: str | None = None,
    _anchor: str | None = None,
    **values: Any,
) -> LazyURL:
    """Return the URL of an endpoint for where no app runs yet, as the attribute of a class.

    It is made when it is used, each time anew; a mistake is an error then, not here.

    Args:
        endpoint: As for `url_for`, and so is everything else.
    """
    from .http.redirects import LazyURL  # for those who need one

    return LazyURL(
        endpoint,
        lambda: url_for(endpoint, _external=_external, _scheme=_scheme, _anchor=_anchor, **values),
    )


def _origin(compiled: Any, running: Exchange | None, scheme: str | None, host: str) -> str:
    site: str | None = compiled.app.config["SITE_URL"]
    if site:
        own, _, name = site.rstrip("/").partition("://")
        return f"{scheme or own}://{host or name}"
    if running is not None:
        request = running.request
        return f"{scheme or request.scheme}://{host or request.host}"
    raise UsageError(
        "An external URL needs the site's address, and no request is running.",
        code="app/no-site-url",
        hint="Set SITE_URL, for example https://www.example.com.",
    )


def redirect_view(target: str, status: int) -> Callable[..., Response]:
    """Return a handler that redirects to an endpoint or a path, keeping parameters and query."""

    def redirect_to_target(request: Request, **values: Any) -> Response:
        location = target if target.startswith(("/", "http://", "https://")) else url_for(target, **values)
        if request.query_string:
            location += ("&" if "?" in location else "?") + request.query_string
        return redirect(location, status, external="://" in target)

    return redirect_to_target


# Responses


def html(template: str, *values: Any, status: int = 200, **named: Any) -> Response:
    """Return a page made like `str.format`, with every value escaped.

    >>> html("<b>{}</b>", "<script>").text
    '<b>&lt;script&gt;</b>'
    """
    return Response(Markup(template).format(*values, **named), status)


def jsonify(*values: Any, **named: Any) -> Response:
    """Return a JSON response of one value, a list of several, or the named ones."""
    body = named if named else values[0] if len(values) == 1 else list(values)
    return Response(encode_json(body), content_type=JSON)


def make_response(*result: Any) -> Response:
    """Return as a `Response` whatever a handler may return."""
    compiled = current().app
    value = result[0] if len(result) == 1 else result
    return as_response(compiled.make_reply(value))


def after_this_request(function: F) -> F:
    """Call *function* with the response of the running request; it may change or replace it."""
    context = current()
    if not isinstance(context, Exchange):
        context.make_request()
        return function
    context.add_cleanup(After(function))
    return function


# Templates


def render_template(name: str | list[str], context: Mapping[str, Any] | Any = None, /, **values: Any) -> Markup:
    """Render a template to text.

    Args:
        name: `page.html`, `page.html#block` for one block, or several to try in order.
        context: A mapping, Struct or dataclass of names, beside *values*.

    Raises:
        LookupError: No such template (`templates/not-found`).
    """
    from .rendering import render

    return render(current(), name, context, values)


def render_template_string(source: str, context: Mapping[str, Any] | Any = None, /, **values: Any) -> Markup:
    """Render a template given as text, written by the developer, never by a visitor."""
    from .rendering import render_string

    return render_string(current(), source, context, values)


def stream_template(name: str, context: Mapping[str, Any] | Any = None, /, **values: Any) -> StreamResponse:
    """Return a response that renders a template while it is sent."""
    from .rendering import stream

    chunks: Iterator[str] = stream(current(), name, context, values)
    return StreamResponse(chunks)


async def arender_template(name: str | list[str], context: Mapping[str, Any] | Any = None, /, **values: Any) -> Markup:
    """Render a template in a thread, so that it may wait (for the database)."""
    from .rendering import render

    return await run_sync(render, current(), name, context, values)


async def run_sync(function: Callable[..., T], /, *arguments: Any, **named: Any) -> T:
    """Run a function that waits in a thread, with this request's context."""
    context = current()
    if isinstance(context, Exchange):

        def call() -> T:
            return function(*arguments, **named)

        return await context.bridge.hop(context.portal, call)
    return await asyncio.to_thread(function, *arguments, **named)
