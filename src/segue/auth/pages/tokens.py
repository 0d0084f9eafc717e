"""One-time tokens as they are kept: what was sent by mail, and what for.

Holds: the table, and the operations that make and use its rows.
Imports: the data layer and `onetime`.
Never: keeps a token itself; only its digest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ... import clock, db
from ...colours import Operation, either
from ..onetime import is_token_good, issue_token, token_digest

__all__ = ["NEW_ACCOUNT", "MailedToken", "issuing", "looking_up", "using"]


# The purpose of the token that a new account waits for.
NEW_ACCOUNT = "verify"


class MailedToken(db.Model):
    """A token that was sent to somebody."""

    digest = db.CharField(max_length=64, primary_key=True)
    purpose = db.CharField(max_length=30)
    owner = db.CharField(max_length=64, db_index=True)
    address = db.CharField(max_length=254, blank=True, default="")
    fingerprint = db.CharField(max_length=64)
    expires_at = db.DateTimeField(db_index=True)

    class Meta:
        app_label = "auth"
        verbose_name = "mailed token"

    def __str__(self) -> str:
        return f"{self.purpose} of {self.owner}"


def _bound_to(user: Any, address: str, browser: str) -> tuple[object, ...]:
    # A new password, a log in or another address ends what was sent before.
    known = (address or getattr(user, user.EMAIL_FIELD, ""), user.password, user.last_login, user.is_active)
    return (*known, browser) if browser else known


def issuing(user: Any, purpose: str, *, lifetime: timedelta, address: str = "", browser: str = "") -> Operation[str]:
    """Make a token for *user*, and forget those that have expired; but those of new accounts show that they wait.

    Args:
        browser: What is to be shown with it, where it is good in one browser alone.
    """
    issued = issue_token(purpose, lifetime=lifetime, bound_to=_bound_to(user, address, browser))
    old = MailedToken.objects.filter(expires_at__lte=clock.today()).exclude(purpose=NEW_ACCOUNT)
    yield from either(old.delete, old.adelete)
    yield from either(
        MailedToken.objects.create,
        MailedToken.objects.acreate,
        digest=issued.digest,
        purpose=purpose,
        owner=str(user.pk),
        address=address,
        fingerprint=issued.fingerprint,
        expires_at=issued.expires_at,
    )
    return issued.text


def looking_up(model: Any, text: str, purpose: str, *, browser: str = "") -> Operation[tuple[Any, str] | None]:
    """Return whose token this is, and the address it was sent to; `None` where it is none, or too old."""
    rows = MailedToken.objects.filter(digest=token_digest(text, purpose=purpose), purpose=purpose)
    row: Any = yield from either(rows.first, rows.afirst)
    if row is None:
        return None
    owners = model.objects.filter(pk=row.owner)
    user: Any = yield from either(owners.first, owners.afirst)
    if user is None:
        return None
    is_good = is_token_good(
        text,
        purpose=purpose,
        digest=row.digest,
        fingerprint=row.fingerprint,
        expires_at=row.expires_at,
        bound_to=_bound_to(user, row.address, browser),
    )
    return (user, row.address) if is_good else None


def using(model: Any, text: str, purpose: str, *, browser: str = "") -> Operation[tuple[Any, str] | None]:
    """As `looking_up`, and the token is used: of two who send it at once, one is late."""
    found = yield from looking_up(model, text, purpose, browser=browser)
    if found is None:
        return None
    rows = MailedToken.objects.filter(digest=token_digest(text, purpose=purpose))
    count, _ = yield from either(rows.delete, rows.adelete)
    return found if count else None
