"""What every template may name: the session, its messages, and the token of a form.

Holds: the context processors that each app has; a template that names nothing of them runs none.
Imports: markupsafe; sessions and csrf when one of their names is read.
Never: loads a session for a template that does not show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from markupsafe import Markup

__all__ = ["PROCESSORS"]

F = TypeVar("F", bound=Callable[..., Any])


def _providing(*names: str) -> Callable[[F], F]:
    def declare(function: F) -> F:
        function.provides = names  # type: ignore[attr-defined]  # read by templating
        return function

    return declare


@_providing("session")
def _session(request: Any) -> Mapping[str, Any]:
    return {} if request is None else {"session": request.session}


@_providing("csrf_token", "csrf_input")
def _csrf(request: Any) -> Mapping[str, Any]:
    if request is None:
        return {}
    from .csrf import FIELD, csrf_token

    token = csrf_token(request)
    field = Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)
    return {"csrf_token": token, "csrf_input": field}


@_providing("messages", "get_flashed_messages")
def _messages(request: Any) -> Mapping[str, Any]:
    if request is None:
        return {}
    from .messages import get_flashed_messages, get_messages

    return {"messages": get_messages(request), "get_flashed_messages": get_flashed_messages}


PROCESSORS: tuple[Callable[..., Any], ...] = (_session, _csrf, _messages)
