"""The passkeys of users: what a site keeps of each.

Holds: the table, and what asks it.
Imports: the data layer.
Never: keeps a secret; the private half stays in the user's device.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from ... import clock, db

__all__ = ["MAX_PASSKEYS", "Passkey", "find_passkey", "handle_of", "passkeys_of", "uses_passkey"]

MAX_PASSKEYS = 20


class Passkey(db.Model):
    """One passkey of one user."""

    # A credential's id has up to 1023 bytes, more than every database can index.
    digest = db.CharField(max_length=64, unique=True)
    owner = db.CharField(max_length=64, db_index=True)
    handle = db.CharField(max_length=64)
    credential_id = db.BinaryField()
    public_key = db.BinaryField()
    sign_count = db.BigIntegerField(default=0)
    transports = db.JSONField(default=list)
    name = db.CharField(max_length=60)
    created = db.DateTimeField(default=clock.today)
    last_used = db.DateTimeField(null=True, default=None)

    class Meta:
        app_label = "auth"
        verbose_name = "passkey"

    def __str__(self) -> str:
        return self.name


def digest_of(credential_id: bytes) -> str:
    """Return by what a passkey is found."""
    return hashlib.sha256(credential_id).hexdigest()


def find_passkey(credential_id: bytes) -> Any:
    """Return the passkey with that id, or `None`."""
    return Passkey.objects.filter(digest=digest_of(credential_id)).first()


def passkeys_of(key: object) -> list[Any]:
    """Return the passkeys of the user of that primary key, the oldest first."""
    return list(Passkey.objects.filter(owner=str(key)).order_by("created", "pk"))


def handle_of(key: object) -> str:
    """Return by what devices know the user: random, so that it tells nobody who that is."""
    known = Passkey.objects.filter(owner=str(key)).first()
    return known.handle if known is not None else secrets.token_urlsafe(32)


def uses_passkey(passkey: Any, *, count: int, asked_at: datetime) -> bool:
    """Keep that a passkey was used, unless its answer is an old one or a copy's.

    One statement decides, so that of two requests with the same answer one is late, even where
    sessions are kept in cookies and somebody sends an old one.

    Args:
        count: Its counter now. Devices that count must be ahead of what is kept; a copy is not.
        asked_at: When the challenge was made: one from before the last use is used up.
    """
    is_new = db.Q(last_used__isnull=True) | db.Q(last_used__lt=asked_at)
    is_ahead = db.Q(sign_count__lt=count) if count else db.Q(sign_count=0)
    rows = Passkey.objects.filter(is_new, is_ahead, pk=passkey.pk)
    return bool(rows.update(sign_count=count, last_used=clock.today()))
