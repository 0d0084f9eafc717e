"""What somebody can prove that they are by, beside the password.

Holds: who must take a second step, and what it means for a session that somebody proved it anew.
Imports: the tables of authenticators and, where the site has it, of passkeys.
Never: checks a proof.
"""

from __future__ import annotations

from typing import Any

from ... import clock
from ...web.sessions.session import session_of
from ..accounts import accounts_of
from ..bonds import MOMENT
from .factors import has_second_factor

__all__ = ["confirm", "count_passkeys", "has_second_factor", "needs_second_step"]


def count_passkeys(request: Any, key: object) -> int:
    """Return how many passkeys the user of that primary key has; it costs nothing on a site without."""
    if not accounts_of(request.context).has_passkeys:
        return 0
    from .passkeys import Passkey  # a table that other sites do not have

    return Passkey.objects.filter(owner=str(key)).count()


def needs_second_step(request: Any, user: Any) -> bool:
    """Tell whether the password of *user* is not enough."""
    return has_second_factor(user) or count_passkeys(request, user.pk) > 0


def confirm(request: Any) -> None:
    """Take the login of this session as new: its user just proved that it is still them."""
    session = session_of(request)
    session.cycle_key()
    session[MOMENT] = int(clock.now())
