"""Templates of an app: the meeting of `App` and `templating`.

Loaded at the first template, so that an app without any never loads Jinja2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from markupsafe import Markup

from .cache import CACHES
from .cache.fragments import fragments_in
from .context import Context, current, find_current
from .handling.exchange import Exchange
from .http.response import Response
from .shortcuts import url_for
from .signals import Signals, template_rendered
from .templating import Folder, Templates, own_folders
from .web.processors import PROCESSORS

if TYPE_CHECKING:
    from .app import App

__all__ = ["make_templates", "render", "render_error_template", "render_string", "stream"]


def make_templates(app: App) -> Templates:
    """Make the templates of *app* from its folders and registries."""
    compiled = app.compile()
    parts = compiled.parts
    folders = [
        Folder(part.scaffold.root_path / part.scaffold.template_folder, part.name)
        for part in parts
        if part.scaffold.template_folder is not None
    ]
    levels = [part.registries for part in parts]
    levels += [part.scaffold.app_level for part in parts if part.name is not None]
    reload = app.config["TEMPLATES_AUTO_RELOAD"]
    signals: Signals = compiled.signals

    def rendered(template: Any, context: Any) -> None:
        signal = signals[template_rendered]
        if signal.receivers:
            signal.send(app, template=template, context=context)

    return Templates(
        [*folders, *own_folders()],
        debug=compiled.debug or app.testing,
        auto_reload=compiled.debug if reload is None else reload,
        globals={
            "url_for": url_for,
            "static": static_url,
            "csp_nonce": _Nonce(),
            "config": app.config,
            **{name: value for level in levels for name, value in level.globals.items()},
        },
        filters={name: value for level in levels for name, value in level.filters.items()},
        tests={name: value for level in levels for name, value in level.tests.items()},
        on_rendered=rendered,
        processors={**compiled.processors, None: [*PROCESSORS, *compiled.processors.get(None, ())]},
        fragments=fragments_in(lambda: compiled.provided(CACHES)["default"]),
    )


class _Nonce:
    """`{{ csp_nonce }}`: the nonce of the running response, made where a template writes it.

    PERF: a global that a template does not use costs its rendering nothing.
    """

    def __str__(self) -> str:
        context = find_current()
        # A mail or a command has no headers that could carry one.
        return context.csp_nonce if isinstance(context, Exchange) else ""

    def __html__(self) -> str:
        return str(self)

    def __bool__(self) -> bool:
        return bool(str(self))

    def __repr__(self) -> str:
        return "<csp_nonce>"  # a page for developers must not begin one


def static_url(filename: str) -> str:
    """Return the URL of a static file, its content's hash in the name where it is known."""
    compiled = current().app
    name = compiled.static.hashed(filename) if compiled.static is not None else filename
    base: str = compiled.app.config["STATIC_URL"]
    if not base.startswith("/"):
        return base.rstrip("/") + "/" + quote(name)
    return url_for("static", filename=name)


def _values(context: Context, given: Any, named: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    values: dict[str, Any]
    if given is None:
        values = named
    elif isinstance(given, Mapping):
        values = {**given, **named}
    elif isinstance(given, msgspec.Struct):
        values = {**msgspec.structs.asdict(given), **named}
    else:
        values = {**vars(given), **named}
    scope = None
    if isinstance(context, Exchange):
        values.setdefault("request", context.request)
        if context.endpoint is not None and context.endpoint.scopes:
            scope = context.endpoint.scopes[0]
    return values, scope


def render(context: Context, name: Any, given: Any, named: dict[str, Any]) -> Markup:
    """Render the template *name* for *context*."""
    values, scope = _values(context, given, named)
    return Markup(context.app.app.templates.render(name, values, scope=scope))


def render_string(context: Context, source: str, given: Any, named: dict[str, Any]) -> Markup:
    """Render a template given as text for *context*."""
    values, scope = _values(context, given, named)
    return Markup(context.app.app.templates.render_string(source, values, scope=scope))


def stream(context: Context, name: str, given: Any, named: dict[str, Any]) -> Iterator[str]:
    """Render the template *name* for *context*, piece by piece."""
    values, scope = _values(context, given, named)
    if isinstance(context, Exchange):
        _ = context.csp_nonce  # now: the headers leave before a template could ask for it
    chunks: Iterator[str] = context.app.app.templates.stream(name, values, scope=scope)
    return chunks


def render_error_template(app: App, context: Context, name: str, given: dict[str, Any]) -> Response | None:
    """Render the site's own page for a status, where it has one."""
    if not app.templates.exists(name):
        return None
    return Response(render(context, name, None, given))
