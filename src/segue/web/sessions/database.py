"""Sessions in the app's default database: a table of the hashes of their ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from ... import clock, db
from ...colours import Operation, either, listing
from .stores import Stored

__all__ = ["DatabaseBackend", "SessionRow"]


class SessionRow(db.Model):
    """One session as the table has it."""

    key = db.CharField(max_length=64, primary_key=True)
    data = db.BinaryField(secret=True)
    created = db.DateTimeField()
    seen = db.DateTimeField()
    expires = db.DateTimeField(db_index=True)
    version = db.IntegerField(default=0)
    owner = db.CharField(max_length=64, blank=True, default="", db_index=True)

    class Meta:
        app_label = "sessions"
        db_table = "session"
        verbose_name = "session"

    def __str__(self) -> str:
        return f"session of {self.owner or 'nobody'}"


class DatabaseBackend:
    """Keeps sessions in the table of `SessionRow`."""

    def __repr__(self) -> str:
        return "the database"

    def read(self, key: str) -> Operation[Stored | None]:
        """Return the session of *key*, or `None`."""
        objects = SessionRow.objects
        # PERF: a get by key has the shortest way to its plan; first() of chosen columns took three times as long.
        try:
            row = yield from either(objects.get, objects.aget, key=key)
        except SessionRow.DoesNotExist:
            return None
        return _stored(row)

    def insert(self, key: str, stored: Stored) -> Operation[None]:
        """Keep a new session."""
        objects = SessionRow.objects
        yield from either(objects.create, objects.acreate, key=key, **_columns(stored))

    def update(self, key: str, stored: Stored) -> Operation[Literal["saved", "changed", "gone"]]:
        """Keep a session that exists in this version, and count the version up; make none."""
        rows = SessionRow.objects.filter(key=key, version=stored.version)
        columns = _columns(stored) | {"version": stored.version + 1}
        if (yield from either(rows.update, rows.aupdate, **columns)):
            return "saved"
        same = SessionRow.objects.filter(key=key)
        return "changed" if (yield from either(same.exists, same.aexists)) else "gone"

    def remove(self, key: str) -> Operation[None]:
        """Forget the session of *key*."""
        rows = SessionRow.objects.filter(key=key)
        yield from either(rows.delete, rows.adelete)

    def of_owner(self, owner: str) -> Operation[Sequence[Stored]]:
        """Return the sessions of one user, latest seen first."""
        rows = SessionRow.objects.filter(owner=owner, expires__gt=clock.today()).order_by("-seen")
        return [_stored(each) for each in (yield from listing(rows))]

    def remove_of_owner(self, owner: str, *, keep: str = "") -> Operation[int]:
        """End the sessions of one user, but that of the key *keep*; say how many."""
        rows = SessionRow.objects.filter(owner=owner).exclude(key=keep)
        count, _ = yield from either(rows.delete, rows.adelete)
        return count

    def remove_expired(self) -> Operation[int]:
        """Forget what has expired; say how much it was."""
        rows = SessionRow.objects.filter(expires__lte=clock.today())
        count, _ = yield from either(rows.delete, rows.adelete)
        return count


def _columns(stored: Stored) -> dict[str, Any]:
    return {
        "data": stored.data,
        "created": _moment(stored.created),
        "seen": _moment(stored.seen),
        "expires": _moment(stored.expires),
        "version": stored.version,
        "owner": stored.owner,
    }


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _stored(row: SessionRow) -> Stored:
    return Stored(
        bytes(row.data),
        int(row.created.timestamp()),
        int(row.seen.timestamp()),
        int(row.expires.timestamp()),
        version=row.version,
        owner=row.owner,
        key=row.key,
    )
