"""The guards of a route: what refuses a request before its handler is reached.

Holds: which guards stand before which route; of what is said, the nearest word counts.
Imports: the pipeline's marks and signatures; the guard against other sites where one is needed.
Never: decides about a request; it finds those who do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .blueprint import Route
from .errors import SetupError
from .handling.markers import marks_of
from .handling.signature import Callee, inspect_callable, route_line
from .parts import Part

if TYPE_CHECKING:
    from .app import App

__all__ = ["gate_of", "guards_of", "login_guards", "origin_guards"]


def origin_guards(app: App, part: Part, route: Route, view: Callable[..., Any]) -> list[Callee]:
    """Return what refuses a request that another site made a visitor send."""
    wanted = part.nearest("csrf", route.options.get("csrf"), marks_of(view).get("csrf"))
    if wanted is False or not app.config["CSRF_PROTECTION"]:
        return []
    from .web.csrf import OriginGuard  # for apps that have something to change

    config = app.config
    guard = OriginGuard(trusted=config["TRUSTED_ORIGINS"], site=config["SITE_URL"], is_strict=wanted is True)
    return [inspect_callable(guard)]


def login_guards(app: App, part: Part, route: Route, view: Callable[..., Any]) -> list[Callee]:
    """Return what refuses those who are not logged in.

    Raises:
        SetupError: The app has no users (`auth/not-registered`).
    """
    said = route.options.get("login"), marks_of(view).get("login")
    wanted = part.nearest("login_required", *said, default=app.login_required)
    if not wanted:
        return []
    if app.login_guard is None:
        raise SetupError(
            f"{route_line(route.path, route.methods)} requires a login, and this app has no users.",
            code="auth/not-registered",
            where=route.place,
            why="Who is logged in is known to the battery Auth, which is not registered.",
            hint='from segue.auth import Auth\napp.register(Auth(), prefix="/accounts")',
        )
    return [inspect_callable(wanted if callable(wanted) else app.login_guard)]


def guards_of(view: Callable[..., Any]) -> list[Callee]:
    """Return what decorators put before a handler."""
    return [inspect_callable(guard) for guard in marks_of(view).get("guards", ())]


def gate_of(app: App, fallback: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return what refuses those who are not logged in, where that is said of a fallback or of the app."""
    wanted = marks_of(fallback).get("login", app.login_required)
    guard = wanted if callable(wanted) else app.login_guard
    return guard if wanted else None
