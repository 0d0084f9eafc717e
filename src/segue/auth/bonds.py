"""What a session has of a login, and what ties it to the user's password.

Holds: the keys of a session; the *bond*, a fingerprint of the stored password under the app's key.
Imports: signing.
Never: loads a user.

A new password changes the bond, so that every other session ends; so does a key that is taken
out of `SECRET_KEY_FALLBACKS`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..context import Key
from ..signing import KEYS, Signer, equal
from ..web.sessions.session import Session

__all__ = ["BACKEND", "BOND", "MOMENT", "USER", "VIA", "bond_of", "is_bond", "keeps_bond", "was_there"]

# Who is asking, once that is known.
USER: Key[Any] = Key("user")

# The keys of a session: the user's key, the back end that finds them, the bond, the moment of the login.
VIA, BACKEND, BOND, MOMENT = "_user", "_backend", "_bond", "_login_at"


def bond_of(context: Any, user: Any) -> bytes:
    """Return what ties a session to the password that *user* has now."""
    return _signer(context).fingerprint(_bound_text(user))


def is_bond(context: Any, bond: Any, user: Any) -> bool:
    """Whether *bond* was made of the password that *user* has now, by this key or a former one."""
    return isinstance(bond, bytes) and _signer(context).is_fingerprint(bond, _bound_text(user))


def keeps_bond(context: Any, session: Session, user: Any) -> bool:
    """Whether the bond of *session* is good; one of a former key is made anew, and stays when that key goes."""
    bond = session.get(BOND)
    current = bond_of(context, user)
    if isinstance(bond, bytes) and equal(bond, current):
        return True
    if not is_bond(context, bond, user):
        return False
    session[BOND] = current
    return True


def was_there(user: Any, moment: datetime) -> bool:
    """Tell whether *user* was there at *moment*: some databases give the key of a deleted row to the next one."""
    joined: datetime | None = getattr(user, "date_joined", None)
    return joined is None or joined <= moment


def _bound_text(user: Any) -> str:
    return f"{user.pk}\n{getattr(user, 'password', '')}"


def _signer(context: Any) -> Signer:
    return context.app.provided(KEYS).signer(("auth", "session"), feature="Logins")  # type: ignore[no-any-return]  # by a typed key
