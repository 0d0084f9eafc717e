"""Who is asking: `request.user`, in both colours, loaded at the first touch and kept for the request.

Holds: the attribute and the parameter; how a session becomes a user.
Imports: sessions, back ends, remembered logins.
Never: believes a session whose user is gone, inactive, or has a new password.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, get_args

from ..colours import Operation, arun, is_on_loop, run, twin
from ..errors import UsageError
from ..handling.exchange import Exchange
from ..web.sessions.session import Session, session_of
from .authenticating import backend_called
from .bonds import BACKEND, USER, VIA, keeps_bond
from .protocol import AnonymousUser
from .refusing import refuse_anonymous
from .remembering import recognizing
from .stepping import calling

__all__ = [
    "aload_user",
    "auser_attribute",
    "finding_user",
    "load_user",
    "user_attribute",
    "user_parameter",
]


def finding_user(context: Any) -> Operation[Any]:
    """Return who is asking as steps: a user, or `AnonymousUser`."""
    found = context.kept.get(USER)
    if found is None:
        session = yield from session_of(context.request).loading()
        found = yield from _in_session(context, session)
        if found is None:
            found = yield from recognizing(context)
        found = found if found is not None else AnonymousUser()
        context.keep(USER, found)
    return found


def _in_session(context: Any, session: Session) -> Operation[Any]:
    key, called = session.get(VIA), session.get(BACKEND)
    if not isinstance(key, str) or not isinstance(called, str):
        return None
    backend = backend_called(context, called)
    user = None if backend is None else (yield from calling(backend, "get_user", key))
    if user is None or getattr(user, "is_active", True) is not True or not keeps_bond(context, session, user):
        # Deleted, deactivated, or with a new password since: what is left in the session was theirs.
        session.flush()
        return None
    return user


# For handlers


async def aload_user(exchange: Exchange) -> Any:
    """Return who is asking."""
    return await arun(finding_user(exchange))


@twin(aload_user)
def load_user(exchange: Exchange) -> Any:
    """Return who is asking."""
    return run(finding_user(exchange))


def user_attribute(request: Any) -> Any:
    """Return `request.user`.

    Raises:
        UsageError: It was not loaded, and this is the event loop (`auth/not-loaded`).
    """
    context = request.context
    found = context.kept.get(USER)
    if found is not None:
        return found
    if is_on_loop():
        raise UsageError(
            "request.user was touched on the event loop before it was loaded.",
            code="auth/not-loaded",
            why="To know who is asking, the session and the user are read, which would hold up every other request.",
            hint="Take it as a parameter: async def handler(user)\nor write first: await request.auser()",
        )
    return run(finding_user(context))


def auser_attribute(request: Any) -> Callable[[], Awaitable[Any]]:
    """Return `request.auser`, whose result is who is asking."""
    return partial(aload_user, request.context)


# As parameters: `user`, `user: Member`, `user: Member | None`


async def auser_parameter(exchange: Exchange, wanted: Any) -> Any:
    """Return who is asking, as the annotation wants it."""
    return await arun(_wanted_user(exchange, wanted))


@twin(auser_parameter)
def user_parameter(exchange: Exchange, wanted: Any) -> Any:
    """Return who is asking, as the annotation wants it."""
    return run(_wanted_user(exchange, wanted))


def _wanted_user(exchange: Exchange, wanted: Any) -> Operation[Any]:
    user = yield from finding_user(exchange)
    if user.is_authenticated:
        return user
    if type(None) in get_args(wanted):
        return None
    if isinstance(wanted, type) and _is_somebody(wanted):
        refuse_anonymous(exchange)
    return user


def _is_somebody(wanted: type) -> bool:
    """Whether a type is that of users, and not that of nobody too, as a protocol is."""
    if getattr(wanted, "_is_protocol", False) or issubclass(AnonymousUser, wanted):
        return False
    return hasattr(wanted, "is_authenticated")  # of whatever kind: True, a property
