"""The second factor of a user: an authenticator's secret, and codes for when it is lost.

Holds: the table and what asks it.
Imports: the data layer, `totp`.
Never: takes a code twice, or shows a secret after it was confirmed.
"""

from __future__ import annotations

from typing import Any

from ... import clock, db
from ..totp import find_recovery_code, hash_recovery_code, make_recovery_codes, make_secret, verify_code

__all__ = [
    "SecondFactor",
    "confirms",
    "find_factor",
    "forget_authenticator",
    "has_authenticator",
    "has_second_factor",
    "new_recovery_codes",
    "uses_code",
]


class SecondFactor(db.Model):
    """The authenticator of one user."""

    owner = db.CharField(max_length=64, primary_key=True)
    secret = db.CharField(max_length=64, secret=True)
    last_used = db.BigIntegerField(null=True, default=None)
    recovery = db.JSONField(default=list, secret=True)
    confirmed_at = db.DateTimeField(null=True, default=None)

    class Meta:
        app_label = "auth"
        verbose_name = "second factor"

    def __str__(self) -> str:
        return f"second factor of {self.owner}"


def find_factor(user: Any) -> Any:
    """Return the second factor of *user*, confirmed or not, or `None`."""
    return SecondFactor.objects.filter(owner=str(user.pk)).first()


def has_second_factor(user: Any) -> bool:
    """Tell whether *user* must give a code."""
    return has_authenticator(user.pk)


def has_authenticator(key: object) -> bool:
    """Tell whether the user of that primary key has an authenticator whose codes count."""
    return SecondFactor.objects.filter(owner=str(key), confirmed_at__isnull=False).exists()


def uses_code(user: Any, code: str) -> bool:
    """Tell whether *code* is right, and use it up: of two requests that send it, one is late."""
    factor = find_factor(user)
    if factor is None:
        return False
    # Codes of recovery are there for passkeys too, beside a secret that nobody has confirmed.
    return (factor.confirmed_at is not None and _uses_counter(factor, code)) or _uses_recovery(factor, code)


def _uses_counter(factor: Any, code: str) -> bool:
    counter = verify_code(factor.secret, code, last_used=factor.last_used)
    if counter is None:
        return False
    fresh = db.Q(last_used__isnull=True) | db.Q(last_used__lt=counter)
    return bool(SecondFactor.objects.filter(fresh, owner=factor.owner).update(last_used=counter))


def _uses_recovery(factor: Any, code: str) -> bool:
    with db.atomic():
        found = SecondFactor.objects.select_for_update().filter(owner=factor.owner).first()
        stored = find_recovery_code(code, found.recovery) if found is not None else None
        if found is None or stored is None:
            return False
        found.recovery = [each for each in found.recovery if each != stored]
        found.save(update_fields=["recovery"])
    return True


def confirms(user: Any, code: str) -> list[str] | None:
    """Confirm the authenticator of *user* by its first code.

    Returns:
        The codes of recovery, which are shown once; `None` where the code is wrong.
    """
    factor = find_factor(user)
    if factor is None or not _uses_counter(factor, code):
        return None
    SecondFactor.objects.filter(owner=factor.owner).update(confirmed_at=clock.today())
    return new_recovery_codes(user)


def new_recovery_codes(user: Any) -> list[str]:
    """Make new codes of recovery for *user*; the old ones are good no more."""
    codes, owner = make_recovery_codes(), str(user.pk)
    SecondFactor.objects.get_or_create(owner=owner, defaults={"secret": make_secret()})
    SecondFactor.objects.filter(owner=owner).update(recovery=[hash_recovery_code(each) for each in codes])
    return codes


def forget_authenticator(user: Any, *, keeps_recovery: bool) -> None:
    """Take the authenticator of *user* away, and the codes of recovery unless something else needs them."""
    rows = SecondFactor.objects.filter(owner=str(user.pk))
    if keeps_recovery:
        rows.update(secret=make_secret(), last_used=None, confirmed_at=None)
    else:
        rows.delete()
