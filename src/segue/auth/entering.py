"""Letting a user in: what happens to the session of a request.

Holds: `entering`, the steps that a login and a remembered browser share.
Imports: sessions, signals, bonds.
Never: asks for proof; who calls it had one.
"""

from __future__ import annotations

from typing import Any, cast

from .. import clock
from ..colours import Operation, either
from ..errors import SegueError
from ..signals import user_logged_in
from ..web.sessions.session import session_of
from .authenticating import backends_of
from .bonds import BACKEND, BOND, MOMENT, USER, VIA, bond_of
from .stepping import sending

__all__ = ["entering"]


def entering(request: Any, user: Any, *, backend: str | None, is_fresh: bool) -> Operation[bool]:
    """Let *user* in; *is_fresh* tells whether they just proved who they are.

    `False` where they are gone: deleted since they were loaded.
    """
    context = request.context
    kind = cast(Any, type(user))
    if hasattr(kind, "last_login") and hasattr(user, "save"):
        user.last_login = clock.today()
        try:
            yield from either(user.save, user.asave, update_fields=["last_login"])
        except SegueError as error:
            if error.code != "data/not-updated":
                raise
            return False
    session = yield from session_of(request).loading()
    key = str(user.pk)
    if session.get(VIA, key) != key:
        session.flush()
    session.cycle_key()
    called = backend or getattr(user, "_auth_backend", None) or next(iter(backends_of(context)))
    session[VIA], session[BACKEND], session[BOND] = key, called, bond_of(context, user)
    session[MOMENT] = int(clock.now()) if is_fresh else 0
    session.owner = key
    context.keep(USER, user)
    yield from sending(user_logged_in, kind, request=request, user=user)
    return True
