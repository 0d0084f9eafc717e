"""Remember me: a browser is known again after its session ended.

The cookie holds a *series*, which stays, and a *token*, which is new after each use; the table
has the hash of the token. Who shows the series with a token that was used before has a copy of
the cookie, or the owner's was copied: then the series ends for both. Two requests that come
together show the same token: for a moment after its use the last one is still good.

A new password ends all series, for each is bound to the stored one as sessions are.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import datetime, timedelta
from typing import Any

from .. import clock, db
from ..colours import Operation, either
from ..context import Key
from ..http.response import Response
from ..signing import equal
from ..web.sessions import SESSIONS
from ..web.sessions.session import session_of
from .authenticating import backend_called
from .bonds import BACKEND, bond_of, is_bond
from .entering import entering
from .stepping import calling

__all__ = ["RememberedLogin", "forgetting", "forgetting_others", "recognizing", "remember"]

_logger = logging.getLogger("segue.auth")
_TOGETHER_SECONDS = 30
_LENGTH = len(secrets.token_urlsafe(32))
_SERIES_LENGTH = len(secrets.token_urlsafe(16))


class RememberedLogin(db.Model):
    """One browser that is known again."""

    series = db.CharField(max_length=32, primary_key=True)
    token = db.CharField(max_length=64, secret=True)
    previous = db.CharField(max_length=64, secret=True, blank=True, default="")
    owner = db.CharField(max_length=64, db_index=True)
    backend = db.CharField(max_length=255)
    bond = db.BinaryField(secret=True)
    created = db.DateTimeField()
    used = db.DateTimeField()
    expires = db.DateTimeField(db_index=True)

    class Meta:
        app_label = "auth"
        db_table = "auth_remembered_login"
        verbose_name = "remembered login"

    def __str__(self) -> str:
        return f"a browser of {self.owner}"


class _Cookie:
    """Sets the cookie, or takes it away, when the response stands."""

    def __init__(self, context: Any, text: str) -> None:
        self._sessions = context.app.provided(SESSIONS)
        self._seconds = _seconds(context)
        self.text = text

    def finish(self, response: Response) -> Operation[None]:
        """Write the header."""
        name, is_secure = _name(self._sessions), self._sessions.is_secure
        if self.text:
            response.set_cookie(name, self.text, max_age=self._seconds, secure=is_secure, httponly=True, samesite="Lax")
        else:
            response.delete_cookie(name, secure=is_secure, httponly=True, samesite="Lax")
        return
        yield


_COOKIE: Key[_Cookie] = Key("cookie of a remembered login")


def _name(sessions: Any) -> str:
    return "__Host-remember" if sessions.is_secure else "remember"


def _seconds(context: Any) -> int:
    value = context.app.app.config["REMEMBER_ME"]
    return int(value.total_seconds() if isinstance(value, timedelta) else value)


def _write(context: Any, text: str) -> None:
    cookie = context.kept.get(_COOKIE)
    if cookie is None:
        context.keep(_COOKIE, cookie := _Cookie(context, text))
        context.add_finisher(cookie)
    cookie.text = text


def _shown(context: Any) -> tuple[str, str] | None:
    """Return series and token of the cookie, if it looks like one."""
    text = context.request.cookies.get(_name(context.app.provided(SESSIONS)))
    if text is None:
        return None
    series, _, token = text.partition(".")
    return (series, token) if len(series) == _SERIES_LENGTH and len(token) == _LENGTH and text.isascii() else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# What happens


def remember(request: Any, user: Any) -> Operation[None]:
    """Begin a series for this browser, and forget those that have expired."""
    context = request.context
    series, token, now = secrets.token_urlsafe(16), secrets.token_urlsafe(32), clock.today()
    objects = RememberedLogin.objects
    old = objects.filter(expires__lte=now)
    yield from either(old.delete, old.adelete)
    yield from either(
        objects.create,
        objects.acreate,
        series=series,
        token=_digest(token),
        owner=str(user.pk),
        backend=session_of(request)[BACKEND],
        bond=bond_of(context, user),
        created=now,
        used=now,
        expires=now + timedelta(seconds=_seconds(context)),
    )
    _write(context, f"{series}.{token}")


def recognizing(context: Any) -> Operation[Any]:
    """Return the user whose browser this is, logged in again; `None` where it is nobody's."""
    shown = _shown(context)
    if shown is None:
        return None
    series, token = shown
    rows = RememberedLogin.objects.filter(series=series)
    row = yield from either(rows.first, rows.afirst)
    now = clock.today()
    user = None if row is None or row.expires <= now else (yield from _owner(context, row))
    if row is None or user is None:
        yield from forgetting(context.request)
        return None
    if equal(row.token, _digest(token)):
        yield from _rotate(context, row, now)
    elif not (equal(row.previous, _digest(token)) and now - row.used < timedelta(seconds=_TOGETHER_SECONDS)):
        _logger.warning("a used remember-me token of user %s was shown again; its series has ended", row.owner)
        yield from forgetting(context.request)
        return None
    is_in = yield from entering(context.request, user, backend=row.backend, is_fresh=False)
    return user if is_in else None


def _owner(context: Any, row: RememberedLogin) -> Operation[Any]:
    backend = backend_called(context, row.backend)
    user = None if backend is None else (yield from calling(backend, "get_user", row.owner))
    if user is None or getattr(user, "is_active", True) is not True:
        return None
    return user if is_bond(context, bytes(row.bond), user) else None


def _rotate(context: Any, row: RememberedLogin, now: datetime) -> Operation[None]:
    token = secrets.token_urlsafe(32)
    # Of two requests that come together one is the first; the other finds another token, and keeps out.
    rows = RememberedLogin.objects.filter(series=row.series, token=row.token)
    values = {"token": _digest(token), "previous": row.token, "used": now}
    if (yield from either(rows.update, rows.aupdate, **values)):
        _write(context, f"{row.series}.{token}")


def forgetting(request: Any) -> Operation[None]:
    """End the series of this browser, and take the cookie away."""
    context = request.context
    text = context.request.cookies.get(_name(context.app.provided(SESSIONS)))
    shown = _shown(context)
    if shown is not None:
        rows = RememberedLogin.objects.filter(series=shown[0])
        yield from either(rows.delete, rows.adelete)
    if text is not None or _COOKIE in context.kept:
        _write(context, "")


def forgetting_others(request: Any, user: Any) -> Operation[None]:
    """End the series of *user* in all browsers but this one."""
    shown = _shown(request.context)
    rows = RememberedLogin.objects.filter(owner=str(user.pk)).exclude(series=shown[0] if shown is not None else "")
    yield from either(rows.delete, rows.adelete)
