"""A login that waits in the session for its second factor.

Holds: what is kept of it, for ten minutes; the step that begins it, for every way in.
Imports: sessions, bonds, what somebody can prove.
Never: lets anybody in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ... import clock
from ...colours import Operation
from ...web.sessions.session import session_of
from ..bonds import USER, VIA, bond_of, is_bond
from ..protocol import AnonymousUser
from .proofs import needing_second_step

__all__ = ["Waiting", "beginning", "end_waiting", "lead_to", "waiting_in"]

_KEY = "_second_step"
_MOST_SECONDS = 600


class Waiting(NamedTuple):
    """Whose password was right, and what is to happen once their code is.

    Attributes:
        owner: The user's key.
        backend: The back end that will load them.
        target: Where the login leads; `None` where a view of the site began it, and nobody knows.
        remember: Whether the browser is to be known again.
        until: The moment (seconds since 1970) after which the password is asked for again.
        bond: What ties it to the password that was right.
    """

    owner: str
    backend: str | None
    target: str | None
    remember: bool
    until: int
    bond: bytes

    def is_of(self, context: Any, user: Any) -> bool:
        """Tell whether *user* may still go on: their password may have been replaced, because another knew it."""
        return user is not None and user.is_active and is_bond(context, self.bond, user)


def beginning(request: Any, user: Any, backend: str | None, remember: bool) -> Operation[bool]:  # noqa: FBT001 - called by `login` alone
    """Let the login of *user* wait for their second factor; `False` where they have none."""
    context = request.context
    if not (yield from needing_second_step(context, user)):
        return False
    session = yield from session_of(request).loading()
    if session.get(VIA, str(user.pk)) != str(user.pk):
        # Who was logged in here is not who gave the password: what follows must not be theirs.
        session.flush()
        context.keep(USER, AnonymousUser())
    session.cycle_key()
    called = backend or getattr(user, "_auth_backend", None)
    until = int(clock.now()) + _MOST_SECONDS
    session[_KEY] = list(Waiting(str(user.pk), called, None, remember, until, bond_of(context, user)))
    return True


def waiting_in(request: Any) -> Waiting | None:
    """Return the login that waits in the session, if one does and not for too long."""
    kept: Any = request.session.get(_KEY)
    waiting = None if kept is None else Waiting(*kept)
    return waiting if waiting is not None and clock.now() < waiting.until else None


def lead_to(request: Any, target: str) -> None:
    """Say where the login that waits is to lead."""
    waiting = waiting_in(request)
    if waiting is not None:
        request.session[_KEY] = list(waiting._replace(target=target))


def end_waiting(request: Any) -> None:
    """Forget the login that waits: it is done, or given up."""
    request.session.pop(_KEY, None)
