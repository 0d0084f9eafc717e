"""`authenticate`: from credentials to a user, by the back ends of the app, not too often.

Holds: `authenticate` and its twin, the back ends of an app, the limits of attempts.
Imports: accounts, signals, the limiter.
Never: tells which of name and password was wrong, or keeps either.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from ..colours import Operation, arun, either, run, twin
from ..context import Context, Key, current
from ..errors import Forbidden, SetupError
from ..signals import user_login_failed
from ..targets import load_target
from ..web.limiting import Limiter, account_key, network_of
from .accounts import accounts_of
from .stepping import calling, sending

__all__ = ["aauthenticate", "authenticate", "backend_called", "backends_of", "name_of_backend"]

_BACKENDS: Key[dict[str, Any]] = Key("authentication back ends")


async def aauthenticate(request: Any = None, **credentials: Any) -> Any:
    """`authenticate()` in async code."""
    return await arun(_authenticate(request, credentials))


@twin(aauthenticate)
def authenticate(request: Any = None, **credentials: Any) -> Any:
    """Return the user whom these credentials prove, or `None`.

    It asks the back ends of the key `AUTHENTICATION_BACKENDS` that take such credentials, in order.
    With a request, attempts are counted: by name and network, and by network.

    Args:
        request: The running one; `None` in scripts, where nothing is counted.
        credentials: Such as `email` (or `username`) and `password`.

    Raises:
        TooManyRequests: There were too many attempts (`LOGIN_RATE`, `LOGIN_NETWORK_RATE`).
    """
    return run(_authenticate(request, credentials))


def _authenticate(request: Any, credentials: dict[str, Any]) -> Operation[Any]:
    context = current() if request is None else request.context
    accounts = accounts_of(context)
    name = _name_in(credentials, accounts.user)
    if request is not None:
        yield from _count(context, request, name)
    user = yield from _first(backends_of(context), request, credentials)
    if user is None:
        yield from sending(user_login_failed, context.app.app, request=request, username=name[:254])
    elif request is not None and name:
        limiter = _limiter(context, "LOGIN_RATE")
        key = account_key(name, request.client)
        yield from either(limiter.reset, limiter.areset, key)
    return user


def _first(backends: dict[str, Any], request: Any, credentials: dict[str, Any]) -> Operation[Any]:
    for called, backend in backends.items():
        if not _takes(backend, request, credentials):
            continue
        try:
            user = yield from calling(backend, "authenticate", request, **credentials)
        except Forbidden:
            return None
        if user is not None:
            with suppress(AttributeError):  # of a class with slots; then `login` asks for it
                user._auth_backend = called
            return user
    return None


def _takes(backend: Any, request: Any, credentials: dict[str, Any]) -> bool:
    method = getattr(backend, "authenticate", None) or getattr(backend, "aauthenticate", None)
    if method is None:
        return False
    try:
        inspect.signature(method).bind(request, **credentials)
    except TypeError:
        return False
    return True


def _name_in(credentials: dict[str, Any], user: Any) -> str:
    for key in (getattr(user, "USERNAME_FIELD", "username"), "username", "email"):
        if isinstance(credentials.get(key), str):
            return credentials[key]  # type: ignore[no-any-return]  # just asked
    return ""


# Attempts


def _count(context: Any, request: Any, name: str) -> Operation[None]:
    network = network_of(request.client)
    keys = [("LOGIN_NETWORK_RATE", network)]
    if name:
        keys.append(("LOGIN_RATE", account_key(name, request.client)))
    for setting, key in keys:
        limiter = _limiter(context, setting)
        hit = yield from either(limiter.hit, limiter.ahit, key)
        hit.demand()


def _limiter(context: Any, setting: str) -> Limiter:
    config = context.app.app.config
    return Limiter(config[setting], scope=f"auth:{setting}", cache=config["LOGIN_RATE_CACHE"])


# Back ends


def backends_of(context: Context) -> dict[str, Any]:
    """Return the back ends of the app of *context*, by the names that sessions keep.

    Raises:
        SetupError: One is neither an object with the methods nor the target of its class.
    """
    kept: dict[str, Any] | None = context.app.values.get(_BACKENDS)
    if kept is None:
        app = context.app.app
        kept = context.app.values[_BACKENDS] = dict(load_backends(app))
    return kept


def load_backends(app: Any) -> Iterator[tuple[str, Any]]:
    """Load what `AUTHENTICATION_BACKENDS` names."""
    for given in app.config["AUTHENTICATION_BACKENDS"]:
        thing = load_target(given, root=app.root_path) if isinstance(given, str) else given
        backend = thing() if isinstance(thing, type) else thing
        if not any(hasattr(backend, name) for name in ("authenticate", "aauthenticate", "get_user", "aget_user")):
            raise SetupError(
                f"AUTHENTICATION_BACKENDS has {given!r}, which is no back end.",
                code="auth/bad-backend",
                where="the configuration key AUTHENTICATION_BACKENDS",
                why="One has authenticate(request, **credentials) and get_user(key), or their async twins.",
                hint='AUTHENTICATION_BACKENDS = ["segue.auth:ModelBackend"]',
            )
        yield name_of_backend(backend), backend


def name_of_backend(backend: Any) -> str:
    """Return what a session calls a back end: its class."""
    kind = cast(Any, type(backend))
    return f"{kind.__module__}:{kind.__qualname__}"


def backend_called(context: Context, name: str) -> Any:
    """Return the back end that a session names, or `None` where the app has it no more."""
    return backends_of(context).get(name)
