"""What somebody can prove that they are by, beside the password.

Holds: who must take a second step, and what it means for a session that somebody proved it anew.
Imports: the tables of authenticators and, where the site has it, of passkeys.
Never: checks a proof.
"""

from __future__ import annotations

from typing import Any

from ... import clock
from ...colours import Operation, either, run
from ...web.sessions.session import session_of
from ..accounts import accounts_of
from ..bonds import MOMENT
from .factors import SecondFactor

__all__ = ["confirm", "count_passkeys", "needing_second_step", "needs_second_step"]


def count_passkeys(request: Any, key: object) -> int:
    """Return how many passkeys the user of that primary key has; it costs nothing on a site without."""
    if not accounts_of(request.context).has_passkeys:
        return 0
    from .passkeys import Passkey  # a table that other sites do not have

    return Passkey.objects.filter(owner=str(key)).count()


def needs_second_step(request: Any, user: Any) -> bool:
    """Tell whether the password of *user* is not enough."""
    return run(needing_second_step(request.context, user))


def needing_second_step(context: Any, user: Any) -> Operation[bool]:
    """`needs_second_step()` as steps."""
    tables: list[Any] = [SecondFactor.objects.filter(owner=str(user.pk), confirmed_at__isnull=False)]
    if accounts_of(context).has_passkeys:
        from .passkeys import Passkey  # a table that other sites do not have

        tables.append(Passkey.objects.filter(owner=str(user.pk)))
    for rows in tables:
        if (yield from either(rows.exists, rows.aexists)):
            return True
    return False


def confirm(request: Any) -> None:
    """Take the login of this session as new: its user just proved that it is still them."""
    session = session_of(request)
    session.cycle_key()
    session[MOMENT] = int(clock.now())
