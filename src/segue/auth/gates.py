"""Gates: what stands before a handler until somebody may pass.

Each sets a mark on a function, a class or a blueprint and returns the same thing; the compiler
reads the marks, so a gate's place among decorators does not matter. Gates run before the body of
a request is read, in the colour of the endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar, overload

from .. import clock
from ..colours import Operation, arun, pair, run, twin
from ..errors import Forbidden
from ..handling.exchange import Exchange
from ..handling.markers import mark, marks_of
from ..web.sessions.session import session_of
from .bonds import MOMENT
from .current import finding_user
from .refusing import refuse_anonymous
from .stepping import calling

__all__ = [
    "add_gate",
    "forbidden",
    "fresh_login_required",
    "login_not_required",
    "login_required",
    "permission_gate",
    "permission_required",
    "require_login",
    "user_passes_test",
]

T = TypeVar("T")


# Who is logged in


async def arequire_login(exchange: Exchange) -> None:
    """`require_login()` in async code."""
    await arun(_requiring_login(exchange))


@twin(arequire_login)
def require_login(exchange: Exchange) -> None:
    """Refuse those who are not logged in."""
    run(_requiring_login(exchange))


def _requiring_login(exchange: Exchange) -> Operation[None]:
    user = yield from finding_user(exchange)
    if not user.is_authenticated:
        refuse_anonymous(exchange)


@overload
def login_required(thing: T, /) -> T: ...
@overload
def login_required(*, login_url: str | None = ..., redirect_field_name: str = ...) -> Callable[[T], T]: ...
def login_required(thing: Any = None, /, *, login_url: str | None = None, redirect_field_name: str = "next") -> Any:
    """Let only those in who are logged in: to a function, a class of views or a blueprint.

    Others are sent to the login and back; a program is answered 401.

    Args:
        login_url: Another login than the key `LOGIN_URL`: a path or an endpoint's name.
        redirect_field_name: What the login's parameter for the way back is called.
    """
    if login_url is None and redirect_field_name == "next":
        needed: Any = True
    else:
        needed = _logged_in(login_url, redirect_field_name)

    def decorate(each: Any) -> Any:
        return _set(each, needed)

    return decorate if thing is None else decorate(thing)


def login_not_required(thing: T) -> T:
    """Let everybody in, though the app or the blueprint says that a login is required."""
    return _set(thing, needed=False)


def _set(thing: T, needed: Any) -> T:
    """Say whether a login is needed: yes, no, or by a gate of its own."""
    target: Any = thing
    if hasattr(target, "registries"):  # a blueprint: its routes ask it
        target.login_required = needed
    else:
        mark(target, login=needed)
    return thing


def _logged_in(login_url: str | None, field: str) -> Callable[..., Any]:
    def _check_login(exchange: Exchange) -> Operation[None]:
        """Refuse those who are not logged in."""
        user = yield from finding_user(exchange)
        if not user.is_authenticated:
            refuse_anonymous(exchange, login=login_url, field=field)

    return pair(_check_login)[0]


def fresh_login_required(thing: Any = None, /, *, seconds: float | timedelta | None = None) -> Any:
    """Let only those in who proved who they are a short while ago: for what a stolen session must not do.

    Args:
        seconds: How long a login is fresh; by default `FRESH_LOGIN`, ten minutes.
    """
    if thing is None:
        return partial(fresh_login_required, seconds=seconds)

    def _check_fresh_login(exchange: Exchange) -> Operation[None]:
        """Refuse those whose login is not fresh."""
        user = yield from finding_user(exchange)
        if not user.is_authenticated:
            refuse_anonymous(exchange)
        session = yield from session_of(exchange.request).loading()
        given: Any = exchange.app.app.config["FRESH_LOGIN"] if seconds is None else seconds
        limit = given.total_seconds() if isinstance(given, timedelta) else float(given)
        moment = session.get(MOMENT)
        if not isinstance(moment, int) or not 0 <= clock.now() - moment + 1 <= limit + 1:
            refuse_anonymous(exchange, code="auth/fresh-login-needed", detail="Log in once more for this.")

    return add_gate(thing, pair(_check_fresh_login)[0])


# Who may


def permission_required(
    perm: str | Iterable[str], *, login_url: str | None = None, raise_exception: bool = False
) -> Callable[[T], T]:
    """Let only those in who have a permission, or all of several; others who are logged in get 403.

    Args:
        perm: Such as `core.change_record`. One that no model has stops the start.
        login_url: Another login than the key `LOGIN_URL`.
        raise_exception: Whether those who are not logged in get 403 too.
    """
    guard = permission_gate(perm, login_url=login_url, raise_exception=raise_exception)
    return lambda thing: add_gate(thing, guard)


def permission_gate(perm: str | Iterable[str], *, login_url: str | None, raise_exception: bool) -> Callable[..., Any]:
    """Return what refuses those who lack a permission."""
    perms = (perm,) if isinstance(perm, str) else tuple(perm)

    def _check_permission(exchange: Exchange) -> Operation[None]:
        """Refuse those who lack a permission."""
        user = yield from finding_user(exchange)
        if not user.is_authenticated and not raise_exception:
            refuse_anonymous(exchange, login=login_url)
        for each in perms:
            if not (yield from calling(user, "has_perm", each)):
                raise forbidden()

    return mark(pair(_check_permission)[0], permissions=perms)


def user_passes_test(
    test: Callable[[Any], Any], *, login_url: str | None = None, raise_exception: bool = False
) -> Callable[[T], T]:
    """Let only those in of whom *test*, a `def` or an `async def` function of the user, says so.

    Args:
        login_url: Where those who are not logged in are sent.
        raise_exception: Whether those get 403 too.
    """
    tester = _Tester(test)

    def _check_test(exchange: Exchange) -> Operation[None]:
        """Refuse those of whom a test says no."""
        user = yield from finding_user(exchange)
        if (yield from calling(tester, "test", user)):
            return
        if not user.is_authenticated and not raise_exception:
            refuse_anonymous(exchange, login=login_url)
        raise forbidden()

    guard = pair(_check_test)[0]
    return lambda thing: add_gate(thing, guard)


class _Tester:
    """Holds a function of either colour where a method is looked for."""

    def __init__(self, test: Callable[[Any], Any]) -> None:
        self.test = test


def add_gate(thing: T, guard: Callable[..., Any], *, instead_of: Any = None) -> T:
    """Put *guard* before a function, a class of views or all routes of a blueprint.

    Args:
        instead_of: The gate that a class has from one it derives from.
    """
    target: Any = thing
    if hasattr(target, "registries"):
        target.guard(guard)
    else:
        guards = [each for each in marks_of(target).get("guards", ()) if each is not guard and each is not instead_of]
        mark(target, guards=[*guards, guard])
    return thing


def forbidden() -> Forbidden:
    """Return the refusal of somebody who is known and may not."""
    return Forbidden("You may not do this.", code="auth/not-permitted")
