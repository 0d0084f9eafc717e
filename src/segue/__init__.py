"""Segue: a web framework that starts as one file and grows without a rewrite.

The public names, each resolved at its first use, so that a program loads only what
it uses: `from segue import App` loads neither Jinja2 nor SQLAlchemy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup, escape

    from . import db, forms
    from ._version import __version__
    from .app import App
    from .blueprint import Blueprint
    from .config import Config
    from .context import Context, Key
    from .errors import (
        Fault,
        Finding,
        HTTPError,
        SegueError,
        SetupError,
        UsageError,
        ValidationError,
        abort,
    )
    from .handling.markers import Body, Cookie, Depends, File, Form, Header, Path, Query
    from .http.download import send_file, send_from_directory
    from .http.request import Request
    from .http.response import Response, redirect, stream
    from .http.uploads import UploadFile
    from .shortcuts import (
        after_this_request,
        arender_template,
        current_app,
        html,
        jsonify,
        make_response,
        render_template,
        render_template_string,
        run_sync,
        stream_template,
        url_for,
        url_for_lazy,
    )
    from .signals import (
        got_request_exception,
        message_flashed,
        request_finished,
        request_started,
        template_rendered,
    )
    from .tables import include, path, re_path
    from .web import messages
    from .web.conditions import cache_control, conditional, never_cache, vary_on
    from .web.csrf import csrf_exempt, csrf_protect
    from .web.limiting import rate_limit
    from .web.messages import flash, get_flashed_messages
    from .web.sessions.session import Session

# name → module below this package; nothing, or "=" before it: the name is that module itself.
# "" before the colon means another distribution.
_WHERE: dict[str, str] = {
    "App": "app",
    "Blueprint": "blueprint",
    "Body": "handling.markers",
    "Config": "config",
    "Context": "context",
    "Cookie": "handling.markers",
    "Depends": "handling.markers",
    "Fault": "errors",
    "File": "handling.markers",
    "Finding": "errors",
    "Form": "handling.markers",
    "HTTPError": "errors",
    "Header": "handling.markers",
    "Key": "context",
    "Markup": ":markupsafe",
    "Path": "handling.markers",
    "Query": "handling.markers",
    "Request": "http.request",
    "Response": "http.response",
    "SegueError": "errors",
    "Session": "web.sessions.session",
    "SetupError": "errors",
    "UploadFile": "http.uploads",
    "UsageError": "errors",
    "ValidationError": "errors",
    "__version__": "_version",
    "abort": "errors",
    "after_this_request": "shortcuts",
    "arender_template": "shortcuts",
    "cache_control": "web.conditions",
    "conditional": "web.conditions",
    "csrf_exempt": "web.csrf",
    "csrf_protect": "web.csrf",
    "current_app": "shortcuts",
    "db": "",
    "escape": ":markupsafe",
    "flash": "web.messages",
    "forms": "",
    "get_flashed_messages": "web.messages",
    "got_request_exception": "signals",
    "html": "shortcuts",
    "include": "tables",
    "jsonify": "shortcuts",
    "make_response": "shortcuts",
    "message_flashed": "signals",
    "messages": "=web.messages",
    "never_cache": "web.conditions",
    "path": "tables",
    "rate_limit": "web.limiting",
    "re_path": "tables",
    "redirect": "http.response",
    "render_template": "shortcuts",
    "render_template_string": "shortcuts",
    "request_finished": "signals",
    "request_started": "signals",
    "run_sync": "shortcuts",
    "send_file": "http.download",
    "send_from_directory": "http.download",
    "stream": "http.response",
    "stream_template": "shortcuts",
    "template_rendered": "signals",
    "url_for": "shortcuts",
    "url_for_lazy": "shortcuts",
    "vary_on": "web.conditions",
}

__all__ = [
    "App",
    "Blueprint",
    "Body",
    "Config",
    "Context",
    "Cookie",
    "Depends",
    "Fault",
    "File",
    "Finding",
    "Form",
    "HTTPError",
    "Header",
    "Key",
    "Markup",
    "Path",
    "Query",
    "Request",
    "Response",
    "SegueError",
    "Session",
    "SetupError",
    "UploadFile",
    "UsageError",
    "ValidationError",
    "__version__",
    "abort",
    "after_this_request",
    "arender_template",
    "cache_control",
    "conditional",
    "csrf_exempt",
    "csrf_protect",
    "current_app",
    "db",
    "escape",
    "flash",
    "forms",
    "get_flashed_messages",
    "got_request_exception",
    "html",
    "include",
    "jsonify",
    "make_response",
    "message_flashed",
    "messages",
    "never_cache",
    "path",
    "rate_limit",
    "re_path",
    "redirect",
    "render_template",
    "render_template_string",
    "request_finished",
    "request_started",
    "run_sync",
    "send_file",
    "send_from_directory",
    "stream",
    "stream_template",
    "template_rendered",
    "url_for",
    "url_for_lazy",
    "vary_on",
]


class _NoSuchName(AttributeError):
    """The nearest names are looked for only when somebody reads this: the import of a submodule does not."""

    def __str__(self) -> str:
        from .errors import did_you_mean

        return f"segue has no {self.args[0]!r}. {did_you_mean(self.args[0], _WHERE)}"


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name)
    if where is None:
        raise _NoSuchName(name)
    path = where.lstrip(":=") or name
    module = import_module(path if where.startswith(":") else f"{__name__}.{path}")
    value = module if where == "" or where.startswith("=") else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
