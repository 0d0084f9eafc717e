"""Log in and out: what happens to the session of a request.

Holds: `login`, `logout`, `update_session_auth_hash`, each with its twin.
Imports: sessions, signals, who is asking.
Never: checks a password; that is `authenticate`'s.
"""

from __future__ import annotations

from typing import Any, cast

from ..colours import Operation, arun, run, twin
from ..signals import user_logged_out
from ..web.sessions.session import Session, session_of
from .accounts import accounts_of
from .bonds import BOND, USER, bond_of
from .current import finding_user
from .entering import entering
from .protocol import AnonymousUser
from .remembering import forgetting, remember
from .stepping import sending

__all__ = ["alogin", "alogout", "aupdate_session_auth_hash", "login", "logout", "update_session_auth_hash"]


async def alogin(
    request: Any, user: Any, *, backend: str | None = None, remember_me: bool = False, asks_second_factor: bool = True
) -> bool:
    """`login()` in async code."""
    step = _login(request, user, backend, remember_me=remember_me, asks_second_factor=asks_second_factor)
    return await arun(step)


@twin(alogin)
def login(
    request: Any, user: Any, *, backend: str | None = None, remember_me: bool = False, asks_second_factor: bool = True
) -> bool:
    """Log *user* in: this session is theirs from now on.

    It gets a new id, against those who know the old one. What an anonymous visitor left in it
    stays; what another user did goes.

    Args:
        user: What `authenticate` returned, or anybody who proved otherwise who they are.
        backend: The class of the back end that will load them, as `module:Class`; by default the
            one that found them, else the first.
        remember_me: Whether the browser is known again after it was closed.
        asks_second_factor: Whether a user who has a second factor must give it first; `False` where
            they proved it already.

    Returns:
        Whether they are in. Where their second factor is still asked for, they are not: lead them
        to the page `auth.second_factor`, as the page of the login does with those who come there.
        Who was deleted meanwhile is not in either.
    """
    return run(_login(request, user, backend, remember_me=remember_me, asks_second_factor=asks_second_factor))


def _login(
    request: Any, user: Any, backend: str | None, *, remember_me: bool, asks_second_factor: bool
) -> Operation[bool]:
    begin = accounts_of(request.context).second_step
    if asks_second_factor and begin is not None and (yield from begin(request, user, backend, remember_me)):
        return False
    is_in = yield from entering(request, user, backend=backend, is_fresh=True)
    if is_in and remember_me:
        yield from remember(request, user)
    return is_in


async def alogout(request: Any) -> None:
    """`logout()` in async code."""
    await arun(_logout(request))


@twin(alogout)
def logout(request: Any) -> None:
    """Log out: the session ends with everything in it, on the server too, and the browser is forgotten."""
    run(_logout(request))


def _logout(request: Any) -> Operation[None]:
    context = request.context
    user = yield from finding_user(context)
    session = yield from session_of(request).loading()
    session.flush()
    yield from forgetting(request)
    context.keep(USER, AnonymousUser())
    if user.is_authenticated:
        yield from sending(user_logged_out, cast(Any, type(user)), request=request, user=user)


async def aupdate_session_auth_hash(request: Any, user: Any) -> None:
    """`update_session_auth_hash()` in async code."""
    await arun(_update_session_auth_hash(request, user))


@twin(aupdate_session_auth_hash)
def update_session_auth_hash(request: Any, user: Any) -> None:
    """Keep this session logged in after *user*'s password was changed; all others have ended."""
    run(_update_session_auth_hash(request, user))


def _update_session_auth_hash(request: Any, user: Any) -> Operation[None]:
    session: Session = yield from session_of(request).loading()
    session.cycle_key()
    session[BOND] = bond_of(request.context, user)
    request.context.keep(USER, user)
